module Curvature.Tests.Unit.EigenPairsTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

/// Clustered ends of both signs.
let private values = Array.init 400 (fun i -> Math.Sin(float i) ** 5.0 * (1.0 + float (i % 7)))

let private wanted =
    [ SpectrumEnd.Largest; SpectrumEnd.Smallest; SpectrumEnd.LargestMagnitude; SpectrumEnd.BothEnds ]

let private best which count =
    let order = EigenOrder.rank which values
    order[.. count - 1] |> Array.map (fun i -> values[i])

let private checkPairs (operator: LinearOperator) (pairs: EigenPairs) =
    let products = operator.Apply pairs.Vectors

    pairs.Values
    |> Array.iteri (fun i value ->
        let difference = Tensor.item 0 i products - value * Tensor.item 0 i pairs.Vectors
        let residual = (Tensor.norm difference).ToScalar()

        Expect.isTrue
            $"residual {residual} of {value} against {pairs.Residuals[i]}"
            (residual <= 1.0001 * pairs.Residuals[i] + 1e-14))

    let gram = Tensor.matmul pairs.Vectors (Tensor.transpose pairs.Vectors)
    Expect.tensorsClose 1e-10 (Tensor.eye DType.Float64 pairs.Values.Length) gram

[<Tests>]
let tests =
    testList "Unit.EigenPairsTests" [
        test "thick-restart Lanczos finds each end of a clustered spectrum with true residuals" {
            for which in wanted do
                let operator = diagonal values
                let pairs = ThickRestartLanczos.find which 6 operator
                Expect.isTrue $"{which}: {pairs}" pairs.AllConverged
                Expect.close 1e-9 (best which 6) pairs.Values
                checkPairs operator pairs
        }

        test "copies of multiple eigenvalues are found when asked for" {
            let multiple =
                Array.init 60 (fun i ->
                    if i < 3 then 9.0
                    elif i < 5 then 8.0
                    else float i / 60.0)

            let operator = diagonal multiple

            for which, expected in
                [
                    SpectrumEnd.Largest, [| 9.0; 9.0; 9.0; 8.0; 8.0; 59.0 / 60.0 |]
                    SpectrumEnd.BothEnds, [| 9.0; 5.0 / 60.0; 9.0; 6.0 / 60.0; 9.0; 7.0 / 60.0 |]
                ] do
                let pairs = ThickRestartLanczos.findWith (EigenOptions.Default.WithMultiplicities()) which 6 operator
                Expect.close 1e-9 expected pairs.Values
                checkPairs operator pairs

            let identity = LinearOperator.identity DType.Float64 9
            Expect.close 1e-14 (Array.create 9 1.0) (ThickRestartLanczos.find SpectrumEnd.Largest 9 identity).Values
        }

        test "a search that is cut short says so" {
            let options = EigenOptions.Default.WithMaximumMatvecs 20
            let pairs = ThickRestartLanczos.findWith options SpectrumEnd.Largest 6 (diagonal values)
            Expect.isTrue "not converged" (not pairs.AllConverged && pairs.Matvecs = 20)
            checkPairs (diagonal values) pairs
        }

        test "power iteration with deflation finds the largest magnitudes, and PyHessian's rule stops far earlier" {
            let values = [| 5.0; -4.0; 3.0; 2.0; 1.0; 0.5; 0.0 |]
            let operator = diagonal values
            let key = Key.OfSeed 3L
            let pairs = PowerIteration.find (PowerStop.residual 1e-9) 1000 3 key operator
            Expect.close 1e-9 [| 5.0; -4.0; 3.0 |] pairs.Values
            Expect.isTrue "converged" pairs.AllConverged
            checkPairs operator pairs
            let early = PowerIteration.find (PowerStop.pyHessian 1e-3) 100 3 key operator
            Expect.isTrue $"{early.Matvecs} against {pairs.Matvecs}" (early.Matvecs < pairs.Matvecs / 3)
            checkPairs operator early
            // A pair ±λ is stationary for the rule, and the residual tells.
            let stuck = PowerIteration.find (PowerStop.residual 1e-6) 50 1 key (diagonal [| 1.0; -1.0; 0.5 |])
            Expect.isTrue "not converged" (not stuck.AllConverged && stuck.Residuals[0] > 0.1)
        }

        test "zero and one-dimensional operators, and as many pairs as dimensions, have exact answers" {
            let zero = LinearOperator.zero DType.Float64 4 4
            Expect.close 0.0 (Array.zeroCreate 4) (ThickRestartLanczos.find SpectrumEnd.LargestMagnitude 4 zero).Values
            Expect.close 0.0 [| 0.0 |] (PowerIteration.find (PowerStop.residual 1e-9) 10 1 (Key.OfSeed 1L) zero).Values
            Expect.close 1e-15 [| -2.0 |] (ThickRestartLanczos.find SpectrumEnd.Smallest 1 (diagonal [| -2.0 |])).Values
            let all = ThickRestartLanczos.find SpectrumEnd.Smallest 5 (diagonal [| 3.0; 1.0; 2.0; 5.0; 4.0 |])
            Expect.close 1e-13 [| 1.0; 2.0; 3.0; 4.0; 5.0 |] all.Values
        }

        test "more pairs than dimensions, asymmetric operators and a cancelled search are refused" {
            let find operator count () = ThickRestartLanczos.find SpectrumEnd.Largest count operator |> ignore
            Expect.error<ArgumentRangeException> [ "4 eigenpairs"; "3" ] (find (diagonal [| 1.0; 2.0; 3.0 |]) 4)

            Expect.error<ArgumentRangeException>
                [ "1 eigenpairs"; "0" ]
                (find (LinearOperator.zero DType.Float64 0 0) 1)

            let matrix = LinearOperator.ofMatrix (Matrices.random 4 40 40)
            Expect.error<OperatorException> [ "claim" ] (find matrix 2)

            Expect.error<OperatorException>
                [ "claims" ]
                (find (LinearOperator.claim OperatorProperties.Symmetric matrix) 2)

            Expect.error<OperationCanceledException> [] (fun () ->
                let options = EigenOptions.Default.WithCancellation(Threading.CancellationToken true)
                ThickRestartLanczos.findWith options SpectrumEnd.Largest 1 (diagonal values) |> ignore)
        }

        test "LOBPCG finds both ends and copies of multiple eigenvalues, faster with a preconditioner" {
            let operator = diagonal values

            for which in [ SpectrumEnd.Largest; SpectrumEnd.Smallest ] do
                let pairs = Lobpcg.find which 4 operator
                Expect.isTrue $"{which}: {pairs}" pairs.AllConverged
                Expect.close 1e-9 (best which 4) pairs.Values
                checkPairs operator pairs

            let wide = Array.init 300 (fun i -> if i < 3 then 2.0 else 3.0 + float (i * i))
            let plain = Lobpcg.find SpectrumEnd.Smallest 3 (diagonal wide)
            Expect.close 1e-8 [| 2.0; 2.0; 2.0 |] plain.Values
            let inverse = Tensor.ofArray [ 300 ] (wide |> Array.map (fun x -> 1.0 / x))

            let preconditioned =
                Lobpcg.findWith
                    EigenOptions.Default
                    (fun block -> block * inverse)
                    SpectrumEnd.Smallest
                    3
                    (diagonal wide)

            Expect.close 1e-8 [| 2.0; 2.0; 2.0 |] preconditioned.Values

            Expect.isTrue
                $"{preconditioned.Matvecs} products against {plain.Matvecs}"
                (2 * preconditioned.Matvecs < plain.Matvecs)

            Expect.close
                1e-13
                [| 1.0; 2.0; 3.0 |]
                (Lobpcg.find SpectrumEnd.Smallest 3 (diagonal [| 3.0; 1.0; 2.0 |])).Values

            Expect.close
                0.0
                [| 0.0 |]
                (Lobpcg.find SpectrumEnd.Largest 1 (LinearOperator.zero DType.Float64 5 5)).Values

            Expect.error<ArgumentRangeException> [ "BothEnds" ] (fun () ->
                Lobpcg.find SpectrumEnd.BothEnds 1 operator |> ignore)
        }
    ]
