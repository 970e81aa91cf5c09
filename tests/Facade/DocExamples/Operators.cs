using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/operators.md.</summary>
public sealed class Operators
{
    private static readonly Tensor Theta = Tensor.Normal(Key.OfSeed(1), DType.Float64, 6);
    private static readonly Tensor Inputs = Tensor.Normal(Key.OfSeed(2), DType.Float64, 10, 3);
    private static readonly Tensor Labels = Tensor.FromIndices([0, 1, 1, 0, 1, 0, 0, 1, 0, 1]);

    [Test]
    public void TheHessianOfALoss()
    {
        var inputs = Inputs;
        var labels = Labels;
        var theta = Theta;

        Func<Tensor, Tensor> model = theta => inputs.MatMul(theta.Reshape(3, 2));
        Func<Tensor, Tensor> loss = theta => Loss.SoftmaxCrossEntropy(labels, model(theta));

        var hessian = Hessian.At(loss, theta);
        var product = hessian.Apply(Tensor.OnesLike(theta));           // H·v
        var form = hessian.QuadraticForm(Tensor.OnesLike(theta));      // vᵀHv, without the product

        Assert.That(form.ToScalar(), Is.EqualTo(product.Sum().ToScalar()).Within(1e-14));

        var pointAt = Risk.OfFunction(loss).LossPoints();
        var here = pointAt(theta);
        var there = pointAt(theta - 0.1 * here.Gradient);

        Assert.That(there.Loss, Is.LessThan(here.Loss));
    }

    [Test]
    public void MatricesOfAModelAndItsLoss()
    {
        var inputs = Inputs;
        var labels = Labels;
        var theta = Theta;
        Func<Tensor, Tensor> model = theta => inputs.MatMul(theta.Reshape(3, 2));

        var gaussNewton = GaussNewton.At(model, logits => Loss.SoftmaxCrossEntropy(labels, logits), theta);
        var fisher = Fisher.Exact(Likelihood.Categorical, model, theta);
        var drawn = Fisher.MonteCarlo(Likelihood.Categorical, 10, Key.OfSeed(3), model, theta);
        var empirical = Fisher.Empirical(logits => -logits.LogSoftmax().Pick(labels), model, theta);
        var jacobian = Jacobian.At(model, theta);

        Assert.That((fisher - gaussNewton).ExactFrobenius().Value, Is.LessThan(1e-14));
        Assert.That(new[] { drawn, empirical }.Select(a => a.ExactTrace().Value), Is.All.GreaterThan(0));
        Assert.That((jacobian.Rows, jacobian.Columns), Is.EqualTo((20, 6)));
    }

    [Test]
    public void AWholeDataSet()
    {
        var inputs = Inputs;
        var labels = Labels;
        var theta = Theta;

        var batches = Batches.Split(inputs, labels, size: 4);          // of 4, 4 and 2 samples
        Func<Tensor, Tensor, Tensor> model = (inputs, theta) => inputs.MatMul(theta.Reshape(3, 2));
        Func<Tensor, Tensor, Tensor> cross = (targets, outputs) => Loss.SoftmaxCrossEntropy(targets, outputs);

        var risk = Risk.OfModel(model, cross, batches);                // a mean; Reduction.Sum for sums
        var hessian = risk.Hessian(theta);
        var gaussNewton = risk.GaussNewton(theta);
        var fisher = risk.Fisher(FisherKind.Exact(Likelihood.Categorical), theta);
        var decayed = risk.WithTerm(theta => 1e-3 * theta.Dot(theta)).Hessian(theta);
        var (value, slope) = (risk.Value(theta), risk.Gradient(theta).Gradient);

        var whole = Hessian.At(x => cross(labels, model(inputs, x)), theta);
        Assert.That((hessian - whole).ExactFrobenius().Value, Is.LessThan(1e-14));
        Assert.That((value, slope.Size), Is.EqualTo((cross(labels, model(inputs, theta)).ToScalar(), 6)));
        Assert.That(decayed.ExactTrace().Value, Is.EqualTo(whole.ExactTrace().Value + 0.012).Within(1e-14));
        Assert.That((fisher - gaussNewton).ExactFrobenius().Value, Is.LessThan(1e-14));
    }

    [Test]
    public void MatricesAndDelegates()
    {
        var matrix = LinearOperator.FromMatrix(Tensor.FromArray(new[,] { { 2.0, 1.0 }, { 1.0, 3.0 } }));

        var mine = LinearOperator
            .FromDelegate(DType.Float64, rows: 2, columns: 2, v => [2 * v[0] + v[1], v[0] + 3 * v[1]])
            .Claim(OperatorProperties.PositiveSemidefinite)
            .Named("my product");

        Assert.That((matrix - mine).ExactFrobenius().Value, Is.Zero);
    }

