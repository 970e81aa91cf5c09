using System.Diagnostics;
using System.Text;

namespace Curvature.CSharp;

/// <summary>E z_i⁴ and E z_i²z_j² of a probe, on which all variances depend.</summary>
/// <param name="Single">E z_i⁴.</param>
/// <param name="Mixed">E z_i²z_j² for i ≠ j.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record FourthMoments(double Single, double Mixed);

/// <summary>A vector that a probe can give.</summary>
/// <param name="Probability">With which probability.</param>
/// <param name="Vector">The vector.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record ProbeOutcome(double Probability, IReadOnlyList<double> Vector)
{
    // A list prints its type.
    private bool PrintMembers(StringBuilder builder)
    {
        var vector = string.Join(", ", Vector.Select(Numbers.Show));
        builder.Append("Probability = ").Append(Numbers.Show(Probability));
        builder.Append(", Vector = [").Append(vector).Append(']');
        return true;
    }
}

/// <summary>Distributions of random vectors z with E zzᵀ = I, such as <c>Probe.Rademacher</c>. Vector p of a key is a
/// function of the key and p alone, whatever the block size, the order and the number of threads.</summary>
public static class Probes
{
    extension(Probe)
    {
        /// <inheritdoc cref="FSharp.Probe.rademacher"/>
        public static Probe Rademacher => FSharp.Probe.rademacher;

        /// <inheritdoc cref="FSharp.Probe.gaussian"/>
        public static Probe Gaussian => FSharp.Probe.gaussian;

        /// <inheritdoc cref="FSharp.Probe.sphere"/>
        public static Probe Sphere => FSharp.Probe.sphere;

        /// <inheritdoc cref="FSharp.Probe.basis"/>
        public static Probe Basis => FSharp.Probe.basis;

        /// <inheritdoc cref="FSharp.Probe.sparse"/>
        public static Probe Sparse(double probability) => FSharp.Probe.sparse(probability);

        /// <inheritdoc cref="FSharp.Probe.fixedSparse"/>
        public static Probe FixedSparse(int count) => FSharp.Probe.fixedSparse(count);
    }

    extension(Probe probe)
    {
        /// <inheritdoc cref="FSharp.Probe.drawOn"/>
        public Tensor Draw(Key key, int n, int first, int count, DType dtype) =>
            FSharp.Probe.draw(probe.NotNull(), key, n, first, count, dtype);

        /// <inheritdoc cref="FSharp.Probe.drawOn"/>
        public Tensor DrawOn(Kernels.Device device, Key key, int n, int first, int count, DType dtype) =>
            FSharp.Probe.drawOn(device.NotNull(), probe.NotNull(), key, n, first, count, dtype);

        /// <inheritdoc cref="FSharp.Probe.fourthMoments"/>
        public FourthMoments FourthMoments(int n)
        {
            var (single, mixed) = FSharp.Probe.fourthMoments(probe.NotNull(), n);
            return new(single, mixed);
        }

        /// <inheritdoc cref="FSharp.Probe.varianceOfForm"/>
        public double VarianceOfForm(Tensor matrix) =>
            FSharp.Probe.varianceOfForm(probe.NotNull(), matrix.NotNull());

        /// <inheritdoc cref="FSharp.Probe.varianceOfDiagonal"/>
        public IReadOnlyList<double> VarianceOfDiagonal(Tensor matrix) =>
            FSharp.Probe.varianceOfDiagonal(probe.NotNull(), matrix.NotNull());

        /// <inheritdoc cref="FSharp.Probe.outcomes"/>
        public IEnumerable<ProbeOutcome> Outcomes(int n) =>
            FSharp.Probe.outcomes(probe.NotNull(), n).Select(outcome => new ProbeOutcome(outcome.Item1, outcome.Item2));
    }
}
