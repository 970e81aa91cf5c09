namespace Curvature.Bench

open System.IO
open Curvature
open Curvature.FSharp

/// A loss with everything that the benchmark does to it.
[<NoEquality; NoComparison>]
type Workload =
    {
        Name: string
        DType: DType
        Theta: Tensor
        /// θ ↦ logits
        Model: Tensor -> Tensor
        /// logits ↦ mean cross-entropy
        Loss: Tensor -> Tensor
        /// Multiplications and additions of one forward pass.
        ForwardFlops: float
    }

/// The networks of the PyTorch baseline: dense layers with tanh between them on random data, and a residual network on
/// images.
module Workloads =

    let private mlp (sizes: int list) batch (dtype: DType) : Workload =
        let key = (Key.OfSeed 0L).Split 3
        let layers = List.pairwise sizes
        let pieces = layers |> List.collect (fun (inputs, outputs) -> [ inputs * outputs; outputs ])
        let theta = Tensor.normal key[0] dtype [ List.sum pieces ] * 0.05
        let inputs = Tensor.normal key[1] dtype [ batch; sizes.Head ]
        let classes = List.last sizes

        let labels = Tensor.uniform key[2] DType.Float64 [ batch ] * float classes |> Tensor.convert DType.Int32

        let targets = Tensor.oneHot dtype classes labels

        let model (theta: Tensor) =
            let rec forward layers pieces activations =
                match layers, pieces with
                | (inputs, outputs) :: rest, weight :: bias :: others ->
                    let weight = Tensor.reshape [ outputs; inputs ] weight
                    let next = Tensor.einsum "bi,oi->bo" activations weight + bias
                    forward rest others (if rest.IsEmpty then next else Tensor.tanh next)
                | _ -> activations

            forward layers (Tensor.split 0 pieces theta) inputs

        let name = System.String.Join("-", sizes)

        {
            Name = $"mlp-{name}/b{batch}"
            DType = dtype
            Theta = theta
            Model = model
            Loss = fun logits -> Tensor.mean (Tensor.softmaxCrossEntropy logits targets)
            ForwardFlops = 2.0 * float batch * float (layers |> List.sumBy (fun (i, o) -> i * o))
        }

    /// A trained ResNet-20 on the first images of CIFAR-10's test set, from a folder with its weights and the images.
    let private resNet20 (folder: string) batch : Workload =
        let tensors = Safetensors.read (Path.Combine(folder, "resnet20_cifar10.safetensors"))
        let theta, network = Network.load DType.Float32 tensors ResNet.resNet20
        let images, labels = Cifar.read10 DType.Float64 (Path.Combine(folder, "cifar10_test_1000.bin"))

        let inputs =
            images
            |> Tensor.slice 0 0 batch
            |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]
            |> Tensor.convert DType.Float32

        // Multiplications and additions of the convolutions and the last layer, for one image.
        let blocks = 6.0 * (16.0 * 16.0 * 1024.0) + 5.0 * (32.0 * 32.0 * 256.0) + 5.0 * (64.0 * 64.0 * 64.0)
        let strided = 16.0 * 32.0 * 256.0 + 32.0 * 64.0 * 64.0
        let first = 3.0 * 16.0 * 1024.0

        {
            Name = $"resnet20-cifar10/b{batch}"
            DType = DType.Float32
            Theta = theta
            Model = fun theta -> Network.forward network theta inputs
            Loss = Loss.softmaxCrossEntropy Reduction.Mean (Tensor.slice 0 0 batch labels)
            ForwardFlops = 2.0 * float batch * (9.0 * (blocks + strided + first) + 640.0)
        }

    /// All of them, made when asked for; the residual network only where its weights and images are.
    let all (data: string option) : (unit -> Workload) list =
        [
            fun () -> mlp [ 64; 128; 10 ] 128 DType.Float32
            fun () -> mlp [ 64; 128; 10 ] 128 DType.Float64
            fun () -> mlp [ 784; 512; 512; 10 ] 256 DType.Float32
            match data with
            | Some folder -> fun () -> resNet20 folder 128
            | None -> ()
        ]
