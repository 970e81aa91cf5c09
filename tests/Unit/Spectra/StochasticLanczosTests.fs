module Curvature.Tests.Unit.StochasticLanczosTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 18L

let private diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

/// The operator U·diag(d)·U for a reflection U, so that no basis vector is an eigenvector.
let private reflected (values: float[]) =
    let n = values.Length
    let direction = Array.init n (fun i -> 1.0 + sin (float (i * i))) |> Tensor.ofArray [ n ]
    let direction = direction / (Tensor.norm direction)
    let d = Tensor.ofArray [ n ] values

    let reflect (block: Tensor) = block - 2.0 * Tensor.unsqueeze 1 (Tensor.matmul block direction) * direction

    LinearOperator.ofBlockFunction DType.Float64 n n (fun block -> reflect (d * reflect block))
    |> LinearOperator.claim OperatorProperties.Symmetric

let private within name (expected: float) (estimate: Estimate<float>) =
    Expect.isTrue
        $"{name}: {expected} against {estimate} with {key}"
        (abs (estimate.Value - expected) <= 6.0 * estimate.StandardError)

/// 30 eigenvalues 1 + i/200 for i = 0 … 29, and 170 of 1e-3: the matrix of a published log-determinant of
/// −1172.243. Counted from i = 1, as it is found described, it would be −1172.103.
let private twoLevels = Array.init 200 (fun i -> if i < 30 then 1.0 + float i / 200.0 else 1e-3)

