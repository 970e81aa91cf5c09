/// EK-FAC: the eigenvectors of K-FAC with the best eigenvalues.
module Curvature.Tests.Unit.EkfacTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private corrected (options: KfacOptions) = options.WithCorrectedEigenvalues true

let private fisherKinds: (string * FisherKind) list =
    [
        "exact", FisherKind.exact Likelihood.categorical
        "Monte Carlo", FisherKind.monteCarlo Likelihood.categorical 2 (Key.OfSeed 5L)
        "empirical",
        FisherKind.empirical (fun targets outputs ->
            Tensor.softmaxCrossEntropy outputs (Tensor.oneHot DType.Float64 3 targets))
    ]

/// Both approximations of the same matrix, block by block.
let private compare options (network: Network) risk theta (matrix: Tensor) =
    let k = Kfac.estimateWith options network.Layout risk theta
    let ek = Kfac.estimateWith (corrected options) network.Layout risk theta

    for plain, better in Seq.zip k.Blocks ek.Blocks do
        let truth = at plain.Positions matrix
        let ofPlain, ofBetter = norm (truth - plain.ToMatrix()), norm (truth - better.ToMatrix())
        Expect.isLessThanOrEqual $"{plain.Name}: EK-FAC against K-FAC" (ofBetter, ofPlain * (1.0 + 1e-12))

    k, ek

[<Tests>]
let tests =
    testList "Unit.EkfacTests" [
        for name, kind in fisherKinds do
            test $"the error of EK-FAC to the Fisher matrix that it is built on is never above K-FAC's ({name})" {
                for seed in 1..5 do
                    let sizes = [ 3; 2 + seed; 3 ]
                    let network = Network.mlp (if seed % 2 = 0 then Layer.tanh else Layer.relu) sizes
                    let x, y = normal (int64 seed) [ 9; 3 ], labels seed 3 9
                    let risk = risk Reduction.Mean crossEntropy 4 x y network
                    let theta = normal (int64 (50 + seed)) [ network.ParameterCount ]
                    let options = KfacOptions.Default.WithKind(KfacKind.fisher kind)
                    let _, ek = compare options network risk theta (fisher kind risk theta)
                    // The trace is that of the matrix, which K-FAC's is not.
                    Expect.within $"trace, seed {seed}" 1e-10 (Matrices.trace (fisher kind risk theta)) ek.Trace
            }

        for sharing in [ WeightSharing.Expand; WeightSharing.Reduce ] do
            test $"so it is for convolutions and a sum over samples ({sharing})" {
                let network =
                    Network.sequential [
                        ImageLayer.groupedConv2d 2 4 2 (2, 2) (Sliding.Default.WithPadding 1)
                        Layer.tanh
                        ImageLayer.globalAveragePool
                        Layer.dense 4 3
                    ]

                let risk = risk Reduction.Sum crossEntropy 2 (normal 60L [ 5; 4; 3; 2 ]) (labels 9 3 5) network
                let theta = point network
                let options = KfacOptions.Default.WithSharing sharing
                let k, ek = compare options network risk theta (gaussNewton risk theta)
                Expect.equal "a block for each group and one for the dense layer" 3 k.Blocks.Count
                Expect.within "trace" 1e-8 (Matrices.trace (gaussNewton risk theta)) ek.Trace
            }

        test "corrected eigenvalues are the diagonal of the matrix in the basis of K-FAC" {
            let network = Network.mlp Layer.tanh [ 3; 4; 3 ]
            let risk = risk Reduction.Mean crossEntropy 9 (normal 61L [ 9; 3 ]) (labels 10 3 9) network
            let theta = point network
            let k = Kfac.estimate network.Layout risk theta
            let ek = Kfac.estimateWith (corrected KfacOptions.Default) network.Layout risk theta
            let block = k["0.weight"]
            let _, u = Tensor.eigh block.InputFactor
            let _, v = Tensor.eigh block.OutputFactor
            let q = Tensor.einsum "ij,oq->iojq" u v |> Tensor.reshape [ block.Size; block.Size ]
            let g = at block.Positions (gaussNewton risk theta)
            let inBasis = Tensor.matmul (Tensor.transpose q) (Tensor.matmul g q)
            let expected = Tensor.diagonal inBasis |> Tensor.sort 0
            Expect.equal "kind" KroneckerBlockKind.Corrected ek["0.weight"].Kind
            Expect.tensorsClose 1e-10 expected ek["0.weight"].Eigenvalues
        }

        test "of one sample K-FAC needs no correction" {
            let network = Network.mlp Layer.tanh [ 3; 4; 3 ]
            let risk = risk Reduction.Mean crossEntropy 1 (normal 62L [ 1; 3 ]) (labels 11 3 1) network
            let theta = point network
            let ek = Kfac.estimateWith (corrected KfacOptions.Default) network.Layout risk theta
            isExact "EK-FAC" ek (gaussNewton risk theta)
        }
    ]
