namespace Curvature

open Curvature.FSharp

/// A function of parameters θ, which are one flat vector, and of a batch of inputs. Immutable.
[<Sealed>]
type Network internal (layer: Layer) =
    let layout = ParameterLayout [ for part in layer.Declarations -> part.Name, List.toArray part.Shape ]

    /// The names, shapes and places of the parameter tensors in θ.
    member _.Layout = layout

    /// The number n of parameters.
    member _.ParameterCount = layout.Size

    /// The outputs for parameters of shape [n] and a batch of inputs, whose leading axis is the batch.
    /// Raises ShapeException and DTypeException where the three do not fit together.
    member _.Forward(theta: Tensor, inputs: Tensor) : Tensor =
        if inputs.DType <> DType.Int32 && inputs.DType <> theta.DType then
            raise (
                DTypeException $"the inputs are {inputs.DType} and the parameters {theta.DType}; convert one of them"
            )

        layer.Forward(layout.Split theta, inputs)

    /// Parameters to begin training with, of shape [n]. Tensor number i is drawn from the key's fold with i, in Float64,
    /// and rounded: all element types begin at the same point.
    member _.Initialize(key: Key, dtype: DType) : Tensor =
        layer.Declarations
        |> List.mapi (fun i part -> part.Initial(key.FoldIn(uint32 i)) |> Tensor.flatten)
        |> function
            | [] -> Tensor.zeros dtype [ 0 ]
            | parts -> parts |> Tensor.concat 0 |> Tensor.convert dtype

    override _.ToString() = $"{layer.Name}\n{layout}"

namespace Curvature.FSharp

open Curvature

/// Functions of parameters in one flat vector and of a batch of inputs.
[<RequireQualifiedAccess>]
module Network =

    /// The network that a layer is, with the layer's names. Raises ParameterException where two parameters have the same name.
    let ofLayer (layer: Layer) : Network = Network layer

    /// Layers one after the other, with torch.nn.Sequential's names: `0.weight`, `0.bias`, `2.weight`, ….
    let sequential (layers: Layer list) : Network = ofLayer (Layer.sequential layers)

    /// Dense layers of the given sizes with a function between them, as in `mlp Layer.tanh [ 64; 32; 10 ]`.
    /// Raises ArgumentRangeException for fewer than two sizes.
    let mlp (activation: Layer) (sizes: int list) : Network =
        if sizes.Length < 2 then
            raise (
                ArgumentRangeException
                    $"mlp: the sizes of inputs and outputs are needed, and there are {sizes.Length} sizes"
            )

        List.pairwise sizes
        |> List.collect (fun (inputs, outputs) -> [ activation; Layer.dense inputs outputs ])
        |> List.tail
        |> sequential

    /// Parameters to begin training with, of shape [n].
    let initialize (key: Key) (dtype: DType) (network: Network) : Tensor = network.Initialize(key, dtype)

    /// The outputs for parameters θ and a batch of inputs, as in `fun theta -> Network.forward network theta x`.
    let forward (network: Network) (theta: Tensor) (inputs: Tensor) : Tensor = network.Forward(theta, inputs)
