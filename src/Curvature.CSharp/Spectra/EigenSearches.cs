namespace Curvature.CSharp;

/// <summary>Eigenvalues and eigenvectors of symmetric operators, and singular triplets of any.
/// <c>ThickRestartLanczos</c> mostly needs the fewest products.</summary>
/// <remarks>All but the search for singular triplets raise <see cref="OperatorException"/> for an operator that is not
/// square, does not claim to be symmetric or turns out not to be. All raise <see cref="NonFiniteException"/> for
/// products that are NaN or infinite. What the limit of products or cancelling leaves unfinished is returned as not
/// converged; cancelled before the first product, they raise <see cref="OperationCanceledException"/>.</remarks>
public static class EigenSearches
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.ThickRestartLanczos.find"/>
        public EigenPairs ThickRestartLanczos(SpectrumEnd wanted, int count, EigenOptions? options = null) =>
            FSharp.ThickRestartLanczos.findWith(
                options ?? EigenOptions.Default, wanted, count, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Lobpcg.find"/>
        /// <remarks>A preconditioner takes blocks [k, n] to blocks, and is about the inverse of the operator, shifted
        /// to be definite.</remarks>
        public EigenPairs Lobpcg(
            SpectrumEnd wanted, int count, EigenOptions? options = null, Func<Tensor, Tensor>? precondition = null) =>
            FSharp.Lobpcg.findWith(
                options ?? EigenOptions.Default,
                (precondition ?? (residuals => residuals)).ToFSharp(nameof(precondition)),
                wanted,
                count,
                linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.PowerIteration.find"/>
        /// <remarks>Without a rule, a pair is good enough at a residual of 1e-6 times the eigenvalue.</remarks>
        public EigenPairs PowerIteration(
            int count,
            PowerStop? stop = null,
            int maximumMatvecs = 1000,
            Key key = default,
            CancellationToken cancellationToken = default) =>
            FSharp.PowerIteration.findWith(
                cancellationToken,
                stop ?? PowerStop.Residual(1e-6),
                maximumMatvecs,
                count,
                key,
                linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.ShiftInvert.smallest"/>
        public EigenPairs ShiftInvert(
            int count, double shift = 0.0, EigenOptions? options = null, SolverOptions? solver = null) =>
            FSharp.ShiftInvert.smallestWith(
                options ?? EigenOptions.Default,
                solver ?? SolverOptions.Default,
                shift,
                count,
                linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.GolubKahan.largest"/>
        public SingularTriplets GolubKahan(int count, EigenOptions? options = null) =>
            FSharp.GolubKahan.largestWith(options ?? EigenOptions.Default, count, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Lanczos.from"/>
        /// <remarks>It begins with a random vector that has normal entries.</remarks>
        public LanczosResult Lanczos(int steps, Key key = default, CancellationToken cancellationToken = default) =>
            FSharp.Lanczos.runWith(cancellationToken, steps, key, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Lanczos.from"/>
        public LanczosResult LanczosFrom(Tensor start, int steps, CancellationToken cancellationToken = default) =>
            FSharp.Lanczos.fromWith(cancellationToken, start.NotNull(), steps, linearOperator.NotNull());
    }

    extension(PowerStop)
    {
        /// <inheritdoc cref="FSharp.PowerStop.residual"/>
        public static PowerStop Residual(double tolerance) => FSharp.PowerStop.residual(tolerance);

        /// <inheritdoc cref="FSharp.PowerStop.pyHessian"/>
        public static PowerStop PyHessian(double tolerance) => FSharp.PowerStop.pyHessian(tolerance);
    }
}
