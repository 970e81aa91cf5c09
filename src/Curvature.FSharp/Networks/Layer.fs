namespace Curvature

open System.Diagnostics

/// A tensor that a layer needs: its name in the layer, its shape, and how it begins. It is either a parameter, or a
/// statistic of the data, which belongs to the network and not to the vector of parameters.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ParameterDeclaration
    internal (name: string, shape: int list, isStatistic: bool, initial: Key -> int list -> Tensor) =

    /// The name in the layer, such as `weight`.
    member _.Name = name

    /// Whether it is a statistic of the data, such as the means of batch normalisation, and not a parameter.
    member _.IsStatistic = isStatistic

    member internal _.Shape = shape

    /// The values to begin with, Float64.
    member internal _.Initial(key: Key) : Tensor = initial key shape

    /// The same declaration as seen from outside a part of that name.
    member internal _.Within(part: string) = ParameterDeclaration(part + "." + name, shape, isStatistic, initial)

    override _.ToString() =
        let kind = if isStatistic then ", a statistic" else ""
        $"{name} {Shape.show (List.toArray shape)}{kind}"

    member internal this.Text = this.ToString()

/// A step from tensors to tensors that may have parameters: what it declares, and what it computes from an input and
/// from its parameters, by their names in the layer. Immutable; the parameters themselves live in one flat vector
/// outside.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Layer internal (name: string, declarations: ParameterDeclaration list, forward: Parameters -> Tensor -> Tensor) =

    /// What it is, such as `dense 64 → 32`.
    member _.Name = name

    member internal _.Declarations = declarations

    /// The output for a batch of inputs.
    member _.Forward(parameters: Parameters, input: Tensor) : Tensor =
        System.ArgumentNullException.ThrowIfNull(parameters, nameof parameters)
        System.ArgumentNullException.ThrowIfNull(input, nameof input)
        forward parameters input

    override _.ToString() = name

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Layers, and how larger ones are made of them. The names of parameters, their shapes and their order are PyTorch's.
[<RequireQualifiedAccess>]
module Layer =

    /// A tensor of parameters of a layer: its name in the layer, its shape, and how it begins, such as
    /// `Initial.glorot`.
    let parameter (name: string) (shape: int list) (initial: Key -> int list -> Tensor) =
        ParameterDeclaration(name, shape, false, initial)

    /// A tensor of statistics of the data that a layer uses, beginning with a number everywhere. It is no parameter; in
    /// evaluation a layer reads it by its name like one.
    let statistic (name: string) (shape: int list) (value: float) =
        ParameterDeclaration(name, shape, true, Initial.constant value)

    /// A layer from its name, the tensors that it needs, and a function from these and an input to its output.
    let create
        (name: string)
        (parameters: ParameterDeclaration list)
        (forward: Parameters -> Tensor -> Tensor)
        : Layer =
        Layer(name, parameters, forward)

    /// A function without parameters as a layer.
    let ofFunction (name: string) (f: Tensor -> Tensor) : Layer = Layer(name, [], (fun _ input -> f input))

    // ---- dense layers

    /// x·Wᵀ over the last axis, for a weight of shape [outputs; inputs]. Nothing is copied for the transposition.
    let private applyWeight (name: string) inputs (parameters: Parameters) (x: Tensor) : Tensor =
        let shape = x.Shape

        if shape.Length = 0 || Array.last shape <> inputs then
            Fail.shape (
                $"layer {parameters.Path} ({name}): the last axis of the input must have {inputs} elements, and the "
                + $"shape is {Shape.show shape}"
            )

        let leading = "abcdefghijklm"[.. shape.Length - 2]
        Tensor.einsum $"{leading}y,zy->{leading}z" x parameters["weight"]

    let private checkSizes inputs outputs =
        if inputs < 1 || outputs < 1 then
            Fail.range $"dense: at least one input and one output are needed, and they are {inputs} and {outputs}"

    /// x·Wᵀ + b over the last axis: `weight` [outputs; inputs] and `bias` [outputs], both uniform on ±1/√inputs at
    /// first, as in torch.nn.Linear. Input [batch …; inputs], output [batch …; outputs].
    let dense (inputs: int) (outputs: int) : Layer =
        checkSizes inputs outputs
        let name = $"dense {inputs} → {outputs}"

        create
            name
            [
                parameter "weight" [ outputs; inputs ] Initial.fanIn
                parameter "bias" [ outputs ] (Initial.uniform (1.0 / sqrt (float inputs)))
            ]
            (fun parameters x -> applyWeight name inputs parameters x + parameters["bias"])

    /// x·Wᵀ over the last axis: `weight` [outputs; inputs], uniform on ±1/√inputs at first.
    let denseWithoutBias (inputs: int) (outputs: int) : Layer =
        checkSizes inputs outputs
        let name = $"dense {inputs} → {outputs}, no bias"
        create name [ parameter "weight" [ outputs; inputs ] Initial.fanIn ] (applyWeight name inputs)

    /// Replaces how parameters begin: the function is given the name in the layer, and what it returns counts where it
    /// returns something, as in `Layer.initialized (function "weight" -> Some Initial.glorot | _ -> None) (Layer.dense
    /// 2 16)`.
    let initialized (initial: string -> (Key -> int list -> Tensor) option) (layer: Layer) : Layer =
        let replace (declaration: ParameterDeclaration) =
            match initial declaration.Name with
            | Some initial ->
                ParameterDeclaration(declaration.Name, declaration.Shape, declaration.IsStatistic, initial)
            | None -> declaration

        Layer(layer.Name, layer.Declarations |> List.map replace, (fun parameters x -> layer.Forward(parameters, x)))

    // ---- functions of each element

    /// Hyperbolic tangent
    let tanh = ofFunction "tanh" Tensor.tanh
    /// max(x, 0), with derivative 0 at 0
    let relu = ofFunction "relu" Tensor.relu
    /// 1/(1 + e⁻ˣ)
    let sigmoid = ofFunction "sigmoid" Tensor.sigmoid
    /// x·Φ(x), with Φ the standard normal distribution function
    let gelu = ofFunction "gelu" Tensor.gelu
    /// x·sigmoid(x)
    let silu = ofFunction "silu" Tensor.silu
    /// ln(1 + eˣ)
    let softplus = ofFunction "softplus" Tensor.softplus

    /// `Activation.selu`
    let selu = ofFunction "selu" Activation.selu
    /// `Activation.mish`
    let mish = ofFunction "mish" Activation.mish
    /// `Activation.geluTanh`
    let geluTanh = ofFunction "gelu by tanh" Activation.geluTanh
    /// `Activation.hardSwish`
    let hardSwish = ofFunction "hard swish" Activation.hardSwish
    /// x/6 + 1/2, kept from 0 to 1, as torch.nn.Hardsigmoid; see `Activation.hardSigmoid`.
    let hardSigmoid = ofFunction "hard sigmoid" (Activation.hardSigmoid (1.0 / 6.0) 0.5)

    /// `Activation.leakyRelu`, as torch.nn.LeakyReLU, whose slope is 0.01 where nothing is said. The derivative at 0 is
    /// the slope. Raises ArgumentRangeException unless the slope is finite.
    let leakyRelu (slope: float) : Layer =
        Activation.checkFinite "leakyRelu" "the slope" slope
        ofFunction $"leaky relu {slope}" (Activation.leakyRelu slope)

    /// `Activation.elu`, as torch.nn.ELU, whose α is 1 where nothing is said. The derivative at 0 is α. Raises
    /// ArgumentRangeException unless α is finite.
    let elu (alpha: float) : Layer =
        Activation.checkFinite "elu" "alpha" alpha
        ofFunction $"elu {alpha}" (Activation.elu alpha)

    /// `Activation.prelu` with a slope for each feature of the last axis, as torch.nn.PReLU: `weight` [features], 0.25
    /// at first.
    let prelu (features: int) : Layer =
        if features < 1 then
            Fail.range $"prelu: at least one feature is needed, and there are {features}"

        create $"prelu {features}" [ parameter "weight" [ features ] (Initial.constant 0.25) ] (fun parameters x ->
            Activation.prelu parameters["weight"] x)

    // ---- shapes

    /// All axes but the first as one: [batch; …] to [batch; features].
    let flatten =
        ofFunction "flatten" (fun x ->
            match x.Shape with
            | [||] -> Fail.shape "flatten: an input of shape [batch; …] is needed, and this one is a scalar"
            | shape -> Tensor.reshape [ shape[0]; Shape.size shape[1..] ] x)

    // ---- layers of layers

    /// Parts under names, put together freely: the function is given a way to run a part by its name, and an input.
    /// Part `conv1` has its `weight` as `conv1.weight`. Raises ParameterException, when it runs, for a part that is not
    /// there.
    let composed
        (name: string)
        (parts: (string * Layer) list)
        (forward: (string -> Tensor -> Tensor) -> Tensor -> Tensor)
        : Layer =
        let declarations =
            [
                for part, layer in parts do
                    for declaration in layer.Declarations -> declaration.Within part
            ]

        let layers = System.Collections.Generic.Dictionary<string, Layer>()

        for part, layer in parts do
            layers.TryAdd(part, layer) |> ignore

        let run (parameters: Parameters) (part: string) (x: Tensor) =
            match layers.TryGetValue part with
            | true, layer -> parameters.Tap(part, layer.Forward(parameters.Scope part, x))
            | _ ->
                let known = System.String.Join(", ", parts |> List.map fst)
                Fail.parameter $"layer {name} has no part \"{part}\"; there are: {known}"

        create name declarations (fun parameters x -> forward (run parameters) x)

    /// Parts under names, one after the other: part `conv1` has its `weight` as `conv1.weight`.
    let named (parts: (string * Layer) list) : Layer =
        let name = System.String.Join(", ", parts |> List.map (fun (_, layer) -> layer.Name))
        composed name parts (fun run x -> (x, parts) ||> List.fold (fun x (part, _) -> run part x))

    /// One after the other, under the names 0, 1, 2, … as in torch.nn.Sequential: functions without parameters count
    /// too.
    let sequential (layers: Layer list) : Layer = layers |> List.mapi (fun i layer -> string i, layer) |> named

    /// x + f(x); the names are those of f.
    let residual (layer: Layer) : Layer =
        create $"residual ({layer.Name})" layer.Declarations (fun parameters x -> x + layer.Forward(parameters, x))

    /// The layer with a checkpoint around it: derivatives keep its input and its parameters, and compute what lies
    /// between again (`Tensor.checkpoint`). Names are those of the layer. Activations that are looked at are computed
    /// without checkpoints.
    let checkpointed (layer: Layer) : Layer =
        create $"checkpoint of {layer.Name}" layer.Declarations (fun parameters x ->
            let forward (x: Tensor) = layer.Forward(parameters, x)
            if parameters.IsObserved then forward x else Tensor.checkpoint forward x)

    /// Wd·(silu(Wg·x) ∘ Wu·x) over the last axis (Shazeer 2020, eq. 6): `gate_proj.weight` and `up_proj.weight`
    /// [hidden; features], `down_proj.weight` [features; hidden], the names of Llama's models in Hugging Face's
    /// library. [batch …; features] to the same shape.
    let swiGlu (features: int) (hidden: int) : Layer =
        composed
            $"swiglu {features} → {hidden} → {features}"
            [
                "gate_proj", denseWithoutBias features hidden
                "up_proj", denseWithoutBias features hidden
                "down_proj", denseWithoutBias hidden features
            ]
            (fun run x -> run "down_proj" (Tensor.silu (run "gate_proj" x) * run "up_proj" x))
