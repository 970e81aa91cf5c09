using Curvature;
using Curvature.CSharp;
using NUnit.Framework;

namespace DocExamples;

/// <summary>The C# of docs/spectra.md.</summary>
public sealed class Spectra
{
    private static readonly LinearOperator Hessian =
        LinearOperator.FromMatrix(Tensor.Normal(Key.OfSeed(5), DType.Float64, 30, 30)).Gram().Shift(1);

    private static readonly double[] Eigenvalues = Hessian.Lanczos(30).RitzValues;

    [Test]
    public void EigenpairsAtTheEnds()
    {
        var hessian = Hessian;

        var pairs = hessian.ThickRestartLanczos(SpectrumEnd.Largest, 3);

        for (var i = 0; i < pairs.Values.Length; i++)
        {
            Console.WriteLine($"{pairs.Values[i]} ± {pairs.Residuals[i]}");
        }

        var first = pairs.Vectors[0];   // the eigenvector of the largest eigenvalue
        Console.WriteLine($"{pairs.Matvecs} products, all good enough: {pairs.AllConverged}");

        Assert.That(hessian.QuadraticForm(first).ToScalar(), Is.EqualTo(pairs.Values[0]).Within(1e-7));

        var options = EigenOptions.Default.WithTolerance(1e-6).WithMaximumMatvecs(2000).WithMultiplicities();
        var ends = hessian.ThickRestartLanczos(SpectrumEnd.BothEnds, 4, options);

        Assert.That(ends.Values[1], Is.EqualTo(Eigenvalues[0]).Within(1e-5));
    }

    [Test]
    public void LobpcgWithAPreconditioner()
    {
        var hessian = Hessian;

        var inverse = 1.0 / hessian.ExactDiagonal().Value;
        var smallest = hessian.Lobpcg(SpectrumEnd.Smallest, 2, precondition: block => block * inverse);

        Assert.That(smallest.Values, Is.EqualTo(Eigenvalues.Take(2)).Within(1e-7));
    }

    [Test]
    public void PowerIterationAsPyHessian()
    {
        var hessian = Hessian;

        var exact = hessian.PowerIteration(2);
        var asPyHessian = hessian.PowerIteration(2, PowerStop.PyHessian(1e-3), maximumMatvecs: 100);

        Assert.That(exact.Values[0], Is.EqualTo(Eigenvalues[29]).Within(1e-6));
        Assert.That(asPyHessian.Matvecs, Is.LessThan(exact.Matvecs));
    }

    [Test]
    public void TracesOfFunctions()
    {
        var hessian = Hessian;

        var sample = hessian.StochasticLanczos(probes: 10, steps: 25, Key.OfSeed(1));
        var logDeterminant = sample.LogDeterminant();
        Console.WriteLine($"ln det = {logDeterminant}, from {logDeterminant.Matvecs} products");

        var damped = sample.LogDeterminant(0.1);            // ln det (A + 0.1·I)
        var ofInverse = sample.TraceOfInverse();
        var entropy = sample.Entropy();                     // −tr A ln A
        var dimension = sample.EffectiveDimension(0.1);     // tr A(A + 0.1·I)⁻¹
        var nuclear = sample.SchattenNorm(1);               // Σ|λ|
        var exponential = sample.Trace(x => Math.Exp(-x));

        var bounds = SpectrumBounds.Unknown.WithLow(1).WithHigh(1000);    // all eigenvalues lie in [1, 1000]
        var bounded = sample.Within(bounds).TraceOfInverse();
        if (bounded.IsResolved)
        {
            Console.WriteLine($"{bounded}, of which the quadrature leaves {bounded.Bias} open");
        }

        Assert.That(bounded.IsResolved);
        void Within(Estimate<double> estimate, Func<double, double> f) =>
            Assert.That(estimate.Value, Is.EqualTo(Eigenvalues.Sum(f)).Within(6 * estimate.StandardError + 1e-9));

        Within(logDeterminant, Math.Log);
        Within(damped, x => Math.Log(x + 0.1));
        Within(ofInverse, x => 1 / x);
        Within(bounded, x => 1 / x);
        Within(entropy, x => -x * Math.Log(x));
        Within(dimension, x => x / (x + 0.1));
        Within(nuclear, Math.Abs);
        Within(exponential, x => Math.Exp(-x));
    }

    [Test]
    public void WhereTheEigenvaluesLie()
    {
        var hessian = Hessian;

        var sample = hessian.StochasticLanczos(probes: 10, steps: 25, Key.OfSeed(1));
        var density = sample.Density(Smoothing.Papyan);
        var points = density.Grid.Zip(density.Values);

        var cumulative = sample.CumulativeDensity();
        var band = cumulative.Band(10, 0.95);
        Console.WriteLine($"between {band.Low:P0} and {band.High:P0} of the eigenvalues are at most 10");

        var large = sample.CountEigenvalues(10, 1000);
        Console.WriteLine($"{large.Value} ± {large.StandardError} eigenvalues lie from 10 to 1000");

        var truth = Eigenvalues.Count(x => x <= 10) / 30.0;
        Assert.That(truth, Is.InRange(band.Low, band.High));
        Assert.That(large.Value, Is.EqualTo(30 * (1 - truth)).Within(6 * large.StandardError));
        Assert.That(points.Count(), Is.EqualTo(1024));
    }

    [Test]
    public void DensityFromChebyshevMoments()
    {
        var hessian = Hessian;

        var moments = hessian.ChebyshevMoments(probes: 10, moments: 100, Key.OfSeed(1));
        var density = moments.Density(1024);

        Assert.That(density.Values, Is.All.GreaterThan(-1e-12));
    }

    [Test]
    public void LanczosItself()
    {
        var hessian = Hessian;

        var result = hessian.LanczosFrom(Tensor.Ones(DType.Float64, 30), steps: 10);
        var within = result.RitzValues.Zip(result.ResidualBounds);
        var another = hessian.Lanczos(steps: 10, Key.OfSeed(2));

        Assert.That(within.Count(), Is.EqualTo(another.Steps));
    }

    [Test]
    public void LongWork()
    {
        var hessian = Hessian;

        using var source = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var options = EigenOptions.Default.WithCancellation(source.Token);
        var pairs = hessian.ThickRestartLanczos(SpectrumEnd.LargestMagnitude, 2, options);
        if (pairs.IsCancelled)
        {
            Console.WriteLine($"the best pairs after a minute: {pairs}");
        }

        Assert.That(pairs.AllConverged);
    }

    [Test]
    public void SparseMatricesFromFiles()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(
                path, ["%%MatrixMarket matrix coordinate real symmetric", "2 2 3", "1 1 2", "2 1 1", "2 2 3"]);

            var matrix = MatrixMarket.Read(path);
            var pairs = matrix.ThickRestartLanczos(SpectrumEnd.BothEnds, 2);
            Tensor written = MatrixMarket.ReadDense(path);      // all entries, as a tensor

            Assert.That(pairs.Values[0], Is.EqualTo((5 + Math.Sqrt(5)) / 2).Within(1e-13));
            Assert.That(written.ToArray(), Is.EqualTo(new[] { 2.0, 1, 1, 3 }));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
