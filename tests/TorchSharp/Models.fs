namespace Curvature.Tests.Torch

open System
open TorchSharp
open Expecto
open Curvature
open Curvature.FSharp
open Curvature.TorchSharp

type T = torch.Tensor
type TensorModule = torch.nn.Module<torch.Tensor, torch.Tensor>

/// Whether TorchSharp works on this machine.
[<RequireQualifiedAccess>]
module Torch =

    let private reason =
        lazy
            (try
                use _one = torch.ones 1L
                // Fused attention has no second derivative.
                torch.backends.cuda.enable_flash_sdp false
                ""
             with error ->
                 (error.GetBaseException()).Message.Split('\n')[0])

    /// Skips the running test where the native library does not load.
    let require () =
        if reason.Value <> "" then
            skiptest $"libtorch does not load here: {reason.Value}"

[<AutoOpen>]
module TestCases =

    /// A test that is skipped, with the reason, where libtorch does not load. It begins with a seed, in a scope.
    let torchTest (name: string) (body: unit -> unit) =
        testCase name (fun () ->
            Torch.require ()
            use _scope = torch.NewDisposeScope()
            torch.random.manual_seed 17L |> ignore
            body ())

    /// The largest difference, relative to the largest number that is expected.
    let distance (expected: Tensor) (actual: Tensor) : float =
        let e, a = expected.ToArray(), actual.ToArray()
        Expecto.Flip.Expect.equal "the shape" expected.Shape actual.Shape
        let largest = e |> Array.fold (fun most x -> max most (abs x)) 0.0
        (Array.map2 (fun x y -> abs (x - y)) e a |> Array.max) / max largest 1e-300

    /// Agreement relative to the largest number.
    let agree (what: string) (tolerance: float) (expected: Tensor) (actual: Tensor) : unit =
        let off = distance expected actual

        if not (off <= tolerance) then
            failtest $"{what}: off by {off:E2} of the largest number, where {tolerance:E1} is allowed"

    let scalarTypeOf (dtype: DType) = Exchange.scalarType dtype

    let classes (count: int64) (samples: int64) : T = torch.randint (count, [| samples |])

    let crossEntropy (labels: T) (logits: T) : T = torch.nn.functional.cross_entropy (logits, labels)

    /// A block of vectors of an operator.
    let vectorsOf (seed: int64) (count: int) (operator: LinearOperator) : Tensor =
        Tensor.normal (Key.OfSeed seed) operator.DType [ count; operator.Columns ]

/// x′ ↦ relu(x + bn2(conv2(relu(bn1(conv1(x)))))), as the library's `ResNet.basicBlock` of stride 1.
type ResidualBlock(channels: int64) as this =
    inherit torch.nn.Module<torch.Tensor, torch.Tensor>("block")
    let conv () = torch.nn.Conv2d(channels, channels, 3L, padding = 1L, bias = false)
    let conv1, bn1 = conv (), torch.nn.BatchNorm2d channels
    let conv2, bn2 = conv (), torch.nn.BatchNorm2d channels

    do
        this.register_module ("conv1", conv1)
        this.register_module ("bn1", bn1)
        this.register_module ("conv2", conv2)
        this.register_module ("bn2", bn2)

    override _.forward x =
        torch.nn.functional.relu (x + bn2.call (conv2.call (torch.nn.functional.relu (bn1.call (conv1.call x)))))

/// An encoder layer for [batch; length; features], the mean over places, and a dense layer.
type EncoderClassifier(width: int64, heads: int64, hidden: int64, count: int64) as this =
    inherit torch.nn.Module<torch.Tensor, torch.Tensor>("classifier")

    let encoder = torch.nn.TransformerEncoderLayer(width, heads, hidden, 0.1, torch.nn.Activations.GELU)

    let head = torch.nn.Linear(width, count)

    do
        this.register_module ("encoder", encoder)
        this.register_module ("head", head)

    override _.forward x =
        // The layer takes the places first.
        head.call (encoder.call(x.transpose(0L, 1L).contiguous(), null, null).mean [| 0L |])

/// A model in TorchSharp, the same in the library, and data.
type Case =
    {
        Name: string
        Net: TensorModule
        Own: Network
        Theta: Tensor
        Inputs: T
        Labels: T
    }

