namespace Curvature.CSharp;

/// <summary>Kronecker-factored approximate curvature: <c>risk.Kfac(network.Layout, theta)</c>, and how wrong it
/// is.</summary>
public static class KroneckerFactors
{
    extension(KfacKind)
    {
        /// <inheritdoc cref="FSharp.KfacKind.gaussNewton"/>
        public static KfacKind GaussNewton => FSharp.KfacKind.gaussNewton;

        /// <inheritdoc cref="FSharp.KfacKind.fisher"/>
        public static KfacKind Fisher(FisherKind kind) => FSharp.KfacKind.fisher(kind.NotNull());

        /// <inheritdoc cref="FSharp.KfacKind.inputsOnly"/>
        public static KfacKind InputsOnly => FSharp.KfacKind.inputsOnly;
    }

    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Kfac.estimateWith"/>
        /// <remarks>Without options, the Gauss–Newton matrix of the risk's criterion.</remarks>
        public KroneckerOperator Kfac(ParameterLayout layout, Tensor theta, KfacOptions? options = null) =>
            FSharp.Kfac.estimateWith(
                options ?? KfacOptions.Default, layout.NotNull(), risk.NotNull(), theta.NotNull());
    }

    extension(KroneckerOperator approximation)
    {
        /// <inheritdoc cref="FSharp.KroneckerError.total"/>
        public Estimate<double> RelativeError(LinearOperator matrix, StoppingRule? stop = null, Key key = default) =>
            FSharp.KroneckerError.total(stop.OrDefault(), key, approximation.NotNull(), matrix.NotNull());

        /// <inheritdoc cref="FSharp.KroneckerError.estimate"/>
        public KroneckerError EstimateError(LinearOperator matrix, StoppingRule? stop = null, Key key = default) =>
            FSharp.KroneckerError.estimate(stop.OrDefault(), key, approximation.NotNull(), matrix.NotNull());
    }
}
