using System.Diagnostics;

namespace Curvature.CSharp;

/// <summary>Eigenvalues in ascending order, and eigenvectors in columns.</summary>
/// <param name="Values">Eigenvalues [n], ascending.</param>
/// <param name="Vectors">Orthonormal eigenvectors in columns, [n, n].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record SymmetricEigen(Tensor Values, Tensor Vectors);

/// <summary>The factors of A = U diag(S) Vᵀ; singular values descend.</summary>
/// <param name="U">Left singular vectors in columns, [m, k] with k = min(m, n).</param>
/// <param name="S">Singular values [k], descending.</param>
/// <param name="V">Right singular vectors in columns, [n, k].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record SingularValues(Tensor U, Tensor S, Tensor V);

/// <summary>The factors of A = QR.</summary>
/// <param name="Q">Orthonormal columns, [m, k] with k = min(m, n).</param>
/// <param name="R">An upper triangle [k, n].</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record OrthogonalFactors(Tensor Q, Tensor R);

/// <summary>The sign of a determinant, and the logarithm of its magnitude.</summary>
/// <param name="Sign">−1, 0 or 1.</param>
/// <param name="LogMagnitude">ln |det A|.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record SignedLogDeterminant(Tensor Sign, Tensor LogMagnitude);

/// <summary>Linear algebra of small dense matrices, which are the last two axes. Leading axes are stacks.</summary>
public static class TensorDecompositions
{
    /// <inheritdoc cref="FSharp.Tensor.solve"/>
    public static Tensor Solve(this Tensor a, Tensor b) => FSharp.Tensor.solve(a.NotNull(), b.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.inverse"/>
    public static Tensor Inverse(this Tensor tensor) => FSharp.Tensor.inverse(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.cholesky"/>
    public static Tensor Cholesky(this Tensor tensor) => FSharp.Tensor.cholesky(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.eigh"/>
    public static SymmetricEigen Eigh(this Tensor tensor) =>
        FSharp.Tensor.eigh(tensor.NotNull()).Into((values, vectors) => new SymmetricEigen(values, vectors));

    /// <inheritdoc cref="FSharp.Tensor.svd"/>
    public static SingularValues Svd(this Tensor tensor) =>
        FSharp.Tensor.svd(tensor.NotNull()).Into((u, s, v) => new SingularValues(u, s, v));

    /// <inheritdoc cref="FSharp.Tensor.qr"/>
    public static OrthogonalFactors Qr(this Tensor tensor) =>
        FSharp.Tensor.qr(tensor.NotNull()).Into((q, r) => new OrthogonalFactors(q, r));

    /// <inheritdoc cref="FSharp.Tensor.det"/>
    public static Tensor Det(this Tensor tensor) => FSharp.Tensor.det(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.logdet"/>
    public static Tensor LogDet(this Tensor tensor) => FSharp.Tensor.logdet(tensor.NotNull());

    /// <inheritdoc cref="FSharp.Tensor.slogdet"/>
    public static SignedLogDeterminant SLogDet(this Tensor tensor) =>
        FSharp.Tensor.slogdet(tensor.NotNull())
            .Into((sign, logarithm) => new SignedLogDeterminant(sign, logarithm));
}
