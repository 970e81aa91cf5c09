module Curvature.Tests.Unit.LbfgsTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Σ 100·(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²: a curved valley whose floor falls slowly to the minimum 0 at (1, …, 1).
let private rosenbrock (x: Tensor) =
    let n = x.Shape[0]
    let first, second = Tensor.slice 0 0 (n - 1) x, Tensor.slice 0 1 (n - 1) x
    100.0 * Tensor.sum (Tensor.square (second - Tensor.square first)) + Tensor.sum (Tensor.square (1.0 - first))

/// ½ xᵀdiag(1, 4, 9, …)x − Σx, with the minimum at 1/i².
let private quadratic n (x: Tensor) =
    let d = Tensor.ofArray [ n ] [| for i in 1..n -> float (i * i) |]
    0.5 * Tensor.sum (Tensor.square x * d) - Tensor.sum x

let private minimizeWith options f theta = Lbfgs.minimize options (Risk.ofFunction f) theta
let private network = Network.mlp Layer.tanh [ 2; 6; 2 ]
let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 30; 2 ]

let private labels =
    inputs.ToArray()
    |> Array.chunkBySize 2
    |> Array.map (fun row -> if row[0] * row[1] > 0.0 then 1 else 0)
    |> Tensor.ofIndices [ 30 ]

let private riskOf size =
    network
    |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) (Batches.split size inputs labels)

let private start = Network.initialize (Key.OfSeed 1L) DType.Float64 network

/// What is told after each iteration.
type private Listener(action: TrainingProgress -> unit) =
    interface System.IProgress<TrainingProgress> with
        member _.Report progress = action progress

