module Curvature.Tests.Unit.MoreLossTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
let private labels = tensor [ 2; 0; 1; 1 ]
let private logits = random 1L [ 4; 3 ] * 2.0
let private numbers = random 2L [ 4; 3 ] * 2.0
let private targets = random 3L [ 4; 3 ]
let private distributions = Tensor.softmax (random 4L [ 4; 3 ])
let private chances = Tensor.sigmoid (random 5L [ 4; 3 ])

/// Each loss, as a function of outputs [4; 3] in an element type.
let private losses: (string * (DType -> Reduction -> Tensor -> Tensor)) list =
    let like dtype = Tensor.convert dtype

    [
        "l1", (fun dtype reduction -> Loss.l1 reduction (like dtype targets))
        "huber", (fun dtype reduction -> Loss.huber 0.7 reduction (like dtype targets))
        "negative log-likelihood", (fun _ reduction -> Loss.negativeLogLikelihood reduction labels)
        "Kullback-Leibler", (fun dtype reduction -> Loss.kullbackLeibler reduction (like dtype distributions))
        "focal", (fun _ reduction -> Loss.focal 2.0 reduction labels)
        "binary focal", (fun dtype reduction -> Loss.binaryFocal 1.5 reduction (like dtype chances))
    ]

let private step = 1e-5

let private difference (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) =
    (f (x + step * v) - f (x - step * v)) / (2.0 * step)

