using Curvature.CSharp;
using NUnit.Framework;

namespace Curvature.Tests.Facade;

public sealed class OperatorTests
{
    private static readonly Tensor Matrix = Tensor.FromArray(new[,] { { 1.0, 2.0 }, { 3.0, 4.0 }, { 5.0, 6.0 } });
    private static readonly Tensor Symmetric = Tensor.FromArray(new[,] { { 2.0, 1.0 }, { 1.0, 3.0 } });
    private static readonly Tensor V = Tensor.FromArray([1.0, -1.0]);

    [Test]
    public void AMatrixMultipliesVectorsAndBlocks()
    {
        var a = LinearOperator.FromMatrix(Matrix);
        Assert.That(a.Apply(V).ToArray(), Is.EqualTo(new double[] { -1, -1, -1 }));
        Assert.That(a.Apply(Tensor.Eye(DType.Float64, 2)).ToArray(), Is.EqualTo(Matrix.Transpose().ToArray()));
        Assert.That(a.Transposed.ToDense().ToArray(), Is.EqualTo(Matrix.Transpose().ToArray()));
        Assert.That(a.IsSymmetric, Is.False);
    }

    [Test]
    public void AnOperatorGivesItsMemoryBack()
    {
        LinearOperator hessian;
        using (hessian = Hessian.At(x => (x * x * x).Sum(), V))
        {
            Assert.That(hessian.Apply(V).ToArray(), Is.EqualTo(new double[] { 6, 6 }));
        }

        Assert.That(() => hessian.Apply(V), Throws.TypeOf<DisposedException>().With.Message.Contains("Hessian"));
        hessian.Dispose();
    }

    [Test]
    public void AnyDelegateThatMultipliesIsAnOperator()
    {
        var a = LinearOperator.FromDelegate(DType.Float64, 2, 2, v => [2 * v[0] + v[1], v[0] + 3 * v[1]])
            .Claim(OperatorProperties.Symmetric)
            .Named("mine");
        Assert.That(a.ToDense().ToArray(), Is.EqualTo(Symmetric.ToArray()));
        Assert.That(a.Name, Is.EqualTo("mine"));
        Assert.That(a.Transposed.IsSymmetric);
    }

    [Test]
    public void ADelegateMayBringItsTranspose()
    {
        var a = LinearOperator.FromDelegate(DType.Float64, 1, 2, v => [v[0] + 2 * v[1]]);
        Assert.That(() => a.Transposed, Throws.TypeOf<OperatorException>().With.Message.Contains("transpose"));
        Assert.That(
            a.WithDelegateTranspose(u => [u[0], 2 * u[0]]).Transposed.ToDense().ToArray(),
            Is.EqualTo(new double[] { 1, 2 }));
    }

    [Test]
    public void AFunctionOfTensorsKnowsItsTranspose()
    {
        var a = LinearOperator.FromFunction(DType.Float64, 3, 2, v => Matrix.MatMul(v));
        Assert.That(a.Transposed.ToDense().ToArray(), Is.EqualTo(Matrix.Transpose().ToArray()));

        var blocks = LinearOperator.FromBlockFunction(DType.Float64, 3, 2, block => block.MatMul(Matrix.Transpose()))
            .WithTranspose(block => block.MatMul(Matrix));
        Assert.That(blocks.ToDense().ToArray(), Is.EqualTo(Matrix.ToArray()));
        Assert.That(blocks.Transposed.ToDense().ToArray(), Is.EqualTo(Matrix.Transpose().ToArray()));
    }

