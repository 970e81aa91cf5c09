/// The F# of docs/networks.md and of the README.
module DocExamples.NetworkExamples

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-"
let private file name = Path.Combine(folder, name)

[<Tests>]
let tests =
    testList "DocExamples.NetworkExamples" [
        test "the README" {
            let inputs = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 20; 64 ]
            let labels = Tensor.ofIndices [ 20 ] (Array.init 20 (fun row -> row % 10))

            let network = Network.mlp Layer.tanh [ 64; 32; 10 ]
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network
            let loss theta = Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels

            let hessian = Hessian.at loss theta
            let trace = Hutchinson.trace (StoppingRule.relativeError 0.05) (Key.OfSeed 2L) hessian
            printfn $"{trace.Value} ± {trace.StandardError} from {trace.Samples} random vectors"

            Expect.isTrue
                "trace.StopReason = StopReason.E…"
                (trace.StopReason = StopReason.ErrorReached || trace.IsExact)
        }

        test "a network and its parameters" {
            let network = Network.sequential [ Layer.dense 64 32; Layer.tanh; Layer.dense 32 10 ]
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network // one vector of all parameters
            let parameters = network.Layout |> ParameterLayout.split theta
            let weight = parameters["0.weight"] // [32; 64], as in PyTorch

            for tensor in network.Layout.Tensors do
                printfn $"{tensor.Name} from {tensor.Offset}: {tensor.Size}"

            Expect.equal "weight.Shape" [| 32; 64 |] weight.Shape
            Expect.equal "theta.Size" network.ParameterCount theta.Size
        }

        test "read, train, measure" {
            // A table to read: 40 points of a circle, and whether they lie in its upper half.
            let path = file "table.csv"

            let rows =
                [
                    for i in 0..39 ->
                        let label = if Math.Sin(float i) > 0.0 then 1 else 0
                        FormattableString.Invariant $"{Math.Cos(float i)},{Math.Sin(float i)},{label}"
                ]

            File.WriteAllLines(path, "a,b,class" :: rows)

            let data = Csv.read path // the last column is the class; .csv or .csv.gz
            let inputs = Scaling.standardize data.Inputs
            let network = Network.mlp Layer.tanh [ data.Features; 16; data.Classes ]

            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = network |> Network.risk Reduction.Mean criterion [ Batch(inputs, data.Labels) ]

            // Batches of 16 rows, in another order at every pass.
            let batches = Batches.shuffledEachPass 16 (Key.OfSeed 2L) inputs data.Labels
            let options = TrainingOptions.Default.WithEpochs(50).WithOptimizer(Optimizer.adam 0.01)

            let training =
                Network.initialize (Key.OfSeed 1L) DType.Float64 network
                |> Training.minimize options (Risk.withPasses batches risk)

            let accuracy = Network.forward network training.Theta inputs |> Loss.accuracy data.Labels

            Expect.isGreaterThan "accuracy" (accuracy, 0.8)

            let hessian = Hessian.ofRisk risk training.Theta
            let traces = Exact.blockTraces (ParameterLayout.blocks network.Layout) hessian

            Expect.hasLength "traces" 4 traces
        }

        test "layers of one's own" {
            let scale =
                Layer.create "scale" [ Layer.parameter "factor" [ 16 ] (Initial.constant 1.0) ] (fun parameters x ->
                    x * parameters["factor"])

            let glorot name = if name = "weight" then Some Initial.glorot else None

            let network =
                Network.ofLayer (
                    Layer.named [
                        "enter", Layer.dense 2 16 |> Layer.initialized glorot
                        "body", Layer.residual (Layer.sequential [ scale; Layer.gelu ])
                        "leave", Layer.dense 16 1
                    ]
                )

            Expect.equal "network.Layout[\"body.0.factor\"]…" 16 network.Layout["body.0.factor"].Size
        }

        testCase "training by hand" (fun () ->
            let loss (theta: Tensor) = Tensor.dot theta theta
            let mutable theta = tensor [ 3.0; -2.0 ]
            let mutable optimizer = Optimizer.momentum 0.1 0.9

            for _ in 1..100 do
                let next, following = Optimizer.step optimizer theta (grad loss theta)
                theta <- next
                optimizer <- following

            Expect.isLessThan "loss theta" ((loss theta).ToScalar(), 1e-3)

            let options = AdamOptions.Default.WithLearningRate 0.1
            let next, state = Adam.step options (Adam.start theta) theta (grad loss theta)

            Expect.equal "state.Steps" 1 state.Steps
            Expect.equal "next.Shape" [| 2 |] next.Shape)

        test "batches of rows" {
            let data =
                LabelledData.create
                    (Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 100; 4 ])
                    (Tensor.zeros DType.Int32 [ 100 ])

            for batch in Batches.shuffled (Key.OfSeed 1L) data.Rows |> Batches.cut 32 do
                let inputs = Batches.rows batch data.Inputs
                let labels = Batches.rows batch data.Labels
                printfn $"{inputs.Shape[0]} rows, {labels.Size} labels"

            Expect.equal "data.Rows" 100 data.Rows
        }

        test "losses" {
            let outputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 8; 3 ]
            let targets = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 8; 3 ]
            let labels = Tensor.ofIndices [ 8 ] [| 0; 1; 2; 0; 1; 2; 0; 1 |]

            let robust = Loss.huber 1.0 Reduction.Mean targets outputs // a parabola up to 1, a line beyond
            let hardest = Loss.focal 2.0 Reduction.Mean labels outputs // what is almost right counts less

            Expect.isGreaterThan "losses" ((robust * hardest).ToScalar(), 0.0)
        }

        testCase "dropout and rates" (fun () ->
            let inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 60; 4 ]
            let labels = Tensor.ofIndices [ 60 ] (Array.init 60 (fun row -> row % 2))
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean

            let networkWith key =
                Network.sequential [ Layer.dense 4 16; Layer.elu 1.0; Dropout.layer 0.2 key; Layer.dense 16 2 ]

            let riskOfPass pass =
                Network.forTraining (networkWith ((Key.OfSeed 3L).FoldIn(uint32 pass)))
                |> Network.risk Reduction.Mean criterion (Batches.split 20 inputs labels)

            let network = networkWith (Key.OfSeed 3L) // in evaluation every element passes
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let result = Training.minimizeEachPass (TrainingOptions.Default.WithEpochs 20) riskOfPass theta

            Expect.equal "passes" 20 result.Losses.Count

            let optimizer =
                Optimizer.adamW 0.01 0.05 // learning rate, weight decay
                |> Optimizer.clipNorm 1.0
                |> Optimizer.scheduled (LearningRate.warmUp 50 (LearningRate.cosine 500 0.01))

            let train, test = Split.stratified 0.25 (Key.OfSeed 4L) labels
            let rows part = [ Batch(Batches.rows part inputs, Batches.rows part labels) ]
            let riskOn part = network |> Network.risk Reduction.Mean criterion (rows part)

            let options =
                TrainingOptions.Default
                    .WithEpochs(500)
                    .WithOptimizer(optimizer)
                    .WithValidation(riskOn test)
                    .WithPatience(20) // passes without a lower loss on the test rows

            let best = Training.minimize options (riskOn train) theta
            printfn $"{best.End} after {best.Losses.Count} passes, best after {best.BestEpoch}"

            Expect.equal "history" best.Losses.Count best.ValidationLosses.Count

            let result = Lbfgs.minimize (LbfgsOptions.Default.WithIterations 50) (riskOn train) theta
            printfn $"{result.End} after {result.Losses.Count} iterations and {result.Steps} gradients"

            Expect.isGreaterThan "iterations" (result.Losses.Count, 0))

        test "tables of regression" {
            let path = file "regression.csv"
            File.WriteAllLines(path, [ "a,b,u,v"; "1,2,3.5,-1"; "4,5,6.5,-2"; "7,8,9.5,-3"; "1,0,1.5,-4" ])

            let data = Csv.readRegressionWith (CsvOptions.Default.WithTargetColumns("u", "v")) path
            let train, test = Split.trainTest 0.25 (Key.OfSeed 1L) data.Rows
            let known, heldOut = RegressionData.rows train data, RegressionData.rows test data

            Expect.equal "rows" (3, 1) (known.Rows, heldOut.Rows)
        }
    ]
