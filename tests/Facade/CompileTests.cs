using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class CompileTests
{
    private static readonly Tensor X = Tensor.FromArray([0.1, -0.4, 0.7]);

    private static Tensor Loss(Tensor x) => x.Tanh().Square().Sum();

    [Test]
    public void ACompiledFunctionGivesWhatTheFunctionGives() =>
        Assert.That(
            Compile.Function(x => Differentiate.Gradient(Loss, x))(X).ToArray(),
            Is.EqualTo(Differentiate.Gradient(Loss, X).ToArray()).Within(1e-15));

    [Test]
    public void AFunctionOfSeveralTensorsHasSeveralResults()
    {
        var both = Compile.Functions(inputs => [inputs[0] + inputs[1], inputs[0] * inputs[1]]);
        var results = both([X, X]);
        Assert.That(results[0].ToArray(), Is.EqualTo((2.0 * X).ToArray()));
        Assert.That(results[1].ToArray(), Is.EqualTo(X.Square().ToArray()));
    }

    [Test]
    public void AFamilyOfHessiansIsMultipliedInBlocks()
    {
        var hessian = Compile.Family(theta =>
        {
            var linearized = Differentiate.LinearizeGradient(Loss, theta);
            return new([linearized.Value, linearized.Gradient], linearized.HessianVectorProduct);
        });
        var here = hessian(X);
        Assert.That(here.Values[0].ToScalar(), Is.EqualTo(Loss(X).ToScalar()).Within(1e-15));
        Assert.That(
            here.ApplyBlock(Tensor.Eye(DType.Float64, 3)).ToArray(),
            Is.EqualTo(Differentiate.Hessian(Loss, X).ToArray()).Within(1e-15));
    }

    [Test]
    public void ALinearProgramIsTheSameMapSimplifiedAndCompiled()
    {
        var derivative = Differentiate.Linearize(x => x.Tanh() * x, X).Derivative;
        var expected = derivative.Apply(X).ToArray();
        Assert.That(derivative.Simplified().Apply(X).ToArray(), Is.EqualTo(expected).Within(1e-15));
        Assert.That(derivative.Compiled().Apply(X).ToArray(), Is.EqualTo(expected).Within(1e-15));
    }

    [Test]
    public void ACompiledFunctionMayNotAskForValues() =>
        Assert.That(
            () => Compile.Function(x => x.Sum().ToScalar() > 0 ? x : -x)(X),
            Throws.InstanceOf<DifferentiationException>());
}
