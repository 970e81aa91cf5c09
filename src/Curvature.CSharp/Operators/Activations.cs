namespace Curvature.CSharp;

/// <summary>The Hessian of a loss with respect to activations: intermediate values of a network, at which a tap names
/// them. Losses are functions of the network's outputs.</summary>
public static class Activations
{
    extension(Network network)
    {
        /// <inheritdoc cref="FSharp.ActivationHessian.taps"/>
        public IReadOnlyList<ActivationTap> ActivationTaps(Tensor theta, Tensor inputs) =>
            FSharp.ActivationHessian.taps(network.NotNull(), theta.NotNull(), inputs.NotNull());

        /// <inheritdoc cref="FSharp.ActivationHessian.at"/>
        public LinearOperator ActivationHessian(
            Func<Tensor, Tensor> loss, string tap, Tensor theta, Tensor inputs) =>
            FSharp.ActivationHessian.at(
                network.NotNull(), loss.ToFSharp(), tap.NotNull(), theta.NotNull(), inputs.NotNull());

        /// <inheritdoc cref="FSharp.ActivationHessian.traces"/>
        public IReadOnlyList<ActivationTrace> ActivationTraces(
            EmpiricalRisk risk,
            IReadOnlyList<string> taps,
            Tensor theta,
            StoppingRule? stop = null,
            Key key = default) =>
            FSharp.ActivationHessian.traces(
                network.NotNull(), risk.NotNull(), taps.ToFSharpList(), stop.OrDefault(), key, theta.NotNull());

        /// <inheritdoc cref="FSharp.ActivationHessian.tracesWith"/>
        public IReadOnlyList<ActivationTrace> ActivationTraces(
            EmpiricalRisk risk, IReadOnlyList<string> taps, Tensor theta, ActivationTraceOptions options) =>
            FSharp.ActivationHessian.tracesWith(
                options.NotNull(),
                network.NotNull(),
                risk.NotNull(),
                taps.ToFSharpList(),
                theta.NotNull());

        /// <inheritdoc cref="FSharp.ActivationHessian.exactTraces"/>
        public IReadOnlyList<ActivationTrace> ExactActivationTraces(
            EmpiricalRisk risk, IReadOnlyList<string> taps, Tensor theta) =>
            FSharp.ActivationHessian.exactTraces(
                network.NotNull(), risk.NotNull(), taps.ToFSharpList(), theta.NotNull());
    }
}
