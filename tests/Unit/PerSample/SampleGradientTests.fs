module Curvature.Tests.Unit.SampleGradientTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private options = SampleOptions.Default

/// A small network with two outputs, and data for it.
let private network = Network.mlp Layer.tanh [ 3; 4; 2 ]

let private inputs dtype count = Tensor.normal (Key.OfSeed 11L) dtype [ count; 3 ]
let private labels count = Tensor.ofIndices [ count ] (Array.init count (fun row -> row % 2))
let private theta dtype = Network.initialize (Key.OfSeed 12L) dtype network
let private model inputs theta = Network.forward network theta inputs

/// Cross-entropy over batches of a size.
let private risk dtype reduction count size =
    Batches.split size (inputs dtype count) (labels count)
    |> Risk.ofModel reduction model (Loss.softmaxCrossEntropy reduction)

/// The gradients of the samples one by one.
let private loop dtype count =
    List.init count (fun row ->
        let one (t: Tensor) = Tensor.slice 0 row 1 t

        grad
            (fun theta ->
                model (one (inputs dtype count)) theta |> Loss.softmaxCrossEntropy Reduction.Sum (one (labels count)))
            (theta dtype))
    |> Tensor.stack 0

let private within (dtype: DType) = if dtype = DType.Float64 then 1e-12 else 1e-5

/// Normal gradients: the loss of a sample x is −xᵀθ.
let private linearRisk (samples: Tensor) =
    Batches.split 64 samples samples
    |> Risk.ofBatches Reduction.Mean (fun batch theta -> -(Tensor.mean (Tensor.matmul batch.Inputs theta)))

