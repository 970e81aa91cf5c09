namespace Curvature.Bench

open System.IO
open Curvature
open Curvature.FSharp

/// The networks of the baselines: dense layers with tanh between them on random data, a residual network on images, and
/// a transformer.
module Workloads =

    /// The forward pass of dense layers with tanh between them, whose weights and biases lie one after the other.
    let private dense (layers: (int * int) list) (pieces: int list) (inputs: Tensor) (theta: Tensor) : Tensor =
        let rec forward layers pieces activations =
            match layers, pieces with
            | (inputs, outputs) :: rest, weight :: bias :: others ->
                let next = Tensor.einsum "bi,oi->bo" activations (Tensor.reshape [ outputs; inputs ] weight) + bias
                forward rest others (if rest.IsEmpty then next else Tensor.tanh next)
            | _ -> activations

        forward layers (Tensor.split 0 pieces theta) inputs

    let private mlp (sizes: int list) batch (dtype: DType) : Workload =
        let layers = List.pairwise sizes
        let pieces = layers |> List.collect (fun (inputs, outputs) -> [ inputs * outputs; outputs ])
        let name = System.String.Join("-", sizes)

        let make () =
            let key = (Key.OfSeed 0L).Split 3
            let draw = Tensor.uniform key[2] DType.Float64 [ batch ]

            {
                Theta = Tensor.normal key[0] dtype [ List.sum pieces ] * 0.05
                Model = dense layers pieces (Tensor.normal key[1] dtype [ batch; sizes.Head ])
                Targets = Tensor.convert DType.Int32 (draw * float (List.last sizes))
            }

        {
            Name = $"mlp-{name}/b{batch}"
            DType = dtype
            ForwardFlops = 2.0 * float batch * float (layers |> List.sumBy (fun (i, o) -> i * o))
            Network = lazy make ()
        }

    /// A trained ResNet-20 on the first images of CIFAR-10's test set, from a folder with its weights and the images.
    let private resNet20 batch (folder: string) : Workload =
        let make () =
            let tensors = Safetensors.read (Path.Combine(folder, "resnet20_cifar10.safetensors"))
            let theta, network = Network.load DType.Float32 tensors ResNet.resNet20
            let images, labels = Cifar.read10 DType.Float64 (Path.Combine(folder, "cifar10_test_1000.bin"))

            let inputs =
                images
                |> Tensor.slice 0 0 batch
                |> Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ]
                |> Tensor.convert DType.Float32

            {
                Theta = theta
                Model = fun theta -> Network.forward network theta inputs
                Targets = Tensor.slice 0 0 batch labels
            }

        // Multiplications and additions of the convolutions and the last layer, for one image.
        let blocks = 6.0 * (16.0 * 16.0 * 1024.0) + 5.0 * (32.0 * 32.0 * 256.0) + 5.0 * (64.0 * 64.0 * 64.0)
        let strided = 16.0 * 32.0 * 256.0 + 32.0 * 64.0 * 64.0
        let first = 3.0 * 16.0 * 1024.0

        {
            Name = $"resnet20-cifar10/b{batch}"
            DType = DType.Float32
            ForwardFlops = 2.0 * float batch * (9.0 * (blocks + strided + first) + 640.0)
            Network = lazy make ()
        }

    /// All of them; the residual network only where its weights and images are.
    let all (data: string option) : Workload list =
        [
            mlp [ 64; 128; 10 ] 128 DType.Float32
            mlp [ 64; 128; 10 ] 128 DType.Float64
            mlp [ 784; 512; 512; 10 ] 256 DType.Float32
            Gpt.workload 16
            match data with
            | Some folder -> resNet20 128 folder
            | None -> ()
        ]
