module Curvature.Tests.Unit.KrylovAwareTraceTests

open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 21L
let private n = 120

let private diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

/// These eigenvalues in directions that have nothing to do with the axes.
let private turned (values: float[]) =
    Matrices.withEigenvalues (Matrices.orthogonal 22 values.Length) values |> LinearOperator.ofSymmetricMatrix

/// A few large eigenvalues beside many small ones.
let private decaying = Array.init n (fun i -> 10.0 * exp (-0.4 * float i) + 0.01)
let private flat = Array.init n (fun i -> 1.0 + float i / float n)

let private cases =
    [
        for f in [ SpectralFunction.exp; SpectralFunction.sqrt; SpectralFunction.log; SpectralFunction.inverse ] do
            f, flat
        SpectralFunction.exp, decaying
        SpectralFunction.sqrt, decaying
    ]

let private truth (f: SpectralFunction) values = Array.sumBy f.Evaluate values

[<Tests>]
let tests =
    testList "Unit.KrylovAwareTraceTests" [
        test "estimates are within their intervals" {
            for f, values in cases do
                for key in key.Split 10 do
                    let found = KrylovAwareTrace.estimate f 12 150 key (turned values)
                    let interval = found.Interval(1.0 - 1e-7)

                    Expect.isTrue
                        $"{f}: {found} for {truth f values}, {key}"
                        (interval.Low <= truth f values && truth f values <= interval.High)

                    Expect.isLessThanOrEqual "products" (found.Matvecs, 150)
        }

        test "it is unbiased over keys" {
            let found =
                [|
                    for key in key.Split 200 ->
                        (KrylovAwareTrace.estimate SpectralFunction.exp 12 80 key (turned decaying)).Value
                |]

            let mean, error = Array.average found, Statistics.standardError found
            let expected = truth SpectralFunction.exp decaying

            Expect.isTrue
                $"{mean} ± {error} for {expected}, {key}"
                (abs (mean - expected) <= 5.0 * error + 1e-9 * expected)
        }

        test "where few eigenvalues outweigh the rest, errors are a fraction of those of quadrature alone" {
            let expected = truth SpectralFunction.exp decaying

            let worst (estimate: Key -> float) =
                [ for key in key.Split 20 -> abs (estimate key - expected) ] |> List.sum

            let aware =
                worst (fun key -> (KrylovAwareTrace.estimate SpectralFunction.exp 12 240 key (turned decaying)).Value)

            let alone =
                worst (fun key ->
                    (StochasticLanczos.sample 20 12 key (turned decaying) |> StochasticLanczos.trace exp).Value)

            printfn $"mean errors of tr exp: {aware / 20.0:E2} with deflation, {alone / 20.0:E2} without, {key}"
            Expect.isLessThan "errors" (aware, 0.1 * alone)
        }

        test "it is exact for an operator of low rank, and one of few columns" {
            let rankOf5 = Array.init n (fun i -> if i < 5 then float (i + 1) else 0.0)
            let found = KrylovAwareTrace.estimate SpectralFunction.exp 8 120 key (turned rankOf5)
            Expect.within (string found) 1e-9 (truth SpectralFunction.exp rankOf5) found.Value
            let small = KrylovAwareTrace.estimate SpectralFunction.log 3 40 key (diagonal [| 1.0; 2.0; 4.0 |])
            Expect.within (string small) 1e-12 (log 8.0) small.Value
            let one = KrylovAwareTrace.estimate SpectralFunction.log 1 4 key (diagonal [| 4.0 |])
            Expect.within (string one) 1e-13 (log 4.0) one.Value
        }

        test "what does not fit is refused, and cancelling before the first product raises" {
            let a = diagonal flat

            Expect.error<ArgumentRangeException> [ "products"; "48" ] (fun () ->
                KrylovAwareTrace.estimate SpectralFunction.exp 12 47 key a |> ignore)

            Expect.error<ArgumentRangeException> [ "steps" ] (fun () ->
                KrylovAwareTrace.estimate SpectralFunction.exp 0 47 key a |> ignore)

            Expect.error<OperatorException> [ "log"; "Ritz value of -" ] (fun () ->
                KrylovAwareTrace.estimate SpectralFunction.log 12 100 key (-1.0 * a) |> ignore)

            Expect.error<OperatorException> [ "symmetric" ] (fun () ->
                KrylovAwareTrace.estimate
                    SpectralFunction.exp
                    3
                    100
                    key
                    (LinearOperator.ofMatrix (Matrices.random 1 9 9))
                |> ignore)

            Expect.caught<System.OperationCanceledException>(fun () ->
                let options = RunOptions.Default.WithCancellation(CancellationToken true)
                KrylovAwareTrace.estimateWith options SpectralFunction.exp 12 100 key a |> ignore)
            |> ignore
        }
    ]
