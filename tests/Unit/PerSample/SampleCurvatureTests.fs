/// Exact diagonals and Gram matrices against the dense matrices of operators.
module Curvature.Tests.Unit.SampleCurvatureTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private options = SampleOptions.Default
let private network = Network.mlp Layer.tanh [ 3; 5; 3 ]
let private model inputs theta = Network.forward network theta inputs
let private theta dtype = Network.initialize (Key.OfSeed 32L) dtype network

let private risk dtype reduction size =
    let inputs = Tensor.normal (Key.OfSeed 31L) dtype [ 7; 3 ]
    let labels = Tensor.ofIndices [ 7 ] [| 0; 1; 2; 0; 1; 2; 0 |]

    Batches.split size inputs labels |> Risk.ofModel reduction model (Loss.softmaxCrossEntropy reduction)

let private squares size =
    let inputs = Tensor.normal (Key.OfSeed 31L) DType.Float64 [ 7; 3 ]
    let targets = Tensor.normal (Key.OfSeed 33L) DType.Float64 [ 7; 3 ]
    Batches.split size inputs targets |> Risk.ofModel Reduction.Mean model (Loss.meanSquaredError Reduction.Mean)

let private diagonalOf operator = Tensor.diagonal (LinearOperator.dense operator)

/// The eigenvalues of a semidefinite operator from the largest on, as many as asked for.
let private largest count operator =
    (fst (Tensor.eigh (LinearOperator.dense operator))).ToArray() |> Array.rev |> Array.truncate count

