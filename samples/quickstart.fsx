// The trace of a Hessian, first of a function whose Hessian is known, then of a network too large to look at its
// entries.
//
//     dotnet fsi quickstart.fsx

#r "nuget: Curvature.FSharp"

open Curvature
open Curvature.FSharp

let key = Key.OfSeed 42L

// ---- a function

/// (x·x)², whose Hessian is 8xxᵀ + 4(x·x)I.
let f (x: Tensor) = Tensor.dot x x ** 2.0

let x = tensor [ 1.0; 2.0; 3.0 ]

printfn "gradient %O" (grad f x)
printfn "Hessian %O" (hessian f x)

// A Hessian is an operator: it multiplies, and is never written down.
let small = Hessian.at f x
printfn "times (1, 0, 0): %O" (small.Apply(tensor [ 1.0; 0.0; 0.0 ]))
printfn "trace, exactly: %O" (Exact.trace small)
printfn "trace, from 100 products: %O" (Hutchinson.trace (StoppingRule.matvecs 100) key small)

// ---- a network

let network = Network.mlp Layer.tanh [ 20; 64; 64; 5 ]
let theta = network |> Network.initialize key DType.Float32
let inputs = Tensor.normal (key.FoldIn 1u) DType.Float32 [ 256; 20 ]
let labels = inputs[*, ..4] |> Tensor.argMax

let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels

let trained =
    let options = TrainingOptions.Default.WithEpochs(100).WithOptimizer(Optimizer.adam 0.01)
    Training.minimize options (Risk.ofFunction loss) theta

// The loss, its gradient and its Hessian at a point.
let point = Hessian.evaluate (Risk.ofFunction loss) trained.Theta
printfn $"\na network of {network.ParameterCount} parameters, loss {point.Loss:G6} after {trained.Steps} steps"

// Several measurements share the same products, here until the trace is known to 2 %.
let trace, blocks =
    let measurement =
        Measurement.both
            Measurement.trace
            (Measurement.unwatched (Measurement.blockTraces (ParameterLayout.blocks network.Layout)))

    Hutchinson.estimate Probe.rademacher measurement (StoppingRule.relativeError 0.02) key point.Hessian

let interval = trace.Interval 0.95
printfn $"trace {trace}, with 95 %% confidence between {interval.Low:G5} and {interval.High:G5}"
printfn $"{trace.Matvecs} products in {trace.Seconds:F2} s"

for block in blocks do
    printfn $"  {block.Block.Name}: {block.Trace}"
