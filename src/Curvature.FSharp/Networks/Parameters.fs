namespace Curvature

open System.Collections.Generic
open Curvature.FSharp

/// One tensor of parameters, and its place in the flat vector of all of them.
[<Sealed>]
type ParameterTensor internal (name: string, shape: int[], offset: int) =
    let size = Shape.size shape

    /// The full name, such as `0.weight`.
    member _.Name = name

    /// The lengths of the axes, in PyTorch's order; the elements lie row-major in the flat vector.
    member _.Shape = Array.copy shape

    /// The position of the first element in the flat vector.
    member _.Offset = offset

    /// The number of elements.
    member _.Size = size

    override _.ToString() = $"{name} {Shape.show shape}"

/// What a forward pass does with statistics of batches, such as those of batch normalisation.
[<NoEquality; NoComparison>]
type internal ForwardPass =
    /// Layers use the statistics that the network has.
    | Evaluation
    /// Layers use those of the batch.
    | Training
    /// Layers use those of the batch, and tell them by their full names.
    | Observing of (string -> Tensor -> unit)

/// What happens to a value that a layer makes under a full name: it passes as it is, or something else takes its place.
type internal Tap = string -> Tensor -> Tensor

/// Tensors of parameters by name, as a layer sees them: the names are relative to the layer, such as `weight`.
[<Sealed>]
type Parameters internal (tensors: IReadOnlyDictionary<string, Tensor>, pass: ForwardPass, tap: Tap, scope: string) =

    /// The full name of the layer that sees these, such as `2.attention`; empty for the whole network.
    member _.Path = scope.TrimEnd '.'

    /// A tensor by its name in this layer. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): Tensor =
            match tensors.TryGetValue(scope + name) with
            | true, tensor -> tensor
            | _ ->
                let known = System.String.Join(", ", tensors.Keys)
                raise (ParameterException $"there is no parameter \"{scope + name}\"; there are: {known}")

    /// What a part of this layer sees: `parameters.Scope "0"` calls `0.weight` `weight`.
    member _.Scope(part: string) = Parameters(tensors, pass, tap, scope + part + ".")

    /// Gives an intermediate value of this layer a name, such as `hidden`, by which the curvature of the loss with respect to it can be
    /// asked for; the layer goes on with what this returns, which otherwise is the value itself. The outputs of the parts of composed
    /// layers have the names of the parts.
    member _.Tap(name: string, value: Tensor) : Tensor = tap (scope + name) value

    /// Whether layers are to use statistics of the batch instead of those that the network has.
    member _.InTraining =
        match pass with
        | Evaluation -> false
        | Training
        | Observing _ -> true

    /// Tells a statistic of the batch, by its name in this layer, to whoever collects them.
    member internal _.Observe(name: string, value: Tensor) =
        match pass with
        | Observing tell -> tell (scope + name) value
        | Evaluation
        | Training -> ()

