module Curvature.Tests.Unit.DivergenceTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 100L
let private x = tensor [ 0.3; -0.7; 1.1; 0.4 ]
let private weights = Matrices.counting 4
let private linear (x: Tensor) = Tensor.matmul weights x
let private field (x: Tensor) = Tensor.tanh (Tensor.matmul (Matrices.random 101 4 4) x) * x
let private stack = Matrices.random 102 7 4

[<Tests>]
let tests =
    testList "Unit.DivergenceTests" [
        test "the divergence of a linear field is the trace of its matrix" {
            let exact = Divergence.exact linear x
            Expect.equal "exact.Value, exact.IsExact, exa…" (34.0, true, 4) (exact.Value, exact.IsExact, exact.Matvecs)
            // The 4×4 matrix of 1 … 16 has trace 34 and, with signs, a variance of 1984, because only its symmetric
            // part counts.
            let sampled = Divergence.hutchinson (StoppingRule.matvecs 4000) key linear x
            Expect.isLessThan "abs (sampled.Value - 34.0)" (abs (sampled.Value - 34.0), 5.0 * sqrt (1984.0 / 4000.0))
            Expect.withinPercent "sampled.StandardError" 8 (sqrt (1984.0 / 4000.0)) sampled.StandardError
        }

        test "a rotation has no divergence, and signs see that at once" {
            let rotation (x: Tensor) = Tensor.matmul (tensor [ [ 0.0; 2.0 ]; [ -2.0; 0.0 ] ]) x
            let sampled = Divergence.hutchinson (StoppingRule.matvecs 16) key rotation (tensor [ 1.0; 2.0 ])
            Expect.equal "sampled.Value, sampled.Standard…" (0.0, 0.0) (sampled.Value, sampled.StandardError)
        }

        test "points of a stack have the divergences that they have alone" {
            let exact = Divergence.exactAtPoints field stack
            let alone = Array.init 7 (fun i -> (Divergence.exact field (Tensor.item 0 i stack)).Value)
            Expect.tensor 1e-13 [ 7 ] alone exact.Value
            Expect.equal "exact.IsExact, exact.Matvecs" (true, 4) (exact.IsExact, exact.Matvecs)
            let sampled = Divergence.hutchinsonAtPoints (StoppingRule.matvecs 400) key field stack

            Array.iter2
                (fun (estimate: Estimate<float>) truth ->
                    Expect.isLessThan
                        "abs (estimate.Value - truth)"
                        (abs (estimate.Value - truth), 5.0 * estimate.StandardError))
                sampled
                alone
        }

        test "a field of another size than its argument is refused" {
            let narrow (x: Tensor) = Tensor.slice 0 0 2 x
            Expect.error<OperatorException> [ "square" ] (fun () -> Divergence.exact narrow x |> ignore)

            Expect.error<OperatorException> [ "square" ] (fun () ->
                Divergence.hutchinson (StoppingRule.matvecs 4) key narrow x |> ignore)

            Expect.error<ShapeException> [ "leading axis" ] (fun () ->
                Divergence.exactAtPoints field (Tensor.scalar DType.Float64 1.0) |> ignore)

            Expect.error<NonFiniteException> [ "Jacobian" ] (fun () ->
                Divergence.exact (fun x -> Tensor.log x * x) x |> ignore)
        }
    ]
