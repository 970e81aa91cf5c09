namespace Curvature.CSharp;

/// <summary>Solving Ax = b, and inverses: <c>a.Solve(b, Solver.ConjugateGradients())</c>.</summary>
public static class Solvers
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.Solver.solve"/>
        /// <remarks>Without a solver, by conjugate gradients.</remarks>
        public Solution Solve(Tensor rightHandSide, Solver? solver = null, SolverOptions? options = null) =>
            FSharp.Solver.solve(
                options ?? SolverOptions.Default,
                solver ?? FSharp.ConjugateGradients.solver,
                linearOperator.NotNull(),
                rightHandSide.NotNull());

        /// <inheritdoc cref="FSharp.Solver.inverse"/>
        /// <remarks>Without a solver, by conjugate gradients.</remarks>
        public LinearOperator Inverse(Solver? solver = null, SolverOptions? options = null) =>
            FSharp.Solver.inverse(
                options ?? SolverOptions.Default,
                solver ?? FSharp.ConjugateGradients.solver,
                linearOperator.NotNull());
    }

    extension(Solver)
    {
        /// <inheritdoc cref="FSharp.ConjugateGradients.preconditioned"/>
        /// <remarks>Without a preconditioner, <see cref="FSharp.ConjugateGradients.solver"/>.</remarks>
        public static Solver ConjugateGradients(Tensor? preconditioner = null) =>
            preconditioner is null
                ? FSharp.ConjugateGradients.solver
                : FSharp.ConjugateGradients.preconditioned(preconditioner);

        /// <inheritdoc cref="FSharp.ConjugateGradients.preconditionedBy"/>
        public static Solver ConjugateGradients(LinearOperator inverseOfPreconditioner) =>
            FSharp.ConjugateGradients.preconditionedBy(inverseOfPreconditioner.NotNull());

        /// <inheritdoc cref="FSharp.Neumann.solver"/>
        public static Solver Neumann(double scale) => FSharp.Neumann.solver(scale);

        /// <inheritdoc cref="FSharp.Neumann.preconditionedBy"/>
        public static Solver Neumann(LinearOperator approximateInverse) =>
            FSharp.Neumann.preconditionedBy(approximateInverse.NotNull());

        /// <inheritdoc cref="FSharp.Minres.solver"/>
        public static Solver Minres => FSharp.Minres.solver;

        /// <inheritdoc cref="FSharp.Gmres.solver"/>
        public static Solver Gmres(int restart = 30) => FSharp.Gmres.solver(restart);

        /// <inheritdoc cref="FSharp.Lsqr.solver"/>
        public static Solver Lsqr(double damping = 0.0) => FSharp.Lsqr.solver(damping);

        /// <inheritdoc cref="FSharp.Lsmr.solver"/>
        public static Solver Lsmr(double damping = 0.0) => FSharp.Lsmr.solver(damping);
    }
}
