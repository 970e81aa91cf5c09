namespace Curvature.CSharp;

/// <summary>Solving Ax = b: by conjugate gradients (Hestenes &amp; Stiefel 1952), for positive definite A, and by the
/// power series of the inverse (Neumann 1877), for operators near a multiple of the identity.</summary>
public static class Solvers
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.ConjugateGradients.solve"/>
        public LinearSolution ConjugateGradients(Tensor rightHandSide, SolverOptions? options = null) =>
            FSharp.ConjugateGradients.solve(
                options ?? SolverOptions.Default, linearOperator.NotNull(), rightHandSide.NotNull());

        /// <inheritdoc cref="FSharp.ConjugateGradients.inverse"/>
        public LinearOperator InverseByConjugateGradients(SolverOptions? options = null) =>
            FSharp.ConjugateGradients.inverse(options ?? SolverOptions.Default, linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Neumann.solve"/>
        public LinearSolution NeumannSeries(Tensor rightHandSide, double scale, SolverOptions? options = null) =>
            FSharp.Neumann.solve(
                options ?? SolverOptions.Default, scale, linearOperator.NotNull(), rightHandSide.NotNull());

        /// <inheritdoc cref="FSharp.Neumann.inverse"/>
        public LinearOperator InverseByNeumannSeries(double scale, SolverOptions? options = null) =>
            FSharp.Neumann.inverse(options ?? SolverOptions.Default, scale, linearOperator.NotNull());
    }
}
