module Curvature.Tests.Properties.OverBatchesLaws

open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A data set, and how it is cut into batches.
type BatchedData =
    {
        Sizes: int list
        Reduction: Reduction
        Seed: int
    }

    member data.Samples = List.sum data.Sizes
    member data.Inputs = Matrices.random data.Seed data.Samples 3

    member data.Labels =
        let random = System.Random data.Seed
        Tensor.ofIndices [ data.Samples ] (Array.init data.Samples (fun _ -> random.Next 2))

    member data.Batches =
        let starts = List.scan (+) 0 data.Sizes

        List.zip (List.take data.Sizes.Length starts) data.Sizes
        |> List.map (fun (start, size) ->
            let cut = Tensor.slice 0 start size
            Batch(cut data.Inputs, cut data.Labels))

type BatchedDataArbitraries =
    static member Data() : Arbitrary<BatchedData> =
        gen {
            let! count = Gen.choose (1, 5)
            let! sizes = Gen.choose (1, 6) |> Gen.listOfLength count
            let! reduction = Gen.elements [ Reduction.Mean; Reduction.Sum ]
            let! seed = Gen.choose (0, 10_000)
            return { Sizes = sizes; Reduction = reduction; Seed = seed }
        }
        |> Arb.fromGen

let private n = 14
let private theta = Tensor.flatten (Matrices.random 5 1 n)

let private model (inputs: Tensor) (theta: Tensor) =
    let hidden = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] (Tensor.slice 0 0 6 theta))
    let outputs = Tensor.matmul (Tensor.tanh hidden) (Tensor.reshape [ 2; 2 ] (Tensor.slice 0 6 4 theta))
    outputs + Tensor.slice 0 10 2 theta * Tensor.slice 0 12 2 theta

let private cross reduction targets outputs = Loss.softmaxCrossEntropy reduction targets outputs

let private same expected actual =
    Expect.tensorsClose 1e-11 (LinearOperator.dense expected) (LinearOperator.dense actual)

let private law name property = lawOver [ typeof<BatchedDataArbitraries> ] 40 name property

[<Tests>]
let tests =
    testList "Properties.OverBatchesLaws" [
        law "loss, gradient and Hessian do not depend on how data are cut" (fun (data: BatchedData) ->
            let loss (batch: Batch) = model batch.Inputs >> cross data.Reduction batch.Targets
            let whole = Hessian.evaluate (Risk.ofFunction (loss (Batch(data.Inputs, data.Labels)))) theta
            let parts = Hessian.evaluate (Risk.ofBatches data.Reduction loss data.Batches) theta
            Expect.close 1e-12 [| whole.Loss |] [| parts.Loss |]
            Expect.tensorsClose 1e-12 whole.Gradient parts.Gradient
            same whole.Hessian parts.Hessian
            let z = Matrices.random data.Seed 3 n
            Expect.tensorsClose 1e-11 (whole.Hessian.QuadraticForm z) (parts.Hessian.QuadraticForm z)
            Expect.equal "parts.Hessian.Warnings.Count" 0 parts.Hessian.Warnings.Count)

        law "nor do Gauss-Newton and Fisher matrices" (fun (data: BatchedData) ->
            let outputs = model data.Inputs

            same
                (GaussNewton.at outputs (cross data.Reduction data.Labels) theta)
                (GaussNewton.ofRisk (Risk.ofModel data.Reduction model (cross data.Reduction) data.Batches) theta)

            same
                (Fisher.exact Likelihood.bernoulli outputs theta)
                (Fisher.ofRisk
                    (FisherKind.exact Likelihood.bernoulli)
                    (Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.sum outputs) data.Batches)
                    theta)

            let losses targets outputs = -(Tensor.pick targets (Tensor.logSoftmax outputs))

            same
                (Fisher.empirical (losses data.Labels) outputs theta)
                (Fisher.ofRisk
                    (FisherKind.empirical losses)
                    (Risk.ofModel Reduction.Mean model (fun _ outputs -> Tensor.sum outputs) data.Batches)
                    theta))

        law "what is made of operators over batches is healthy" (fun (data: BatchedData) ->
            let gaussNewton =
                GaussNewton.ofRisk (Risk.ofModel data.Reduction model (cross data.Reduction) data.Batches) theta

            let diagnosis = Diagnose.run DiagnoseOptions.Default (0.5 * LinearOperator.block 2 7 gaussNewton)
            Expect.isTrue (string diagnosis) diagnosis.IsHealthy
            let uncertainty = diagnosis.TraceUncertainty
            Expect.isTrue "from two batches on" (isNull uncertainty = (data.Sizes.Length < 2))

            if not (isNull uncertainty) then
                let shares = uncertainty.ProbeShare + uncertainty.DataShare + uncertainty.JointShare
                Expect.close 1e-12 [| 1.0; float data.Samples |] [| shares; float uncertainty.Samples |])

        law
            "conjugate gradients solve every positive definite system"
            (fun (data: BatchedData) (preconditioned: bool) ->
                let size = data.Samples
                let matrix = Matrices.semidefinite data.Seed size + 0.1 * Tensor.eye DType.Float64 size
                let a = LinearOperator.ofSymmetricMatrix matrix
                let b = Matrices.random (data.Seed + 1) data.Sizes.Length size
                let options = SolverOptions.Default.WithTolerance 1e-10

                let solver =
                    if preconditioned then
                        ConjugateGradients.preconditioned (Tensor.ofArray [ size ] (Matrices.diagonal matrix))
                    else
                        ConjugateGradients.solver

                let solution = Solver.solve options solver a b
                Expect.isTrue (string solution) solution.IsConverged
                let rest = b - a.Apply solution.Value

                for row in 0 .. data.Sizes.Length - 1 do
                    let norm t = (Tensor.norm (Tensor.item 0 row t)).ToScalar()
                    Expect.isTrue (string solution) (norm rest <= 1.0001e-10 * norm b))
    ]
