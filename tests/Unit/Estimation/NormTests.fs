module Curvature.Tests.Unit.NormTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 95L

let private diagonal (values: float[]) =
    LinearOperator.ofDelegate DType.Float64 values.Length values.Length (Array.map2 (*) values)

let private rising n = Array.init n (fun i -> float (i + 1) / float n)

[<Tests>]
let tests =
    testList "Unit.NormTests" [
        testCase "the largest singular value lies between the value and its bound" (fun () ->
            let values = rising 2000
            let semidefinite = diagonal values |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

            let symmetric =
                diagonal (values |> Array.mapi (fun i x -> if i % 3 = 0 then -x else x))
                |> LinearOperator.claim OperatorProperties.Symmetric

            let plain = diagonal values |> LinearOperator.withDelegateTranspose (Array.map2 (*) values)

            for name, operator in [ "semidefinite", semidefinite; "symmetric", symmetric; "plain", plain ] do
                for error in [ 0.3; 0.1; 0.02 ] do
                    for seed in 1L .. 10L do
                        let norm = Norm.spectral error (Key.OfSeed seed) operator
                        let interval = norm.Interval 0.999999
                        Expect.isLessThanOrEqual name (norm.Value, 1.0 + 1e-12)
                        Expect.isGreaterThanOrEqual name (interval.High, 1.0)

                        Expect.isLessThanOrEqual
                            name
                            ((norm.Interval 0.95).High, norm.Value * (1.0 + error) * 1.0000001)

            // Kuczyński & Woźniakowski's number of steps for 2 %: ln(1.648·√2000/0.05) = 7.295.
            let steps share = int (ceil ((7.295 / sqrt share + 1.0) / 2.0))
            let semi = Norm.spectral 0.02 key semidefinite

            Expect.equal
                "semi.Steps, semi.Matvecs"
                (steps (1.0 - 1.0 / 1.02), steps (1.0 - 1.0 / 1.02))
                (semi.Steps, semi.Matvecs)

            let general = Norm.spectral 0.02 key plain

            Expect.equal
                "general.Steps, general.Matvecs"
                (steps (1.0 - 1.0 / 1.02 ** 2.0), 2 * steps (1.0 - 1.0 / 1.02 ** 2.0))
                (general.Steps, general.Matvecs))

        test "the spectral norm of a matrix that is not square" {
            let matrix = Matrices.random 96 9 5
            let norm = Norm.spectral 1e-3 key (LinearOperator.ofMatrix matrix)
            let gram = Tensor.matmul (Tensor.transpose matrix) matrix
            let eigenvalues = (SmallMatrices.ofRows 5 5 (gram.ToArray())).Evd().EigenValues |> Seq.map _.Real
            let expected: float = sqrt (Seq.max eigenvalues)
            Expect.within "norm.Value" 1e-12 expected norm.Value

            Expect.equal
                "norm.IsExact, norm.Steps, (norm…"
                (true, 5, norm.Value)
                (norm.IsExact, norm.Steps, (norm.Interval 0.95).High)
        }

        test "a Krylov space that is exhausted gives the norm exactly" {
            let two =
                diagonal (Array.init 100 (fun i -> if i < 40 then -3.0 else 2.0))
                |> LinearOperator.claim OperatorProperties.Symmetric

            let norm = Norm.spectral 1e-4 key two
            Expect.equal "norm.IsExact, norm.Steps" (true, 2) (norm.IsExact, norm.Steps)
            Expect.within "norm.Value" 1e-13 3.0 norm.Value

            for operator, expected, steps in
                [
                    LinearOperator.zero DType.Float64 6 4, 0.0, 1
                    LinearOperator.zero DType.Float64 0 0, 0.0, 0
                    LinearOperator.ofMatrix (tensor [ [ -7.0 ] ]), 7.0, 1
                ] do
                let norm = Norm.spectral 0.01 key operator

                Expect.equal
                    "norm.Value, norm.Steps, norm.Is…"
                    (expected, steps, true)
                    (norm.Value, norm.Steps, norm.IsExact)
        }

        test "Frobenius and row norms are estimated with error bars" {
            let matrix = Matrices.random 97 6 40
            let operator = LinearOperator.ofMatrix matrix
            let frobenius = Norm.frobenius (StoppingRule.matvecs 300) key operator

            Expect.isLessThan
                "abs (frobenius.Value - sqrt (Ma…"
                (abs (frobenius.Value - sqrt (Matrices.squaredNorm matrix)), 5.0 * frobenius.StandardError)

            let rows = Norm.rowNorms (StoppingRule.matvecs 300) key operator

            let truth =
                matrix.ToArray()
                |> Array.chunkBySize 40
                |> Array.map (fun row -> sqrt (Array.sumBy (fun x -> x * x) row))

            Array.iteri2
                (fun i (value: float) error ->
                    Expect.isLessThan "abs (value - truth[i])" (abs (value - truth[i]), 5.0 * error))
                (rows.Value.ToArray())
                (rows.StandardError.ToArray())
        }

        test "misuse is refused" {
            let operator = diagonal (rising 50)
            Expect.error<OperatorException> [ "transpose" ] (fun () -> Norm.spectral 0.1 key operator |> ignore)
            let symmetric = LinearOperator.claim OperatorProperties.Symmetric operator

            Expect.error<ArgumentRangeException> [ "error above 0" ] (fun () ->
                Norm.spectral 0.0 key symmetric |> ignore)

            Expect.error<ArgumentRangeException> [ "confidence" ] (fun () ->
                Norm.spectralWith RunOptions.Default 1.0 0.1 key symmetric |> ignore)

            Expect.error<ArgumentRangeException> [ "confidence" ] (fun () ->
                (Norm.spectral 0.1 key symmetric).Interval 95.0 |> ignore)

            let broken =
                LinearOperator.ofDelegate DType.Float64 5 5 (Array.map (fun _ -> nan))
                |> LinearOperator.claim OperatorProperties.Symmetric

            Expect.error<NonFiniteException> [ "Lanczos vector"; "NaN" ] (fun () ->
                Norm.spectral 0.1 key broken |> ignore)

            use source = new CancellationTokenSource()
            source.Cancel()

            Expect.error<OperationCanceledException> [] (fun () ->
                Norm.spectralWith (RunOptions.Default.WithCancellation source.Token) 0.95 0.1 key symmetric |> ignore)
        }
    ]
