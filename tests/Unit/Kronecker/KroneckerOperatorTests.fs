/// The closed forms of a Kronecker-factored operator, against dense matrices.
module Curvature.Tests.Unit.KroneckerOperatorTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private network = Network.sequential [ Layer.dense 3 4; Normalization.layer 4; Layer.tanh; Layer.dense 4 2 ]

let private theta = point network
let private n = network.ParameterCount

let private riskOf (dtype: DType) =
    risk
        Reduction.Mean
        squared
        5
        (Tensor.convert dtype (normal 120L [ 12; 3 ]))
        (Tensor.convert dtype (normal 121L [ 12; 2 ]))
        network

let private estimate (options: KfacOptions) = Kfac.estimateWith options network.Layout (riskOf DType.Float64) theta

let private cases =
    lazy
        [
            "K-FAC", estimate KfacOptions.Default
            "EK-FAC", estimate (KfacOptions.Default.WithCorrectedEigenvalues true)
            "with diagonals", estimate (KfacOptions.Default.WithLargestExactBlock 0)
        ]

let private eye = Tensor.eye DType.Float64 n

[<Tests>]
let tests =
    testList "Unit.KroneckerOperatorTests" [
        for number, name in List.indexed [ "K-FAC"; "EK-FAC"; "with diagonals" ] do
            test $"trace, norms, eigenvalues and diagonal are those of the matrix ({name})" {
                let k = snd cases.Value[number]
                let matrix = dense k
                Expect.within "trace" 1e-11 (Matrices.trace matrix) k.Trace
                Expect.within "norm" 1e-11 (norm matrix) k.FrobeniusNorm
                Expect.close 1e-12 (Matrices.diagonal matrix) (k.Diagonal.ToArray())
                let values, _ = Tensor.eigh matrix
                Expect.tensorsClose 1e-11 values k.Eigenvalues
                Expect.tensorsClose 1e-14 (Tensor.transpose matrix) matrix
            }

            test $"inverse, logarithm of the determinant and roots are those of the damped matrix ({name})" {
                let k = (snd cases.Value[number]).Damped 0.03
                let matrix = dense (snd cases.Value[number]) + 0.03 * eye
                Expect.tensorsClose 1e-12 matrix (dense k)
                Expect.tensorsClose 1e-9 (Tensor.inverse matrix) (dense (k.Inverse()))
                Expect.within "ln det" 1e-9 ((Tensor.logdet matrix).ToScalar()) k.LogDeterminant
                let root, inverseRoot = dense (k.SquareRoot()), dense (k.InverseSquareRoot())
                Expect.tensorsClose 1e-9 matrix (Tensor.matmul root root)
                Expect.tensorsClose 1e-9 (Tensor.inverse matrix) (Tensor.matmul inverseRoot inverseRoot)
                Expect.tensorsClose 1e-9 root (Tensor.transpose root)
            }

        test "heuristic damping adds to both factors, and never less than λ in all" {
            let k = snd cases.Value.Head
            let lambda = 0.02
            let damped = k.DampedHeuristically lambda

            for block, before in Seq.zip damped.Blocks k.Blocks do
                if before.HasFactors then
                    let a, g = before.InputFactor, before.OutputFactor
                    let mean (t: Tensor) = Matrices.trace t / float t.Shape[0]
                    let pi = sqrt (mean a / mean g)
                    let a = a + pi * sqrt lambda * Tensor.eye DType.Float64 before.Inputs
                    let g = g + sqrt lambda / pi * Tensor.eye DType.Float64 before.Outputs
                    let expected = Tensor.einsum "ij,oq->iojq" a g |> Tensor.reshape [ before.Size; before.Size ]
                    Expect.tensorsClose 1e-10 expected (block.ToMatrix())
                else
                    let added = block.ToMatrix() - before.ToMatrix()
                    Expect.tensorsClose 1e-12 (lambda * Tensor.eye DType.Float64 before.Size) added

            let least = (Tensor.min damped.Eigenvalues).ToScalar()
            Expect.isGreaterThanOrEqual "the least eigenvalue" (least, lambda * (1.0 - 1e-12))
            Expect.sameBits (dense k) (dense (k.DampedHeuristically 0.0))
        }

        test "a block is found by the names of its parameters, and is the product of its factors" {
            let k = snd cases.Value.Head
            let block = k["0.bias"]
            Expect.equal "names" [ "0.weight"; "0.bias" ] (List.ofSeq block.Parameters)
            Expect.equal "sizes" (4, 4, 16) (block.Inputs, block.Outputs, block.Size)

            let expected = Tensor.einsum "ij,oq->iojq" block.InputFactor block.OutputFactor |> Tensor.reshape [ 16; 16 ]

            Expect.tensorsClose 1e-12 expected (block.ToMatrix())
            Expect.tensorsClose 1e-12 (at block.Positions (dense k)) (block.ToMatrix())
            Expect.tensorsClose 1e-12 (block.ToMatrix()) (LinearOperator.dense block.Operator)
            Expect.within "trace" 1e-12 (Matrices.trace expected) block.Trace
            Expect.within "norm" 1e-12 (norm expected) block.FrobeniusNorm
            Expect.equal "one block" 1 (k.BlocksOf "0.weight").Count
            Expect.error<ParameterException> [ "\"nothing\""; "0.weight" ] (fun () -> k["nothing"] |> ignore)
            let normalisation = k["1.weight"]
            Expect.isFalse "factors" normalisation.HasFactors
            Expect.error<OperatorException> [ "no Kronecker product" ] (fun () -> normalisation.InputFactor |> ignore)
        }

        test "samples have the covariance of the damped inverse" {
            let k = snd cases.Value.Head
            let lambda, count, key = 0.05, 40_000, Key.OfSeed 8L
            let truth = (Tensor.inverse (dense k + lambda * eye)).ToArray()
            let samples = k.Sample(lambda, key, count)
            let found = (Tensor.matmul (Tensor.transpose samples) samples / float count).ToArray()
            let variance i j = (truth[i * n + i] * truth[j * n + j] + truth[i * n + j] ** 2.0) / float count

            for i in 0 .. n - 1 do
                for j in 0..i do
                    Expect.within
                        $"entry {i}, {j} with {key}"
                        (5.5 * sqrt (variance i j))
                        truth[i * n + j]
                        found[i * n + j]

            Expect.sameBits samples (k.Sample(lambda, key, count))
            Expect.equal "none" [| 0; n |] (k.Sample(lambda, key, 0)).Shape
        }

        test "Float32 operators multiply Float32 vectors" {
            let theta = Tensor.convert DType.Float32 theta
            let k = Kfac.estimate network.Layout (riskOf DType.Float32) theta
            let v = Tensor.normal (Key.OfSeed 9L) DType.Float32 [ 3; n ]
            let wide = snd cases.Value.Head
            let expected = (wide.Damped(0.1).Inverse().Apply(Tensor.convert DType.Float64 v)).ToArray()
            Expect.close 1e-4 expected ((k.Damped(0.1).Inverse().Apply v).ToArray())
        }

        test "wrong use is refused" {
            let k = snd cases.Value.Head
            Expect.error<ArgumentRangeException> [ "Damped"; "-1" ] (fun () -> k.Damped -1.0 |> ignore)
            Expect.error<ArgumentRangeException> [ "NaN" ] (fun () -> k.DampedHeuristically nan |> ignore)
            Expect.error<ArgumentRangeException> [ "Sample" ] (fun () -> k.Sample(0.1, Key.OfSeed 1L, -1) |> ignore)

            let unused = ParameterLayout.ofShapes [ "w", [ 3 ]; "unused", [ 1 ] ]
            let x, y = normal 122L [ 5; 3 ], normal 123L [ 5 ]
            let model (x: Tensor) theta = Tensor.matmul x (Tensor.slice 0 0 3 theta)
            let risk = Risk.ofModel Reduction.Mean model (squared Reduction.Mean) (Batches.split 5 x y)
            let singular = Kfac.estimate unused risk (normal 124L [ 4 ])
            Expect.error<OperatorException> [ "damp" ] (fun () -> singular.Inverse() |> ignore)
            Expect.error<OperatorException> [ "damp" ] (fun () -> singular.LogDeterminant |> ignore)
            Expect.error<OperatorException> [ "damp" ] (fun () -> singular.InverseSquareRoot() |> ignore)
            Expect.equal "root" 4 (singular.SquareRoot()).Size
        }
    ]
