// The loss in the plane of the two sharpest directions of a trained network, as a map.
//
//     dotnet run landscape.cs
#:package Curvature.CSharp@*

using System.Globalization;
using Curvature;
using Curvature.CSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var keys = Key.OfSeed(42).Split(3);
var inputs = Tensor.Normal(keys[0], DType.Float64, 256, 10);
var targets = inputs.Sum(1).Sin();
var network = Network.Mlp(Layer.Tanh, 10, 24, 1);
var risk = Risk.OfFunction(theta => (network.Forward(theta, inputs).Reshape(256) - targets).Square().Mean());

var options = TrainingOptions.Default.WithEpochs(300).WithOptimizer(Optimizer.Adam(0.01));
var trained = risk.Minimize(network.Initialize(keys[1], DType.Float64), options);

var point = risk.Evaluate(trained.Theta);
var pairs = point.Hessian.ThickRestartLanczos(SpectrumEnd.Largest, 2);
Console.WriteLine($"loss {point.Loss:G4}, largest eigenvalues {pairs.Values[0]:G4} and {pairs.Values[1]:G4}");

var positions = Landscape.Grid(radius: 1, count: 33);
var plane = risk.LossPlane(
    trained.Theta,
    pairs.Direction(0).Axis(positions),
    pairs.Direction(1).Axis(positions));

var chart = Chart.Create(
    "Loss around the minimum",
    Axis.Linear("along v₁"),
    Axis.Linear("along v₂"),
    Series.Contours("loss", positions, positions, plane.Losses));

File.WriteAllText("landscape.svg", chart.WithSize(480, 440).ToSvg());
Console.WriteLine(
    $"{plane.Losses[16, 16]:G4} in the middle, {plane.Losses[0, 0]:G4} in a corner; landscape.svg is written");