    [Test]
    public void OperatorsAddMultiplyAndNest()
    {
        var a = LinearOperator.FromSymmetricMatrix(Symmetric);
        var b = 2.0 * a + a * a - LinearOperator.Identity(DType.Float64, 2);
        Assert.That(b.ToDense().ToArray(), Is.EqualTo(new double[] { 8, 7, 7, 15 }));
        Assert.That(a.Shift(0.5).ToDense().ToArray(), Is.EqualTo(new double[] { 2.5, 1, 1, 3.5 }));
        Assert.That(a.Gram().ToDense().ToArray(), Is.EqualTo((a * a).ToDense().ToArray()));
        Assert.That(a.Block(1, 1).ToDense().ToArray(), Is.EqualTo(new double[] { 3 }));
        Assert.That(a.Submatrix(0, 1, 1, 1).ToDense().ToArray(), Is.EqualTo(new double[] { 1 }));
        Assert.That(
            LinearOperator.BlockDiagonal(a, LinearOperator.Scalar(DType.Float64, 1, 7)).ToDense().ToArray(),
            Is.EqualTo(new double[] { 2, 1, 0, 1, 3, 0, 0, 0, 7 }));
        Assert.That(
            LinearOperator.FromMatrix(Tensor.FromArray(new[,] { { 0.0, 2.0 }, { 0.0, 0.0 } }))
                .SymmetricPart()
                .ToDense()
                .ToArray(),
            Is.EqualTo(new double[] { 0, 1, 1, 0 }));
    }

    [Test]
    public void LowRankPlusDiagonalIsWhatItSays()
    {
        var u = Tensor.FromArray([1.0, 2.0], 2, 1);
        var a = LinearOperator.LowRankPlusDiagonal(Tensor.FromArray([1.0, 1.0]), u, Tensor.FromArray([3.0]));
        Assert.That(a.ToDense().ToArray(), Is.EqualTo(new double[] { 4, 6, 6, 13 }));
        Assert.That(a.IsPositiveSemidefinite);
    }

    [Test]
    public void QuadraticFormsTakeTheCheapestWay()
    {
        var plain = LinearOperator.FromMatrix(Symmetric);
        var calls = 0;
        var cheap = plain.WithQuadraticForms(block =>
        {
            calls++;
            return (block * block.MatMul(Symmetric)).Sum(1);
        });
        Assert.That(plain.HasQuadraticForms, Is.False);
        Assert.That(plain.QuadraticForm(V).ToScalar(), Is.EqualTo(3));
        Assert.That(cheap.HasQuadraticForms);
        Assert.That(cheap.QuadraticForm(V).ToScalar(), Is.EqualTo(3));
        Assert.That(cheap.QuadraticForm(Tensor.Eye(DType.Float64, 2)).ToArray(), Is.EqualTo(new double[] { 2, 3 }));
        Assert.That(plain.QuadraticForm(Tensor.Eye(DType.Float64, 2)).ToArray(), Is.EqualTo(new double[] { 2, 3 }));
        Assert.That(calls, Is.EqualTo(2));
        Assert.That(
            () => LinearOperator.FromMatrix(Matrix).QuadraticForm(V),
            Throws.TypeOf<OperatorException>().With.Message.Contains("[3; 2]"));
    }

    [Test]
    public void TheHessianOfALossIsAnOperator()
    {
        var theta = Tensor.FromArray([1.0, 2.0, 3.0]);
        var hessian = Hessian.At(x => x.Dot(x).Square(), theta);
        Assert.That(
            hessian.Apply(Tensor.FromArray([1.0, 0.0, 0.0])).ToArray(), Is.EqualTo(new double[] { 64, 16, 24 }));
        Assert.That(hessian.HasQuadraticForms);

        var point = Risk.OfFunction(x => x.Dot(x).Square()).LossPoints()(theta);
        Assert.That(point.Loss, Is.EqualTo(196));
        Assert.That(point.Gradient.ToArray(), Is.EqualTo(new double[] { 56, 112, 168 }));
        Assert.That(Hessian.Evaluate(x => x.Dot(x), theta).Loss, Is.EqualTo(14));
    }