[<Tests>]
let tests =
    testList "Unit.LbfgsTests" [
        test "the minimum of Rosenbrock's valley is found" {
            let result = minimizeWith LbfgsOptions.Default rosenbrock (tensor [ -1.2; 1.0 ])
            Expect.tensor 1e-6 [ 2 ] [ 1.0; 1.0 ] result.Theta
            Expect.equal "why" TrainingEnd.SmallGradient result.End
            Expect.isTrue $"{result.Losses.Count} iterations" (result.Losses.Count <= 45)
            Expect.isTrue $"{result.Steps} gradients" (result.Steps <= 65)
            Expect.isTrue "every loss falls" (result.Losses |> Seq.pairwise |> Seq.forall (fun (a, b) -> b < a))
            let many = minimizeWith LbfgsOptions.Default rosenbrock (Tensor.full DType.Float64 [ 10 ] -0.5)
            Expect.isTrue $"{many}" (many.End = TrainingEnd.SmallGradient)
        }

        test "a quadratic of n variables takes n iterations and few more where lines are searched almost exactly" {
            for n in [ 1; 3; 6; 10 ] do
                let options = LbfgsOptions.Default.WithWolfe(1e-4, 1e-3).WithHistory(n + 3)
                let result = minimizeWith options (quadratic n) (Tensor.full DType.Float64 [ n ] 3.0)
                Expect.tensor 1e-6 [ n ] [ for i in 1..n -> 1.0 / float (i * i) ] result.Theta
                Expect.equal $"why with {n}" TrainingEnd.SmallGradient result.End
                Expect.isTrue $"{result.Losses.Count} iterations for {n}" (result.Losses.Count <= n + 3)
        }

        test "a step that it takes meets the strong Wolfe conditions" {
            let options = LbfgsOptions.Default.WithWolfe(0.01, 0.4).WithIterations 1
            // The first step is too long in the valley, and too short in the bowl.
            let bowl (x: Tensor) = Tensor.sum (Tensor.square (x - 100.0))

            // One iteration at a time is a step along the gradient.
            let check f (theta: Tensor) =
                let next = (minimizeWith options f theta).Theta
                let d = next - theta
                let (value, slope), (after, slopeAfter) = fgradv f theta d, fgradv f next d
                let value, slope = value.ToScalar(), slope.ToScalar()
                let after, slopeAfter = after.ToScalar(), slopeAfter.ToScalar()
                Expect.isTrue "descent" (slope < 0.0)
                Expect.isTrue $"decrease from {value} to {after}" (after <= value + 0.01 * slope + 1e-15)
                Expect.isTrue $"slope {slopeAfter} after {slope}" (abs slopeAfter <= 0.4 * abs slope * (1.0 + 1e-9))
                next

            (tensor [ -1.2; 1.0 ], [ 1..30 ]) ||> List.fold (fun theta _ -> check rosenbrock theta) |> ignore

            check bowl (tensor [ 0.0; 3.0 ]) |> ignore
        }

        test "a network's risk over batches is that of the whole, and the same bits each time" {
            let options = LbfgsOptions.Default.WithIterations 15
            let whole = Lbfgs.minimize options (riskOf 30) start
            let again = Lbfgs.minimize options (riskOf 30) start
            Expect.sameBits whole.Theta again.Theta
            Expect.equal "iterations" 15 whole.Losses.Count
            Expect.equal "why" TrainingEnd.Completed whole.End
            let loss = (Risk.value (riskOf 30) whole.Theta)
            Expect.within "last loss" 1e-14 loss whole.Losses[14]
            Expect.isTrue $"{whole}" (loss < 0.5 * Risk.value (riskOf 30) start)
            let cut = Lbfgs.minimize (options.WithIterations 3) (riskOf 7) start
            let uncut = Lbfgs.minimize (options.WithIterations 3) (riskOf 30) start
            Expect.tensorsClose 1e-9 uncut.Theta cut.Theta
            let single = Lbfgs.minimize options (Risk.ofFunction (quadratic 3)) (Tensor.zeros DType.Float64 [ 3 ])
            Expect.equal "no validation" 0 single.ValidationLosses.Count
        }

        test "Float32 is minimised as far as it goes" {
            let f (x: Tensor) = Tensor.sum (Tensor.square (x - 0.7))
            let result = minimizeWith LbfgsOptions.Default f (Tensor.zeros DType.Float32 [ 5 ])
            Expect.equal "type" DType.Float32 result.Theta.DType
            Expect.tensor 1e-6 [ 5 ] [ for _ in 1..5 -> 0.7 ] result.Theta
        }

        test "a step into what is not finite is made shorter" {
            let f (x: Tensor) = Tensor.sum (1e3 * x - Tensor.log x)
            let result = minimizeWith LbfgsOptions.Default f (tensor [ 1.0 ])
            Expect.tensor 1e-9 [ 1 ] [ 1e-3 ] result.Theta
        }

        test "it says why it stopped" {
            let at = tensor [ 1.0; 1.0 ]
            let found = minimizeWith LbfgsOptions.Default rosenbrock at
            Expect.isTrue "at once" (found.End = TrainingEnd.SmallGradient && found.Losses.Count = 0 && found.Steps = 1)
            Expect.sameBits at found.Theta
            let none = minimizeWith (LbfgsOptions.Default.WithIterations 0) rosenbrock (tensor [ 0.0; 0.0 ])
            Expect.equal "no iterations" TrainingEnd.Completed none.End
            // Within rounding nothing is lower, and no gradient is small enough.
            let exact = LbfgsOptions.Default.WithGradientTolerance 0.0
            let f (x: Tensor) = Tensor.sum (Tensor.square (Tensor.sin x - 0.3)) + 1e3
            Expect.equal "rounding" TrainingEnd.NoDescent (minimizeWith exact f (tensor [ 1.0; 2.0 ])).End
        }

        test "cancelling keeps what was found, and progress is told after each iteration" {
            use source = new CancellationTokenSource()
            let told = ResizeArray<int * int>()

            let listener =
                Listener(fun progress ->
                    told.Add((progress.Epoch, progress.Epochs))
                    if progress.Epoch = 3 then source.Cancel())

            let options = LbfgsOptions.Default.WithIterations(20).WithProgress(listener).WithProgressInterval 0.0

            let result = minimizeWith (options.WithCancellation source.Token) rosenbrock (tensor [ -1.2; 1.0 ])
            Expect.isTrue $"{result}" (result.Cancelled && result.Losses.Count = 3)
            Expect.equal "reports" [ 1, 20; 2, 20; 3, 20 ] (List.ofSeq told)

            Expect.throwsT<System.OperationCanceledException> "before the first" (fun () ->
                minimizeWith (options.WithCancellation source.Token) rosenbrock (tensor [ 0.0; 0.0 ]) |> ignore)
        }

        test "wrong options and functions are refused" {
            let error fragments (action: unit -> LbfgsOptions) =
                Expect.error<ArgumentRangeException> fragments (action >> ignore)

            error [ "iterations"; "-1" ] (fun () -> LbfgsOptions.Default.WithIterations -1)
            error [ "history"; "0" ] (fun () -> LbfgsOptions.Default.WithHistory 0)
            error [ "tolerance"; "NaN" ] (fun () -> LbfgsOptions.Default.WithGradientTolerance nan)
            error [ "c1"; "0.5" ] (fun () -> LbfgsOptions.Default.WithWolfe(0.5, 0.1))

            Expect.error<NonFiniteException> [ "loss" ] (fun () ->
                minimizeWith LbfgsOptions.Default (Tensor.log >> Tensor.sum) (tensor [ -1.0 ]) |> ignore)
        }
    ]
