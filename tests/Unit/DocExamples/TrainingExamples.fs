/// The F# of docs/training.md.
module DocExamples.TrainingExamples

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-"
let private file name = Path.Combine(folder, name)

// Points of the plane, and whether their coordinates have the same sign.
let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 120; 2 ]

let private labels =
    inputs.ToArray()
    |> Array.chunkBySize 2
    |> Array.map (fun row -> if row[0] * row[1] > 0.0 then 1 else 0)
    |> Tensor.ofIndices [ 120 ]

let private network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
let private theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network
let private criterion = Loss.softmaxCrossEntropy Reduction.Mean
let private risk = network |> Network.risk Reduction.Mean criterion [ Batch(inputs, labels) ]
let private shuffled = risk |> Risk.withPasses (Batches.shuffledEachPass 30 (Key.OfSeed 3L) inputs labels)

[<Tests>]
let tests =
    testList "DocExamples.TrainingExamples" [
        test "a monitor" {
            let monitor = Monitor.create (MonitorOptions.Default.WithTimeShare 0.2) risk
            let descent = Optimizer.momentum 0.05 0.9

            let options = TrainingOptions.Default.WithEpochs(100).WithOptimizer(descent).WithMonitor monitor

            let result = Training.minimize options shuffled theta
            printfn $"{monitor}"
            File.WriteAllText(file "training.svg", Monitor.toSvg monitor)

            Expect.isTrue "it learns" (Seq.last result.Losses < 0.7 * result.Losses[0])
            Expect.equal "every step is reported" 400 monitor.Steps
            Expect.isTrue "the chart" (File.Exists(file "training.svg"))
        }

        test "a loop of one's own" {
            let watch = Monitor.create (MonitorOptions.Default.WithTimeShare 0.2) risk
            let mutable parameters = theta

            for _ in 1..200 do
                let step = Gradient.ofRisk risk parameters
                parameters <- parameters - 0.1 * step.Gradient

                match watch |> Monitor.observe parameters step.Loss 0.1 with
                | Some record when record.LearningRate > record.LargestLearningRate -> printfn $"unstable: {record}"
                | _ -> ()

            watch.Save(file "monitor.bin")
            let later = risk |> Monitor.resume MonitorOptions.Default (file "monitor.bin") // goes on from there

            Expect.equal "steps" 200 later.Steps
        }

        test "methods that step by curvature" {
            let methods =
                [
                    Optimizer.sharpnessAware 0.05 (Optimizer.momentum 0.05 0.9)
                    Optimizer.adaHessian (AdaHessianOptions.Default.WithLearningRate 0.05)
                    Optimizer.sophia (SophiaOptions.GaussNewtonBartlett(Likelihood.categorical).WithLearningRate 0.01)
                    Optimizer.newtonCg NewtonCgOptions.Default
                    Optimizer.naturalGradient (NaturalGradientOptions.Of(network.Layout).WithLearningRate 0.2)
                ]

            for optimizer in methods do
                let trained =
                    Training.minimize (TrainingOptions.Default.WithEpochs(20).WithOptimizer optimizer) shuffled theta

                printfn $"{optimizer}: {Risk.value risk trained.Theta}"

            let ended =
                [
                    for optimizer in methods do
                        let options = TrainingOptions.Default.WithEpochs(20).WithOptimizer optimizer
                        Risk.value risk (Training.minimize options shuffled theta).Theta
                ]

            let start = Risk.value risk theta
            Expect.isTrue $"%A{ended} from {start}" (ended |> List.forall (fun loss -> loss < 0.9 * start))
        }

        test "steps of a method" {
            let steps = Descent.ofRisk risk
            let mutable current = theta
            let mutable optimizer = Optimizer.newtonCg NewtonCgOptions.Default

            for _ in 1..10 do
                let step = steps.Step(optimizer, current, Batch(inputs, labels))
                current <- step.Theta
                optimizer <- step.Optimizer

            Expect.isTrue "it learns" (Risk.value risk current < 0.7 * Risk.value risk theta)
        }

        test "divergences of flows with a sketch that is kept" {
            let field (weights: Tensor) (point: Tensor) =
                Tensor.tanh (Tensor.matmul (Tensor.reshape [ 8; 8 ] weights) point)

            let points = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 16; 8 ]
            let mutable weights = 0.3 * Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 64 ]
            let mutable sketch = FieldSketch.find 4 (Key.OfSeed 6L) (field weights) points

            for i in 1..30 do
                let key = (Key.OfSeed 7L).FoldIn(uint32 i)
                // The sketch is held fixed in the loss, and found anew in every tenth step.
                sketch <- FieldSketch.refresh 10 4 key (field weights) points sketch

                let loss weights =
                    FieldSketch.fdivergenceAtPoints sketch 1 key (field weights) points |> snd |> Tensor.mean

                weights <- weights - 0.1 * grad loss weights

            let withErrors =
                Divergence.sketchedAtPoints (StoppingRule.matvecs 20) (Key.OfSeed 8L) sketch (field weights) points

            Expect.isTrue
                "the divergence falls"
                ((Tensor.mean (snd (FieldSketch.fdivergenceAtPoints sketch 8 (Key.OfSeed 9L) (field weights) points)))
                    .ToScalar()
                    <
                    0.0)

            Expect.equal "a divergence for each point" 16 withErrors.Length
        }
    ]
