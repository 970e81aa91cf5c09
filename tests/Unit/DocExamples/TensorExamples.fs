/// The F# of "Indices and slices" and "Linear algebra of small matrices" in docs/derivatives.md.
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

        test "linear algebra of small matrices" {
            let x = Tensor.ofArray [ 4; 1 ] [| 0.0; 1.0; 2.0; 3.0 |]
            let y = tensor [ 0.1; 0.9; 0.8; 0.2 ]

            // ln p(y) of a Gaussian process with length scale eˢ, up to a constant.
            let evidence (s: Tensor) =
                let squares = Tensor.square ((x - Tensor.transpose x) / Tensor.exp s)
                let k = Tensor.exp (-0.5 * squares) + 0.1 * Tensor.eye x.DType 4
                -0.5 * Tensor.dot y (Tensor.solve k y) - 0.5 * Tensor.logdet k

            let slope = grad evidence (tensor 0.0)
            let bend = diffn 2 evidence (tensor 0.0)
            let values, vectors = Tensor.eigh (Tensor.matmul x (Tensor.transpose x))

            let at s = (evidence (tensor s)).ToScalar()
            let step = 1e-4
            Expect.scalar 1e-7 ((at step - at -step) / (2.0 * step)) slope
            Expect.scalar 1e-6 ((at step - 2.0 * at 0.0 + at -step) / (step * step)) bend
            Expect.tensor 1e-13 [ 4 ] [ 0.0; 0.0; 0.0; 14.0 ] values
            Expect.tensor 1e-13 [ 4 ] [ for i in 0.0 .. 3.0 -> i / sqrt 14.0 ] vectors[*, 3]
        }
    ]
