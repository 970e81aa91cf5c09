namespace Curvature.Tests.Unit.Devices

open System
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

/// Everything runs where θ is: on a device that refuses the memory of all others, with the bits of the first device.
[<TestFixture>]
type SecondDeviceTests() =

    static let key seed = Key.OfSeed(int64 seed)
    static let normal seed shape = Tensor.normal (key seed) DType.Float64 shape
    static let floats (x: float) = [ x ]
    static let ofTensor (t: Tensor) = List.ofArray (t.ToArray())
    static let ofEstimate (e: Estimate<float>) = [ e.Value; e.StandardError ]
    static let ofVector (e: Estimate<Tensor>) = ofTensor e.Value @ ofTensor e.StandardError

    static let labels = Tensor.ofIndices [ 12 ] (Array.init 12 (fun row -> row % 3))
    static let inputs = normal 1 [ 12; 4 ]
    static let mlp = Network.mlp Layer.tanh [ 4; 5; 3 ]
    static let images = normal 2 [ 6; 8; 8; 3 ]

    static let convolutional =
        Network.sequential
            [
                ImageLayer.conv2d 3 4 (3, 3) (Sliding.Default.WithPadding 1)
                Normalization.batch 4
                Layer.relu
                ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
                Normalization.group 2 4
                ImageLayer.averagePool2d (2, 2) Sliding.Default
                ImageLayer.globalAveragePool
                Layer.dense 4 3
            ]

    static let gpt = Transformer.gpt 7 6 1 2 8
    static let words = Tensor.ofIndices [ 2; 6 ] (Array.init 12 (fun i -> i * 5 % 7))

    static let start (on: Tensor -> Tensor) network = Network.initialize (key 3) DType.Float64 network |> on

    static let crossEntropy (on: Tensor -> Tensor) network inputs theta =
        Network.forward network theta (on inputs) |> Loss.softmaxCrossEntropy Reduction.Mean (on labels)

    static let lossOf on theta = crossEntropy on mlp inputs theta
    static let theta on = start on mlp
    static let hessian on = Hessian.at (lossOf on) (theta on)
    static let model (on: Tensor -> Tensor) theta = Network.forward mlp theta (on inputs)
    static let criterion (on: Tensor -> Tensor) outputs = Loss.softmaxCrossEntropy Reduction.Mean (on labels) outputs

    static let direction (on: Tensor -> Tensor) (a: LinearOperator) = on (normal 4 [ a.Columns ])

    static let product on (a: LinearOperator) =
        ofTensor (a.Apply(direction on a)) @ ofTensor (a.QuadraticForm(direction on a))

    static let positive (on: Tensor -> Tensor) =
        on (normal 5 [ 9; 9 ]) |> LinearOperator.ofMatrix |> LinearOperator.gram |> LinearOperator.damped 1.0

    static let stop = StoppingRule.matvecs 24
    static let batches = Batches.split 5 inputs labels

    static let risk = mlp |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) batches

    static let derivatives: (string * ((Tensor -> Tensor) -> float list)) list =
        [
            "oneHot", (fun on -> ofTensor (Tensor.oneHot DType.Float32 3 (on labels)))
            "ranges and selections",
            fun on ->
                let x = on (normal 6 [ 4; 5 ])

                [
                    Tensor.max x
                    Tensor.logSoftmax x
                    Tensor.relu x
                    Tensor.norm x
                    Tensor.cumulativeSum 1 x
                    Tensor.take 1 (on (Tensor.ofIndices [ 2 ] [| 4; 0 |])) x
                    Tensor.pad 0 1 2 x
                    Tensor.linspace 0.0 1.0 4 |> on
                    x ** 2.5
                    Tensor.mean x
                    Tensor.convert DType.Float32 x
                ]
                |> List.collect ofTensor
            "losses",
            fun on ->
                let outputs = on (normal 7 [ 12; 3 ])
                let targets = on (Tensor.sigmoid (normal 8 [ 12; 3 ]))

                [
                    Loss.softmaxCrossEntropy Reduction.Mean (on labels) outputs
                    Loss.softmaxCrossEntropy Reduction.Sum targets outputs
                    Loss.meanSquaredError Reduction.Mean targets outputs
                    Loss.binaryCrossEntropy Reduction.Sum targets outputs
                    Loss.binaryCrossEntropy
                        Reduction.Mean
                        (on (Tensor.ofIndices [ 3 ] [| 0; 1; 1 |]))
                        (on (normal 9 [ 3 ]))
                ]
                |> List.collect ofTensor
                |> List.append [ Loss.accuracy (on labels) outputs ]
            "derivatives",
            fun on ->
                let f x = Tensor.sum (Tensor.tanh x * x ** 3.0)
                let field x = Tensor.tanh x * Tensor.sum x
                let x, v = on (normal 10 [ 5 ]), on (normal 11 [ 5 ])
                let point = on (normal 12 [ 3 ])

                [
                    grad f x
                    hessianv f x v
                    quadraticForm f x v
                    Curvature.FSharp.Differentiation.hessian f x
                    jacobian field x
                    jacobianTv field x v
                    laplacian f x
                    divergence field x
                    curl field point
                    fst (curldivergence field point)
                    vmap (grad f) (on (normal 13 [ 4; 5 ]))
                    Compile.func (fun x -> hessianv f x v) x
                    (snd (linearize field x)).Transpose().Batch(2).Apply(on (normal 14 [ 2; 5 ]))
                ]
                |> List.collect ofTensor
            "stochastic derivatives",
            fun on ->
                let f x = Tensor.sum (Tensor.tanh x * x ** 3.0)
                let field x = Tensor.tanh x
                let x = on (normal 15 [ 5 ])

                [
                    Stochastic.laplacian 3 (key 1) f x
                    Stochastic.hessianDiagonal 3 (key 2) f x
                    Stochastic.divergence 3 (key 3) field x
                    snd (Stochastic.fdivergenceAtPoints 2 (key 4) field (on (normal 16 [ 3; 5 ])))
                ]
                |> List.collect ofTensor
        ]

    static let networks: (string * ((Tensor -> Tensor) -> float list)) list =
        [
            "a convolutional network",
            fun on ->
                let loss network theta =
                    Network.forward network theta (on images)
                    |> Loss.softmaxCrossEntropy Reduction.Mean (on (Tensor.slice 0 0 6 labels))

                let theta = start on convolutional
                let training = grad (loss (Network.forTraining convolutional)) theta
                let measured = Network.measureStatistics theta [ images ] convolutional
                ofTensor training @ product on (Hessian.at (loss measured) theta)
            "a ResNet",
            fun on ->
                let network = ResNet.cifar 8 3

                let loss theta =
                    Network.forward network theta (on (Tensor.permute [ 0; 3; 1; 2 ] images))
                    |> Loss.softmaxCrossEntropy Reduction.Mean (on (Tensor.slice 0 0 6 labels))

                ofTensor (grad loss (start on network))
            "a transformer",
            fun on ->
                let loss theta =
                    Network.forward gpt theta (on words) |> Loss.softmaxCrossEntropy Reduction.Mean (on words)

                product on (Hessian.at loss (start on gpt))
            "parameters and files",
            fun on ->
                let theta = start on convolutional
                let saved = Network.save theta convolutional
                let loaded, network = Network.load DType.Float64 saved convolutional
                ofTensor loaded @ ofTensor (Network.forward network (on loaded) (on images))
            "training, with data on the host",
            fun on ->
                [ Optimizer.adam 0.01; Optimizer.momentum 0.1 0.9 ]
                |> List.collect (fun optimizer ->
                    let options = TrainingOptions.Default.WithEpochs(2).WithOptimizer optimizer
                    let shuffled = risk |> Risk.withPasses (Batches.shuffledEachPass 5 (key 5) inputs labels)
                    let result = Training.minimize options shuffled (theta on)
                    ofTensor result.Theta)
            "training, with data on the device",
            fun on ->
                let options = TrainingOptions.Default.WithEpochs 2
                let shuffled = risk |> Risk.withPasses (Batches.shuffledEachPass 5 (key 5) (on inputs) (on labels))
                ofTensor (Training.minimize options shuffled (theta on)).Theta
            "batches and scaling",
            fun on ->
                let parts = BatchOptions.Default.WithSize(5).WithShuffling(key 6)
                let batches = Batches.ofTensors parts (on inputs) (on labels)

                [ for batch in batches -> batch.Inputs ]
                @ [
                    Scaling.standardize (on inputs)
                    Scaling.channels [ 0.5; 0.1; 0.2 ] [ 1.0; 2.0; 3.0 ] (on (normal 2 [ 2; 3; 4; 4 ]))
                ]
                |> List.collect ofTensor
        ]

    static let operators: (string * ((Tensor -> Tensor) -> float list)) list =
        let losses targets outputs =
            vmap (fun pair -> Tensor.sum pair) (Tensor.square (outputs - Tensor.oneHot DType.Float64 3 targets))

        let perBatch inputs theta = Network.forward mlp theta inputs

        [
            "Hessian",
            (fun on ->
                product on (hessian on) @ ofTensor (Hessian.evaluate (Risk.ofFunction (lossOf on)) (theta on)).Gradient)
            "Gauss–Newton", (fun on -> product on (GaussNewton.at (model on) (criterion on) (theta on)))
            "Fisher", (fun on -> product on (Fisher.exact Likelihood.categorical (model on) (theta on)))
            for likelihood in [ Likelihood.categorical; Likelihood.bernoulli; Likelihood.gaussian 2.0 ] do
                $"Monte Carlo Fisher, {likelihood}",
                (fun on -> product on (Fisher.monteCarlo likelihood 2 (key 7) (model on) (theta on)))
            "empirical Fisher", (fun on -> product on (Fisher.empirical (losses (on labels)) (model on) (theta on)))
            "Jacobian",
            fun on ->
                let a = Jacobian.at (model on >> Tensor.flatten) (theta on)
                ofTensor (a.Apply(direction on a)) @ ofTensor (a.Transposed.Apply(direction on a.Transposed))
            "finite differences",
            fun on ->
                ofTensor ((FiniteDifference.hessian (lossOf on) (theta on)).Apply(on (normal 4 [ mlp.ParameterCount ])))
            "over batches, with data on the host",
            fun on ->
                let theta = theta on

                [
                    Hessian.ofRisk risk theta
                    GaussNewton.ofRisk
                        (Risk.ofModel Reduction.Sum perBatch (Loss.softmaxCrossEntropy Reduction.Sum) batches)
                        theta
                    Fisher.ofRisk (FisherKind.exact Likelihood.categorical) risk theta
                    Fisher.ofRisk (FisherKind.monteCarlo Likelihood.categorical 2 (key 8)) risk theta
                    Fisher.ofRisk (FisherKind.empirical losses) risk theta
                ]
                |> List.collect (product on)
            "algebra of operators",
            fun on ->
                let a, d = positive on, on (Tensor.exp (normal 17 [ 9 ]))

                let u = on (normal 18 [ 9; 2 ])

                let parts =
                    [
                        LinearOperator.ofDiagonal d
                        LinearOperator.lowRankPlusDiagonal d u (on (tensor [ 1.0; -2.0 ]))
                        LinearOperator.blockDiagonal
                            [ LinearOperator.block 0 4 a; LinearOperator.ofDiagonal (Tensor.slice 0 0 5 d) ]
                        LinearOperator.symmetricPart (LinearOperator.ofMatrix (on (normal 19 [ 9; 9 ])))
                        LinearOperator.ofDelegate DType.Float64 9 9 (Array.map (fun x -> 2.0 * x))
                        LinearOperator.ofFunction DType.Float64 9 9 (fun v -> v * 3.0)
                    ]

                (a + 2.0 * a - (a * a)) :: parts
                |> List.collect (fun b ->
                    let b = LinearOperator.onDevice d.Device b
                    ofTensor (LinearOperator.dense b) @ product on b)
            "solvers",
            fun on ->
                let a, b = positive on, on (normal 20 [ 2; 9 ])

                let preconditioned = ConjugateGradients.preconditioned (on (Tensor.ones DType.Float64 [ 9 ] * 2.0))

                [
                    (ConjugateGradients.solve SolverOptions.Default a b).Value
                    (Solver.solve SolverOptions.Default preconditioned a b).Value
                    (Solver.inverse SolverOptions.Default ConjugateGradients.solver a).Apply b
                    (Neumann.solve (SolverOptions.Default.WithMaxIterations 4000) 0.01 a b).Value
                ]
                |> List.collect ofTensor
            "diagnosis",
            fun on ->
                let diagnosis =
                    Diagnose.againstRisk DiagnoseOptions.Default (Risk.ofFunction (lossOf on)) (theta on) (hessian on)

                [ for check in diagnosis.Checks -> float (int check.Outcome) ]
        ]

    static let estimators: (string * ((Tensor -> Tensor) -> float list)) list =
        let run (measurement: Measurement<'T>) probe on =
            Hutchinson.estimate probe measurement stop (key 21) (positive on)

        let traceOf probe on = ofEstimate (run Measurement.trace probe on)
        let blocks = [ ParameterBlock("first", 0, 4); ParameterBlock("rest", 4, 5) ]
        let ofBlocks (traces: BlockTrace[]) = traces |> List.ofArray |> List.collect (fun t -> ofEstimate t.Trace)

        [
            for probe in
                [
                    Probe.rademacher
                    Probe.gaussian
                    Probe.sphere
                    Probe.sparse 0.5
                    Probe.fixedSparse 2
                    Probe.basis
                ] do
                $"trace with {probe}", traceOf probe
            "diagonal", (run Measurement.diagonal Probe.rademacher >> ofVector)
            "ratio", (run Measurement.diagonalRatio Probe.gaussian >> ofVector)
            "row norms", (run Measurement.rowNorms Probe.rademacher >> ofVector)
            "Frobenius norm", (run Measurement.frobenius Probe.rademacher >> ofEstimate)
            "block traces", (run (Measurement.blockTraces blocks) Probe.rademacher >> ofBlocks)
            "exact values",
            fun on ->
                let a = positive on

                ofVector (Exact.diagonal a)
                @ ofEstimate (Exact.trace a)
                @ ofVector (Exact.rowNorms a)
                @ ofEstimate (Exact.frobenius a)
            "Hutch++", (fun on -> ofEstimate (HutchPlusPlus.estimate (StoppingRule.matvecs 9) (key 22) (positive on)))
            "adaptive Hutch++", (fun on -> ofEstimate (AdaptiveHutchPlusPlus.estimate 5.0 0.1 (key 22) (positive on)))
            "nonadaptive Hutch++",
            (fun on -> ofEstimate (NonadaptiveHutchPlusPlus.estimate (StoppingRule.matvecs 18) (key 22) (positive on)))
            "XTrace", (fun on -> ofEstimate (XTrace.estimate (StoppingRule.matvecs 12) (key 23) (positive on)))
            "XNysTrace", (fun on -> ofEstimate (XNysTrace.estimate (StoppingRule.matvecs 6) (key 24) (positive on)))
            "XDiag", (fun on -> ofVector (XDiag.estimate (StoppingRule.matvecs 12) (key 25) (positive on)))
            "XDiag of blocks",
            (fun on -> ofBlocks (XDiag.blockTraces (StoppingRule.matvecs 12) (key 25) blocks (positive on)))
            "XNysDiag", (fun on -> ofVector (XNysDiag.estimate (StoppingRule.matvecs 6) (key 26) (positive on)))
            "UDiag++", (fun on -> ofVector (UDiagPlusPlus.estimate (StoppingRule.matvecs 12) (key 27) (positive on)))
            "automatic",
            fun on ->
                let trace = Automatic.trace stop (key 28) (positive on)
                let diagonal = Automatic.diagonal stop (key 29) (positive on)
                ofEstimate trace.Estimate @ ofVector diagonal.Estimate
            "norms", (fun on -> floats (Norm.spectral 0.1 (key 30) (positive on)).Value)
        ]

    static let spectra: (string * ((Tensor -> Tensor) -> float list)) list =
        let ofPairs (pairs: EigenPairs) = List.ofArray pairs.Values @ ofTensor pairs.Vectors

        [
            "Lanczos", (fun on -> List.ofArray (Lanczos.run 6 (key 31) (positive on)).RitzValues)
            "Lanczos quadrature",
            fun on ->
                let sample = StochasticLanczos.sample 3 6 (key 32) (positive on)

                ofEstimate (StochasticLanczos.logDeterminant sample)
                @ List.ofArray (SpectralDensity.ofSample Smoothing.papyan sample).Values
            "Chebyshev moments",
            fun on ->
                let density = ChebyshevMoments.sample 3 10 (key 33) (positive on) |> ChebyshevMoments.density 16
                List.ofArray density.Values
            "thick restart", (fun on -> ofPairs (ThickRestartLanczos.find SpectrumEnd.BothEnds 4 (positive on)))
            "LOBPCG", (fun on -> ofPairs (Lobpcg.find SpectrumEnd.Smallest 2 (positive on)))
            "power iteration",
            (fun on -> ofPairs (PowerIteration.find (PowerStop.residual 1e-6) 500 2 (key 34) (positive on)))
        ]

    static let studies: (string * ((Tensor -> Tensor) -> float list)) list =
        let table on = CurvatureByTensor.estimate mlp.Layout stop (key 35) (hessian on)
        let ofGrid (values: float[,]) = List.ofSeq (Seq.cast<float> values)

        [
            "curvature by tensor",
            fun on ->
                [
                    for row in (table on).Tensors do
                        yield! ofEstimate row.Trace
                        yield! ofVector row.Diagonal
                ]
            "activations",
            fun on ->
                let sum = Loss.softmaxCrossEntropy Reduction.Sum
                let risk = mlp |> Network.risk Reduction.Sum sum [ Batch(on inputs, on labels) ]

                let taps =
                    [ for tap in ActivationHessian.taps mlp (theta on) (on inputs) -> tap.Name ] |> List.truncate 1

                let whole = ActivationHessian.at mlp (sum (on labels)) taps.Head (theta on) (on inputs)

                product on whole
                @ [
                    for found in ActivationHessian.traces mlp risk taps stop (key 36) (theta on) do
                        yield! ofEstimate found.Trace
                ]
            "activations over batches",
            fun on ->
                let taps =
                    [ for tap in ActivationHessian.taps mlp (theta on) (on inputs) -> tap.Name ] |> List.truncate 1

                let found = ActivationHessian.traces mlp risk taps stop (key 37) (theta on)

                [
                    for each in found do
                        yield! ofEstimate each.Trace
                ]
            "landscapes",
            fun on ->
                let theta = theta on
                let random seed = Direction.random (key seed) theta |> Direction.filterNormalized mlp.Layout theta
                let gradient = Direction.gradient (grad (lossOf on) theta)
                let host = Direction.ofVector "host" (normal 38 [ mlp.ParameterCount ])
                let grid = Landscape.grid 1.0 3

                let line direction =
                    List.ofArray (Landscape.line (Risk.ofFunction (lossOf on)) theta direction grid).Losses

                let overBatches = Landscape.lineWith LandscapeOptions.Default risk theta gradient grid

                let plane =
                    Landscape.plane
                        (Risk.ofFunction (lossOf on))
                        theta
                        (Landscape.axis grid (random 39))
                        (random 40 |> Direction.orthogonalTo (random 39) |> Landscape.axis grid)

                line gradient @ line host @ line (random 41) @ List.ofArray overBatches.Losses @ ofGrid plane.Losses
            "quantisation",
            fun on ->
                let scores = QuantizationSensitivity.scores [ 2; 4 ] (theta on) (table on)

                [
                    for row in scores.Tensors do
                        yield! ofEstimate (row.Score 4)
                ]
                @ [ (QuantizationSensitivity.stability (key 42) 20 4 scores).MeanTau ]
                @ ofTensor (Quantization.perTensor 2 (theta on))
            "pruning",
            fun on ->
                let saliencies = Pruning.saliencies (theta on) (table on)

                [
                    for point in Pruning.curve (Risk.ofFunction (lossOf on)) [ 0.1; 0.5 ] saliencies do
                        yield! ofEstimate point.Predicted
                ]
                @ [ (Pruning.stability (key 43) 20 [ 0.3 ] saliencies).MeanTau ]
        ]

    static let cases = derivatives @ networks @ operators @ estimators @ spectra @ studies

    static member Names: obj seq = cases |> Seq.map (fst >> box)

    [<TestCaseSource(nameof SecondDeviceTests.Names)>]
    member _.``everything runs on a second device, with the bits of the first``(name: string) =
        let run = cases |> List.find (fst >> (=) name) |> snd
        let second = GuardedDevice "second"
        let on = Tensor.toDevice second
        let expected = run id
        let actual = run on
        Expect.equal expected.Length actual.Length
        Assert.That(expected.IsEmpty, Is.False)

        List.iter2
            (fun (e: float) (a: float) ->
                if not (e.Equals a) then
                    Expect.fail $"{name}: {a:R} on the second device, {e:R} on the first")
            expected
            actual

    [<Test>]
    member _.``a second device refuses the memory of the first``() =
        let second = GuardedDevice "second"
        let memory = CpuDevice.Shared.Allocate 64L

        let copy =
            CopyDescription(DType.Float64, DType.Float64, [| 4 |], Operand(0, 0L, [| 1 |]), Operand(1, 0L, [| 1 |]))

        let own = second.Allocate 64L
        second.Copy(copy).Run([| own.Address; own.Address + 32n |], 1)

        Expect.error<ForeignMemoryException> [ "second" ] (fun () ->
            second.Copy(copy).Run([| memory.Address; own.Address |], 1))

    [<Test>]
    member _.``tensors on two devices are refused, and the message names both``() =
        let second = GuardedDevice "the second device"
        let x = normal 50 [ 4 ]
        let far = Tensor.toDevice second x
        let names = [ CpuDevice.Shared.Name; "the second device" ]
        let refused f = Expect.raises<DeviceException> names f
        refused (fun () -> x + far)
        refused (fun () -> Tensor.matmul (Tensor.ones DType.Float64 [ 2; 4 ]) far)
        refused (fun () -> grad (fun t -> Tensor.dot t x) far)
        refused (fun () -> hessianv (fun t -> Tensor.sum (t * t * t)) far x)
        refused (fun () -> Loss.meanSquaredError Reduction.Mean x far)
        refused (fun () -> Tensor.where x far far)
        refused (fun () -> (LinearOperator.ofDiagonal far).Apply x)
        refused (fun () -> (Hessian.at (fun t -> Tensor.sum (t * t * t)) far).Apply x)
        refused (fun () -> Network.forward mlp (theta (Tensor.toDevice second)) inputs)
        refused (fun () -> Compile.func (fun t -> t * x) far)
        refused (fun () -> vmap (fun t -> t * x) (Tensor.unsqueeze 0 far))

        refused (fun () ->
            (ConjugateGradients.solve SolverOptions.Default (LinearOperator.ofDiagonal (Tensor.exp far)) x).Value)
