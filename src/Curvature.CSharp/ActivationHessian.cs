namespace Curvature.CSharp;

/// <summary>The Hessian of a loss with respect to activations: intermediate values of a network, at which a tap names them. Losses are
/// functions of the network's outputs.</summary>
public static class ActivationHessian
{
    /// <summary>The values that can be tapped, in the order in which the network makes them: the outputs of the parts of composed layers,
    /// and what layers name by <see cref="Parameters.Tap"/>. It costs one forward pass.</summary>
    public static IReadOnlyList<ActivationTap> Taps(Network network, Tensor theta, Tensor inputs) =>
        FSharp.ActivationHessian.taps(network.NotNull(), theta.NotNull(), inputs.NotNull());

    /// <summary>The Hessian with respect to the value at a tap, for a batch: symmetric of size N·d for N samples with d values each. In
    /// evaluation, and for a loss that is a sum or a mean over samples, it has a block for each sample and zeros elsewhere.</summary>
    /// <exception cref="ParameterException">There is no such tap; the message names those that there are.</exception>
    public static LinearOperator At(Network network, Func<Tensor, Tensor> loss, string tap, Tensor theta, Tensor inputs) =>
        FSharp.ActivationHessian.at(network.NotNull(), loss.ToFSharp(), tap.NotNull(), theta.NotNull(), inputs.NotNull());

    /// <summary>The trace of the Hessian of a risk with respect to each of some values, for all data and for each sample in their order. A
    /// random vector for a whole batch gives a sample of the trace of every sample's block. One tap follows the other: vectors for all taps
    /// at once would add the entries between taps to the variance of each. The batches are read once, one in memory at a time; of
    /// several, each is estimated by itself until the rule says stop, so that their errors are independent.</summary>
    /// <param name="network">The network, whose forward pass stands for the model of the risk.</param>
    /// <param name="risk">The data and the criterion.</param>
    /// <param name="taps">Names of values.</param>
    /// <param name="theta">The parameters.</param>
    /// <param name="options">How to estimate.</param>
    /// <param name="progress">Told after every block of vectors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperatorException">The risk has no model.</exception>
    /// <exception cref="DataException">There are no batches.</exception>
    /// <exception cref="ParameterException">There is no such tap; the message names those that there are.</exception>
    /// <exception cref="ShapeException">A value has no leading axis of samples.</exception>
    public static IReadOnlyList<ActivationTrace> Traces(
        Network network,
        EmpiricalRisk risk,
        IReadOnlyList<string> taps,
        Tensor theta,
        EstimateOptions? options = null,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new EstimateOptions();
        return FSharp.ActivationHessian.tracesWith(
            options.ToRunOptions(progress, cancellationToken),
            options.Probe ?? Probe.Rademacher,
            network.NotNull(),
            risk.NotNull(),
            taps.ToFSharpList(),
            options.Stop,
            options.Key,
            theta.NotNull());
    }

    /// <summary>The same traces exactly: a quadratic form for each element of each value.</summary>
    /// <exception cref="ParameterException">There is no such tap; the message names those that there are.</exception>
    public static IReadOnlyList<ActivationTrace> ExactTraces(
        Network network, EmpiricalRisk risk, IReadOnlyList<string> taps, Tensor theta) =>
        FSharp.ActivationHessian.exactTraces(network.NotNull(), risk.NotNull(), taps.ToFSharpList(), theta.NotNull());
}
