namespace Curvature.Kernels;

/// <summary>Where the panels of a packed operand lie: for each distinct matrix of the batch, for each block of inner indices,
/// panel after panel, each (inner indices) × (its rows, or padded columns).</summary>
internal sealed class PackedLayout
{
    private readonly int[] _matrixOfBatch;

    public PackedLayout(TilePlan plan, bool rows)
    {
        IsRows = rows;
        Width = rows ? plan.Rows : plan.PaddedColumns;
        MatrixElements = (long)Width * plan.Shape.Inner;
        var batch = (rows ? plan.RowOperand : plan.ColumnOperand).Batch;

        // Entries of the batch that share a matrix, as along an axis of stride 0, share its packed form.
        var matrices = new Dictionary<nint, int>();
        _matrixOfBatch = new int[batch.Count];
        for (var i = 0; i < batch.Count; i++)
        {
            if (!matrices.TryGetValue(batch[i], out var matrix))
            {
                matrix = matrices.Count;
                matrices.Add(batch[i], matrix);
            }

            _matrixOfBatch[i] = matrix;
        }

        Matrices = [.. matrices.Keys];
    }

    /// <summary>The packed operand lies along the rows of the tiles, not along their columns.</summary>
    public bool IsRows { get; }

    /// <summary>The number of rows, or of padded columns.</summary>
    public int Width { get; }

    /// <summary>Elements of one packed matrix.</summary>
    public long MatrixElements { get; }

    /// <summary>The offsets, in the operand, of the distinct matrices.</summary>
    public nint[] Matrices { get; }

    /// <summary>Where the packed matrix of an entry of the batch begins.</summary>
    public long MatrixStart(int batch) => _matrixOfBatch[batch] * MatrixElements;

    /// <summary>Where a panel begins in its packed matrix.</summary>
    public nint PanelStart(in DepthBlock depth, int firstFreeIndex) =>
        ((nint)depth.Start * Width) + ((nint)firstFreeIndex * depth.Length);
}
