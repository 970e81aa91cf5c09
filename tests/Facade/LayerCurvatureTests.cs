using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class LayerCurvatureTests
{
    private static readonly Tensor Inputs = Tensor.FromArray(new[,] { { 1.0, 2.0 }, { -3.0, 1.0 } });

    private static readonly Network Network = Network.Sequential(
        Layer.DenseWithoutBias(2, 2), Layer.DenseWithoutBias(2, 1));

    private static readonly Tensor Theta = Tensor.FromArray([1.0, 0.5, -2.0, 1.0, 3.0, -1.0]);

    private static Tensor Squares(Tensor outputs) => outputs.Square().Sum();

    [Test]
    public void TracesTensorByTensor()
    {
        var hessian = Hessian.At(theta => Squares(Network.Forward(theta, Inputs)), Theta);
        var exact = hessian.ExactByTensor(Network.Layout);
        // 2·‖v‖²·‖x‖² for the first layer, where v are the weights of the last.
        Assert.That(exact["0.weight"].Trace.Value, Is.EqualTo(2 * 10 * 15).Within(1e-10));
        Assert.That(exact["0.weight"].MeanDiagonal.Value, Is.EqualTo(75).Within(1e-10));

        var (stop, key) = (StoppingRule.Matvecs(500), Key.OfSeed(5));
        var found = hessian.EstimateByTensor(Network.Layout, stop, key);
        var trace = found["0.weight"].Trace;
        Assert.That(Math.Abs(trace.Value - 300), Is.LessThan(5 * trace.StandardError));
        Assert.That(found.Ledger.Matvecs, Is.EqualTo(500));
        Assert.That(
            hessian.Measure(Measurement.ByTensor(Network.Layout), stop, key)["1.weight"].Trace.Value,
            Is.EqualTo(found["1.weight"].Trace.Value));
    }

    [Test]
    public void TracesOfActivations()
    {
        Assert.That(
            Network.ActivationTaps(Theta, Inputs).Select(tap => tap.Name), Is.EqualTo(new[] { "0", "1" }));

        var risk = Network.Risk((_, outputs) => Squares(outputs), [new Batch(Inputs, Inputs)], Reduction.Sum);
        var exact = Network.ExactActivationTraces(risk, ["0", "1"], Theta);
        Assert.That(exact[0].PerSample.Value.ToArray(), Is.EqualTo(new[] { 20.0, 20 }).Within(1e-12));
        Assert.That(exact[1].Trace.Value, Is.EqualTo(4).Within(1e-12));

        var found = Network.ActivationTraces(risk, ["1"], Theta);
        Assert.That(found.Single().Trace.Value, Is.EqualTo(4).Within(1e-12));

        var options = ActivationTraceOptions.Default.WithStop(StoppingRule.Matvecs(3)).WithProbe(Probe.Gaussian);
        Assert.That(
            Network.ActivationTraces(risk, ["1"], Theta, options).Single().Trace.StandardError, Is.GreaterThan(0));
        Assert.Throws<ParameterException>(() => Network.ActivationHessian(Squares, "2", Theta, Inputs));
    }

    [Test]
    public void TracesOfActivationsOverBatches()
    {
        var risk = Network.Risk((_, outputs) => Squares(outputs), Batches.Split(Inputs, Inputs, 1));
        var found = Network.ActivationTraces(risk, ["1"], Theta);
        Assert.That(found.Single().PerSample.Value.ToArray(), Is.EqualTo(new[] { 1.0, 1 }).Within(1e-12));
        Assert.That(found.Single().Trace.Value, Is.EqualTo(2).Within(1e-12));
    }
}