[<Tests>]
let tests =
    testList "Unit.StochasticLanczosTests" [
        test "the error bar of a log-determinant is the spread that normal probes have, and no less" {
            let truth = twoLevels |> Array.sumBy log
            Expect.close 1e-6 [| -1172.243 |] [| truth |]
            // Var = 2‖ln A‖²_F for one normal vector: 3.4 % of the value for the mean of 10.
            let spread = sqrt (2.0 * (twoLevels |> Array.sumBy (fun x -> log x * log x)) / 10.0)
            Expect.close 0.01 [| 3.436 |] [| 100.0 * spread / abs truth |]
            let operator = diagonal twoLevels

            let estimates =
                key.Split 200
                |> Array.map (fun key ->
                    StochasticLanczos.sampleWith RunOptions.Default Probe.gaussian 10 10 key operator
                    |> StochasticLanczos.logDeterminant)

            let ratio = estimates |> Array.averageBy (fun e -> (e.StandardError / spread) * (e.StandardError / spread))

            // A variance from 10 numbers is off by √(2/9) of itself: 0.033 for the mean of 200.
            Expect.isTrue $"the claimed variance is {ratio} of the true one with {key}" (abs (ratio - 1.0) < 0.17)

            let covered =
                estimates
                |> Array.filter (fun e -> let i = e.Interval 0.95 in i.Low <= truth && truth <= i.High)
                |> Array.length

            Expect.isTrue $"{covered} of 200 intervals hold the truth with {key}" (covered >= 175)
        }

        test "named functions of a spectrum are known to within their errors" {
            let values = Array.init 150 (fun i -> 0.05 + System.Math.Pow(0.93, float i))
            let sample = StochasticLanczos.sample 24 40 key (reflected values)
            let sum f = Array.sumBy f values
            within "logDeterminant" (sum log) (StochasticLanczos.logDeterminant sample)
            within "shifted" (sum (fun x -> log (x + 0.5))) (StochasticLanczos.logDeterminantShifted 0.5 sample)
            within "inverse" (sum (fun x -> 1.0 / x)) (StochasticLanczos.traceOfInverse sample)
            within "entropy" (sum (fun x -> -x * log x)) (StochasticLanczos.entropy sample)
            within "dimension" (sum (fun x -> x / (x + 0.1))) (StochasticLanczos.effectiveDimension 0.1 sample)
            within "nuclear" (sum abs) (StochasticLanczos.schattenNorm 1.0 sample)
            within "frobenius" (sqrt (sum (fun x -> x * x))) (StochasticLanczos.schattenNorm 2.0 sample)
            within "exponential" (sum exp) (StochasticLanczos.trace exp sample)
            Expect.isTrue "errors are small" ((StochasticLanczos.entropy sample).StandardError < 1.0)
            Expect.close 0.0 [| 24.0 * 40.0 |] [| float sample.Ledger.Matvecs |]
        }

        test "too few steps show in the error bar where probes alone would claim certainty" {
            // Signs see a diagonal matrix without variance; the quadrature's own error remains.
            let values = Array.init 200 (fun i -> 10.0 ** (-6.0 * float i / 199.0))
            let estimate = StochasticLanczos.sample 8 6 key (diagonal values) |> StochasticLanczos.logDeterminant
            let truth = values |> Array.sumBy log
            Expect.isTrue $"{truth} against {estimate}" (abs (estimate.Value - truth) > 1.0)
            Expect.isTrue $"{truth} against {estimate}" (abs (estimate.Value - truth) <= 2.0 * estimate.StandardError)
        }

        test "probes run side by side give the same figures as one after the other" {
            let operator = reflected twoLevels

            let run size =
                StochasticLanczos.sampleWith (RunOptions.Default.WithBlockSize size) Probe.rademacher 5 12 key operator

            let together, apart = run 5, run 1

            Array.iter2
                (fun (a: SpectralRule) (b: SpectralRule) -> Expect.close 1e-9 a.Nodes b.Nodes)
                together.Rules
                apart.Rules
        }

        test "operators of no or one column, and zero ones, have exact answers" {
            let one = StochasticLanczos.sample 3 10 key (diagonal [| 4.0 |])
            Expect.close 1e-15 [| log 4.0 |] [| (StochasticLanczos.logDeterminant one).Value |]
            Expect.isTrue "exact" (StochasticLanczos.logDeterminant one).IsExact
            let none = StochasticLanczos.sample 3 10 key (LinearOperator.zero DType.Float64 0 0)
            Expect.close 0.0 [| 0.0 |] [| (StochasticLanczos.logDeterminant none).Value |]
            let zero = StochasticLanczos.sample 3 10 key (LinearOperator.zero DType.Float64 6 6)
            let entropy = StochasticLanczos.entropy zero
            Expect.close 0.0 [| 0.0; 0.0 |] [| entropy.Value; entropy.StandardError |]

            Expect.error<OperatorException> [ "definite"; "0" ] (fun () ->
                StochasticLanczos.logDeterminant zero |> ignore)
        }

        test "functions that do not fit the spectrum are typed errors" {
            let indefinite = StochasticLanczos.sample 3 3 key (diagonal [| -1.0; 2.0; 5.0 |])

            let refused (f: SpectralSample -> Estimate<float>) =
                Expect.error<OperatorException> [ "-1" ] (fun () -> f indefinite |> ignore)

            refused StochasticLanczos.logDeterminant
            refused (StochasticLanczos.logDeterminantShifted 0.5)
            refused StochasticLanczos.traceOfInverse
            refused StochasticLanczos.entropy
            refused (StochasticLanczos.effectiveDimension 0.1)

            Expect.error<NonFiniteException> [ "NaN"; "Ritz value -" ] (fun () ->
                StochasticLanczos.trace sqrt indefinite |> ignore)

            Expect.error<ArgumentRangeException> [ "damping" ] (fun () ->
                StochasticLanczos.effectiveDimension 0.0 indefinite |> ignore)

            Expect.error<ArgumentRangeException> [ "p must be" ] (fun () ->
                StochasticLanczos.schattenNorm 0.5 indefinite |> ignore)

            Expect.error<OperatorException> [ "claim" ] (fun () ->
                StochasticLanczos.sample 2 2 key (LinearOperator.ofMatrix (Matrices.random 1 4 4)) |> ignore)

            let single = StochasticLanczos.trace id (StochasticLanczos.sample 1 2 key (reflected twoLevels))

            Expect.equal
                "single.IsErrorKnown, single.Sta…"
                (false, infinity)
                (single.IsErrorKnown, single.StandardError)
        }

        testCase "cancellation returns the whole rules that were found, or raises" (fun () ->
            use source = new CancellationTokenSource()
            let mutable products = 0

            let operator =
                LinearOperator.ofDelegate DType.Float64 50 50 (fun v ->
                    products <- products + 1
                    if products = 25 then source.Cancel()
                    v |> Array.mapi (fun i x -> float (i + 1) * x))
                |> LinearOperator.claim OperatorProperties.Symmetric

            let options = RunOptions.Default.WithBlockSize(1).WithCancellation source.Token
            let sample = StochasticLanczos.sampleWith options Probe.gaussian 9 10 key operator
            Expect.close 0.0 [| 2.0; 25.0 |] [| float sample.Rules.Length; float sample.Ledger.Matvecs |]
            Expect.isTrue "cancelled" (sample.Ledger.StopReason = StopReason.Cancelled)

            Expect.error<System.OperationCanceledException> [] (fun () ->
                StochasticLanczos.sampleWith options Probe.gaussian 9 10 key operator |> ignore))
    ]
