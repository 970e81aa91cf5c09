using Curvature;
using Curvature.CSharp;
using Curvature.Tests.Facade.Surface;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/onnx.md.</summary>
public sealed class OnnxModels
{
    private readonly string _path = Path.Combine(Documentation.Root, "tests/Facade/DocExamples/classifier.onnx");

    private readonly Tensor _images = Tensor.Normal(Key.OfSeed(1), DType.Float32, 12, 1, 8, 8);

    [Test]
    public void AModelIsReadAndItsCurvatureMeasured()
    {
        var (path, images) = (_path, _images);
        var labels = Tensor.FromIndices([.. Enumerable.Range(0, 12).Select(i => i % 10)]);

        var model = OnnxModel.Read(path);
        Console.WriteLine(model);

        var risk = Risk.OfModel(
            (inputs, theta) => model.Forward(theta, inputs),
            (targets, logits) => Loss.SoftmaxCrossEntropy(targets, logits),
            Batches.Split(images, labels, 4));
        var hessian = risk.Hessian(model.Theta);
        var table = hessian.EstimateByTensor(model.Layout, StoppingRule.Matvecs(20));
        foreach (var row in table.Tensors)
        {
            Console.WriteLine($"{row.Name}: {row.Trace}");
        }

        Assert.That(table.Tensors, Has.Count.EqualTo(model.Layout.Tensors.Count));
    }

    [Test]
    public void SeveralInputsAreFedByName()
    {
        var (model, images) = (OnnxModel.Read(_path), _images);

        var outputs = model.Forward(model.Theta, new Dictionary<string, Tensor> { ["image"] = images });
        var logits = outputs["logits"];

        Assert.That(logits.Shape, Is.EqualTo(new[] { 12, 10 }));
    }

    [Test]
    public void ParametersAreChosen()
    {
        var path = _path;

        var head = OnnxOptions.Default.WithParameters(["fc.*"]);
        var model = OnnxModel.Read(path, head);
        var frozen = OnnxOptions.Default.WithConstants(["*.bias"]);
        var weights = OnnxModel.Read(path, frozen);

        Assert.That(model.Layout.Tensors.Select(tensor => tensor.Name), Is.EqualTo(new[] { "fc.weight", "fc.bias" }));
        Assert.That(weights.Layout.Tensors, Has.Count.EqualTo(3));
    }

    [Test]
    public void PrecisionBatchAndOutputsAreChanged()
    {
        var model = OnnxModel.Read(_path);

        var wide = model.WithDType(DType.Float64);
        var anyBatch = model.WithFreeBatch();
        var features = model.WithOutputs(["features"]);

        Assert.That(wide.Theta.DType, Is.EqualTo(DType.Float64));
        Assert.That(anyBatch.Inputs[0].Axes[0].Name, Is.EqualTo("batch"));
        Assert.That(features.Forward(features.Theta, _images).Shape, Is.EqualTo(new[] { 12, 4 }));
    }
}