[<Tests>]
let tests =
    testList "Unit.SampleGradientTests" [
        for dtype in [ DType.Float64; DType.Float32 ] do
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                for count, size in [ 7, 3; 7, 7; 5, 1; 1, 4 ] do
                    test $"gradients of samples are those of a loop ({dtype}, {reduction}, {count} in {size}s)" {
                        let found = SampleGradients.matrix options (risk dtype reduction count size) (theta dtype)
                        Expect.tensorsClose (within dtype) (loop dtype count) found
                    }

        test "a limit of one byte takes one sample at a time, with the same gradients" {
            let small = options.WithMemoryLimit 1L
            let risk, theta = risk DType.Float64 Reduction.Mean 7 4, theta DType.Float64
            Expect.tensorsClose 1e-13 (loop DType.Float64 7) (SampleGradients.matrix small risk theta)
        }

        test "moments are those of the matrix" {
            let g = loop DType.Float64 7
            let found = SampleGradients.moments options (risk DType.Float64 Reduction.Sum 7 3) (theta DType.Float64)
            Expect.equal "samples" 7 found.Samples
            Expect.tensorsClose 1e-13 (Tensor.meanAxes [ 0 ] g) found.Mean
            Expect.tensorsClose 1e-13 (Tensor.varAxes [ 0 ] 1 g) found.Variance
            Expect.tensorsClose 1e-13 (Tensor.meanAxes [ 0 ] (Tensor.square g)) found.SecondMoment
            let norms = (Tensor.sqrt (Tensor.sumAxes [ 1 ] (Tensor.square g))).ToArray()
            Expect.close 1e-13 norms found.Norms
            let whole = Risk.value (risk DType.Float64 Reduction.Sum 7 3) (theta DType.Float64)
            Expect.within "the losses" 1e-12 whole (Array.sum found.Losses)
        }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"the covariance is that of the matrix, and makes up the empirical Fisher matrix ({dtype})" {
                let g = loop dtype 7 |> Tensor.convert DType.Float64
                let mean = Tensor.meanAxes [ 0 ] g
                let centered = g - mean
                let found = SampleGradients.covariance options (risk dtype Reduction.Mean 7 3) (theta dtype)
                let dense = LinearOperator.dense found |> Tensor.convert DType.Float64
                Expect.tensorsClose (within dtype) (Tensor.matmul (Tensor.transpose centered) centered / 6.0) dense
                let fisher = Tensor.matmul (Tensor.transpose g) g / 7.0
                let outer = Tensor.unsqueeze 1 mean * mean
                Expect.tensorsClose (within dtype) fisher (6.0 / 7.0 * dense + outer)
                Expect.isTrue "it claims what it is" found.IsPositiveSemidefinite

                Expect.error<DataException> [ "two samples" ] (fun () ->
                    SampleGradients.covariance options (risk dtype Reduction.Mean 1 1) (theta dtype) |> ignore)
            }

        test "the mean of the gradients is the gradient of the mean" {
            let risk, theta = risk DType.Float64 Reduction.Mean 7 3, theta DType.Float64
            let found = SampleGradients.moments options risk theta
            Expect.tensorsClose 1e-13 (Gradient.ofRisk risk theta).Gradient found.Mean
        }

        test "a single sample has no variance and no noise scale" {
            let risk, theta = risk DType.Float64 Reduction.Mean 1 1, theta DType.Float64
            let found = SampleGradients.moments options risk theta
            Expect.isTrue "the variance is not a number" (found.Variance.ToArray() |> Array.forall Double.IsNaN)
            Expect.tensorsClose 1e-13 (Tensor.square found.Mean) found.SecondMoment

            Expect.error<DataException> [ "two samples" ] (fun () ->
                SampleGradients.noiseScale options risk theta |> ignore)
        }

        test "the noise scale is that of the covariance, and its error that of leaving samples out" {
            let mean = tensor [ 2.0; 0.0; 1.0 ]
            let samples = mean + Tensor.normal (Key.OfSeed 22L) DType.Float64 [ 9; 3 ]

            let scaleOf (rows: int list) =
                let index = Tensor.ofIndices [ rows.Length ] (List.toArray rows)
                let g, n = Tensor.take 0 index samples, float rows.Length
                let trace = (Tensor.sum (Tensor.varAxes [ 0 ] 1 g)).ToScalar()
                let mean = Tensor.meanAxes [ 0 ] g
                let square = (Tensor.dot mean mean).ToScalar() - trace / n
                trace, square, trace / square

            let trace, square, scale = scaleOf [ 0..8 ]
            let found = SampleGradients.noiseScale options (linearRisk samples) (Tensor.zeros DType.Float64 [ 3 ])
            Expect.within "the trace" 1e-12 trace found.CovarianceTrace
            Expect.within "the square" 1e-12 square found.SquaredGradient
            Expect.within "the scale" (1e-12 * scale) scale found.Value

            let others =
                [|
                    for left in 0..8 do
                        let _, _, other = scaleOf (List.filter ((<>) left) [ 0..8 ])
                        other
                |]

            let middle = Array.average others
            let spread = others |> Array.sumBy (fun s -> (s - middle) ** 2.0)
            let error = sqrt (8.0 / 9.0 * spread)
            Expect.isTrue "the error is known" found.IsErrorKnown
            Expect.within "the error" (1e-10 * error) error found.StandardError
        }

        test "the error of the noise scale covers" {
            // Samples with the mean (1, 0, …, 0) and the variance 0.5 in each of 8 directions: a scale of 4.
            let key = Key.OfSeed 21L
            let theta = Tensor.zeros DType.Float64 [ 8 ]
            let mean = Tensor.ofArray [ 8 ] [| 1.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0 |]

            let covered =
                [
                    for run in 0u .. 399u do
                        let noise = Tensor.normal (key.FoldIn run) DType.Float64 [ 200; 8 ]
                        let found = SampleGradients.noiseScale options (linearRisk (mean + sqrt 0.5 * noise)) theta
                        abs (found.Value - 4.0) <= 1.96 * found.StandardError
                ]
                |> List.filter id
                |> List.length

            // Of 400 at 95 %, 380 ± 4.4 are expected: five deviations are allowed, and 2 % for a law that is skewed.
            Expect.inRange $"covered, {key}" 350 400 covered
        }

        for samples, strength in [ 4, 1.0; 8, 1.0; 8, 0.2; 50, 1.0; 200, 0.3 ] do
            test $"the interval of the noise scale holds it, {samples} samples of a mean of {strength}" {
                let key = Key.OfSeed 23L
                let mean = strength * Tensor.ofArray [ 8 ] [| 1.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0; 0.0 |]
                let truth = 4.0 / (strength * strength)

                let intervals =
                    [
                        for run in 0u .. 399u ->
                            let noise = Tensor.normal (key.FoldIn run) DType.Float64 [ samples; 8 ]
                            let risk = linearRisk (mean + sqrt 0.5 * noise)
                            (SampleGradients.noiseScale options risk (Tensor.zeros DType.Float64 [ 8 ])).Interval 0.95
                    ]

                let covered = intervals |> List.filter (fun i -> i.Low <= truth && truth <= i.High) |> List.length
                // Of 400 at 95 %, 380 ± 4.4: five deviations and 2 % for skewed laws.
                Expect.inRange $"covered, {key}" 350 400 covered
                // A mean that is lost in the noise is known to be: the interval has no end.
                if samples = 8 && strength < 1.0 then
                    Expect.isGreaterThan
                        "without an end"
                        (List.length (List.filter (fun (i: Interval<float>) -> i.High = infinity) intervals), 300)

                if samples = 50 then
                    Expect.isLessThan
                        "with an end"
                        (List.length (List.filter (fun (i: Interval<float>) -> i.High = infinity) intervals), 100)
            }

        test "gradients that vanish on average have no scale" {
            let samples = tensor [ [ 1.0; 0.0 ]; [ -1.0; 0.0 ]; [ 0.0; 1.0 ]; [ 0.0; -1.0 ] ]
            let found = SampleGradients.noiseScale options (linearRisk samples) (Tensor.zeros DType.Float64 [ 2 ])
            Expect.equal "the scale" infinity found.Value
            Expect.isFalse "the error is not known" found.IsErrorKnown
        }

        test "samples that batch normalisation couples are refused" {
            let coupled =
                Network.sequential [ Layer.dense 3 4; Normalization.batch 4; Layer.dense 4 2 ] |> Network.forTraining

            let theta = Network.initialize (Key.OfSeed 5L) DType.Float64 coupled

            let risk =
                Batches.split 4 (inputs DType.Float64 8) (labels 8)
                |> Risk.ofModel
                    Reduction.Mean
                    (fun inputs theta -> Network.forward coupled theta inputs)
                    (Loss.softmaxCrossEntropy Reduction.Mean)

            for action in
                [
                    fun () -> SampleGradients.matrix options risk theta |> ignore
                    fun () -> CurvatureDiagonal.gaussNewton options risk theta |> ignore
                    fun () -> GramMatrix.tangentKernel options risk theta |> ignore
                ] do
                Expect.error<DifferentiationException> [ "coupled" ] action
        }

        test "a model that asks for values runs on one sample after the other" {
            let asking (inputs: Tensor) theta =
                let shift = if (Tensor.sum inputs).ToScalar() > 1e9 then 1.0 else 0.0
                model inputs theta + shift

            let risk =
                Batches.split 4 (inputs DType.Float64 7) (labels 7)
                |> Risk.ofModel Reduction.Mean asking (Loss.softmaxCrossEntropy Reduction.Mean)

            let found = SampleGradients.matrix options risk (theta DType.Float64)
            Expect.tensorsClose 1e-12 (loop DType.Float64 7) found
        }

        test "what has no samples, labels out of range, NaN and cancelling are errors" {
            let theta = theta DType.Float64
            let alone = Risk.ofFunction (fun theta -> Tensor.dot theta theta)
            let matrix risk () = SampleGradients.matrix options risk theta |> ignore
            Expect.error<DataException> [ "SampleGradients"; "no samples" ] (matrix alone)

            let risk labels =
                Batches.split 2 (inputs DType.Float64 2) (Tensor.ofIndices [ 2 ] labels)
                |> Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean)

            Expect.error<DataException> [ "label" ] (matrix (risk [| 0; 7 |]))
            let nothing = Risk.ofModel Reduction.Mean model (Loss.softmaxCrossEntropy Reduction.Mean) []
            Expect.error<DataException> [ "no batches" ] (matrix nothing)
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> options.WithMemoryLimit 0L |> ignore)
            let cancelled = options.WithCancellation(CancellationToken true)

            Expect.caught<OperationCanceledException>(fun () ->
                SampleGradients.matrix cancelled (risk [| 0; 1 |]) theta |> ignore)
            |> ignore

            let infinite =
                Batches.split 2 (Tensor.ones DType.Float64 [ 2; 1 ]) (labels 2)
                |> Risk.ofBatches Reduction.Sum (fun batch theta -> Tensor.sum (batch.Inputs * Tensor.log theta[0]))

            Expect.error<NonFiniteException> [ "SampleGradients" ] (fun () ->
                SampleGradients.matrix options infinite (Tensor.zeros DType.Float64 [ 1 ]) |> ignore)
        }
    ]
