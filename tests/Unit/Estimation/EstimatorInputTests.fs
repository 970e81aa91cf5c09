/// What every estimator and solver does with operators that it cannot work with, and with the smallest that there are.
module Curvature.Tests.Unit.EstimatorInputTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 7L
let private rule = StoppingRule.matvecs 12
let private one (estimate: Estimate<float>) = [| estimate.Value; estimate.StandardError |]

let private many (estimate: Estimate<Tensor>) =
    Array.append (estimate.Value.ToArray()) (estimate.StandardError.ToArray())

let private ones (a: LinearOperator) = Tensor.ones a.DType [ a.Rows ]

/// Traces of square operators: the value and its error bar.
let private traces: (string * (LinearOperator -> float[])) list =
    [
        "Hutchinson.trace", Hutchinson.trace rule key >> one
        "Exact.trace", Exact.trace >> one
        "HutchPlusPlus", HutchPlusPlus.estimate (StoppingRule.matvecs 12) key >> one
        "NonadaptiveHutchPlusPlus", NonadaptiveHutchPlusPlus.estimate (StoppingRule.matvecs 12) key >> one
        "AdaptiveHutchPlusPlus", AdaptiveHutchPlusPlus.estimate 1.0 0.1 key >> one
        "XTrace", XTrace.estimate rule key >> one
        "Automatic.trace", fun a -> one (Automatic.trace rule key a).Estimate
    ]

let private diagonals: (string * (LinearOperator -> float[])) list =
    [
        "Hutchinson.diagonal", Hutchinson.diagonal rule key >> many
        "Exact.diagonal", Exact.diagonal >> many
        "UDiagPlusPlus", UDiagPlusPlus.estimate (StoppingRule.matvecs 12) key >> many
        "XDiag", XDiag.estimate rule key >> many
        "Automatic.diagonal", fun a -> many (Automatic.diagonal rule key a).Estimate
    ]

let private semidefinite: (string * (LinearOperator -> float[])) list =
    [ "XNysTrace", XNysTrace.estimate rule key >> one; "XNysDiag", XNysDiag.estimate rule key >> many ]

let private norms: (string * (LinearOperator -> float[])) list =
    [
        "Norm.frobenius", Norm.frobenius rule key >> one
        "Norm.rowNorms", Norm.rowNorms rule key >> many
        "Norm.spectral", fun a -> [| (Norm.spectral 0.01 key a).Value |]
        "Exact.frobenius", Exact.frobenius >> one
        "Exact.rowNorms", Exact.rowNorms >> many
    ]

let private solvers: (string * (LinearOperator -> float[])) list =
    [
        for name, solver in [ "ConjugateGradients", ConjugateGradients.solver; "Neumann", Neumann.solver 0.1 ] do
            name, fun a -> ((Solver.inverse SolverOptions.Default solver a).Apply(ones a)).ToArray()
    ]

let private square = traces @ diagonals @ semidefinite @ solvers
let private all = square @ norms
let private psd = LinearOperator.claim OperatorProperties.PositiveSemidefinite

/// An error that the library means, or numbers, of which the first is finite.
let private errorOrNumbers what (run: unit -> float[]) =
    try
        let found = run ()
        let isNumber = Array.isEmpty found || Double.IsFinite found[0]
        Expect.isTrue $"{what}: %A{found}" (isNumber && not (Array.exists Double.IsNaN found))
    with :? CurvatureException as error ->
        Expect.isTrue $"{what}: {error}" (error.Message.Length > 20)

