namespace Curvature.CSharp;

/// <summary>Lanczos's tridiagonalization of a symmetric operator (Lanczos 1950), with every vector orthogonalised twice against all before
/// it, so that no eigenvalue appears as a ghost of another. A step costs a product and the memory of a vector.</summary>
/// <remarks>All raise <see cref="OperatorException"/> for an operator that is not square, does not claim to be symmetric or turns out not to
/// be, and <see cref="NonFiniteException"/> for products that are NaN or infinite. Cancelling returns the steps taken until then; before
/// the first it raises <see cref="OperationCanceledException"/>.</remarks>
public static class Lanczos
{
    /// <summary>At most so many steps from a random vector with normal entries; fewer where the space becomes invariant, at the latest after
    /// n.</summary>
    /// <exception cref="ArgumentRangeException">There is less than one step.</exception>
    public static LanczosResult Run(
        LinearOperator linearOperator, int steps, Key key = default, CancellationToken cancellationToken = default) =>
        FSharp.Lanczos.runWith(cancellationToken, steps, key, linearOperator.NotNull());

    /// <inheritdoc cref="Run"/>
    public static Task<LanczosResult> RunAsync(
        LinearOperator linearOperator, int steps, Key key = default, CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        return Task.Run(() => Run(linearOperator, steps, key, cancellationToken), cancellationToken);
    }

    /// <summary>The same from a start vector [n] of any length.</summary>
    /// <exception cref="ShapeException">The start vector does not fit.</exception>
    /// <exception cref="ArgumentRangeException">It is zero, or there is less than one step.</exception>
    public static LanczosResult From(
        LinearOperator linearOperator, Tensor start, int steps, CancellationToken cancellationToken = default) =>
        FSharp.Lanczos.fromWith(cancellationToken, start.NotNull(), steps, linearOperator.NotNull());

    /// <inheritdoc cref="From"/>
    public static Task<LanczosResult> FromAsync(
        LinearOperator linearOperator, Tensor start, int steps, CancellationToken cancellationToken = default)
    {
        linearOperator.NotNull();
        start.NotNull();
        return Task.Run(() => From(linearOperator, start, steps, cancellationToken), cancellationToken);
    }
}
