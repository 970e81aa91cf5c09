namespace Curvature.Kernels;

/// <summary>A way to cut a row-major range of elements into pieces: rows of <see cref="Row"/> elements, each cut into
/// pieces of <see cref="Piece"/> (the last of a row may be shorter).</summary>
/// <remarks>An array repeats, a contiguous stretch ends, or a sum is complete after a period. Periods are products of
/// trailing sizes of one shape, so that each divides the next. No piece of a cut crosses the end of a longer period,
/// and pieces hold whole shorter ones.</remarks>
internal readonly record struct Cut(long Row, long Piece)
{
    /// <summary>Pieces of about <paramref name="size"/> elements at most.</summary>
    /// <param name="total">The number of elements.</param>
    /// <param name="periods">The periods to respect. Those that divide <paramref name="total"/> are enough.</param>
    /// <param name="size">The largest piece wanted; a multiple of 64.</param>
    public static Cut Along(long total, IEnumerable<long> periods, long size)
    {
        var within = 1L;
        var row = total;
        foreach (var period in periods)
        {
            if (period <= size)
            {
                within = Math.Max(within, period);
            }
            else
            {
                row = Math.Min(row, period);
            }
        }

        // Pieces of equal size, but for what it takes to end them on whole vectors or periods.
        var unit = within == 1 ? 64 : within;
        var count = Math.Max(1, (row + size - 1) / size);
        var even = (((row + count - 1) / count) + unit - 1) / unit * unit;
        return new Cut(row, Math.Min(row, Math.Min(even, Math.Max(unit, size / unit * unit))));
    }

    /// <summary>Pieces in a row.</summary>
    public long PiecesPerRow => Row == 0 ? 0 : (Row + Piece - 1) / Piece;

    /// <summary>Pieces in <paramref name="total"/> elements.</summary>
    public long Pieces(long total) => Row == 0 ? 0 : total / Row * PiecesPerRow;

    /// <summary>The first element of a piece.</summary>
    public long Start(long piece) => (piece / PiecesPerRow * Row) + (piece % PiecesPerRow * Piece);

    /// <summary>The number of elements of the piece that starts at an element.</summary>
    public long LengthAt(long start) => Math.Min(Piece, Row - (start % Row));
}
