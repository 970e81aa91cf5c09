(**
---
title: Errors of estimators
category: Tutorials
categoryindex: 2
index: 2
---

# Errors of estimators

Two experiments on matrices that are small enough to know the truth: how the error of a trace and of a diagonal falls
with every vector, and what makes signs better than Gaussian vectors.
*)
(*** hide ***)
#I "../../samples/Report/bin/Release/net10.0"
#r "Curvature.Kernels.dll"
#r "Curvature.Autodiff.dll"
#r "Curvature.FSharp.dll"
#r "Curvature.Charts.dll"

open Curvature
open Curvature.FSharp

let picture (chart: Chart) = $"<style>{Chart.styleSheet}</style>{Chart.toElement chart}"
(**
## A matrix of 1000 rows, vector by vector

A is BBᵀ for a random B, 1000 × 1000. Its trace is the sum of its diagonal, so the truth is at hand.
*)
let keys = (Key.OfSeed 7L).Split 4
let n = 1000
let b = Tensor.normal keys[0] DType.Float64 [ n; n ]
let matrix = Tensor.matmul b (Tensor.transpose b)
let a = LinearOperator.ofSymmetricMatrix matrix

let diagonal = (Exact.diagonal a).Value
let trace = (Exact.trace a).Value
printfn $"trace {trace:g7}"
(*** include-output ***)
(**
One run with 20 vectors, and one with 19, 18, … under the same key: the vectors of the shorter runs are the first of the
longer ones.
*)
let counts = [| 1..20 |]

let errors =
    [|
        for count in counts do
            let stop = StoppingRule.matvecs count
            let signs = Hutchinson.trace stop keys[1] a
            let entries = (Hutchinson.diagonal stop keys[1] a).Value
            let ofDiagonal = Tensor.norm (entries - diagonal) / Tensor.norm diagonal
            abs (signs.Value - trace) / trace, ofDiagonal.ToScalar()
    |]

for count in [ 1; 5; 10; 20 ] do
    let ofTrace, ofDiagonal = errors[count - 1]
    printfn $"{count, 2} vectors: trace off by {ofTrace:P2}, diagonal by {ofDiagonal:P1}"
(*** include-output ***)
(*** hide ***)
picture (
    Chart.create
        "Relative error after each vector"
        (Axis.linear "vectors")
        (Axis.logarithmic "relative error")
        [
            Series.line "trace" (Array.map float counts) (Array.map (fst >> max 1e-6) errors)
            Series.line "diagonal" (Array.map float counts) (Array.map snd errors)
        ]
)
(*** include-it-raw ***)
(**
Both errors fall like one over the root of the number of vectors. The trace is better known by far: its errors are those
of a sum over all rows, which cancel; those of the diagonal do not.

## Signs or Gaussian vectors?

Both have E zᵀAz = tr A. The variance of one form is 2‖S‖² for Gaussian vectors, where S is the symmetric part of A, and
2(‖S‖² − Σ Sᵢᵢ²) for signs: what is on the diagonal costs signs nothing. Here are 20 × 20 Gaussian matrices, as they
come and with 5 added to the diagonal.
*)
let plain = LinearOperator.ofMatrix (Tensor.normal keys[2] DType.Float64 [ 20; 20 ])
let shifted = LinearOperator.shift 5.0 plain

/// 5000 forms zᵀAz, less the trace.
let forms (probe: Probe) (operator: LinearOperator) =
    let z = Probe.draw probe keys[3] 20 (0, 5000) DType.Float64
    let values = (Tensor.sumAxes [ 1 ] (z * operator.Apply z)).ToArray()
    let truth = (Exact.trace operator).Value
    values |> Array.map (fun value -> value - truth)

let spread (values: float[]) = sqrt (Array.averageBy (fun x -> x * x) values)

/// The formulas, as standard deviations.
let formula (probe: Probe) (operator: LinearOperator) =
    sqrt (Probe.varianceOfForm probe (LinearOperator.dense operator))

for name, operator in [ "as it comes", plain; "5 on the diagonal", shifted ] do
    for probe in [ Probe.gaussian; Probe.rademacher ] do
        let seen, expected = spread (forms probe operator), formula probe operator
        printfn $"{name, -17} {probe, -11} spread {seen:f2}, by the formula {expected:f2}"
(*** include-output ***)
(*** hide ***)
let histogram name (values: float[]) =
    let width = 5.0
    let bins = [| -120.0 .. width .. 120.0 |]
    let share low = values |> Array.filter (fun x -> x >= low && x < low + width) |> Array.length
    let total = float values.Length * width

    Series.line
        name
        (bins |> Array.map (fun low -> low + 0.5 * width))
        (bins |> Array.map (fun low -> float (share low) / total))

let spreads title operator =
    Chart.create
        title
        (Axis.linear "zᵀAz − tr A")
        (Axis.linear "density")
        [
            histogram "Gaussian" (forms Probe.gaussian operator)
            histogram "signs" (forms Probe.rademacher operator)
            Series.vertical "Gaussian, one deviation by the formula" (formula Probe.gaussian operator)
            Series.vertical "signs, one deviation by the formula" (formula Probe.rademacher operator)
        ]

picture (spreads "As it comes" plain)
(*** include-it-raw ***)
(*** hide ***)
picture (spreads "With 5 on the diagonal" shifted)
(*** include-it-raw ***)
(**
The diagonal widens the Gaussian forms and leaves the signs as they were. That is why signs are the default. In C#:

```csharp
var signs = shifted.EstimateTrace(StoppingRule.Matvecs(5000));
var gaussian = shifted.EstimateTrace(StoppingRule.Matvecs(5000), probe: Probe.Gaussian);
Console.WriteLine($"{signs.StandardError} and {gaussian.StandardError}");
```

Matrices whose eigenvalues decay have better estimators than both: [Low rank](../low-rank.md).
*)
