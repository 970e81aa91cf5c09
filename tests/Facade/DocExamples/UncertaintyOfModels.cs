using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/samples.md, docs/uncertainty.md and docs/influence.md.</summary>
public sealed class UncertaintyOfModels
{
    private static readonly Network Mlp = Network.Mlp(Layer.Tanh, 4, 6, 3);

    private static readonly Tensor Inputs = Tensor.Normal(Key.OfSeed(1), DType.Float64, 60, 4);

    private static EmpiricalRisk Risk { get; } = Classes(Inputs, 20);

    private static readonly Lazy<Tensor> Mode = new(() =>
        Risk.WithTerm(theta => theta.Dot(theta) / 120)
            .MinimizeByLbfgs(
                Mlp.Initialize(Key.OfSeed(2), DType.Float64), LbfgsOptions.Default.WithIterations(300))
            .Theta);

    private static Tensor Labels(int count) =>
        Tensor.FromIndices(Enumerable.Range(0, count).Select(row => row % 3).ToArray());

    private static EmpiricalRisk Classes(Tensor inputs, int size) =>
        Curvature.CSharp.Risk.OfModel(
            (x, theta) => Mlp.Forward(theta, x),
            (y, outputs) => Loss.SoftmaxCrossEntropy(y, outputs),
            Batches.Split(inputs, Labels(inputs.Shape[0]), size));

    [Test]
    public void Samples()
    {
        var (risk, theta) = (Risk, Mode.Value);

        var options = SampleOptions.Default.WithMemoryLimit(64L << 20);
        var gradients = risk.SampleGradients(theta, options);       // [samples, parameters]
        var moments = risk.GradientMoments(theta, options);
        Console.WriteLine(moments);
        Console.WriteLine($"the longest gradient: {moments.Norms.Max()}");
        var covariance = risk.GradientCovariance(theta, options);   // as an operator

        var scale = risk.NoiseScale(theta, options);
        Console.WriteLine(scale);

        var diagonal = risk.GaussNewtonDiagonal(theta, options);
        var ofFisher = risk.FisherDiagonal(Likelihood.Categorical, theta, options);

        var kernel = risk.TangentKernel(theta, options);
        var gram = risk.GaussNewtonGram(theta, options);
        Console.WriteLine($"the largest eigenvalues: {string.Join(", ", gram.Eigenvalues().Take(5))}");

        Assert.That(gradients.Shape, Is.EqualTo(new[] { 60, theta.Size }));
        Assert.That(diagonal.ToArray(), Is.EqualTo(ofFisher.ToArray()).Within(1e-12));
        Assert.That(covariance.Rows, Is.EqualTo(theta.Size));
        Assert.That(kernel.Samples, Is.EqualTo(60));
    }

    [Test]
    public void UncertaintyOfANetwork()
    {
        var (network, risk, theta) = (Mlp, Risk, Mode.Value);
        var heldOutInputs = Tensor.Normal(Key.OfSeed(3), DType.Float64, 30, 4);
        var heldOutLabels = Labels(30);

        var options = LaplaceOptions.Default.WithStructure(LaplaceStructure.Full).WithPriorPrecision(1);
        var posterior = risk.Laplace(Likelihood.Categorical, theta, options);
        Console.WriteLine(posterior);
        Console.WriteLine($"{posterior.DistanceFromMode} from the mode");

        var kronecker = LaplaceStructure.Kronecker(network.Layout);
        var byLayer = risk.Laplace(Likelihood.Categorical, theta, options.WithStructure(kronecker));
        Console.WriteLine(byLayer);

        var tuned = posterior.Tune();
        Console.WriteLine($"log evidence {posterior.LogEvidence}, and {tuned.LogEvidence} with {tuned.PriorPrecision}");

        var predictive = posterior.Predict(heldOutInputs);
        var calibration = Calibration.OfClasses(heldOutLabels, predictive.Probabilities);
        Console.WriteLine(calibration);

        var sampled = posterior.PredictBySamples(heldOutInputs, draws: 500, key: Key.OfSeed(4));
        Console.WriteLine(sampled);

        var check = posterior.Check(draws: 500, key: Key.OfSeed(5));
        Console.WriteLine(check);

        string[] names = ["2.weight", "2.bias"];
        var last = network.Layout.Restrict(names);
        var ofLast = theta[(theta.Size - last.Size)..];
        var lastLayer = risk.RestrictTo(names, network.Layout, theta).Laplace(Likelihood.Categorical, ofLast, options);

        Assert.That(tuned.LogEvidence, Is.GreaterThanOrEqualTo(posterior.LogEvidence));
        Assert.That(calibration.Samples, Is.EqualTo(30));
        Assert.That(lastLayer.Size, Is.EqualTo(21));
        Assert.That(byLayer.LogEvidence, Is.EqualTo(posterior.LogEvidence).Within(20));
    }

