namespace Curvature.Kernels;

/// <summary>A contraction as dot products of rows with columns.</summary>
internal sealed unsafe class DotContraction<V, T> : ContractionKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ContractionDescription _contraction;
    private readonly DotPlan _plan;
    private readonly PackedBatch? _packedRows;

    public DotContraction(ContractionDescription contraction, DotPlan plan, ThreadTeam team)
        : base(contraction, plan, team)
    {
        _contraction = contraction;
        _plan = plan;
        _packedRows = plan.RowsArePacked ? plan.PackedRowBatch : null;
    }

    /// <summary>One unit of work is a tile's columns in one matrix of the batch.</summary>
    protected override long Units => (long)_plan.Shape.Batch * _plan.ColumnTiles;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long firstUnit, long endUnit)
    {
        var rows = _contraction.Operand<T>(_plan.RowSide, slots);
        var columns = _contraction.Operand<T>(_plan.ColumnSide, slots);
        var result = _contraction.C.Address<T>(slots);
        var copyBytes = _plan.CopiesRows ? _plan.RowElements * sizeof(T) : 0;
        var scratch = Workspace.Reserve(((long)_plan.Rows * sizeof(T*)) + copyBytes);
        var rowStarts = (T**)scratch;
        var copies = (T*)(rowStarts + _plan.Rows);
        var prepared = -1;
        for (var unit = firstUnit; unit < endUnit; unit++)
        {
            var batch = (int)(unit / _plan.ColumnTiles);
            if (batch != prepared)
            {
                PrepareRows(rows + (_packedRows?.Start(batch) ?? _plan.RowOperand.Batch[batch]), rowStarts, copies);
                prepared = batch;
            }

            var firstColumn = (int)(unit % _plan.ColumnTiles) * DotPlan.TileColumns;
            var source = columns + _plan.ColumnOperand.Batch[batch];
            MultiplyColumns(rowStarts, source, firstColumn, result + _plan.Shape.C.Batch[batch]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareRows(T* source, T** rows, T* copies)
    {
        if (_plan.CopiesRows)
        {
            DotPacking<T>.CopyRows(source, _plan.RowOperand, copies);
            source = copies;
        }

        var oneAfterTheOther = _plan.CopiesRows || _plan.RowsArePacked;
        for (var i = 0; i < _plan.Rows; i++)
        {
            rows[i] = source + (oneAfterTheOther
                ? (nint)i * _plan.Shape.Inner
                : _plan.RowOperand.Free[i] + _plan.RowOperand.Inner[0]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private void MultiplyColumns(T** rows, T* source, int firstColumn, T* result)
    {
        var rowResult = _plan.RowResult;
        var columnResult = _plan.ColumnResult;
        var columnCount = Math.Min(DotPlan.TileColumns, columnResult.Count - firstColumn);
        var contiguous = columnResult.Pattern(new(firstColumn, columnCount)).Spacing == 1;
        var columns = stackalloc T*[DotPlan.TileColumns];
        var firstInner = _plan.ColumnOperand.Inner[0];
        for (var j = 0; j < DotPlan.TileColumns; j++)
        {
            // Tiles reach beyond the last column; there they repeat it.
            columns[j] = source + _plan.ColumnOperand.Free[firstColumn + Math.Min(j, columnCount - 1)] + firstInner;
        }

        var sums = stackalloc T[DotPlan.TileRows * DotPlan.TileColumns];
        for (var row = 0; row < rowResult.Count; row += DotPlan.TileRows)
        {
            var rowCount = Math.Min(DotPlan.TileRows, rowResult.Count - row);
            Sum(rows + row, rowCount, columns, sums);
            for (var i = 0; i < rowCount; i++)
            {
                var target = result + rowResult[row + i];
                var line = sums + (i * DotPlan.TileColumns);
                if (contiguous && !_contraction.Accumulate)
                {
                    ShortRows.Copy<V, T>(line, target + columnResult[firstColumn], columnCount);
                    continue;
                }

                for (var j = 0; j < columnCount; j++)
                {
                    var element = target + columnResult[firstColumn + j];
                    *element = _contraction.Accumulate ? *element + line[j] : line[j];
                }
            }
        }
    }

    /// <summary>The sums of one tile, block by block of the inner index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(T** rows, int rowCount, T** columns, T* sums)
    {
        if (_plan.Blocks == 1)
        {
            RunTile(rows, rowCount, columns, 0, _plan.Shape.Inner, sums);
            return;
        }

        const int Most = DotPlan.TileRows * DotPlan.TileColumns;
        var totals = stackalloc double[Most];
        for (var i = 0; i < Most; i++)
        {
            totals[i] = 0;
        }

        var count = rowCount * DotPlan.TileColumns;
        for (var block = 0; block < _plan.Blocks; block++)
        {
            var (start, length) = _plan.Block(block);
            RunTile(rows, rowCount, columns, start, length, sums);
            for (var i = 0; i < count; i++)
            {
                totals[i] += double.CreateTruncating(sums[i]);
            }
        }

        for (var i = 0; i < count; i++)
        {
            sums[i] = T.CreateTruncating(totals[i]);
        }
    }

    private static void RunTile(T** rows, int rowCount, T** columns, int start, int length, T* sums)
    {
        switch (rowCount)
        {
            case 1:
                DotTile<V, T, Extent.Of1>.Run(rows, columns, start, length, sums);
                break;
            case 2:
                DotTile<V, T, Extent.Of2>.Run(rows, columns, start, length, sums);
                break;
            case 3:
                DotTile<V, T, Extent.Of3>.Run(rows, columns, start, length, sums);
                break;
            default:
                DotTile<V, T, Extent.Of4>.Run(rows, columns, start, length, sums);
                break;
        }
    }
}
