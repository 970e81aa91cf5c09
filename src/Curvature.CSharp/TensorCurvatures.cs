namespace Curvature.CSharp;

/// <summary>Traces and diagonals of a second-order matrix, tensor by tensor: of a Hessian, a Gauss–Newton or a Fisher matrix whose rows
/// are the parameters of a network.</summary>
public static class TensorCurvatures
{
    /// <summary>Trace and diagonal of the block of each tensor of parameters, with standard errors: one product a random vector for all
    /// of them. A stopping rule sees the norms of the traces of all tensors and of their standard errors.</summary>
    /// <exception cref="ShapeException">The operator has another size than the layout.</exception>
    /// <exception cref="NonFiniteException">A product is NaN or infinite.</exception>
    public static CurvatureByTensor EstimateByTensor(
        this LinearOperator linearOperator,
        ParameterLayout layout,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        linearOperator.NotNull().Measure(Measurement.ByTensor(layout), options, progress, cancellationToken);

    /// <summary>The same traces and diagonals exactly: a quadratic form for each parameter, or a product where the operator has no
    /// quadratic forms.</summary>
    /// <exception cref="ShapeException">The operator has another size than the layout.</exception>
    public static CurvatureByTensor ExactByTensor(this LinearOperator linearOperator, ParameterLayout layout) =>
        FSharp.CurvatureByTensor.exact(layout.NotNull(), linearOperator.NotNull());
}
