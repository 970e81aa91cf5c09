namespace Curvature.Tests.Unit.Devices

open Curvature
open Curvature.FSharp
open Curvature.Tests.Unit.Devices.SecondDeviceInputs

/// Derivatives, networks, and the operators that follow from them.
[<RequireQualifiedAccess>]
module SecondDeviceDerivativeCases =

    let private derivatives: DeviceCase list =
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
                    Tensor.linspace DType.Float64 0.0 1.0 4 |> on
                    x ** 2.5
                    Tensor.mean x
                    Tensor.convert DType.Float32 x
                ]
                |> List.collect ofTensor
            "pools, resized and padded images",
            fun on ->
                let x = on (normal 17 [ 1; 2; 5; 4 ])
                let index = on (Tensor.ofIndices [ 1; 1; 2; 3 ] [| 4; 0; 1; 1; 4; 2 |])
                let ceil = Sliding.Default.WithStride(2).WithPadding(1).WithCeilMode true

                [
                    Nchw.averagePool2dWithoutPadding (3, 2) ceil x
                    Nchw.maxPool2d (3, 2) ceil x
                    Nchw.convTranspose2d (ceil.WithCeilMode false) (on (normal 18 [ 2; 3; 2; 2 ])) x
                    Nchw.resizeLinear ResizeOptions.Default (7, 3) x
                    Nchw.resizeNearest ResizeOptions.Default (3, 9) x
                    Tensor.padReflect 2 1 2 x
                    Tensor.padEdge 3 1 2 x
                    Tensor.gatherElements 2 index x
                    Tensor.scatterAddElements 2 index (on (normal 19 [ 1; 1; 2; 3 ])) x
                    Normalization.overGroups 1e-5 2 1 x
                    Attention.rotaryFrom 3 10.0 1 x[0]
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
            "decompositions",
            fun on ->
                let a = on (normal 16 [ 4; 4 ])
                let positive x = Tensor.matmul x (Tensor.transpose x)
                let singularValues x = let _, s, _ = Tensor.svd x in s

                [
                    for f in
                        [
                            (fun x -> Tensor.solve x x[0])
                            Tensor.inverse
                            positive >> Tensor.cholesky
                            Tensor.eigh >> fst
                            Tensor.eigh >> snd
                            singularValues
                            Tensor.qr >> fst
                            Tensor.det
                            Tensor.logdet
                            Tensor.slogdet >> snd
                        ] do
                        f a
                        grad (f >> Tensor.sum) a
                        Compile.func f a
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

    let private networks: DeviceCase list =
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

    let private operators: DeviceCase list =
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
                        LinearOperator.blockDiagonal [
                            LinearOperator.block 0 4 a
                            LinearOperator.ofDiagonal (Tensor.slice 0 0 5 d)
                        ]
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

    let all = derivatives @ networks @ operators
