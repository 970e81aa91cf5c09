namespace Curvature.Bench

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

/// The networks of the PyTorch baseline: tanh between dense layers, softmax cross-entropy, random data.
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

    /// All of them, made when asked for.
    let all: (unit -> Workload) list =
        [
            fun () -> mlp [ 64; 128; 10 ] 128 DType.Float32
            fun () -> mlp [ 64; 128; 10 ] 128 DType.Float64
            fun () -> mlp [ 784; 512; 512; 10 ] 256 DType.Float32
        ]
