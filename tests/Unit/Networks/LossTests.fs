module Curvature.Tests.Unit.LossTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private logits = tensor [ [ 1.0; 2.0; 3.0 ]; [ 0.5; -0.5; 0.0 ] ]
let private labels = tensor [ 2; 0 ]

/// −ln softmax(y)ₖ by the definition.
let private crossEntropy (row: float list) label = log (row |> List.sumBy exp) - row[label]

[<Tests>]
let tests =
    testList "Unit.LossTests" [
        test "the mean squared error is over all elements" {
            let outputs = tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ]; [ 5.0; 6.0 ] ]
            let targets = tensor [ [ 0.0; 2.0 ]; [ 1.0; 4.0 ]; [ 5.0; 3.0 ] ]
            Expect.scalar 1e-15 14.0 (Loss.meanSquaredError Reduction.Sum targets outputs)
            Expect.scalar 1e-15 (14.0 / 6.0) (Loss.meanSquaredError Reduction.Mean targets outputs)
        }

        test "softmax cross-entropy is the negative logarithm of the label's probability" {
            let expected = crossEntropy [ 1.0; 2.0; 3.0 ] 2 + crossEntropy [ 0.5; -0.5; 0.0 ] 0
            Expect.scalar 1e-15 expected (Loss.softmaxCrossEntropy Reduction.Sum labels logits)
            Expect.scalar 1e-15 (expected / 2.0) (Loss.softmaxCrossEntropy Reduction.Mean labels logits)
        }

        test "labels and their distributions give the same cross-entropy" {
            let certain = tensor [ [ 0.0; 0.0; 1.0 ]; [ 1.0; 0.0; 0.0 ] ]

            Loss.softmaxCrossEntropy Reduction.Mean certain logits
            |> Expect.sameBits (Loss.softmaxCrossEntropy Reduction.Mean labels logits)

            let doubtful = tensor [ [ 0.2; 0.3; 0.5 ]; [ 1.0; 0.0; 0.0 ] ]

            let expected =
                [ 0.2; 0.3; 0.5 ] |> List.mapi (fun label q -> q * crossEntropy [ 1.0; 2.0; 3.0 ] label) |> List.sum

            Loss.softmaxCrossEntropy Reduction.Sum doubtful logits
            |> Expect.scalar 1e-15 (expected + crossEntropy [ 0.5; -0.5; 0.0 ] 0)
        }

        test "the gradient of softmax cross-entropy is probability less target" {
            let gradient = grad (Loss.softmaxCrossEntropy Reduction.Sum labels) logits
            let certain = tensor [ [ 0.0; 0.0; 1.0 ]; [ 1.0; 0.0; 0.0 ] ]
            Expect.tensorsClose 1e-15 (Tensor.softmax logits - certain) gradient
        }

        test "binary cross-entropy has its closed form and gradient" {
            let y = tensor [ -2.0; 0.0; 0.5; 3.0 ]
            let t = tensor [ 0.0; 1.0; 0.25; 1.0 ]

            let expected =
                Array.map2
                    (fun y t ->
                        let p = 1.0 / (1.0 + exp -y)
                        -t * log p - (1.0 - t) * log (1.0 - p))
                    (y.ToArray())
                    (t.ToArray())
                |> Array.sum

            Expect.scalar 1e-14 expected (Loss.binaryCrossEntropy Reduction.Sum t y)
            Expect.scalar 1e-14 (expected / 4.0) (Loss.binaryCrossEntropy Reduction.Mean t y)
            Expect.tensorsClose 1e-14 (Tensor.sigmoid y - t) (grad (Loss.binaryCrossEntropy Reduction.Sum t) y)
            let whole = Loss.binaryCrossEntropy Reduction.Sum (tensor [ 0; 1; 1; 0 ]) y
            Expect.sameBits (Loss.binaryCrossEntropy Reduction.Sum (tensor [ 0.0; 1.0; 1.0; 0.0 ]) y) whole
        }

        test "losses of huge logits are finite" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let y = tensor [ [ 1000.0; -1000.0 ] ] |> Tensor.convert dtype
                Expect.scalar 1e-6 2000.0 (Loss.softmaxCrossEntropy Reduction.Sum (tensor [ 1 ]) y)
                Expect.scalar 0.0 0.0 (Loss.softmaxCrossEntropy Reduction.Sum (tensor [ 0 ]) y)
                Expect.scalar 1e-6 2000.0 (Loss.binaryCrossEntropy Reduction.Sum (tensor [ [ 0; 1 ] ]) y)
                Expect.scalar 0.0 0.0 (Loss.binaryCrossEntropy Reduction.Sum (tensor [ [ 1; 0 ] ]) y)
        }

        test "the Hessians of linear models have their closed forms" {
            let x = Tensor.normal (Key.OfSeed 11L) DType.Float64 [ 20; 3 ]
            let rows = 20.0
            let outer weights = Tensor.einsum "bi,bj->ij" (x * Tensor.unsqueeze 1 weights) x / rows
            let theta = Tensor.normal (Key.OfSeed 12L) DType.Float64 [ 3 ]
            let answers = Tensor.uniform (Key.OfSeed 13L) DType.Float64 [ 20; 1 ]
            let linear = Network.sequential [ Layer.denseWithoutBias 3 1 ]
            let output theta = Network.forward linear theta x
            let squared = hessian (output >> Loss.meanSquaredError Reduction.Mean answers) theta
            Expect.tensorsClose 1e-12 (2.0 * outer (Tensor.ones DType.Float64 [ 20 ])) squared
            let p = Tensor.sigmoid (output theta) |> Tensor.flatten
            let logistic = hessian (output >> Loss.binaryCrossEntropy Reduction.Mean answers) theta
            Expect.tensorsClose 1e-12 (outer (p * (1.0 - p))) logistic
        }

        test "a label outside the classes is told with its row" {
            Expect.error<DataException> [ "label 3"; "row 1"; "0 … 2" ] (fun () ->
                Loss.softmaxCrossEntropy Reduction.Mean (tensor [ 0; 3 ]) logits |> ignore)

            Expect.error<DataException> [ "label -1"; "row 0" ] (fun () ->
                Loss.softmaxCrossEntropy Reduction.Mean (tensor [ -1; 0 ]) logits |> ignore)

            Expect.error<DataException> [ "target 2"; "element 1"; "between 0 and 1" ] (fun () ->
                Loss.binaryCrossEntropy Reduction.Mean (tensor [ 0; 2 ]) (tensor [ 0.0; 0.0 ]) |> ignore)

            Expect.error<DataException> [ "target NaN"; "element 0" ] (fun () ->
                Loss.binaryCrossEntropy Reduction.Mean (tensor [ nan ]) (tensor [ 0.0 ]) |> ignore)
        }

        test "shapes and element types that do not fit are refused" {
            let error fragments action = Expect.error<ShapeException> fragments (action >> ignore)

            error [ "meanSquaredError"; "[2]"; "[2; 1]" ] (fun () ->
                Loss.meanSquaredError Reduction.Mean (tensor [ 1.0; 2.0 ]) (tensor [ [ 1.0 ]; [ 2.0 ] ]))

            error [ "labels of shape [2]"; "[3]" ] (fun () ->
                Loss.softmaxCrossEntropy Reduction.Mean (tensor [ 0; 1; 2 ]) logits)

            error [ "Int32 labels of shape [2]"; "Float64 of shape [2]" ] (fun () ->
                Loss.softmaxCrossEntropy Reduction.Mean (tensor [ 0.0; 1.0 ]) logits)

            error [ "binaryCrossEntropy"; "[1]"; "[2; 3]" ] (fun () ->
                Loss.binaryCrossEntropy Reduction.Mean (tensor [ 0 ]) logits)

            error [ "no elements" ] (fun () ->
                Loss.meanSquaredError
                    Reduction.Mean
                    (Tensor.zeros DType.Float64 [ 0 ])
                    (Tensor.zeros DType.Float64 [ 0 ]))

            Expect.error<DTypeException> [ "Float32"; "Float64" ] (fun () ->
                Loss.meanSquaredError Reduction.Mean (Tensor.convert DType.Float32 logits) logits |> ignore)
        }

        test "accuracy counts the rows whose largest logit is at the label" {
            let logits = tensor [ [ 1.0; 2.0 ]; [ 3.0; 2.0 ]; [ 0.0; 1.0 ]; [ 0.0; 5.0 ] ]
            let share = Loss.accuracy (tensor [ 1; 0; 0; 1 ]) logits
            Expect.isTrue $"{share}" (share = 0.75)
        }
    ]
