/// What the user has is afterwards what it was; memory; threads.
module Curvature.Tests.Torch.StateTests

open System
open System.Diagnostics
open System.Reflection
open System.Threading.Tasks
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

let private loss (net: TensorModule) (x: T) () = (net.call x).tanh().pow(3.0.ToScalar()).sum()

/// Measured where no other test has left tensors to be finalised.
let private keepsNothingOfItsProducts () =
    let net, x = Cases.mlp [ 200L; 200L; 200L; 10L ], torch.randn [| 8L; 200L |]
    use curvature = TorchHessian.at (loss net x) (net.named_parameters ())
    let v = vectorsOf 1L 4 curvature.Operator

    let products count =
        for _ in 1 .. count / 4 do
            curvature.Operator.Apply v |> ignore

    /// Bytes of the process, and tensors of TorchSharp.
    let held () =
        for _ in 1..3 do
            GC.Collect()
            GC.WaitForPendingFinalizers()

        use p = Process.GetCurrentProcess()
        p.WorkingSet64, torch.Tensor.TotalCount

    products 1000
    let bytes, tensors = held ()
    products 10_000
    let bytesAfter, tensorsAfter = held ()
    Expect.equal "tensors" tensors tensorsAfter
    let grown = bytesAfter - bytes
    // One vector kept of each product would be 3.2 GB, its smallest weight matrix 80 MB.
    Expect.isTrue $"{grown >>> 20} MiB more" (grown < (64L <<< 20))

[<Tests>]
let tests =
    testList "Torch.StateTests" [
        torchTest ".grad, training mode, random state and dispose scopes are as they were" (fun () ->
            let net, x = Cases.mlp [ 5L; 4L; 2L ], torch.randn [| 6L; 5L |]
            (loss net x ()).backward()
            let gradients () = [ for p in net.parameters () -> p.grad.Handle, Exchange.ofTorch p.grad ]

            let before, random =
                [ for p in net.parameters () -> Exchange.ofTorch p.grad ], torch.random.get_rng_state ()

            use scope = torch.NewDisposeScope()
            use curvature = TorchHessian.at (loss net x) (net.named_parameters ())
            let v = vectorsOf 1L 2 curvature.Operator
            curvature.Operator.Apply v |> ignore

            use newton =
                TorchGaussNewton.at (fun () -> net.call x) (fun z -> z.square().sum()) (net.named_parameters ())

            newton.Operator.Apply v |> ignore
            Expect.equal "nothing of ours in the caller's scope" 0 scope.DisposablesCount

            for expected, (_, found) in List.zip before (gradients ()) do
                Expect.sameBits expected found

            Expect.isTrue "random state" (random.Equals(torch.random.get_rng_state ()))
            Expect.isTrue "training" net.training
            net.zero_grad ()

            for p in net.parameters () do
                p.grad <- null

            curvature.Operator.Apply v |> ignore
            Expect.isTrue "none stays none" (net.parameters () |> Seq.forall (fun p -> isNull p.grad)))

        torchTest "what was held is given back, and products are refused from then on" (fun () ->
            let net, x = Cases.mlp [ 5L; 4L; 2L ], torch.randn [| 6L; 5L |]

            let run () =
                let curvature = TorchHessian.at (loss net x) (net.named_parameters ())
                curvature.Operator.Apply(vectorsOf 1L 2 curvature.Operator) |> ignore
                curvature.Dispose()
                curvature

            run () |> ignore
            let before = torch.Tensor.TotalCount

            for _ in 1..20 do
                run () |> ignore

            Expect.equal "tensors" before torch.Tensor.TotalCount
            let curvature = run ()

            Expect.error<DisposedException> [ "disposed" ] (fun () ->
                curvature.Operator.Apply(vectorsOf 1L 1 curvature.Operator) |> ignore))

        torchTest "memory is flat over ten thousand products" (fun () ->
            let filter = "FullyQualifiedName~StateTests&Name~memory&Name~flat"
            ChildRun.alone (Assembly.GetExecutingAssembly()) filter keepsNothingOfItsProducts)

        torchTest "several threads get the same products" (fun () ->
            let net, x = Cases.mlp [ 6L; 8L; 3L ], torch.randn [| 10L; 6L |]
            use hessian = TorchHessian.at (loss net x) (net.named_parameters ())

            use newton =
                TorchGaussNewton.at (fun () -> net.call x) (fun z -> z.square().sum()) (net.named_parameters ())

            let v = vectorsOf 1L 3 hessian.Operator
            let expected = hessian.Operator.Apply v, newton.Operator.Apply v

            Parallel.For(
                0,
                8,
                fun _ ->
                    for _ in 1..20 do
                        Expect.sameBits (fst expected) (hessian.Operator.Apply v)
                        Expect.sameBits (snd expected) (newton.Operator.Apply v)
            )
            |> ignore)

        torchTest "results and risks print as people read them" (fun () ->
            let net, x = Cases.mlp [ 5L; 4L; 2L ], torch.randn [| 6L; 5L |]
            use hessian = TorchHessian.at (loss net x) (net.named_parameters ())
            Expect.stringContains "a Hessian" "torch Hessian [34; 34] Float32, loss " (string hessian)
            use jacobian = TorchJacobian.at (fun () -> net.call x) (net.named_parameters ())
            Expect.equal "a Jacobian" "torch Jacobian [12; 34] Float32" (string jacobian)
            let gradient = TorchGradient.at (loss net x) (net.named_parameters ())
            Expect.stringContains "a gradient" ", gradient of 34 elements" (string gradient)
            let mean (x: T) = (net.call x).square().mean()
            let risk = TorchRisk.ofBatches Reduction.Mean mean [ x ] (net.named_parameters ())
            Expect.equal "a risk" "the mean over batches of a loss in torch, of 34 parameters" (string risk))

        torchTest "an operator made under no_grad is that without it" (fun () ->
            let net, x = Cases.mlp [ 6L; 8L; 3L ], torch.randn [| 10L; 6L |]
            use expected = TorchHessian.at (loss net x) (net.named_parameters ())
            let v = vectorsOf 1L 2 expected.Operator
            use _noGrad = torch.no_grad ()
            use found = TorchHessian.at (loss net x) (net.named_parameters ())
            Expect.sameBits (expected.Operator.Apply v) (found.Operator.Apply v)
            Expect.isFalse "still no gradients" (torch.is_grad_enabled ()))
    ]
