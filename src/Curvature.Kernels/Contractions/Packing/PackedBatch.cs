namespace Curvature.Kernels;

/// <summary>The distinct matrices of a batch. Entries that share a matrix, as along an axis of stride 0, share its
/// packed form.</summary>
internal sealed class PackedBatch
{
    private readonly int[] _matrixOfEntry;

    /// <param name="entries">The offset of each entry's matrix.</param>
    /// <param name="matrixElements">Elements of a packed matrix.</param>
    public PackedBatch(OffsetTable entries, long matrixElements)
    {
        MatrixElements = matrixElements;
        var matrices = new List<nint>();
        var known = new Dictionary<nint, int>();
        _matrixOfEntry = new int[entries.Count];
        for (var entry = 0; entry < entries.Count; entry++)
        {
            if (known.TryAdd(entries[entry], matrices.Count))
            {
                matrices.Add(entries[entry]);
            }

            _matrixOfEntry[entry] = known[entries[entry]];
        }

        Matrices = [.. matrices];
    }

    /// <summary>The offsets of the distinct matrices before packing.</summary>
    public nint[] Matrices { get; }

    /// <summary>Elements of a packed matrix.</summary>
    public long MatrixElements { get; }

    /// <summary>Elements of all packed matrices.</summary>
    public long Elements => Matrices.Length * MatrixElements;

    /// <summary>Where the packed matrix of an entry begins.</summary>
    public long Start(int entry) => _matrixOfEntry[entry] * MatrixElements;
}
