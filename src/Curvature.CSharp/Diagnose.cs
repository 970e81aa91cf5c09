namespace Curvature.CSharp;

/// <summary>Checking an operator before it is trusted: what it claims, and what every operator must fulfil. Checks are made on random
/// vectors: they find what is wrong with most vectors, and prove nothing.</summary>
public static class Diagnose
{
    /// <summary>Checks that products are finite, the same bits twice, linear, and the same alone and in a block; symmetry, transpose,
    /// quadratic forms and definiteness, as far as they are claimed; and for an operator over batches how much of its trace's
    /// uncertainty comes from probes and how much from the data. Errors that the operator itself raises are findings, not
    /// exceptions.</summary>
    /// <param name="linearOperator">What to check.</param>
    /// <param name="options">How many vectors and Lanczos steps, and what is put down to rounding;
    /// <see cref="DiagnoseOptions.Default"/> where there are none.</param>
    /// <param name="cancellationToken">Ends the checks early, in place of what the options name: those that were made until then
    /// are the result.</param>
    /// <exception cref="OperationCanceledException">It was cancelled before the first product.</exception>
    public static Diagnosis Run(
        LinearOperator linearOperator, DiagnoseOptions? options = null, CancellationToken cancellationToken = default) =>
        FSharp.Diagnose.run(Complete(options, cancellationToken), linearOperator.NotNull());

    /// <summary>The same, and that products are differences of a risk's gradient at θ, as those of a Hessian are. A loss that differs from
    /// call to call, as with dropout, is a finding.</summary>
    /// <exception cref="ShapeException">The point does not fit the operator.</exception>
    public static Diagnosis AgainstRisk(
        LinearOperator linearOperator,
        EmpiricalRisk risk,
        Tensor theta,
        DiagnoseOptions? options = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Diagnose.againstRisk(
            Complete(options, cancellationToken), risk.NotNull(), theta.NotNull(), linearOperator.NotNull());

    /// <summary>The same for a gradient from elsewhere.</summary>
    /// <exception cref="ShapeException">The point or the gradient does not fit the operator.</exception>
    public static Diagnosis AgainstGradient(
        LinearOperator linearOperator,
        Func<Tensor, Tensor> gradient,
        Tensor theta,
        DiagnoseOptions? options = null,
        CancellationToken cancellationToken = default) =>
        FSharp.Diagnose.againstGradient(
            Complete(options, cancellationToken), gradient.ToFSharp(), theta.NotNull(), linearOperator.NotNull());

    private static DiagnoseOptions Complete(DiagnoseOptions? options, CancellationToken cancellationToken)
    {
        options ??= DiagnoseOptions.Default;
        return cancellationToken.CanBeCanceled ? options.WithCancellation(cancellationToken) : options;
    }
}
