/// The F# of docs/laws.md.
module DocExamples.LawExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests


let private hessian =
    let a = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 8; 8 ]
    LinearOperator.ofMatrix a |> LinearOperator.gram

let private loss (x: Tensor) = Tensor.sum (Tensor.tanh x * x)
let private theta = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 8 ]

[<Tests>]
let tests =
    testList "DocExamples.LawExamples" [
        test "an estimator of one's own" {
            /// The mean of four Rayleigh quotients of random directions, times the dimension.
            let rayleigh (key: Key) =
                let z = Tensor.normal key DType.Float64 [ 4; 8 ]
                let forms = Tensor.sumAxes [ 1 ] (z * hessian.Apply z)
                (8.0 * Tensor.mean (forms / Tensor.sumAxes [ 1 ] (z * z))).ToScalar()

            let truth = (Exact.trace hessian).Value
            let check = Law.unbiased LawOptions.Default truth rayleigh
            printfn $"{check}" // unbiased: holds (score … where 4.89 passes, 2000 samples, Key(0, 0)); the mean is …
            check.Require() // raises where it does not hold: the way into any test framework

            Expect.isTrue
                "another truth is found out"
                (not (Law.unbiased LawOptions.Default (1.1 * truth) rayleigh).Holds)
        }

        test "a claimed variance" {
            let matrix = LinearOperator.dense hessian
            let trace = (Exact.trace hessian).Value
            let claimed = Probe.varianceOfForm Probe.rademacher matrix

            let form (key: Key) =
                let z = Tensor.rademacher key DType.Float64 [ 8 ]
                (Tensor.dot z (hessian.Apply z)).ToScalar()

            let options = LawOptions.Default.WithSamples(20_000).WithFalseAlarmRate 1e-9
            Law.variance options (trace, claimed) form |> printfn "%O"

            Expect.isTrue "it holds" (Law.variance options (trace, claimed) form).Holds
        }

        test "intervals, and all laws of an estimator" {
            let truth = (Exact.trace hessian).Value
            let signs = Hutchinson.estimator Probe.rademacher Measurement.trace
            let few = LawOptions.Default.WithSamples 500

            for check in Law.estimator few signs (StoppingRule.matvecs 7) truth hessian do
                printfn $"{check}"

            let checks = Law.estimator few signs (StoppingRule.matvecs 7) truth hessian
            Expect.isTrue $"%A{checks}" (checks |> List.forall _.Holds)
        }

        test "operators" {
            let options = LawOptions.Default
            let mine = LinearOperator.ofFunction DType.Float64 8 8 (hessianv loss theta)
            (Law.linear options mine).Require()
            (Law.symmetric options mine).Require()
            (Law.finiteDifferences options (grad loss) theta mine).Require()
            (Law.same options 1e-12 mine (Hessian.at loss theta)).Require()
        }
    ]
