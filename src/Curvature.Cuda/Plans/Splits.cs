namespace Curvature.Cuda;

/// <summary>How the inner axis of a product is split where there are too few tiles to keep a card busy. It depends on
/// sizes alone, and parts are put together in order, so that results are the same bits in every run.</summary>
/// <param name="Count">Parts.</param>
/// <param name="Chunk">Positions of a part.</param>
internal readonly record struct Splits(int Count, int Chunk)
{
    // Two blocks for each multiprocessor of the largest cards there are; on smaller ones they wait in line.
    private const long WantedBlocks = 264;
    private const int MostSplits = 16;

    /// <summary>For a number of blocks without splits.</summary>
    /// <param name="blocks">Blocks.</param>
    /// <param name="inner">Positions of the inner axis.</param>
    /// <param name="least">The fewest positions that are worth a part.</param>
    /// <param name="step">Positions that a block takes at once.</param>
    public static Splits For(long blocks, long inner, int least, int step)
    {
        var wanted = Math.Min(Math.Min(WantedBlocks / Math.Max(1, blocks), inner / least), MostSplits);
        if (wanted <= 1)
        {
            return new Splits(1, (int)Math.Max(1, inner));
        }

        var chunk = (inner + wanted - 1) / wanted;
        chunk = (chunk + step - 1) / step * step;
        return new Splits((int)((inner + chunk - 1) / chunk), (int)chunk);
    }
}
