using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/layers.md.</summary>
public sealed class LayersOfNetworks
{
    private static (Tensor Inputs, Tensor Labels) Data() => (
        Tensor.Normal(Key.OfSeed(1), DType.Float64, 30, 8),
        Tensor.FromIndices(Enumerable.Range(0, 30).Select(row => row % 3).ToArray()));

    [Test]
    public void TensorByTensor()
    {
        var (inputs, labels) = Data();
        var network = Network.Mlp(Layer.Tanh, 8, 6, 3);
        var theta = network.Initialize(Key.OfSeed(2), DType.Float64);
        Func<Tensor, Tensor> loss = theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs));

        var hessian = Hessian.At(loss, theta);
        var table = hessian.EstimateByTensor(network.Layout, StoppingRule.Matvecs(100));
        foreach (var row in table.Tensors)
        {
            var interval = row.Trace.Interval(0.95);
            Console.WriteLine(
                $"{row.Name} ({row.Size}): trace {row.Trace}, from {interval.Low:g3} to {interval.High:g3}");
            Console.WriteLine($"  on the diagonal {row.MeanDiagonal} on average");
        }

        var weights = table["0.weight"].Diagonal;       // in the shape of the tensor, with an error for each entry

        Assert.That(weights.Value.Shape, Is.EqualTo(new[] { 6, 8 }));
    }

    [Test]
    public void Activations()
    {
        var (inputs, labels) = Data();

        var network = Network.FromLayer(
            Layer.Named(
                ("enter", Layer.Dense(8, 6)),
                ("middle", Layer.Create(
                    "squares",
                    [Layer.Parameter("scale", [6], Initial.Constant(1))],
                    (parameters, x) => parameters.Tap("scaled", x * parameters["scale"]).Square())),
                ("leave", Layer.Dense(6, 3))));
        var theta = network.Initialize(Key.OfSeed(2), DType.Float64);
        foreach (var tap in network.ActivationTaps(theta, inputs))
        {
            Console.WriteLine($"{tap.Name} {tap.Size}");        // enter, middle.scaled, middle, leave
        }

        Func<Tensor, Tensor, Tensor> sum =
            (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs, Reduction.Sum);
        var risk = network.Risk(sum, [new Batch(inputs, labels)], Reduction.Sum);
        var stop = StoppingRule.Matvecs(100);
        foreach (var found in network.ActivationTraces(risk, ["enter", "middle.scaled"], theta, stop))
        {
            Console.WriteLine($"{found.Tap.Name}: {found.Trace}; of each sample {found.PerSample}");
        }

        // An operator like any other.
        var whole = network.ActivationHessian(x => sum(labels, x), "enter", theta, inputs);

        Func<Tensor, Tensor, Tensor> mean = (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs);
        var parts = network.Risk(mean, Batches.Split(inputs, labels, size: 8));
        var all = network.ActivationTraces(parts, ["enter", "middle.scaled"], theta, stop);

        Assert.That(whole.Rows, Is.EqualTo(180));
        Assert.That(all[0].PerSample.Value.Size, Is.EqualTo(30));
    }
}
