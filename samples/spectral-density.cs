// The density of the eigenvalues of a network's Hessian, before and after training, drawn into one chart.
//
//     dotnet run spectral-density.cs
#:package Curvature.CSharp@*

using System.Globalization;
using Curvature;
using Curvature.CSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var keys = Key.OfSeed(42).Split(4);

// Classes of random inputs, told by the largest of their first five coordinates.
var inputs = Tensor.Normal(keys[0], DType.Float64, 512, 20);
var labels = inputs[.., ..5].ArgMax();
var network = Network.Mlp(Layer.Tanh, 20, 32, 32, 5);
var risk = Risk.OfFunction(theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs)));

var start = network.Initialize(keys[1], DType.Float64);
var options = TrainingOptions.Default.WithEpochs(40).WithOptimizer(Optimizer.Adam(0.01));
var trained = risk.Minimize(start, options).Theta;

// Lanczos quadrature: 8 random vectors of 60 products each.
var before = risk.Hessian(start).StochasticLanczos(8, 60, keys[2]).Density(Smoothing.Papyan);
var after = risk.Hessian(trained).StochasticLanczos(8, 60, keys[2]).Density(Smoothing.Papyan);
foreach (var (name, density) in new[] { ("before", before), ("after", after) })
{
    var most = density.Grid[density.Values.IndexOf(density.Values.Max())];
    Console.WriteLine($"{name} training: from {density.Grid[0]:G3} to {density.Grid[^1]:G3}, most of it at {most:G2}");
}

var chart = Chart.Create(
    "Eigenvalues of the Hessian",
    Axis.Linear("eigenvalue λ"),
    Axis.Logarithmic("density per unit of λ").WithRange(1e-4, 1e2),
    Series.Line("before training", before.Grid, before.Values),
    Series.Line("after training", after.Grid, after.Values));

File.WriteAllText("spectral-density.svg", chart.ToSvg());
Console.WriteLine("spectral-density.svg is written");