    [Test]
    public void MatricesOverBatchesAreThoseOfTheWhole()
    {
        var x = Tensor.Normal(Key.OfSeed(1), DType.Float64, 7, 3);
        var labels = Tensor.FromIndices([0, 1, 1, 0, 1, 0, 0]);
        var theta = Tensor.Normal(Key.OfSeed(2), DType.Float64, 6);
        var batches = Batches.Split(x, labels, size: 3);
        Assert.That(batches.Select(batch => batch.Size), Is.EqualTo(new[] { 3, 3, 1 }));

        Func<Tensor, Tensor, Tensor> model = (inputs, parameters) => inputs.MatMul(parameters.Reshape(3, 2));
        Func<Tensor, Tensor, Tensor> cross = (targets, logits) => Loss.SoftmaxCrossEntropy(targets, logits);
        Func<Tensor, Tensor, Tensor> losses = (targets, logits) => logits.LogSoftmax().Pick(targets) * -1.0;

        var whole = Hessian.Evaluate(parameters => cross(labels, model(x, parameters)), theta);
        var risk = Risk.OfModel(model, cross, batches);
        var parts = risk.Evaluate(theta);
        Assert.That((risk.HasData, risk.HasModel, risk.HasTerm), Is.EqualTo((true, true, false)));
        Assert.That(risk.Value(theta), Is.EqualTo(whole.Loss).Within(1e-14));
        Assert.That(risk.Gradient(theta).Gradient.ToArray(), Is.EqualTo(whole.Gradient.ToArray()).Within(1e-14));
        Assert.That(risk.Gradients()(theta).Loss, Is.EqualTo(whole.Loss).Within(1e-14));
        var group = risk.PartialSum(0, batch => cross(batch.Targets, model(batch.Inputs, theta)), theta.Device);
        Assert.That(group.ToScalar() / 7, Is.EqualTo(whole.Loss).Within(1e-14));
        Assert.That(Risk.GroupSize, Is.EqualTo(8));
        var expected = whole.Hessian.ToDense().ToArray();
        Assert.That(parts.Loss, Is.EqualTo(whole.Loss).Within(1e-14));
        Assert.That(parts.Hessian.ToDense().ToArray(), Is.EqualTo(expected).Within(1e-14));
        Assert.That(risk.GaussNewton(theta).ToDense().ToArray(), Is.EqualTo(expected).Within(1e-14));
        Assert.That(
            risk.Fisher(FisherKind.Exact(Likelihood.Categorical), theta).ToDense().ToArray(),
            Is.EqualTo(expected).Within(1e-14));
        Assert.That(
            risk.Fisher(FisherKind.Empirical(losses), theta).ToDense().ToArray(),
            Is.EqualTo(Fisher.Empirical(logits => losses(labels, logits), p => model(x, p), theta).ToDense().ToArray())
                .Within(1e-14));
        var drawn = risk.Fisher(FisherKind.MonteCarlo(Likelihood.Categorical, 4000, Key.OfSeed(3)), theta);
        Assert.That((drawn.ToDense() - whole.Hessian.ToDense()).Norm().ToScalar(), Is.LessThan(0.05));

        var summed = Risk.OfBatches(
            (batch, p) => Loss.SoftmaxCrossEntropy(batch.Targets, model(batch.Inputs, p), Reduction.Sum),
            batches,
            Reduction.Sum)
            .Hessian(theta);
        Assert.That((summed * (1.0 / 7)).ToDense().ToArray(), Is.EqualTo(expected).Within(1e-14));
        Assert.That(
            () => Risk.OfModel(model, cross, []).Hessian(theta),
            Throws.TypeOf<DataException>());
        Assert.That(parts.Hessian.Damped(0.5).ToDense().ToArray()[0], Is.EqualTo(expected[0] + 0.5).Within(1e-14));
    }

