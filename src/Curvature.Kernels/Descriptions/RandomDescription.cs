namespace Curvature.Kernels;

/// <summary>A distribution of random numbers.</summary>
public enum Distribution
{
    /// <summary>Raw 32-bit words, as Int32.</summary>
    Bits,

    /// <summary>Uniform on [0, 1).</summary>
    Uniform,

    /// <summary>Standard normal.</summary>
    Normal,

    /// <summary>−1 or 1 with equal probability.</summary>
    Rademacher,
}

/// <summary>Fills <paramref name="Count"/> consecutive elements; element i is a function of the key and of
/// <paramref name="Counter"/> + i alone (threefry2x32, the partitionable mode of jax.random).</summary>
public sealed record RandomDescription(
    DType DType, Distribution Distribution, uint Key0, uint Key1, long Counter, long Count, Place Target);