module Cases =

    let private finish name (dtype: DType) (net: TensorModule) (own: Network) (inputs: T) (labels: T) : Case =
        net.``to`` (scalarTypeOf dtype) |> ignore
        net.eval ()
        let theta, own = Network.load dtype (TorchParameters.ofStateDict (net.state_dict ())) own

        {
            Name = $"{name}, {dtype}"
            Net = net
            Own = own
            Theta = theta
            Inputs = inputs.``to`` (scalarTypeOf dtype)
            Labels = labels
        }

    let private sameSize = Sliding.Default.WithPadding 1
    let private nothing = Layer.ofFunction "nothing" id

    let cnn (dtype: DType) : Case =
        let net =
            torch.nn.Sequential(
                [|
                    torch.nn.Conv2d(1L, 8L, 3L, padding = 1L) :> TensorModule
                    torch.nn.ReLU()
                    torch.nn.MaxPool2d(2L, 2L)
                    torch.nn.Conv2d(8L, 16L, 3L, padding = 1L)
                    torch.nn.ReLU()
                    torch.nn.AdaptiveAvgPool2d [| 1L; 1L |]
                    torch.nn.Flatten()
                    torch.nn.Linear(16L, 10L)
                |]
            )

        let own =
            [
                ImageLayer.conv2d 1 8 (3, 3) sameSize
                Layer.relu
                ImageLayer.maxPool2d (2, 2) (Sliding.Default.WithStride 2)
                ImageLayer.conv2d 8 16 (3, 3) sameSize
                Layer.relu
                ImageLayer.globalAveragePool
                nothing
                Layer.dense 16 10
            ]
            |> Layer.sequential
            |> ImageLayer.onImages
            |> Network.ofLayer

        finish "CNN" dtype net own (torch.randn [| 24L; 1L; 8L; 8L |]) (classes 10L 24L)

    let residual (dtype: DType) : Case =
        let net =
            torch.nn.Sequential(
                [|
                    torch.nn.Conv2d(3L, 8L, 3L, padding = 1L) :> TensorModule
                    new ResidualBlock(8L)
                    torch.nn.AdaptiveAvgPool2d [| 1L; 1L |]
                    torch.nn.Flatten()
                    torch.nn.Linear(8L, 5L)
                |]
            )

        let images = torch.randn [| 16L; 3L; 8L; 8L |]
        // Some steps in training, so that the running statistics are not those of a fresh layer.
        for _ in 1..5 do
            net.forward (2.0.ToScalar() * images) |> ignore

        let own =
            [
                ImageLayer.conv2d 3 8 (3, 3) sameSize
                ResNet.basicBlock 8 8 1
                ImageLayer.globalAveragePool
                nothing
                Layer.dense 8 5
            ]
            |> Layer.sequential
            |> ImageLayer.onImages
            |> Network.ofLayer

        finish "residual network" dtype net own images (classes 5L 16L)

    let encoder (dtype: DType) : Case =
        let own =
            Layer.composed
                "encoder layer"
                [
                    "self_attn", Attention.multiHead 16 4 false
                    "linear1", Layer.dense 16 32
                    "linear2", Layer.dense 32 16
                    "norm1", Normalization.layer 16
                    "norm2", Normalization.layer 16
                ]
                (fun run x ->
                    let attended = run "norm1" (x + run "self_attn" x)
                    run "norm2" (attended + run "linear2" (Tensor.gelu (run "linear1" attended))))
            |> fun layer ->
                Layer.named [
                    "encoder", layer
                    "pool", Layer.ofFunction "mean over places" (Tensor.meanAxes [ 1 ])
                    "head", Layer.dense 16 5
                ]
            |> Network.ofLayer

        let net = new EncoderClassifier(16L, 4L, 32L, 5L)
        finish "transformer encoder layer" dtype net own (torch.randn [| 12L; 7L; 16L |]) (classes 5L 12L)

    /// Dense layers with tanh between them.
    let mlp (sizes: int64 list) : torch.nn.Module<torch.Tensor, torch.Tensor> =
        [|
            for i, (inputs, outputs) in List.indexed (List.pairwise sizes) do
                if i > 0 then torch.nn.Tanh() :> TensorModule
                torch.nn.Linear(inputs, outputs) :> TensorModule
        |]
        |> torch.nn.Sequential
        |> fun net -> net :> TensorModule
