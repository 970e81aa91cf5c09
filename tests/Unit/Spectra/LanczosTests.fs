module Curvature.Tests.Unit.LanczosTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 5L

let private diagonal (values: float seq) =
    let values = Seq.toArray values
    LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

[<Tests>]
let tests =
    testList "Unit.LanczosTests" [
        for dtype, tolerance in [ DType.Float64, 1e-13; DType.Float32, 1e-5 ] do
            test $"ten steps from a vector of ones give the eigenvalues of diag 1 to 10 ({dtype}, {tolerance})" {
                let values = Array.init 10 (fun i -> float (i + 1))
                let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ 10 ] values |> Tensor.convert dtype)
                let result = Lanczos.from (Tensor.ones dtype [ 10 ]) 10 operator
                Expect.close tolerance values result.RitzValues
                Expect.isTrue "all of the space is reached" result.IsInvariant
                Expect.close tolerance (Array.create 10 0.1) result.Weights
                Expect.isTrue "residuals are at rounding" (Array.max result.ResidualBounds < 100.0 * tolerance)
            }

        test "a matrix of two rows has the eigenvalues of its characteristic polynomial" {
            let operator = LinearOperator.ofMatrix (tensor [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ])
            let expected = [| (5.0 - sqrt 5.0) / 2.0; (5.0 + sqrt 5.0) / 2.0 |]
            Expect.close 1e-15 expected (Lanczos.run 2 key operator).RitzValues
            // More steps than there are dimensions change nothing.
            Expect.close 1e-15 expected (Lanczos.run 50 key operator).RitzValues
        }

        test "two clusters end after two steps without NaN, and with the masses of the start vector" {
            let result = Lanczos.run 20 key (diagonal (Array.append (Array.create 30 1.0) (Array.create 30 5.0)))
            Expect.close 0.0 [| 2.0 |] [| float result.Steps |]
            Expect.close 1e-14 [| 1.0; 5.0 |] result.RitzValues
            Expect.close 1e-14 [| 1.0 |] [| Array.sum result.Weights |]
            Expect.isTrue "the space is invariant" result.IsInvariant
        }

        test "zero, identity and one-dimensional operators end after one step" {
            let once (operator: LinearOperator) value =
                let result = Lanczos.run 5 key operator
                Expect.close 0.0 [| 1.0 |] [| float result.Steps |]
                Expect.close 1e-15 [| value |] result.RitzValues

            once (LinearOperator.zero DType.Float64 7 7) 0.0
            once (LinearOperator.identity DType.Float64 7) 1.0
            once (diagonal [ -3.0 ]) -3.0
        }

        test "the basis stays orthonormal and the Ritz vectors have the residuals that are claimed" {
            // A spectrum that makes Lanczos without orthogonalisation lose all digits.
            let operator = diagonal (Seq.init 300 (fun i -> if i < 3 then 1e6 * float (i + 1) else float i / 300.0))
            let result = Lanczos.run 60 key operator
            let gram = Tensor.matmul result.Basis (Tensor.transpose result.Basis)
            Expect.tensorsClose 1e-13 (Tensor.eye DType.Float64 result.Steps) gram
            let products = operator.Apply result.RitzVectors

            for i in 0 .. result.Steps - 1 do
                let difference = Tensor.item 0 i products - result.RitzValues[i] * Tensor.item 0 i result.RitzVectors

                let residual = (Tensor.norm difference).ToScalar()

                Expect.isTrue
                    $"residual {residual} of value {result.RitzValues[i]} against {result.ResidualBounds[i]}"
                    (residual <= result.ResidualBounds[i])

            let close = result.RitzValues |> Array.filter (fun value -> value > 1e5)
            Expect.close 1e-14 [| 1e6; 2e6; 3e6 |] close
        }

        test "operators that are not square, not symmetric, or falsely claimed to be, are refused" {
            let run operator () = Lanczos.run 5 key operator |> ignore
            let matrix = Matrices.random 3 8 8

            Expect.error<OperatorException>
                [ "Lanczos"; "square"; "[2; 3]" ]
                (run (LinearOperator.ofMatrix (Matrices.random 1 2 3)))

            Expect.error<OperatorException> [ "Lanczos"; "claim" ] (run (LinearOperator.ofMatrix matrix))

            Expect.error<OperatorException>
                [ "claims to be symmetric" ]
                (run (LinearOperator.ofMatrix matrix |> LinearOperator.claim OperatorProperties.Symmetric))
        }

        test "bad start vectors, step counts and products are typed errors" {
            let operator = diagonal [ 1.0; 2.0; 3.0 ]
            Expect.error<ArgumentRangeException> [ "steps"; "0" ] (fun () -> Lanczos.run 0 key operator |> ignore)

            Expect.error<ArgumentRangeException> [ "zero" ] (fun () ->
                Lanczos.from (Tensor.zeros DType.Float64 [ 3 ]) 2 operator |> ignore)

            Expect.error<ShapeException> [ "[3]"; "[2]" ] (fun () ->
                Lanczos.from (Tensor.ones DType.Float64 [ 2 ]) 2 operator |> ignore)

            Expect.error<NonFiniteException> [ "Lanczos vector"; "NaN" ] (fun () ->
                let broken = LinearOperator.ofBlockFunction DType.Float64 3 3 (fun v -> v * nan)
                Lanczos.run 2 key (LinearOperator.claim OperatorProperties.Symmetric broken) |> ignore)
        }
    ]
