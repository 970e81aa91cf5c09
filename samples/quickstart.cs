// The curvature of a small network's loss, from C#: how large its Hessian is on the whole, and where.
//
//     dotnet run quickstart.cs
#:package Curvature.CSharp@*

using System.Globalization;
using Curvature;
using Curvature.CSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var key = Key.OfSeed(1);

// A hundred points on the plane. Those within a circle are of class 1, the others of class 0.
var inputs = Tensor.Normal(key.FoldIn(0), DType.Float64, 100, 2);
var labels = inputs.Square().Sum(1).Greater(Tensor.Scalar(DType.Float64, 1.4)).Convert(DType.Int32);

// A network is a function of its parameters, which are one vector, and of a batch of inputs.
var network = Network.Sequential(Layer.Dense(2, 16), Layer.Tanh, Layer.Dense(16, 2));
var risk = Risk.OfFunction(theta => Loss.SoftmaxCrossEntropy(labels, network.Forward(theta, inputs)));
var training = risk.Minimize(
    network.Initialize(key.FoldIn(1), DType.Float64),
    TrainingOptions.Default.WithEpochs(200).WithOptimizer(Optimizer.Adam(0.02)));

// Any function from a tensor to a scalar is a loss. Its Hessian is never written out; it is known by its products.
var point = risk.Evaluate(training.Theta);
var hessian = point.Hessian;
Console.WriteLine($"parameters          {network.ParameterCount}");
Console.WriteLine($"loss                {point.Loss:G6} after {training.Steps} steps");
Console.WriteLine($"gradient norm       {point.Gradient.Norm().ToScalar():G6}");

// One product tells how the gradient changes along a direction.
var direction = point.Gradient / point.Gradient.Norm();
Console.WriteLine($"curvature downhill  {hessian.QuadraticForm(direction).ToScalar():G6}");
Console.WriteLine($"norm of H·direction {hessian.Apply(direction).Norm().ToScalar():G6}");

// Random vectors tell the trace, with an interval that holds the truth 95 times in 100.
var stop = StoppingRule.RelativeError(0.05).OrElse(StoppingRule.Matvecs(4000));
var trace = hessian.EstimateTrace(stop, key.FoldIn(3));
var interval = trace.Interval(0.95);
Console.WriteLine(
    $"trace               {trace.Value:G6}, between {interval.Low:G6} and {interval.High:G6}"
    + $" ({trace.Samples} vectors, {trace.StopReason})");
Console.WriteLine($"exact trace         {hessian.ExactTrace().Value:G6}");

// The same vectors tell where the curvature is: the trace of each layer, and the diagonal.
foreach (var block in hessian.EstimateBlockTraces(network.Layout.Blocks(), stop, key.FoldIn(3)))
{
    Console.WriteLine($"  {block.Block.Name,-17} {block.Trace.Value:G6} ± {block.Trace.StandardError:G2}");
}

var diagonal = hessian.EstimateDiagonal(StoppingRule.Matvecs(1000));
var entries = diagonal.Value.ToArray();
Console.WriteLine($"diagonal            from {entries.Min():G6} to {entries.Max():G6}");
