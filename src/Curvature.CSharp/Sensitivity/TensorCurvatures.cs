namespace Curvature.CSharp;

/// <summary>Traces and diagonals of a second-order matrix, tensor by tensor: of a Hessian, a Gauss–Newton or a Fisher
/// matrix whose rows are the parameters of a network.</summary>
public static class TensorCurvatures
{
    extension(LinearOperator linearOperator)
    {
        /// <inheritdoc cref="FSharp.CurvatureByTensor.estimate"/>
        public CurvatureByTensor EstimateByTensor(
            ParameterLayout layout,
            StoppingRule? stop = null,
            Key key = default,
            Probe? probe = null,
            RunOptions? options = null) =>
            linearOperator.NotNull().Measure(Measurement.ByTensor(layout), stop, key, probe, options);

        /// <inheritdoc cref="FSharp.CurvatureByTensor.exact"/>
        public CurvatureByTensor ExactByTensor(ParameterLayout layout) =>
            FSharp.CurvatureByTensor.exact(layout.NotNull(), linearOperator.NotNull());
    }
}