/// The names, shapes and order of tensors that lie one behind the other in one flat vector, each row-major. Immutable.
[<Sealed>]
type ParameterLayout internal (declared: (string * int[]) list) =
    let tensors =
        let offsets = declared |> List.scan (fun offset (_, shape) -> offset + Shape.size shape) 0

        List.map2
            (fun (name, shape) offset -> ParameterTensor(name, shape, offset))
            declared
            offsets[.. declared.Length - 1]
        |> List.toArray

    let total = tensors |> Array.sumBy _.Size
    let sizes = tensors |> Array.map _.Size |> List.ofArray

    do
        for name, uses in declared |> List.countBy fst do
            if uses > 1 then
                raise (ParameterException $"two parameters have the name \"{name}\"")

    /// The tensors in the order in which they lie in the flat vector.
    member _.Tensors: IReadOnlyList<ParameterTensor> = tensors

    /// The length n of the flat vector.
    member _.Size = total

    /// A tensor by name. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): ParameterTensor =
            match tensors |> Array.tryFind (fun tensor -> tensor.Name = name) with
            | Some tensor -> tensor
            | None ->
                let known = System.String.Join(", ", tensors |> Array.map _.Name)
                raise (ParameterException $"there is no parameter \"{name}\"; there are: {known}")

    member internal _.Pieces(theta: Tensor) : Dictionary<string, Tensor> =
        if theta.Signature.Shape <> [| total |] then
            raise (
                ShapeException
                    $"theta: the parameters are one vector of shape [{total}], and this one has shape {Shape.show theta.Signature.Shape}"
            )

        let pieces =
            match sizes with
            | [] -> []
            | [ _ ] -> [ theta ]
            | _ -> Tensor.split 0 sizes theta

        let named = Dictionary<string, Tensor>()

        for tensor, piece in Seq.zip tensors pieces do
            named.Add(tensor.Name, Tensor.reshape (List.ofArray tensor.Shape) piece)

        named

    /// Cuts a flat vector of shape [n] into its tensors. The cut is one operation, which costs nothing on known numbers and whose
    /// derivative is one concatenation. Raises ShapeException for another shape.
    member layout.Split(theta: Tensor) : Parameters =
        Parameters(layout.Pieces theta, Evaluation, (fun _ value -> value), "")

    /// Checks that these are the tensors of the layout, each once and of its shape.
    member internal _.Check(named: seq<KeyValuePair<string, Tensor>>) : Dictionary<string, Tensor> =
        let given = Dictionary<string, Tensor> named

        for name in given.Keys do
            if tensors |> Array.forall (fun tensor -> tensor.Name <> name) then
                raise (ParameterException $"\"{name}\" is not one of the parameters")

        match tensors |> Array.filter (fun tensor -> not (given.ContainsKey tensor.Name)) with
        | [||] -> ()
        | missing ->
            let names = System.String.Join(", ", missing |> Array.map _.Name)
            raise (ParameterException $"these parameters are missing: {names}")

        for tensor in tensors do
            let shape = given[tensor.Name].Shape

            if shape <> tensor.Shape then
                raise (
                    ShapeException
                        $"{tensor.Name}: expected shape {Shape.show tensor.Shape}, and got {Shape.show shape}"
                )

        given

    /// Puts named tensors one behind the other: the inverse of Split. Raises ParameterException for a name that is missing
    /// or unknown, and ShapeException for a tensor of the wrong shape.
    member layout.Join(named: seq<KeyValuePair<string, Tensor>>) : Tensor =
        let given = layout.Check named
        [ for tensor in tensors -> Tensor.flatten given[tensor.Name] ] |> Tensor.concat 0

    override _.ToString() =
        let rows = tensors |> Array.map (fun tensor -> $"{tensor.Name} {Shape.show tensor.Shape}: {tensor.Size}")

        System.String.Join("\n", Array.append rows [| $"{total} parameters" |])

namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Names and shapes of tensors in one flat vector.
[<RequireQualifiedAccess>]
module ParameterLayout =

    /// The layout of named shapes, one behind the other in the given order. Raises ParameterException for a name that comes
    /// twice, ShapeException for a negative length.
    let ofShapes (shapes: (string * int list) list) : ParameterLayout =
        for name, shape in shapes do
            if shape |> List.exists (fun length -> length < 0) then
                raise (
                    ShapeException
                        $"{name}: axis lengths cannot be negative, and the shape is {Shape.show (List.toArray shape)}"
                )

        ParameterLayout [ for name, shape in shapes -> name, List.toArray shape ]

    /// Cuts a flat vector into its named tensors.
    let split (theta: Tensor) (layout: ParameterLayout) : Parameters = layout.Split theta

    /// Puts named tensors into one flat vector.
    let join (named: (string * Tensor) list) (layout: ParameterLayout) : Tensor =
        layout.Join(named |> Seq.map KeyValuePair)

    /// The place of each tensor, in order: the blocks of a matrix whose rows belong to the parameters.
    let blocks (layout: ParameterLayout) : ParameterBlock list =
        [ for tensor in layout.Tensors -> ParameterBlock(tensor.Name, tensor.Offset, tensor.Size) ]
