namespace Curvature.CSharp;

/// <summary>Checking an operator before it is trusted: what it claims, and what every operator must fulfil. Checks are
/// made on random vectors: they find what is wrong with most vectors, and prove nothing.</summary>
public static class Diagnostics
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.Diagnose.run"/>
        public Diagnosis Diagnose(DiagnoseOptions? options = null) =>
            FSharp.Diagnose.run(options ?? DiagnoseOptions.Default, linearOperator.NotNull());

        /// <summary>The same as <c>Diagnose</c>, and that products are differences of a risk's gradient at θ, as those
        /// of a Hessian are. A loss that differs from call to call, as with dropout, is a finding.</summary>
        /// <exception cref="ShapeException">The point does not fit the operator.</exception>
        public Diagnosis DiagnoseAgainst(EmpiricalRisk risk, Tensor theta, DiagnoseOptions? options = null) =>
            FSharp.Diagnose.againstRisk(
                options ?? DiagnoseOptions.Default, risk.NotNull(), theta.NotNull(), linearOperator.NotNull());

        /// <inheritdoc cref="FSharp.Diagnose.againstGradient"/>
        public Diagnosis DiagnoseAgainst(
            Func<Tensor, Tensor> gradient, Tensor theta, DiagnoseOptions? options = null) =>
            FSharp.Diagnose.againstGradient(
                options ?? DiagnoseOptions.Default, gradient.ToFSharp(), theta.NotNull(), linearOperator.NotNull());
    }
}
