namespace Curvature

open System.Diagnostics
open System.Collections.Generic
open Curvature.FSharp

/// One tensor of parameters, and its place in the flat vector of all of them.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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

    member internal this.Text = this.ToString()

/// A named range of the elements of a vector, such as the parameters of one layer.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ParameterBlock(name: string, offset: int, size: int) =
    /// What the range is called.
    member _.Name = name

    /// Its first element.
    member _.Offset = offset

    /// How many elements it has.
    member _.Size = size

    override _.ToString() = $"{name} [{offset} .. {offset + size - 1}]"

    member internal this.Text = this.ToString()

/// The names, shapes and order of tensors that lie one behind the other in one flat vector, each row-major. Immutable.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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
            if uses > 1 then Fail.parameter $"two parameters have the name \"{name}\""

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
                Fail.parameter $"there is no parameter \"{name}\"; there are: {known}"

    member internal _.Pieces(theta: Tensor) : Dictionary<string, Tensor> =
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)

        if theta.Signature.Shape <> [| total |] then
            Fail.shape (
                $"theta: the parameters are one vector of shape [{total}], "
                + $"and this one has shape {Shape.show theta.Signature.Shape}"
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

    /// The layout of some of the tensors, by name, in the same order. Raises ParameterException for a name that there
    /// is not, or none.
    member layout.Restrict(names: string seq) : ParameterLayout =
        let chosen = HashSet<string> names

        for name in chosen do
            layout[name] |> ignore

        if chosen.Count = 0 then
            Fail.parameter "no parameters were chosen; one name at least is needed"

        ParameterLayout
            [
                for tensor in tensors do
                    if chosen.Contains tensor.Name then tensor.Name, tensor.Shape
            ]

    /// Cuts a flat vector of shape [n] into its tensors. The cut is one operation, which costs nothing on known
    /// numbers and whose derivative is one concatenation. Raises ShapeException for another shape.
    member layout.Split(theta: Tensor) : Parameters =
        Parameters(layout.Pieces theta, Evaluation, Parameters.Untapped, "")

    /// Checks that these are the tensors of the layout, each once and of its shape.
    member internal _.Check(named: seq<KeyValuePair<string, Tensor>>) : Dictionary<string, Tensor> =
        System.ArgumentNullException.ThrowIfNull(named, nameof named)
        let given = Dictionary<string, Tensor>()

        for each in named do
            if not (given.TryAdd(each.Key, each.Value)) then
                Fail.parameter $"\"{each.Key}\" is there twice"

            System.ArgumentNullException.ThrowIfNull(each.Value, each.Key)

        for name in given.Keys do
            if tensors |> Array.forall (fun tensor -> tensor.Name <> name) then
                Fail.parameter $"\"{name}\" is not one of the parameters"

        match tensors |> Array.filter (fun tensor -> not (given.ContainsKey tensor.Name)) with
        | [||] -> ()
        | missing ->
            let names = System.String.Join(", ", missing |> Array.map _.Name)
            Fail.parameter $"these parameters are missing: {names}"

        for tensor in tensors do
            let shape = given[tensor.Name].Shape

            if shape <> tensor.Shape then
                Fail.shape $"{tensor.Name}: expected shape {Shape.show tensor.Shape}, and got {Shape.show shape}"

        given

    /// Puts named tensors one behind the other: the inverse of Split. Raises ParameterException for a name that is
    /// missing, there twice or unknown, and ShapeException for a tensor of the wrong shape.
    member layout.Join(named: seq<KeyValuePair<string, Tensor>>) : Tensor =
        let given = layout.Check named
        [ for tensor in tensors -> Tensor.flatten given[tensor.Name] ] |> Tensor.concat 0

    override _.ToString() =
        let rows = tensors |> Array.map (fun tensor -> $"{tensor.Name} {Shape.show tensor.Shape}: {tensor.Size}")

        System.String.Join("\n", Array.append rows [| $"{total} parameters" |])

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Names and shapes of tensors in one flat vector.
[<RequireQualifiedAccess>]
module ParameterLayout =

    /// The layout of named shapes, one behind the other in the given order. Raises ParameterException for a name that
    /// comes twice, ShapeException for a negative length.
    let ofShapes (shapes: (string * int list) list) : ParameterLayout =
        for name, shape in shapes do
            if shape |> List.exists (fun length -> length < 0) then
                Fail.shape
                    $"{name}: axis lengths cannot be negative, and the shape is {Shape.show (List.toArray shape)}"

        ParameterLayout [ for name, shape in shapes -> name, List.toArray shape ]

    /// The layout of some of the tensors, by name, in the same order. Raises ParameterException for a name that there
    /// is not, or none.
    let restrict (names: string seq) (layout: ParameterLayout) : ParameterLayout = layout.Restrict names

    /// Cuts a flat vector into its named tensors.
    let split (theta: Tensor) (layout: ParameterLayout) : Parameters = layout.Split theta

    /// Puts named tensors into one flat vector.
    let join (named: (string * Tensor) list) (layout: ParameterLayout) : Tensor =
        layout.Join(named |> Seq.map KeyValuePair)

    /// The place of each tensor, in order: the blocks of a matrix whose rows belong to the parameters.
    let blocks (layout: ParameterLayout) : ParameterBlock list =
        [ for tensor in layout.Tensors -> ParameterBlock(tensor.Name, tensor.Offset, tensor.Size) ]