[<Tests>]
let tests =
    testList "Unit.SampleCurvatureTests" [
        for dtype, tolerance in [ DType.Float64, 1e-12; DType.Float32, 1e-5 ] do
            for reduction in [ Reduction.Mean; Reduction.Sum ] do
                test $"the diagonal of the Gauss-Newton matrix is the operator's ({dtype}, {reduction})" {
                    for size in [ 1; 3; 7 ] do
                        let risk, theta = risk dtype reduction size, theta dtype
                        let found = CurvatureDiagonal.gaussNewton options risk theta
                        Expect.tensorsClose tolerance (diagonalOf (GaussNewton.ofRisk risk theta)) found
                }

        test "the diagonal of the Fisher matrix is the operator's, whatever the reduction and the memory" {
            for likelihood in [ Likelihood.categorical; Likelihood.gaussian 2.0; Likelihood.bernoulli ] do
                for reduction in [ Reduction.Mean; Reduction.Sum ] do
                    let risk, theta = risk DType.Float64 reduction 4, theta DType.Float64
                    let small = options.WithMemoryLimit 1L
                    let expected = diagonalOf (Fisher.ofRisk (FisherKind.exact likelihood) risk theta)
                    Expect.tensorsClose 1e-12 expected (CurvatureDiagonal.fisher small likelihood risk theta)
        }

        test "a criterion that is not convex has its diagonal too, and no Gram matrix" {
            let risk =
                let data = Tensor.normal (Key.OfSeed 34L) DType.Float64 [ 4; 3 ]
                let concave _ outputs = -(Tensor.sum (Tensor.square outputs))
                Batches.split 2 data data |> Risk.ofModel Reduction.Sum model concave

            let theta = theta DType.Float64
            let expected = diagonalOf (GaussNewton.ofRisk risk theta)
            Expect.tensorsClose 1e-12 expected (CurvatureDiagonal.gaussNewton options risk theta)

            Expect.error<OperatorException> [ "not convex" ] (fun () ->
                GramMatrix.gaussNewton options risk theta |> ignore)
        }

        for reduction in [ Reduction.Mean; Reduction.Sum ] do
            test $"the Gram matrix has the eigenvalues of the Gauss-Newton matrix ({reduction})" {
                let theta = theta DType.Float64

                for size, bytes in [ 7, 1L <<< 28; 3, 1L <<< 28; 3, 1L; 7, 5000L ] do
                    let risk = risk DType.Float64 reduction size
                    let gram = GramMatrix.gaussNewton (options.WithMemoryLimit bytes) risk theta
                    Expect.equal "samples" 7 gram.Samples
                    Expect.equal "outputs" 3 gram.Outputs
                    let found = GramMatrix.eigenvalues gram
                    Expect.close 1e-12 (largest 21 (GaussNewton.ofRisk risk theta)) found
                    // Each softmax has a direction without curvature.
                    Expect.isTrue "zeros" (found[14..] |> Array.forall (fun mu -> abs mu < 1e-12))
            }

        test "the Gram matrix of the Fisher matrix has its eigenvalues, and that of squares those of squares" {
            let theta = theta DType.Float64
            let risk = risk DType.Float64 Reduction.Sum 4
            let fisher = Fisher.ofRisk (FisherKind.exact Likelihood.categorical) risk theta
            let gram = GramMatrix.fisher options Likelihood.categorical risk theta
            Expect.close 1e-12 (largest 21 fisher) (GramMatrix.eigenvalues gram)
            let squares = squares 4
            let gram = GramMatrix.gaussNewton options squares theta
            Expect.close 1e-12 (largest 21 (GaussNewton.ofRisk squares theta)) (GramMatrix.eigenvalues gram)
        }

        test "the tangent kernel is the Jacobian times its transpose" {
            let theta = theta DType.Float64
            let inputs = Tensor.normal (Key.OfSeed 31L) DType.Float64 [ 7; 3 ]
            let j = jacobian (model inputs >> Tensor.flatten) theta
            let expected = Tensor.matmul j (Tensor.transpose j)

            for bytes in [ 1L <<< 28; 1L; 3000L ] do
                let found = GramMatrix.tangentKernel (options.WithMemoryLimit bytes) (squares 3) theta
                Expect.tensorsClose 1e-12 expected found.Matrix
        }

        test "a risk without a model is refused" {
            let data = Tensor.ones DType.Float64 [ 2; 1 ]
            let risk = Risk.ofBatches Reduction.Mean (fun _ theta -> Tensor.sum theta) (Batches.split 1 data data)

            Expect.error<OperatorException> [ "CurvatureDiagonal"; "Risk.ofModel" ] (fun () ->
                CurvatureDiagonal.gaussNewton options risk (Tensor.ones DType.Float64 [ 2 ]) |> ignore)
        }

        test "a loss of a likelihood is its negative logarithm with all constants" {
            let targets, outputs = tensor [ [ 1.0; 2.0 ]; [ 0.0; -1.0 ] ], tensor [ [ 0.5; 2.5 ]; [ 0.0; 1.0 ] ]
            let density y f = -0.5 * log (2.0 * Math.PI * 4.0) - (y - f) ** 2.0 / 8.0
            let expected = -(density 1.0 0.5 + density 2.0 2.5 + density 0.0 0.0 + density -1.0 1.0)
            let found reduction = Likelihood.loss (Likelihood.gaussian 4.0) reduction targets outputs
            Expect.scalar 1e-14 expected (found Reduction.Sum)
            Expect.scalar 1e-14 (expected / 2.0) (found Reduction.Mean)
            let labels = Tensor.ofIndices [ 2 ] [| 0; 1 |]

            Expect.scalar
                1e-14
                ((Loss.softmaxCrossEntropy Reduction.Sum labels outputs).ToScalar())
                (Likelihood.loss Likelihood.categorical Reduction.Sum labels outputs)

            let yes = tensor [ [ 1.0; 0.0 ]; [ 0.0; 1.0 ] ]

            Expect.scalar
                1e-14
                ((Loss.binaryCrossEntropy Reduction.Sum yes outputs).ToScalar() / 2.0)
                (Likelihood.loss Likelihood.bernoulli Reduction.Mean yes outputs)
        }
    ]
