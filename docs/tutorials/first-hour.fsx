(**
---
title: The first hour
category: Tutorials
categoryindex: 2
index: 1
---

# The first hour

From an empty folder to the curvature of a trained network. All you need is the .NET 10 SDK, and the packages in a
folder of yours: no version is on a public feed yet, so `dotnet pack -c Release -o ~/curvature` makes them from a clone.

In F#, a script is a file that ends in `.fsx`. Its first lines say where the packages are,
`#i "nuget: /home/me/curvature"`, and which it needs, `#r "nuget: Curvature.FSharp"` and `#r "nuget: Curvature.Charts"`.
In F# Interactive you type the same.

In C#, `dotnet new console`, `dotnet nuget add source ~/curvature` and `dotnet add package Curvature.CSharp` do it.
*)
(*** hide ***)
#I "../../samples/Report/bin/Release/net10.0"
#r "Curvature.Kernels.dll"
#r "Curvature.Autodiff.dll"
#r "Curvature.FSharp.dll"
#r "Curvature.Charts.dll"
(**
## A function whose Hessian is known

(x·x)² has the Hessian 8xxᵀ + 4(x·x)I. An operator is made of the function and a point. It multiplies, and is never
written down.
*)
open Curvature
open Curvature.FSharp

let f (x: Tensor) = Tensor.dot x x ** 2.0
let x = tensor [ 1.0; 2.0; 3.0 ]

let small = Hessian.at f x
printfn "gradient %O" (grad f x)
printfn "product  %O" (small.Apply(tensor [ 1.0; 0.0; 0.0 ]))
printfn "trace    %O" (Exact.trace small)
(*** include-output ***)
(**
In C#, with `using Curvature;` and `using Curvature.CSharp;`:

```csharp
var small = Hessian.At(x => x.Dot(x).Square(), Tensor.FromArray([1.0, 2.0, 3.0], 3));
Console.WriteLine($"product {small.Apply(Tensor.FromArray([1.0, 0.0, 0.0], 3))}");
Console.WriteLine($"trace   {small.ExactTrace()}");
```

## A network

A network is a function of its parameters, which are one vector, and of a batch of inputs. This one tells which of the
first five of twenty numbers is the largest.
*)
let key = Key.OfSeed 42L
let network = Network.mlp Layer.tanh [ 20; 32; 32; 5 ]
let inputs = Tensor.normal (key.FoldIn 1u) DType.Float64 [ 512; 20 ]
let labels = inputs[*, ..4] |> Tensor.argMax

let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels
let risk = Risk.ofFunction loss

let trained =
    let options = TrainingOptions.Default.WithEpochs(60).WithOptimizer(Optimizer.adam 0.01)
    Training.minimize options risk (Network.initialize key DType.Float64 network)

let point = Hessian.evaluate risk trained.Theta
printfn $"{network.ParameterCount} parameters, loss {point.Loss:g4} after {trained.Steps} steps"
(*** include-output ***)
(**
## The trace, with its error bar

The rule says how well the trace is to be known, and how much it may cost.
*)
let stop = StoppingRule.relativeError 0.02 |> StoppingRule.orElse (StoppingRule.matvecs 5000)
let trace = Hutchinson.trace stop (key.FoldIn 2u) point.Hessian
let interval = trace.Interval 0.95

printfn $"{trace}"
printfn $"between {interval.Low:g5} and {interval.High:g5} with 95 %% confidence"
printfn $"exactly {(Exact.trace point.Hessian).Value:g5}, from {network.ParameterCount} products"
(*** include-output ***)
(**
The traces of the layers come from the same products, if they are asked for at once.
*)
let blocks =
    let measurement = Measurement.blockTraces (ParameterLayout.blocks network.Layout)
    Hutchinson.estimate Probe.rademacher measurement (StoppingRule.matvecs 200) (key.FoldIn 3u) point.Hessian

for block in blocks do
    printfn $"{block.Block.Name, -10} {block.Trace}"
(*** include-output ***)
(**
## The largest eigenvalues

Each comes with a residual: an eigenvalue lies within that distance. Gradient descent with a step above 2/λ₁ leaves this
minimum.
*)
let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 3 point.Hessian

for i in 0..2 do
    printfn $"{pairs.Values[i]:g6} ± {pairs.Residuals[i]:g1}"

printfn $"the largest stable step is {2.0 / pairs.Values[0]:g3}"
(*** include-output ***)
(**
## All of the spectrum

Most eigenvalues are near 0; the axis of densities is logarithmic.
*)
let density =
    StochasticLanczos.sample 8 60 (key.FoldIn 4u) point.Hessian |> SpectralDensity.ofSample Smoothing.papyan

let chart =
    Chart.create
        "Eigenvalues of the Hessian"
        (Axis.linear "eigenvalue λ")
        ((Axis.logarithmic "density per unit of λ").WithRange(1e-4, 1e2))
        [ Series.line "density" density.Grid density.Values ]

(*** hide ***)
let picture (chart: Chart) = $"<style>{Chart.styleSheet}</style>{Chart.toElement chart}"
picture chart
(*** include-it-raw ***)
(**
`File.WriteAllText("density.svg", Chart.toSvg chart)` keeps it. From here, [Operators](../operators.md) tells what else
can be multiplied by, [Estimates](../estimates.md) what else can be asked, and
[Which estimator when](../choosing.md) what to ask it with.
*)
