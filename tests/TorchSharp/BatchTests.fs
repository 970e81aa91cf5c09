/// Risks over batches.
module Curvature.Tests.Torch.BatchTests

open System
open System.Collections.Generic
open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

let private cut (sizes: int64 list) (case: Case) =
    let starts = List.scan (+) 0L sizes

    // Lazy: the parts are made anew at every pass.
    Seq.map2
        (fun start size -> struct (case.Inputs.narrow (0L, start, size), case.Labels.narrow (0L, start, size)))
        starts
        sizes

let private mean (case: Case) struct (x: T, y: T) = crossEntropy y (case.Net.call x)

let private sum (case: Case) struct (x: T, y: T) =
    torch.nn.functional.cross_entropy (case.Net.call x, y, reduction = torch.nn.Reduction.Sum)

let private parameters (case: Case) = case.Net.named_parameters ()

let private dropoutNet () : TensorModule =
    torch.nn.Sequential(
        [|
            torch.nn.Linear(4L, 8L) :> TensorModule
            torch.nn.Tanh()
            torch.nn.Dropout 0.5
            torch.nn.Linear(8L, 2L)
        |]
    )

[<Tests>]
let tests =
    testList "Torch.BatchTests" [
        torchTest "the curvature of a mean and of a sum does not depend on how the data are cut" (fun () ->
            let case = Cases.cnn DType.Float64
            use whole = TorchHessian.at (fun () -> mean case (struct (case.Inputs, case.Labels))) (parameters case)
            let v = vectorsOf 3L 3 whole.Operator
            let expected = whole.Operator.Apply v

            for sizes in [ [ 24L ]; [ 10L; 10L; 4L ]; List.replicate 24 1L ] do
                use found =
                    TorchHessian.ofRisk (
                        TorchRisk.ofBatches Reduction.Mean (mean case) (cut sizes case) (parameters case)
                    )

                agree "mean" 1e-12 expected (found.Operator.Apply v)
                agree "gradient" 1e-11 whole.Gradient found.Gradient
                Expect.within "loss" 1e-12 whole.Loss found.Loss

                use found =
                    TorchHessian.ofRisk (
                        TorchRisk.ofBatches Reduction.Sum (sum case) (cut sizes case) (parameters case)
                    )

                agree "sum" 1e-12 (24.0 * expected) (found.Operator.Apply v))

        torchTest "Gauss-Newton and Fisher matrices over batches are those of the whole" (fun () ->
            let case = Cases.residual DType.Float64
            let model struct (x: T, _: T) = case.Net.call x
            let criterion struct (_: T, y: T) = crossEntropy y
            let whole = struct (case.Inputs, case.Labels)
            let batches = cut [ 7L; 7L; 2L ] case
            let risk = TorchRisk.ofModel Reduction.Mean model criterion batches (parameters case)
            use expected = TorchGaussNewton.at (fun () -> model whole) (criterion whole) (parameters case)
            use found = TorchGaussNewton.ofRisk risk
            let v = vectorsOf 3L 2 expected.Operator
            agree "Gauss-Newton" 1e-12 (expected.Operator.Apply v) (found.Operator.Apply v)
            use expected = TorchFisher.exact Likelihood.categorical (fun () -> model whole) (parameters case)
            use found = TorchFisher.exactOfRisk Likelihood.categorical risk
            agree "exact Fisher" 1e-12 (expected.Operator.Apply v) (found.Operator.Apply v)
            let each (y: T) (z: T) = torch.nn.functional.cross_entropy (z, y, reduction = torch.nn.Reduction.None)
            use expected = TorchFisher.empirical (each case.Labels) (fun () -> model whole) (parameters case)
            let losses struct (_: T, y: T) = each y
            let risk = TorchRisk.ofModel Reduction.Mean model losses batches (parameters case)
            use found = TorchFisher.empiricalOfRisk risk
            agree "empirical Fisher" 1e-12 (expected.Operator.Apply v) (found.Operator.Apply v)

            let gradient =
                TorchGradient.ofRisk (TorchRisk.ofBatches Reduction.Mean (mean case) batches (parameters case))

            use hessian = TorchHessian.at (fun () -> mean case whole) (parameters case)
            agree "gradient" 1e-11 hessian.Gradient gradient.Gradient)

        torchTest "it is the library's curvature over the library's batches" (fun () ->
            let case = Cases.cnn DType.Float64
            let inputs, labels = Exchange.ofTorch case.Inputs, Exchange.ofTorch case.Labels

            let loss (batch: Batch) theta =
                Network.forward case.Own theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

            let own = Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss (Batches.split 10 inputs labels)) case.Theta

            use found =
                TorchHessian.ofRisk (
                    TorchRisk.ofBatches Reduction.Mean (mean case) (cut [ 10L; 10L; 4L ] case) (parameters case)
                )

            let v = vectorsOf 4L 3 own
            agree "products" 1e-12 (own.Apply v) (found.Operator.Apply v))

        torchTest "a DataLoader is read once for a block of vectors" (fun () ->
            let net = Cases.mlp [ 8L; 8L ]
            let x, y = torch.randn [| 50L; 8L |], torch.randn [| 50L; 8L |]
            use data = torch.utils.data.TensorDataset(x, y)
            use loader = torch.utils.data.DataLoader(data, 16, shuffle = false)
            let mutable read = 0

            let loss (batch: IList<T>) =
                read <- read + 1
                (net.call batch[0] - batch[1]).pow(4.0.ToScalar()).mean()

            use found = TorchHessian.ofRisk (TorchRisk.ofBatches Reduction.Mean loss loader (net.named_parameters ()))
            // Four batches, and the first one twice.
            Expect.equal "at first" 5 read
            let v = vectorsOf 1L 6 found.Operator
            let once = found.Operator.Apply v
            Expect.equal "a block" 9 read
            Expect.sameBits once (found.Operator.Apply v)

            use whole =
                TorchHessian.at (fun () -> (net.call x - y).pow(4.0.ToScalar()).mean()) (net.named_parameters ())

            agree "the whole" 1e-5 (whole.Operator.Apply v) once)

        torchTest "a source that shuffles is refused, and so is one that shrinks" (fun () ->
            let case = Cases.cnn DType.Float32
            let order = Random 3

            let shuffled =
                seq {
                    for _ in 1..3 ->
                        let at = order.NextInt64 20L in
                        struct (case.Inputs.narrow (0L, at, 4L), case.Labels.narrow (0L, at, 4L))
                }

            use found = TorchHessian.ofRisk (TorchRisk.ofBatches Reduction.Mean (mean case) shuffled (parameters case))
            let v = vectorsOf 1L 1 found.Operator
            Expect.error<DataException> [ "batch"; "shuffle" ] (fun () -> found.Operator.Apply v |> ignore)
            let mutable count = 4

            let fewer =
                seq {
                    for i in 1..count ->
                        struct (case.Inputs.narrow (0L, int64 i, 4L), case.Labels.narrow (0L, int64 i, 4L))
                }

            use found = TorchHessian.ofRisk (TorchRisk.ofBatches Reduction.Mean (mean case) fewer (parameters case))
            count <- 3
            Expect.error<DataException> [ "had 4 batches" ] (fun () -> found.Operator.Apply v |> ignore)
            count <- 0

            Expect.error<DataException> [ "no batches" ] (fun () ->
                TorchHessian.ofRisk (TorchRisk.ofBatches Reduction.Mean (mean case) fewer (parameters case)) |> ignore))

        torchTest
            "dropout is the same at every pass, and the caller's random numbers go on as if nothing had been"
            (fun () ->
                let net = dropoutNet ()
                net.train ()
                let x = torch.randn [| 12L; 4L |]
                let batches = Seq.init 3 (fun i -> x.narrow (0L, 4L * int64 i, 4L))
                let before = torch.random.get_rng_state ()

                let risk =
                    TorchRisk.ofBatches
                        Reduction.Mean
                        (fun (x: T) -> (net.call x).square().mean())
                        batches
                        (net.named_parameters ())

                use found = TorchHessian.ofRisk risk
                let v = vectorsOf 1L 3 found.Operator
                let once = found.Operator.Apply v
                torch.rand [| 5L |] |> ignore
                Expect.sameBits once (found.Operator.Apply v)
                torch.random.set_rng_state before
                Expect.isTrue "in training" net.training
                use one = TorchHessian.at (fun () -> (net.call x).square().mean()) (net.named_parameters ())
                Expect.sameBits (one.Operator.Apply v) (one.Operator.Apply v)
                Expect.isTrue "state" (before.Equals(torch.random.get_rng_state ())))

        torchTest "batch normalisation in training is warned of, and its statistics stay" (fun () ->
            let case = Cases.residual DType.Float32
            case.Net.train ()

            let values () =
                [
                    for struct (_, b) in case.Net.named_buffers () ->
                        b.``to``(torch.ScalarType.Float64).sum().item<float>()
                ]

            let before = values ()
            let batches = cut [ 8L; 8L ] case

            let risk =
                TorchRisk.ofBatches Reduction.Mean (mean case) batches (parameters case)
                |> TorchRisk.keepingBuffers case.Net

            use found = TorchHessian.ofRisk risk
            let v = vectorsOf 1L 2 found.Operator
            let once = found.Operator.Apply v
            Expect.sameBits once (found.Operator.Apply v)
            Expect.equal "statistics" before (values ())
            Expect.isTrue "warned" (found.Operator.Warnings |> Seq.exists _.Contains("batch normalisation"))
            use one = TorchHessian.At((fun () -> mean case (Seq.head batches)), case.Net)
            one.Operator.Apply v |> ignore
            Expect.equal "statistics" before (values ())
            case.Net.eval ()
            use quiet = TorchHessian.ofRisk risk
            Expect.isEmpty "no warning" quiet.Operator.Warnings)
    ]
