namespace Curvature.CSharp;

/// <summary>E z_i⁴ and E z_i²z_j² of a probe, on which all variances depend.</summary>
/// <param name="Own">E z_i⁴.</param>
/// <param name="Mixed">E z_i²z_j² for i ≠ j.</param>
public sealed record FourthMoments(double Own, double Mixed);

/// <summary>A vector that a probe can give.</summary>
/// <param name="Probability">With which probability.</param>
/// <param name="Vector">The vector.</param>
public sealed record ProbeOutcome(double Probability, IReadOnlyList<double> Vector);

/// <summary>Distributions of random vectors z with E zzᵀ = I, such as <c>Probe.Rademacher</c>. Vector p of a key is a function of the key
/// and p alone, whatever the block size, the order and the number of threads.</summary>
public static class Probes
{
    extension(Probe)
    {
        /// <summary>Independent signs, −1 or 1: the least variance of all probes with independent entries, and exact for a diagonal
        /// matrix.</summary>
        public static Probe Rademacher => FSharp.Probe.rademacher;

        /// <summary>Independent standard normal entries.</summary>
        public static Probe Gaussian => FSharp.Probe.gaussian;

        /// <summary>Uniform on the sphere of radius √n.</summary>
        public static Probe Sphere => FSharp.Probe.sphere;

        /// <summary>√n times a basis vector, up to its sign, chosen uniformly.</summary>
        public static Probe Basis => FSharp.Probe.basis;

        /// <summary>Independent entries: ±1/√q with probability q/2 each, otherwise 0. Never of less variance than signs; it pays where
        /// sparse vectors are cheaper to multiply.</summary>
        /// <exception cref="ArgumentRangeException">The probability q is not in (0, 1].</exception>
        public static Probe Sparse(double probability) => FSharp.Probe.sparse(probability);

        /// <summary>Exactly <paramref name="count"/> = s entries ±√(n/s), at places chosen uniformly.</summary>
        /// <exception cref="ArgumentRangeException">The count is less than 1.</exception>
        public static Probe FixedSparse(int count) => FSharp.Probe.fixedSparse(count);
    }

    /// <summary>Vectors number first … first + count − 1 of a key, as the rows of a block [count, n].</summary>
    /// <exception cref="ArgumentRangeException">A number is negative.</exception>
    /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
    public static Tensor Draw(this Probe probe, Key key, int n, int first, int count, DType dtype) =>
        FSharp.Probe.draw(probe.NotNull(), key, n, first, count, dtype);

    /// <summary>The same vectors on a device.</summary>
    /// <exception cref="ArgumentRangeException">A number is negative.</exception>
    /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
    public static Tensor DrawOn(
        this Probe probe, Kernels.Device device, Key key, int n, int first, int count, DType dtype) =>
        FSharp.Probe.drawOn(device.NotNull(), probe.NotNull(), key, n, first, count, dtype);

    /// <summary>E z_i⁴ and E z_i²z_j² of vectors of length n.</summary>
    public static FourthMoments FourthMoments(this Probe probe, int n)
    {
        var (own, mixed) = FSharp.Probe.fourthMoments(probe.NotNull(), n);
        return new(own, mixed);
    }

    /// <summary>The variance of zᵀAz for a square matrix A that is known, symmetric or not: for checking estimators.</summary>
    /// <exception cref="ShapeException">The matrix is not square.</exception>
    public static double VarianceOfForm(this Probe probe, Tensor matrix) =>
        FSharp.Probe.varianceOfForm(probe.NotNull(), matrix.NotNull());

    /// <summary>The variance of each entry of z∘Az for a square matrix A that is known: for checking estimators.</summary>
    /// <exception cref="ShapeException">The matrix is not square.</exception>
    public static IReadOnlyList<double> VarianceOfDiagonal(this Probe probe, Tensor matrix) =>
        FSharp.Probe.varianceOfDiagonal(probe.NotNull(), matrix.NotNull());

    /// <summary>Every vector of length n that the probe can give, with its probability: sums over them are exact expectations.</summary>
    /// <exception cref="ArgumentRangeException">There are infinitely many, or n is above 20.</exception>
    public static IEnumerable<ProbeOutcome> Outcomes(this Probe probe, int n) =>
        FSharp.Probe.outcomes(probe.NotNull(), n).Select(outcome => new ProbeOutcome(outcome.Item1, outcome.Item2));
}