    [Test]
    public void StandardErrors()
    {
        var layout = ParameterLayout.FromShapes(("dose", []), ("age", []), ("constant", []));
        var columns = Tensor.Concat(1, Inputs[.., ..2], Tensor.Ones(DType.Float64, 60, 1));
        var p = columns.MatMul(Tensor.FromArray([1.0, -0.5, 0.3])).Sigmoid();
        var responds = Tensor.Greater(p, Tensor.Uniform(Key.OfSeed(6), DType.Float64, 60));
        var risk = Curvature.CSharp.Risk.OfModel(
            (x, theta) => x.MatMul(theta),
            (y, outputs) => Likelihood.Bernoulli.Loss(y, outputs, Reduction.Sum),
            Batches.Split(columns, responds, 60),
            Reduction.Sum);

        var lbfgs = LbfgsOptions.Default.WithGradientTolerance(1e-10);
        var fitted = risk.MinimizeByLbfgs(Tensor.Zeros(DType.Float64, 3), lbfgs).Theta;
        Console.WriteLine(risk.StandardErrors(layout, fitted));
        var robust = risk.SandwichErrors(layout, fitted);
        var dose = robust["dose"];
        Console.WriteLine($"{dose}, {dose.Interval(0.95)}, p = {dose.PValue}");
        Console.WriteLine(risk.ProfileInterval("dose", layout, fitted));

        Assert.That(robust.Rows, Has.Count.EqualTo(3));
    }

    [Test]
    public void ARegressionWithNoise()
    {
        var inputs = Inputs;
        var y = inputs.MatMul(Tensor.FromArray([1.0, 0, -1, 2]))
            + Tensor.Normal(Key.OfSeed(7), DType.Float64, 60) * 0.3;
        var risk = Curvature.CSharp.Risk.OfModel(
            (x, theta) => x.MatMul(theta),
            (targets, outputs) => Loss.MeanSquaredError(targets, outputs),
            Batches.Split(inputs, y, 20));
        var fitted = risk.MinimizeByLbfgs(Tensor.Zeros(DType.Float64, 4)).Theta;
        Assert.That(RegressionReport(risk, fitted, inputs, y), Is.EqualTo(0.09).Within(0.04));
    }

    private static double RegressionReport(EmpiricalRisk risk, Tensor fitted, Tensor inputs, Tensor y)
    {
        var posterior = risk.Laplace(Likelihood.Gaussian(1), fitted).Tune();
        Console.WriteLine($"noise variance {posterior.NoiseVariance}, prior precision {posterior.PriorPrecision}");
        var predictive = posterior.Predict(inputs);
        var targets = y.Reshape(60, 1);
        Console.WriteLine(Calibration.OfNumbers(targets, predictive.Mean, predictive.TargetVariance));
        return posterior.NoiseVariance;
    }

    [Test]
    public void Influence()
    {
        var (network, risk, theta) = (Mlp, Risk, Mode.Value);
        var heldOut = Classes(Tensor.Normal(Key.OfSeed(3), DType.Float64, 30, 4), 30);

        var training = risk.WithTerm(parameters => parameters.Dot(parameters) / 120);
        var options = InfluenceOptions.Default.WithDamping(1e-4);
        var influence = training.InfluenceOnLoss(heldOut, theta, options);
        Console.WriteLine(influence);
        Console.WriteLine($"without sample {influence.Order[0]} the loss would grow by {influence.Values.Max()}");

        var moves = training.InfluenceOnParameters([0, 1], theta, options);     // [samples, parameters]

        var ekfac = training.Kfac(network.Layout, theta, KfacOptions.Default.WithCorrectedEigenvalues(true));
        var approximate = training.InfluenceOnLoss(heldOut, theta, options.WithApproximation(ekfac));
        Console.WriteLine(approximate);

        var products = training.GradientProducts(heldOut, theta, options);
        var cosines = training.GradientCosines(heldOut, theta, options);

        var lbfgs = LbfgsOptions.Default.WithIterations(200);
        var check = influence.Retrain(
            (risk, start) => risk.MinimizeByLbfgs(start, lbfgs).Theta, training, heldOut, influence.Order[..5], theta);
        Console.WriteLine(check);

        Assert.That(approximate.Values, Has.Length.EqualTo(60));
        Assert.That(moves.Shape, Is.EqualTo(new[] { 2, theta.Size }));
        Assert.That(products.Values, Has.Length.EqualTo(cosines.Values.Length));
        Assert.That(check.Samples, Has.Length.EqualTo(5));
    }
}
