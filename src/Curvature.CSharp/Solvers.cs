namespace Curvature.CSharp;

/// <summary>Solving Ax = b for symmetric positive definite A by conjugate gradients (Hestenes &amp; Stiefel 1952).</summary>
public static class ConjugateGradients
{
    /// <summary>Solves Ax = b for one vector [n] or a block [k, n], whose rows are solved in lockstep and leave the block when they are
    /// done: a product an iteration and right-hand side, and one more for its residual. A right-hand side that meets a direction of
    /// curvature that is not positive stops there, and the direction is reported. What did not converge says so in
    /// <see cref="LinearSolution.IsConverged"/>.</summary>
    /// <param name="linearOperator">A.</param>
    /// <param name="rightHandSide">b.</param>
    /// <param name="options">How to solve; <see cref="SolverOptions.Default"/> where there are none.</param>
    /// <exception cref="OperatorException">The operator is not claimed to be symmetric.</exception>
    /// <exception cref="ShapeException">The right-hand side or the preconditioner does not fit.</exception>
    /// <exception cref="NonFiniteException">The right-hand side or a product is not finite.</exception>
    public static LinearSolution Solve(LinearOperator linearOperator, Tensor rightHandSide, SolverOptions? options = null) =>
        FSharp.ConjugateGradients.solve(options ?? SolverOptions.Default, linearOperator.NotNull(), rightHandSide.NotNull());

    /// <summary>A⁻¹ as an operator: every product solves a system, to the tolerance of the options.</summary>
    /// <exception cref="OperatorException">The operator is not claimed to be symmetric. Products raise it where the operator turns out
    /// not to be positive definite, and where the iterations do not suffice.</exception>
    public static LinearOperator Inverse(LinearOperator linearOperator, SolverOptions? options = null) =>
        FSharp.ConjugateGradients.inverse(options ?? SolverOptions.Default, linearOperator.NotNull());
}

/// <summary>Solving Ax = b by the power series of the inverse (Neumann 1877), for operators near a multiple of the identity. Needs no
/// symmetry.</summary>
public static class Neumann
{
    /// <summary>Solves Ax = b for one vector [n] or a block [k, n] by x = Σ α(I − αA)ʲ b. The series converges where every eigenvalue of
    /// αA is within 1 of 1: for positive definite A, where 0 &lt; α &lt; 2/λ_max. What did not converge in the iterations allowed says
    /// so.</summary>
    /// <param name="linearOperator">A.</param>
    /// <param name="rightHandSide">b.</param>
    /// <param name="scale">α.</param>
    /// <param name="options">How to solve; <see cref="SolverOptions.Default"/> where there are none. The preconditioner is not
    /// used.</param>
    /// <exception cref="OperatorException">The operator is not square, or the series diverges.</exception>
    /// <exception cref="ArgumentRangeException">The scale is 0 or not finite.</exception>
    /// <exception cref="ShapeException">The right-hand side does not fit.</exception>
    public static LinearSolution Solve(
        LinearOperator linearOperator, Tensor rightHandSide, double scale, SolverOptions? options = null) =>
        FSharp.Neumann.solve(options ?? SolverOptions.Default, scale, linearOperator.NotNull(), rightHandSide.NotNull());

    /// <summary>A⁻¹ as an operator: every product sums a series; see <see cref="Solve"/>. Its transpose is known where A's is.</summary>
    /// <exception cref="OperatorException">The operator is not square. Products raise it where the series diverges, and where the
    /// iterations do not suffice.</exception>
    /// <exception cref="ArgumentRangeException">The scale is 0 or not finite.</exception>
    public static LinearOperator Inverse(LinearOperator linearOperator, double scale, SolverOptions? options = null) =>
        FSharp.Neumann.inverse(options ?? SolverOptions.Default, scale, linearOperator.NotNull());
}
