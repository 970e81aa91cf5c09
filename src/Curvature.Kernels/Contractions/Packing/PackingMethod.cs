namespace Curvature.Kernels;

/// <summary>How a panel is packed.</summary>
internal enum PackingMethod
{
    /// <summary>Contiguous free indices are copied, one run after the other.</summary>
    Copying,

    /// <summary>Contiguous inner indices are transposed in registers.</summary>
    Transposition,

    /// <summary>Element by element.</summary>
    Gathering,
}

/// <summary>Chooses how a panel is packed.</summary>
internal static class PackingMethods
{
    // Copying shorter runs does not pay: transposing costs the same for all offsets, and gathering little more.
    private const int ShortestRun = 8;
    private const int ShortestRunBeforeGathering = 3;

    /// <param name="free">The pattern of the panel's free offsets.</param>
    /// <param name="count">Their number.</param>
    /// <param name="inner">The pattern of its inner offsets.</param>
    public static PackingMethod Choose(OffsetPattern free, int count, OffsetPattern inner) =>
        (free.Runs == 1 && count > 1) || free.Runs * ShortestRun <= count ? PackingMethod.Copying
        : inner.Spacing == 1 ? PackingMethod.Transposition
        : free.Runs * ShortestRunBeforeGathering <= count ? PackingMethod.Copying
        : PackingMethod.Gathering;
}