    [Test]
    public void ARiskHasATermAndIsRestrictedByName()
    {
        var layout = ParameterLayout.FromShapes(("a", [2]), ("b", [1]));
        var theta = Tensor.FromArray([1.0, 2.0, 3.0]);
        var risk = Risk.OfFunction(x => x.Dot(x).Square()).WithTerm(x => x.Dot(x) * 0.5);
        Assert.That(risk.Value(theta), Is.EqualTo(196 + 7));
        Assert.That(risk.Hessian(theta).ToDense().ToArray()[0], Is.EqualTo(65).Within(1e-12));

        var restricted = risk.RestrictTo(["a"], layout, theta);
        var hessian = restricted.Hessian(layout.Restrict(["a"]).Join([new("a", Tensor.FromArray([1.0, 2.0]))]));
        Assert.That(hessian.ToDense().ToArray(), Is.EqualTo(new[] { 65.0, 16, 16, 89 }).Within(1e-12));
        Assert.That(risk.Compose(x => x * 2.0).Value(theta), Is.EqualTo((16 * 196) + 28));
    }

    [Test]
    public void TheMatricesOfALinearModelAgree()
    {
        // For a linear model and softmax cross-entropy, Hessian, Gauss-Newton and Fisher matrix are one.
        var x = Tensor.Normal(Key.OfSeed(1), DType.Float64, 7, 3);
        var labels = Tensor.FromIndices([0, 1, 1, 0, 1, 0, 0]);
        var theta = Tensor.Normal(Key.OfSeed(2), DType.Float64, 6);

        Tensor Model(Tensor parameters) => x.MatMul(parameters.Reshape(3, 2));
        Tensor LossOf(Tensor logits) => Loss.SoftmaxCrossEntropy(labels, logits);

        var hessian = Hessian.At(parameters => LossOf(Model(parameters)), theta).ToDense();
        var gaussNewton = GaussNewton.At(Model, LossOf, theta);
        Assert.That(gaussNewton.IsPositiveSemidefinite);
        Assert.That(gaussNewton.ToDense().ToArray(), Is.EqualTo(hessian.ToArray()).Within(1e-14));
        Assert.That(
            Risk.OfOutputs(Model, LossOf).GaussNewtons()(theta).ToDense().ToArray(),
            Is.EqualTo(hessian.ToArray()).Within(1e-14));
        Assert.That(
            Fisher.Exact(Likelihood.Categorical, Model, theta).ToDense().ToArray(),
            Is.EqualTo(hessian.ToArray()).Within(1e-14));

        var drawn = Fisher.MonteCarlo(Likelihood.Categorical, 4000, Key.OfSeed(3), Model, theta).ToDense();
        Assert.That((drawn - hessian).Norm().ToScalar() / hessian.Norm().ToScalar(), Is.LessThan(0.1));

        var jacobian = Jacobian.At(Model, theta);
        Assert.That((jacobian.Rows, jacobian.Columns), Is.EqualTo((14, 6)));
        Assert.That(jacobian.Transposed.Apply(Tensor.Ones(DType.Float64, 14)).Shape, Is.EqualTo(new[] { 6 }));

        var gradients = Fisher.Empirical(
            logits => logits.LogSoftmax().Pick(labels) * -1.0, Model, theta);
        Assert.That(gradients.ExactTrace().Value, Is.GreaterThan(0));
        Assert.That(Likelihood.Gaussian(2), Is.Not.EqualTo(Likelihood.Bernoulli));
    }

    [Test]
    public void AnInfiniteLossSaysWhereThatBegan() =>
        Assert.That(
            () => Hessian.At(x => x.Log().Sum(), Tensor.FromArray([1.0, 0.0])),
            Throws.TypeOf<NonFiniteException>().With.Message.Contains("Log"));

    [Test]
    public void AMatrixThatIsTooLargeIsNotWrittenOut()
    {
        var large = LinearOperator.Zero(DType.Float32, 100_000, 100_000);
        Assert.That(
            () => large.ToDense(),
            Throws.TypeOf<ArgumentRangeException>().With.Message.Contains($"{LinearOperator.DenseLimit}"));
        Assert.That(() => LinearOperator.FromMatrix(Matrix).ToDense(5), Throws.TypeOf<ArgumentRangeException>());
    }

