/// Padding of an axis with its elements, and elements gathered and scattered by an index of as many axes.
module Curvature.Tests.Unit.Tensors.TensorPaddingTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private normal (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
let private five = tensor [ 1.0; 2.0; 3.0; 4.0; 5.0 ]
let private index = Tensor.ofIndices [ 3; 2 ] [| 1; 0; 0; 0; 1; 1 |]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorPaddingTests" [
        test "padding gives the numbers of NumPy's manual" {
            let gives (values: float list) = Expect.tensor 0.0 [ values.Length ] values
            Tensor.padReflect 0 2 3 five |> gives [ 3.0; 2.0; 1.0; 2.0; 3.0; 4.0; 5.0; 4.0; 3.0; 2.0 ]
            Tensor.padEdge 0 2 3 five |> gives [ 1.0; 1.0; 1.0; 2.0; 3.0; 4.0; 5.0; 5.0; 5.0; 5.0 ]
            Tensor.padWrap 0 2 3 five |> gives [ 4.0; 5.0; 1.0; 2.0; 3.0; 4.0; 5.0; 1.0; 2.0; 3.0 ]
            Tensor.padReflect 0 0 4 five |> gives [ 1.0; 2.0; 3.0; 4.0; 5.0; 4.0; 3.0; 2.0; 1.0 ]
            Tensor.padEdge -1 7 0 (Tensor.slice 0 4 1 five) |> gives (List.replicate 8 5.0)
            Tensor.padWrap 0 5 0 five |> gives [ 1.0; 2.0; 3.0; 4.0; 5.0; 1.0; 2.0; 3.0; 4.0; 5.0 ]
            Expect.equal "type" DType.Int32 (Tensor.padReflect 0 1 1 (Tensor.convert DType.Int32 five)).DType
        }

        test "elements are gathered and added as in PyTorch's manual" {
            let t = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]

            Tensor.gatherElements 1 (Tensor.ofIndices [ 2; 2 ] [| 0; 0; 1; 0 |]) t
            |> Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 1.0; 4.0; 3.0 ]

            let zeros, ones = Tensor.zeros DType.Float32 [ 3; 5 ], Tensor.ones DType.Float32 [ 1; 5 ]

            Tensor.scatterAddElements 0 (Tensor.ofIndices [ 1; 5 ] [| 0; 1; 2; 0; 0 |]) ones zeros
            |> Expect.tensor 0.0 [ 3; 5 ] [
                yield! [ 1.0; 0.0; 0.0; 1.0; 1.0 ]
                yield! [ 0.0; 1.0; 0.0; 0.0; 0.0 ]
                yield! [ 0.0; 0.0; 1.0; 0.0; 0.0 ]
            ]
        }

        test "scattering is the transpose of gathering" {
            for axis, shape in [ 0, [ 2; 3 ]; 1, [ 4; 2 ] ] do
                let t, updates = normal 1L shape, normal 2L [ 3; 2 ]
                let index = if axis = 0 then index else Tensor.ofIndices [ 3; 2 ] [| 1; 1; 0; 1; 0; 0 |]
                let gathered = Tensor.gatherElements axis index t
                let scattered = Tensor.scatterAddElements axis index updates (Tensor.zerosLike t)
                Expect.tensorsClose 1e-14 (Tensor.dot gathered updates) (Tensor.dot t scattered)
                let gradient = grad (fun t -> Tensor.dot updates (Tensor.gatherElements axis index t)) t
                Expect.tensorsClose 1e-15 scattered gradient
        }

        test "derivatives of every order" {
            let x = 0.4 * normal 3L [ 2; 4 ]
            differentiates "padReflect" (Tensor.padReflect 1 3 2 >> Tensor.tanh) x
            differentiates "padEdge" (Tensor.padEdge 0 2 1 >> Tensor.tanh) x
            differentiates "padWrap" (Tensor.padWrap 1 4 1 >> Tensor.tanh) x
            differentiates "gatherElements" (Tensor.gatherElements 0 index >> Tensor.tanh) x
            let updates = 0.5 * normal 4L [ 3; 2 ]
            let target = normal 5L [ 3; 3 ]

            let scatter updates target =
                Tensor.tanh (Tensor.scatterAddElements 0 index updates target) * Tensor.sigmoid target

            differentiates "scatterAddElements of updates" (fun updates -> scatter updates target) updates
            differentiates "scatterAddElements of the tensor" (scatter updates) target
        }

        test "what does not fit is refused by name" {
            let range = Expect.raises<ArgumentRangeException>
            let shape = Expect.raises<ShapeException>
            range [ "padReflect"; "0 to 4"; "5 after" ] (fun () -> Tensor.padReflect 0 0 5 five)
            range [ "padEdge"; "-1 before" ] (fun () -> Tensor.padEdge 0 -1 0 five)
            range [ "padEdge"; "length 0" ] (fun () -> Tensor.padEdge 0 1 0 (Tensor.slice 0 0 0 five))
            range [ "padWrap"; "0 to 5"; "6 before" ] (fun () -> Tensor.padWrap 0 6 0 five)
            shape [ "padWrap"; "axis 1" ] (fun () -> Tensor.padWrap 1 1 1 five)
            let t = normal 1L [ 2; 2 ]
            shape [ "gatherElements"; "axis 1"; "[3; 2]"; "[2; 2]" ] (fun () -> Tensor.gatherElements 1 index t)
            shape [ "gatherElements"; "[3; 2]"; "[5]" ] (fun () -> Tensor.gatherElements 0 index five)
            range [ "2" ] (fun () -> Tensor.gatherElements 0 (Tensor.ofIndices [ 1; 1 ] [| 2 |]) t)
            Expect.raises<DTypeException> [ "gatherElements"; "Float64" ] (fun () -> Tensor.gatherElements 0 t t)
            shape [ "scatterAddElements"; "[2; 2]" ] (fun () -> Tensor.scatterAddElements 0 index t t)

            Expect.raises<DTypeException> [ "Float32"; "Float64" ] (fun () ->
                Tensor.scatterAddElements 0 index (Tensor.zeros DType.Float32 [ 3; 2 ]) t)
        }
    ]
