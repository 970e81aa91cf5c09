using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class LandscapeTests
{
    private static readonly Tensor Theta = Tensor.FromArray([1.0, 2.0]);

    private static readonly EmpiricalRisk Square = Risk.OfFunction(x => x.Dot(x));

    [Test]
    public void ALossAlongALineAndItsModel()
    {
        var line = Square.LossLine(Theta, Direction.FromVector("d", Tensor.FromArray([1.0, 0.0])), [-1, 0, 3]);
        Assert.That(line.Losses, Is.EqualTo(new[] { 4.0, 5, 20 }).Within(1e-14));
        Assert.That(line.ModelLosses, Is.EqualTo(line.Losses).Within(1e-14));
        Assert.That(line.Model.Slopes, Is.EqualTo(new[] { 2.0 }).Within(1e-14));
        Assert.That(line.Departure(1e-9).Above, Is.Null);
    }

    [Test]
    public void ALossOverAPlane()
    {
        var first = Direction.FromVector("first", Tensor.FromArray([1.0, 0.0]));
        var second = Direction.FromVector("second", Tensor.FromArray([3.0, 4.0])).OrthogonalTo(first).Scaled(0.2);
        Assert.That(second.Vector.ToArray(), Is.EqualTo(new[] { 0.0, 1 }).Within(1e-14));

        var plane = Square.LossPlane(Theta, first.Axis([0, 1]), second.Axis([0, 1, 2]));
        Assert.That(plane.Losses, Is.EqualTo(new[,] { { 5.0, 10, 17 }, { 8, 13, 20 } }).Within(1e-14));
        Assert.That(plane.DepartureDistance(1e-9), Is.Null);
    }

    [Test]
    public void FiltersOfChosenTensors()
    {
        var layout = ParameterLayout.FromShapes(("a", [1, 1]), ("b", [1, 1]));
        var direction = Direction.FromVector("d", Tensor.FromArray([5.0, 5.0]));
        Assert.That(
            direction.FilterNormalized(layout, Theta).Vector.ToArray(), Is.EqualTo(new[] { 1.0, 2 }).Within(1e-14));
        Assert.That(
            direction.FilterNormalized(layout, Theta, tensor => tensor.Name == "a").Vector.ToArray(),
            Is.EqualTo(new[] { 0.0, 2 }).Within(1e-14));
    }

    [Test]
    public void ALossThatIsNotFiniteSaysWhere()
    {
        var error = Assert.Throws<NonFiniteException>(
            () => Risk.OfFunction(x => x.Log().Sum()).LossLine(Theta, Direction.FromVector("d", Theta), [-1, 0]));
        Assert.That(error!.Message, Does.Contain("-1 along d"));
    }

    [Test]
    public void ALossOverBatches()
    {
        var x = Tensor.FromArray([1.0, 2, 3]);
        Func<Batch, Tensor, Tensor> loss = (batch, theta) => (batch.Inputs * theta.Sum()).Mean();
        var direction = Direction.FromVector("d", Tensor.FromArray([1.0, 0.0]));
        var risk = Risk.OfBatches(loss, Batches.Split(x, x, 2));
        var line = risk.LossLine(Theta, direction, [0, 1]);
        Assert.That(line.Losses, Is.EqualTo(new[] { 6.0, 8 }).Within(1e-14));

        var plane = risk.LossPlane(Theta, direction.Axis([0, 1]), direction.Axis([0]));
        Assert.That(plane.Losses[1, 0], Is.EqualTo(8).Within(1e-14));
    }

    [Test]
    public void CancellingEndsTheWork()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var options = LandscapeOptions.Default.WithCancellation(source.Token);
        Assert.Throws<OperationCanceledException>(
            () => Square.LossLine(Theta, Direction.Gradient(Theta), [0], options));
    }
}
