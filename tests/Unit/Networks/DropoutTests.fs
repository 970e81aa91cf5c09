module Curvature.Tests.Unit.DropoutTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 3L
let private ones = Tensor.ones DType.Float64 [ 200; 50 ]

[<Tests>]
let tests =
    testList "Unit.DropoutTests" [
        test "elements are 0 or divided by the share that is kept, and so many are kept" {
            for probability in [ 0.1; 0.5; 0.8 ] do
                let values = (Dropout.apply probability key ones).ToArray()
                let kept = values |> Array.filter (fun value -> value <> 0.0)
                let whole = 1.0 / (1.0 - probability)
                Expect.isTrue "values" (kept |> Array.forall (fun value -> abs (value - whole) < 1e-15))
                // 5 standard errors of the share of a binomial count.
                let error = 5.0 * sqrt (probability * (1.0 - probability) / float values.Length)
                let share = float kept.Length / float values.Length
                Expect.within $"share for key {key}" error (1.0 - probability) share
        }

        test "the key freezes the mask, in each element type" {
            let x = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 20; 5 ]
            let y = Dropout.apply 0.5 key x
            Expect.sameBits y (Dropout.apply 0.5 key x)
            Expect.isTrue "another key" ((Dropout.apply 0.5 (key.FoldIn 1u) x).ToArray() <> y.ToArray())
            let single = Dropout.apply 0.5 key (Tensor.convert DType.Float32 x)
            Expect.equal "type" DType.Float32 single.DType
            Expect.tensorsClose 1e-6 y (Tensor.convert DType.Float64 single)
            Expect.sameBits x (Dropout.apply 0.0 key x)
        }

        test "the layer drops in training only" {
            let network = Network.sequential [ Layer.dense 5 4; Dropout.layer 0.5 key; Layer.tanh ]
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let x = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 6; 5 ]
            let dense = Network.sequential [ Layer.dense 5 4 ]
            let hidden = Network.forward dense theta x
            Expect.sameBits (Tensor.tanh hidden) (Network.forward network theta x)
            let training = Network.forTraining network
            Expect.sameBits (Tensor.tanh (Dropout.apply 0.5 key hidden)) (Network.forward training theta x)
            Expect.sameBits (Tensor.tanh hidden) (Network.forward (Network.forEvaluation training) theta x)
        }

        test "curvature with a frozen mask is that of the function, and is warned of over batches" {
            let network =
                Network.sequential [ Layer.dense 3 8; Layer.tanh; Dropout.layer 0.3 key; Layer.dense 8 2 ]
                |> Network.forTraining

            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let x = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 6; 3 ]
            let labels = tensor [ 0; 1; 0; 1; 1; 0 ]

            let risk =
                network |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) [ Batch(x, labels) ]

            let f theta = Network.forward network theta x |> Loss.softmaxCrossEntropy Reduction.Mean labels
            let v = Tensor.rademacher (Key.OfSeed 5L) DType.Float64 [ theta.Size ]
            let step = 1e-5
            let difference = (grad f (theta + step * v) - grad f (theta - step * v)) / (2.0 * step)
            let hessian = Hessian.ofRisk risk theta
            Expect.tensorsClose 1e-7 difference (hessian.Apply v)
            Expect.isTrue $"{hessian.Warnings}" (hessian.Warnings |> Seq.exists (fun text -> text.Contains "dropout"))
        }

        test "masks of each pass differ where the network is made with the pass's key" {
            let x, y = Tensor.ones DType.Float64 [ 1; 4 ], Tensor.zeros DType.Float64 [ 1; 4 ]

            let layer =
                Layer.create "scale" [ Layer.parameter "w" [ 4 ] (Initial.constant 1.0) ] (fun p x -> x * p["w"])

            let riskOf (pass: int) =
                Network.sequential [ layer; Dropout.layer 0.5 (key.FoldIn(uint32 pass)) ]
                |> Network.forTraining
                |> Network.risk Reduction.Mean (Loss.meanSquaredError Reduction.Sum) [ Batch(x, y) ]

            let theta = Tensor.ones DType.Float64 [ 4 ]
            let options = TrainingOptions.Default.WithEpochs(5).WithOptimizer(Optimizer.gradientDescent 0.01)
            let result = Training.minimizeEachPass options riskOf theta

            let expected =
                (theta, [ 0..4 ])
                ||> List.fold (fun theta pass ->
                    // L = Σ (2·mask·θ)² for a kept share of a half.
                    let mask = Dropout.apply 0.5 (key.FoldIn(uint32 pass)) (Tensor.ones DType.Float64 [ 1; 4 ])
                    theta - 0.01 * 2.0 * Tensor.square (Tensor.flatten mask) * theta)

            Expect.tensorsClose 1e-13 expected result.Theta
            Expect.equal "passes" 5 result.Losses.Count
            Expect.isTrue "masks differ" (Seq.length (Seq.distinct (Seq.map string (result.Theta.ToArray()))) > 1)
        }

        test "a probability that is none is refused" {
            for probability in [ 1.0; -0.1; nan ] do
                Expect.error<ArgumentRangeException> [ "dropout"; "probability" ] (fun () ->
                    Dropout.layer probability key |> ignore)

                Expect.raises<ArgumentRangeException> [ "dropout" ] (fun () -> Dropout.apply probability key ones)
        }
    ]