    [Test]
    public void SystemsAreSolvedByConjugateGradientsAndBySeries()
    {
        var a = LinearOperator.FromMatrix(Symmetric);
        var b = Tensor.FromArray([3.0, 4.0]);
        var tight = SolverOptions.Default.WithTolerance(1e-13);
        var solution = a.Solve(b, Solver.ConjugateGradients(), tight);
        Assert.That(solution.IsConverged);
        Assert.That(solution.ToString(), Does.StartWith("solved"));
        Assert.That(solution.NegativeCurvature, Is.Empty);
        Assert.That(solution.Value.ToArray(), Is.EqualTo(new[] { 1.0, 1.0 }).Within(1e-12));
        Assert.That(a.Solve(b).Value.ToArray(), Is.EqualTo(new[] { 1.0, 1.0 }).Within(1e-7));
        var preconditioned = a.Solve(b, Solver.ConjugateGradients(a.ExactDiagonal().Value), tight);
        Assert.That(preconditioned.Value.ToArray(), Is.EqualTo(new[] { 1.0, 1.0 }).Within(1e-12));
        var series = Solver.Neumann(0.4);
        Assert.That(a.Solve(b, series, tight).Value.ToArray(), Is.EqualTo(new[] { 1.0, 1.0 }).Within(1e-12));
        Assert.That(
            (a.Inverse() * a).ToDense().ToArray(),
            Is.EqualTo(new double[] { 1, 0, 0, 1 }).Within(1e-7));
        Assert.That(
            (a.Inverse(series) * a).ToDense().ToArray(),
            Is.EqualTo(new double[] { 1, 0, 0, 1 }).Within(1e-7));
        Assert.That((-a).Solve(b).NegativeCurvature.Single().Curvature, Is.LessThan(0));
        Assert.That(a.Solve(b, Solver.Neumann(1)).Status, Is.EqualTo(SolveStatus.Breakdown));
    }

    [Test]
    public void DifferencesOfGradientsGiveTheHessian()
    {
        var theta = Tensor.FromArray([1.0, 2.0, 3.0]);
        var expected = Hessian.At(x => x.Dot(x).Square(), theta).ToDense().ToArray();
        Assert.That(
            FiniteDifference.Hessian(x => x.Dot(x).Square(), theta).ToDense().ToArray(),
            Is.EqualTo(expected).Within(1e-5));
        Func<Tensor, Tensor> gradient = x => x * (4 * x.Dot(x));
        Assert.That(
            FiniteDifference.HessianFromGradient(gradient, theta).ToDense().ToArray(),
            Is.EqualTo(expected).Within(1e-5));
        Assert.That(FiniteDifference.Step(gradient, theta), Is.InRange(1e-8, 1));
    }

    [Test]
    public void ADiagnosisTellsWhatIsWrong()
    {
        var theta = Tensor.FromArray([1.0, 2.0, 3.0]);
        Func<Tensor, Tensor> loss = x => x.Dot(x).Square();
        var hessian = Hessian.At(loss, theta);
        Assert.That(hessian.Diagnose().IsHealthy);
        Assert.That(
            hessian.DiagnoseAgainst(Risk.OfFunction(loss), theta).FiniteDifferences.Outcome,
            Is.EqualTo(CheckOutcome.Passed));
        Assert.That(hessian.DiagnoseAgainst(x => x * (4 * x.Dot(x)), theta).IsHealthy);

        var wrong = (1.5 * hessian).DiagnoseAgainst(
            Risk.OfFunction(loss), theta, DiagnoseOptions.Default.WithProbes(4));
        Assert.That(wrong.Failures.Single().Name, Is.EqualTo("finite differences"));
        Assert.That(wrong.FiniteDifferences.Error, Is.EqualTo(1.0 / 3).Within(1e-3));
        Assert.That(wrong.ToString(), Does.Contain("failed  finite differences"));

        var asymmetric = LinearOperator.FromMatrix(Tensor.FromArray(new[,] { { 0.0, 1.0 }, { 0.0, 0.0 } }))
            .Claim(OperatorProperties.Symmetric);
        Assert.That(asymmetric.Diagnose().Symmetry.Outcome, Is.EqualTo(CheckOutcome.Failed));
    }
}