    [Test]
    public void Algebra()
    {
        var theta = Theta;
        var labels = Labels;
        var hessian = Hessian.At(t => Loss.SoftmaxCrossEntropy(labels, Inputs.MatMul(t.Reshape(3, 2))), theta);

        var damped = hessian.Shift(0.1);            // H + 0.1·I
        var squared = hessian * hessian;            // first H, then H
        var mixed = 0.5 * hessian + 0.5 * damped;
        var block = hessian.Block(0, 2);            // the first two parameters
        Tensor small = block.ToDense();             // written out, for a look

        Assert.That(small.Shape, Is.EqualTo(new[] { 2, 2 }));
        Assert.That(mixed.ExactTrace().Value, Is.EqualTo(hessian.ExactTrace().Value + 0.3).Within(1e-12));
        Assert.That(squared.ExactTrace().Value, Is.EqualTo(Math.Pow(hessian.ExactFrobenius().Value, 2)).Within(1e-12));
    }

    [Test]
    public void FiniteDifferences()
    {
        var theta = Theta;
        Func<Tensor, Tensor> loss = x => Loss.SoftmaxCrossEntropy(Labels, Inputs.MatMul(x.Reshape(3, 2)));

        Func<Tensor, Tensor> gradient = x => Differentiate.Gradient(loss, x);   // or a gradient from elsewhere
        var hessian = FiniteDifference.HessianFromGradient(gradient, theta);

        Assert.That((hessian - Hessian.At(loss, theta)).ExactFrobenius().Value, Is.LessThan(1e-8));
    }

    [Test]
    public void SolvingAndInverses()
    {
        Func<Tensor, Tensor> cross = logits => Loss.SoftmaxCrossEntropy(Labels, logits);
        var gaussNewton = GaussNewton.At(x => Inputs.MatMul(x.Reshape(3, 2)), cross, Theta);
        var gradient = Differentiate.Gradient(x => cross(Inputs.MatMul(x.Reshape(3, 2))), Theta);

        var damped = gaussNewton.Damped(0.1);
        var solver = Solver.ConjugateGradients(preconditioner: damped.ExactDiagonal().Value);
        var solution = damped.Solve(gradient, solver);
        var step = solution.Value;   // what Newton's method subtracts; solution.Status says whether to trust it

        var inverse = damped.Inverse(solver);
        var series = damped.Inverse(Solver.Neumann(scale: 0.5));

        Assert.That(solution.Status, Is.EqualTo(SolveStatus.Solved));
        Assert.That(damped.Apply(step).ToArray(), Is.EqualTo(gradient.ToArray()).Within(1e-7));
        Assert.That(inverse.Apply(gradient).ToArray(), Is.EqualTo(series.Apply(gradient).ToArray()).Within(1e-7));
    }

    [Test]
    public void WhatASolutionSays()
    {
        var indefinite = LinearOperator.FromDiagonal(Tensor.FromArray([2.0, -1.0]));
        var met = indefinite.Solve(Tensor.FromArray([1.0, 1.0]));
        Console.WriteLine($"{met.Status}: {met}. {met.Advice}");   // Breakdown: not positive definite … damp it …
        var direction = met.NegativeCurvature[0].Direction;        // along which the loss curves downward

        Assert.That(met.Status, Is.EqualTo(SolveStatus.Breakdown));
        Assert.That(direction.Dot(indefinite.Apply(direction)).ToScalar(), Is.LessThanOrEqualTo(0.0));
    }

    [Test]
    public void CheckingAnOperator()
    {
        var theta = Theta;
        Func<Tensor, Tensor> loss = x => Loss.SoftmaxCrossEntropy(Labels, Inputs.MatMul(x.Reshape(3, 2)));
        var hessian = Hessian.At(loss, theta);

        var diagnosis = hessian.DiagnoseAgainst(Risk.OfFunction(loss), theta);
        Console.WriteLine(diagnosis);                   // a line for each check
        var asymmetry = diagnosis.Symmetry.Error;       // about ‖A − Aᵀ‖/‖A‖

        Assert.That(diagnosis.IsHealthy);
        Assert.That(asymmetry, Is.LessThan(1e-14));
    }

    [Test]
    public void UncertaintyFromProbesAndFromData()
    {
        var theta = Theta;
        var batches = Batches.Split(Inputs, Labels, size: 2);
        Func<Batch, Tensor, Tensor> loss =
            (batch, x) => Loss.SoftmaxCrossEntropy(batch.Targets, batch.Inputs.MatMul(x.Reshape(3, 2)));

        var hessian = Risk.OfBatches(loss, batches).Hessian(theta);
        var uncertainty = hessian.Diagnose().TraceUncertainty!;
        var (fromProbes, fromData) = (uncertainty.ProbeError, uncertainty.DataError);   // standard errors of the trace

        Assert.That(fromData, Is.GreaterThan(0));
        Assert.That(fromProbes, Is.GreaterThanOrEqualTo(0));
    }
}