[<Tests>]
let tests =
    testList "Unit.EstimatorInputTests" [
        test "rectangular operators are refused, but by norms" {
            let a = Matrices.random 40 3 5

            for name, run in square do
                try
                    Expect.error<OperatorException> [ "[3; 5]" ] (fun () -> run (LinearOperator.ofMatrix a) |> ignore)
                with error ->
                    // Some ask for more first.
                    Expect.isTrue
                        $"{name}: {error.Message}"
                        (error.Message.Contains "semidefinite" || error.Message.Contains "symmetric")

            let truth = (Tensor.norm a).ToScalar()

            for name, run in norms do
                let found = run (LinearOperator.ofMatrix a)
                Expect.isTrue $"{name}: %A{found}" (found[0] > 0.0 && found[0] < 2.0 * truth)
        }

        test "claims that are not made are asked for" {
            let asymmetric = LinearOperator.ofMatrix (Matrices.random 41 9 9)

            for name, run in semidefinite do
                Expect.error<OperatorException> [ name; "semidefinite" ] (fun () -> run asymmetric |> ignore)

            let needSymmetry = [ "ConjugateGradients"; "NonadaptiveHutchPlusPlus"; "AdaptiveHutchPlusPlus" ]

            for name, run in traces @ diagonals @ norms @ [ solvers.Head ] do
                if List.contains name needSymmetry then
                    Expect.error<OperatorException> [ "symmetric" ] (fun () -> run asymmetric |> ignore)
                else
                    Expect.isTrue name (run asymmetric |> Array.forall Double.IsFinite)
        }

        test "false claims of definiteness are found out where they matter" {
            let indefinite = psd (LinearOperator.ofMatrix (Matrices.symmetric 42 30))
            let asymmetric = psd (LinearOperator.ofMatrix (Matrices.random 43 30 30))

            for name, run in semidefinite @ [ solvers.Head ] do
                Expect.error<OperatorException> [] (fun () -> run indefinite |> printfn "%s found %A" name)
                Expect.error<OperatorException> [] (fun () -> run asymmetric |> printfn "%s found %A" name)
        }

        testCase "products that are NaN or infinite are errors, from the first and later" (fun () ->
            for name, run in all do
                for bad in [ nan; infinity; -infinity ] do
                    for first in [ 1; 5 ] do
                        let mutable products = 0

                        let product (v: float[]) =
                            products <- products + 1
                            v |> Array.mapi (fun i x -> if products >= first && i = 7 then bad else float (i + 1) * x)

                        let operator =
                            LinearOperator.ofDelegate DType.Float64 9 9 product
                            |> LinearOperator.withDelegateTranspose product
                            |> psd

                        let outcome =
                            try
                                Ok(run operator)
                            with error ->
                                Error error

                        match outcome with
                        | Error(:? NonFiniteException as error) ->
                            Expect.isTrue error.Message (error.Message.Contains "delegate")
                        // Some know enough before the fifth product.
                        | Ok _ when products < first -> ()
                        | other -> failtest $"{name}, {bad} from product {first}: {other}")

        test "products of another shape or element type are errors" {
            let wrong (f: Tensor -> Tensor) =
                LinearOperator.ofBlockFunction DType.Float64 9 9 f |> LinearOperator.withTranspose f |> psd

            for name, run in all do
                Expect.error<ShapeException> [ "[" ] (fun () ->
                    run (wrong (Tensor.slice 1 0 4)) |> printfn "%s found %A" name)

                Expect.error<DTypeException> [ "Float32" ] (fun () ->
                    run (wrong (Tensor.convert DType.Float32)) |> printfn "%s found %A" name)
        }

        test "operators of one column have exact answers" {
            for value in [ 2.5; 1e-150; 1e150 ] do
                let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ 1 ] [| value |])

                for name, run in traces @ diagonals @ semidefinite @ norms do
                    let found = run operator
                    Expect.isTrue $"{name} of {value}: %A{found}" (abs (found[0] - value) <= 1e-14 * value)
                    Expect.isTrue $"{name} of {value}: %A{found}" (found.Length = 1 || found[1] <= 1e-14 * value)

            Expect.close 1e-7 [| 0.4 |] ((snd solvers.Head) (LinearOperator.scalar DType.Float64 1 2.5))
        }

        test "operators of no columns, zero ones, and more samples than columns" {
            for name, run in all do
                errorOrNumbers name (fun () -> run (LinearOperator.zero DType.Float64 0 0))

            for name, run in traces @ diagonals @ semidefinite @ norms do
                let found = run (LinearOperator.zero DType.Float64 5 5)
                Expect.isTrue $"{name} of zero: %A{found}" (found |> Array.forall (fun x -> x = 0.0))
                // 12 products of 4 columns.
                let small = psd (LinearOperator.ofMatrix (Matrices.semidefinite 44 4))
                Expect.isTrue name (run small |> Array.forall Double.IsFinite)
        }

        for dtype, size in [ DType.Float64, 1e100; DType.Float64, 1e-100; DType.Float32, 1e25; DType.Float32, 1e-25 ] do
            test $"numbers without squares give errors or numbers, and no zero where there is none ({dtype}, {size})" {
                let matrix = Tensor.convert dtype (size * Matrices.semidefinite 45 9)
                let operator = psd (LinearOperator.ofMatrix matrix)
                let truth = Matrices.trace (Tensor.convert DType.Float64 matrix)

                for name, run in all do
                    errorOrNumbers name (fun () -> run operator)

                for name, run in traces @ [ semidefinite.Head ] do
                    let found =
                        try
                            run operator
                        with :? CurvatureException ->
                            [| truth; 0.0 |]

                    Expect.isTrue
                        $"{name}: %A{found}, where the trace is {truth}"
                        (abs (found[0] - truth) <= 6.0 * found[1] + 1e-3 * truth)
            }

        test "the standard error of a trace follows its size where squares do not exist" {
            let matrix = Matrices.symmetric 46 9
            let estimate size = Hutchinson.trace rule key (LinearOperator.ofMatrix (size * matrix))
            let ordinary = estimate 1.0

            for size in [ Math.ScaleB(1.0, -800); Math.ScaleB(1.0, 800) ] do
                let found = estimate size
                Expect.close 1e-14 (one ordinary) (one found |> Array.map (fun x -> x / size))
        }
    ]