[<Tests>]
let tests =
    testList "Unit.MoreLossTests" [
        test "Huber's loss is a parabola within delta and a line beyond" {
            let outputs, zero = tensor [ -3.0; -0.5; 0.0; 0.5; 2.0; 5.0 ], Tensor.zeros DType.Float64 [ 6 ]
            let huber = Loss.huber 2.0 Reduction.Sum zero
            // 2·(3 − 1) + 1/8 + 0 + 1/8 + 2 + 2·(5 − 1)
            Expect.scalar 1e-15 14.25 (huber outputs)
            Expect.scalar 1e-15 (14.25 / 6.0) (Loss.huber 2.0 Reduction.Mean zero outputs)
            Expect.tensor 1e-15 [ 6 ] [ -2.0; -0.5; 0.0; 0.5; 2.0; 2.0 ] (grad huber outputs)
            let inner = tensor [ -3.0; -0.5; 0.0; 0.5; 1.9; 5.0 ]
            let curvature = hessianv huber inner (Tensor.onesLike inner)
            Expect.tensor 1e-15 [ 6 ] [ 0.0; 1.0; 1.0; 1.0; 1.0; 0.0 ] curvature
        }

        test "L1 is the sum of distances, with the signs as gradient" {
            let outputs, zero = tensor [ -3.0; 0.0; 2.5 ], Tensor.zeros DType.Float64 [ 3 ]
            Expect.scalar 1e-15 5.5 (Loss.l1 Reduction.Sum zero outputs)
            Expect.scalar 1e-15 (5.5 / 3.0) (Loss.l1 Reduction.Mean zero outputs)
            Expect.tensor 0.0 [ 3 ] [ -1.0; 0.0; 1.0 ] (grad (Loss.l1 Reduction.Sum zero) outputs)
        }

        test "the negative log-likelihood of log-softmax is the cross-entropy" {
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let expected = Loss.softmaxCrossEntropy reduction labels
                let actual = Tensor.logSoftmax >> Loss.negativeLogLikelihood reduction labels
                Expect.tensorsClose 1e-14 (expected logits) (actual logits)
                Expect.tensorsClose 1e-14 (grad expected logits) (grad actual logits)
                let v = random 6L [ 4; 3 ]
                Expect.tensorsClose 1e-13 (hessianv expected logits v) (hessianv actual logits v)

            // A class that is impossible and not the label adds nothing.
            let certain = tensor [ [ 0.0; -infinity ] ]
            Expect.scalar 0.0 0.0 (Loss.negativeLogLikelihood Reduction.Sum (tensor [ 0 ]) certain)
        }

        test "the divergence is cross-entropy less entropy, and 0 for equal distributions" {
            let row p q = Array.map2 (fun p q -> if p = 0.0 then 0.0 else p * log (p / q)) p q |> Array.sum
            let p, q = [| 0.5; 0.0; 0.5 |], [| 0.25; 0.25; 0.5 |]
            let targets = tensor [ p; q ]
            let outputs = tensor [ q; q ] |> Tensor.log
            Expect.scalar 1e-15 (row p q) (Loss.kullbackLeibler Reduction.Sum targets outputs)
            Expect.scalar 1e-15 (row p q / 2.0) (Loss.kullbackLeibler Reduction.Mean targets outputs)
            let same = Loss.kullbackLeibler Reduction.Sum distributions (Tensor.log distributions)
            Expect.scalar 1e-15 0.0 same
            // What is impossible on both sides is no error.
            let certain = tensor [ [ 1.0; 0.0 ] ]
            let divergence = Loss.kullbackLeibler Reduction.Sum certain
            Expect.scalar 0.0 0.0 (divergence (tensor [ [ 0.0; -infinity ] ]))
            let slope = grad divergence (tensor [ [ 0.0; -infinity ] ])
            Expect.tensor 0.0 [ 1; 2 ] [ -1.0; 0.0 ] slope
        }

        test "focal losses without focus are cross-entropies" {
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                let expected, actual = Loss.softmaxCrossEntropy reduction labels, Loss.focal 0.0 reduction labels
                Expect.tensorsClose 1e-14 (expected logits) (actual logits)
                Expect.tensorsClose 1e-14 (grad expected logits) (grad actual logits)
                let expected, actual = Loss.binaryCrossEntropy reduction chances, Loss.binaryFocal 0.0 reduction chances
                Expect.tensorsClose 1e-14 (expected logits) (actual logits)
                Expect.tensorsClose 1e-14 (grad expected logits) (grad actual logits)
        }

        test "focal losses have their closed forms" {
            let p = (Tensor.softmax logits).ToArray() |> Array.chunkBySize 3
            let focal p = -((1.0 - p) ** 2.0) * log p
            let expected = labels.ToInt32Array() |> Array.mapi (fun row label -> focal (p[row][label])) |> Array.sum
            Expect.scalar 1e-14 expected (Loss.focal 2.0 Reduction.Sum labels logits)
            Expect.scalar 1e-14 (expected / 4.0) (Loss.focal 2.0 Reduction.Mean labels logits)
            let sigma y = 1.0 / (1.0 + exp -y)
            let binary y t = if t = 1 then focal (sigma y) else focal (1.0 - sigma y)
            let y, t = [| -1.5; 0.3; 2.0 |], [| 1; 0; 1 |]
            let actual = Loss.binaryFocal 2.0 Reduction.Sum (tensor t) (tensor y)
            Expect.scalar 1e-14 (Array.map2 binary y t |> Array.sum) actual
        }

        test "focal losses and their derivatives are finite for huge logits" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let y = tensor [ [ 1000.0; -1000.0 ]; [ -1000.0; 1000.0 ] ] |> Tensor.convert dtype
                let focal = Loss.focal 0.5 Reduction.Sum (tensor [ 0; 0 ])
                Expect.scalar 1e-6 2000.0 (focal y)
                let binary = Loss.binaryFocal 0.5 Reduction.Sum (tensor [ [ 1; 0 ]; [ 0; 0 ] ])
                Expect.scalar 1e-6 1000.0 (binary y)

                for f in [ focal; binary ] do
                    let finite (t: Tensor) = t.ToArray() |> Array.forall System.Double.IsFinite
                    Expect.isTrue "gradient" (finite (grad f y))
                    Expect.isTrue "product" (finite (hessianv f y (Tensor.onesLike y)))
        }

        test "gradients and Hessian products agree with differences" {
            let v = random 7L [ 4; 3 ]

            for name, loss in losses do
                for reduction in [ Reduction.Mean; Reduction.Sum ] do
                    let f = loss DType.Float64 reduction
                    let slope = difference f numbers v
                    Expect.within $"slope of {name}" 1e-8 (slope.ToScalar()) ((gradv f numbers v).ToScalar())
                    Expect.tensorsClose 1e-7 (difference (grad f) numbers v) (hessianv f numbers v)
        }

        test "losses are the same in Float32, compiled, and over a stack of outputs" {
            let stack = Tensor.stack 0 [ numbers; 0.5 * numbers ]

            for name, loss in losses do
                let f = loss DType.Float64 Reduction.Mean
                let single = loss DType.Float32 Reduction.Mean (Tensor.convert DType.Float32 numbers)
                Expect.equal $"type of {name}" DType.Float32 single.DType
                Expect.scalar 1e-5 ((f numbers).ToScalar()) single
                Expect.tensorsClose 1e-14 (f numbers) (Compile.func f numbers)
                Expect.tensorsClose 1e-13 (grad f numbers) (Compile.func (grad f) numbers)
                Expect.tensorsClose 1e-14 (Tensor.stack 0 [ f numbers; f (0.5 * numbers) ]) (vmap f stack)
        }

        test "the sum over batches is that of the whole, and the Fisher matrix is the Gauss-Newton matrix" {
            let x = random 8L [ 4; 2 ]
            let network = Network.sequential [ Layer.dense 2 3 ]
            let theta = Network.initialize (Key.OfSeed 9L) DType.Float64 network
            let criterion labels = Tensor.logSoftmax >> Loss.negativeLogLikelihood Reduction.Mean labels
            let risk size = network |> Network.risk Reduction.Mean criterion (Batches.split size x labels)
            let v = random 10L [ theta.Size ]
            let whole = Hessian.ofRisk (risk 4) theta
            Expect.tensorsClose 1e-13 (whole.Apply v) ((Hessian.ofRisk (risk 3) theta).Apply v)
            let fisher = Fisher.ofRisk (FisherKind.exact Likelihood.categorical) (risk 4) theta
            Expect.tensorsClose 1e-13 ((GaussNewton.ofRisk (risk 4) theta).Apply v) (fisher.Apply v)
        }

        test "wrong arguments are refused by name" {
            let range fragments f = Expect.raises<ArgumentRangeException> fragments f
            let y = tensor [ [ 0.0; 1.0 ] ]
            range [ "huber"; "delta"; "0" ] (fun () -> Loss.huber 0.0 Reduction.Mean y y)
            range [ "focal"; "gamma"; "-1" ] (fun () -> Loss.focal -1.0 Reduction.Mean (tensor [ 0 ]) y)
            range [ "binaryFocal"; "gamma"; "NaN" ] (fun () -> Loss.binaryFocal nan Reduction.Mean y y)
            let shape fragments f = Expect.raises<ShapeException> fragments f
            shape [ "l1"; "[1]"; "[1; 2]" ] (fun () -> Loss.l1 Reduction.Mean (tensor [ 0.0 ]) y)
            shape [ "huber"; "[1]" ] (fun () -> Loss.huber 1.0 Reduction.Mean (tensor [ 0.0 ]) y)

            shape [ "labels of shape [1]"; "[2]" ] (fun () ->
                Loss.negativeLogLikelihood Reduction.Mean (tensor [ 0; 1 ]) y)

            shape [ "focal"; "labels of shape [1]" ] (fun () -> Loss.focal 2.0 Reduction.Mean (tensor [ 0; 1 ]) y)
            shape [ "kullbackLeibler" ] (fun () -> Loss.kullbackLeibler Reduction.Mean (tensor [ 1.0 ]) y)

            Expect.raises<DTypeException> [ "focal"; "Int32"; "Float64" ] (fun () -> Loss.focal 2.0 Reduction.Mean y y)

            Expect.raises<DataException> [ "label 2"; "row 0" ] (fun () ->
                Loss.negativeLogLikelihood Reduction.Mean (tensor [ 2 ]) y)

            Expect.raises<DataException> [ "kullbackLeibler"; "1.5"; "element 1" ] (fun () ->
                Loss.kullbackLeibler Reduction.Mean (tensor [ [ 0.0; 1.5 ] ]) y)
        }
    ]
