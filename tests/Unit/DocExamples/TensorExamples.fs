/// The F# of "Indices and slices" in docs/derivatives.md.
module DocExamples.TensorExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Tests>]
let tests =
    testList "DocExamples.TensorExamples" [
        test "indices and slices" {
            let t = Tensor.arange DType.Float64 12 |> Tensor.reshape [ 3; 4 ]
            let entry = t[0, 1]
            let rows = t[0..1] // in F# the end of a range is taken
            let column = t[*, 1]
            let total = float (Tensor.sum t[1.., 0])

            for row in t do
                printfn $"{row:f1}"

            let best, where = Tensor.topK 2 (Tensor.maxAxes [ 0 ] t)
            let product = Tensor.einsumOf "ij,kj,kl->il" [ t; t; t ]

            Expect.scalar 0.0 1.0 entry
            Expect.tensor 0.0 [ 2; 4 ] [ 0.0; 1.0; 2.0; 3.0; 4.0; 5.0; 6.0; 7.0 ] rows
            Expect.tensor 0.0 [ 3 ] [ 1.0; 5.0; 9.0 ] column
            Expect.equal "total" 12.0 total
            Expect.tensor 0.0 [ 2 ] [ 11.0; 10.0 ] best
            Expect.tensor 0.0 [ 2 ] [ 3.0; 2.0 ] where
            Expect.equal "product.Shape" [| 3; 4 |] product.Shape
        }
    ]
