/// Fisher matrices of every likelihood, and BFloat16.
module Curvature.Tests.Torch.LikelihoodTests

open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

let private inputs () = torch.randn ([| 9L; 4L |], dtype = System.Nullable torch.ScalarType.Float64)

let private network = Network.mlp Layer.tanh [ 4; 6; 3 ]

let private doubles (net: TensorModule) =
    net.``to`` torch.ScalarType.Float64 |> ignore
    net

[<Tests>]
let tests =
    testList "Torch.LikelihoodTests" [
        for likelihood in [ Likelihood.categorical; Likelihood.bernoulli; Likelihood.gaussian 0.7 ] do
            torchTest $"the Fisher matrix of a {likelihood} likelihood is the library's" (fun () ->
                let net, x = doubles (Cases.mlp [ 4L; 6L; 3L ]), inputs ()
                let theta = TorchParameters.read (net.named_parameters ())

                let own =
                    Fisher.exact likelihood (fun theta -> Network.forward network theta (Exchange.ofTorch x)) theta

                use found = TorchFisher.exact likelihood (fun () -> net.call x) (net.named_parameters ())
                let v = vectorsOf 2L 4 found.Operator
                agree "Fisher" 1e-12 (own.Apply v) (found.Operator.Apply v)
                Expect.isTrue "semidefinite" found.Operator.IsPositiveSemidefinite)

        torchTest "the Bernoulli matrix is right at outputs of 0 and of a thousand" (fun () ->
            let net = doubles (Cases.mlp [ 2L; 1L ])
            let x = torch.tensor [| 0.0; 0.0; 1000.0; 0.0 |] |> _.reshape(2L, 2L)
            let weight = Tensor.ofArray [ 3 ] [| 1.0; 0.0; 0.0 |]
            TorchParameters.write weight (net.named_parameters ())
            use found = TorchFisher.exact Likelihood.bernoulli (fun () -> net.call x) (net.named_parameters ())
            // At an output of 0 the variance of a target is ¼, at 1000 it is 0; the mean is over two samples.
            Expect.close 1e-14 [| 0.0; 0.0; 0.125 |] ((Exact.diagonal found.Operator).Value.ToArray()))

        torchTest "the criterion of squared error has its Gauss-Newton matrix" (fun () ->
            let net, x = doubles (Cases.mlp [ 4L; 6L; 3L ]), inputs ()
            let y = torch.randn_like x |> _.narrow(1L, 0L, 3L)
            let theta = TorchParameters.read (net.named_parameters ())
            let targets = Exchange.ofTorch y

            let own =
                GaussNewton.at
                    (fun theta -> Network.forward network theta (Exchange.ofTorch x))
                    (Loss.meanSquaredError Reduction.Mean targets)
                    theta

            let error (z: T) = torch.nn.functional.mse_loss (z, y)
            use found = TorchGaussNewton.at (fun () -> net.call x) error (net.named_parameters ())

            let ratio =
                (own.Apply(vectorsOf 1L 1 own)).ToArray()[0] / (found.Operator.Apply(vectorsOf 1L 1 own)).ToArray()[0]
            // PyTorch takes the mean over all elements; the library's may sum over a row.
            agree "products" 1e-12 (own.Apply(vectorsOf 2L 2 own)) (ratio * found.Operator.Apply(vectorsOf 2L 2 own))
            Expect.isTrue "the same or three times" (abs (ratio - 1.0) < 1e-12 || abs (ratio - 3.0) < 1e-12))

        torchTest "a model in BFloat16 takes vectors in Float32" (fun () ->
            let brain = Cases.mlp [ 8L; 8L; 3L ]
            brain.``to`` torch.ScalarType.BFloat16 |> ignore
            let x = torch.randn([| 6L; 8L |]).``to`` torch.ScalarType.BFloat16
            use rough = TorchHessian.at (fun () -> (brain.call x).tanh().sum()) (brain.named_parameters ())
            Expect.equal "the type" DType.Float32 rough.Operator.DType

            let single = Cases.mlp [ 8L; 8L; 3L ]
            TorchParameters.write (TorchParameters.read (brain.named_parameters ())) (single.named_parameters ())
            let x = x.``to`` torch.ScalarType.Float32
            use fine = TorchHessian.at (fun () -> (single.call x).tanh().sum()) (single.named_parameters ())
            let v = vectorsOf 1L 3 fine.Operator
            agree "products" 0.05 (fine.Operator.Apply v) (rough.Operator.Apply v)
            Expect.isTrue "not the same" (distance (fine.Operator.Apply v) (rough.Operator.Apply v) > 1e-5))
    ]
