namespace Curvature.OnnxFormat

open System
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// What is the same for all nodes of a run.
[<Sealed>]
type internal Context(opset: int, floats: DType voption, device: Device, mostBytes: int64) =

    /// The version of the operators.
    member _.Opset = opset

    /// The device of the parameters, and so of everything else.
    member _.Device = device

    /// The element type in which floating point of a file is computed with.
    member _.DTypeOf(kind: OnnxElementType) : DType =
        match floats with
        | ValueSome dtype -> dtype
        | ValueNone -> if kind = OnnxElementType.Float64 then DType.Float64 else DType.Float32

    /// Refuses a shape that takes more memory than the limit: a file of a few bytes can ask for any.
    member _.RequireRoom(what: string, shape: int64 seq) : unit =
        let mutable bytes = 8.0

        for length in shape do
            if length < 0L then
                Fail.shape $"{what}: the shape {Seq.toList shape} has a negative length"

            bytes <- bytes * float length

        if bytes > float mostBytes then
            Fail.data (
                $"{what}: a result of shape {Seq.toList shape} takes {bytes} bytes, and the limit is {mostBytes}; "
                + "if the model is right, raise it by ReadLimits.WithBytes"
            )

/// Whole numbers and truth values that are known while a model runs: shapes, positions, masks.
type internal HostArray = { Shape: int[]; Numbers: int64[] }

/// A value on an edge of the graph. Whole numbers that are known stay on the host, so that shapes that depend on shapes
/// are computed there. Others are tensors: Int32 as they were given, or floating point that holds whole numbers.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Value =
    | Host of OnnxElementType * HostArray
    | Numbers of OnnxElementType * Tensor
    /// Images [N; channels; height; width] that lie as [N; height; width; channels]: convolutions run in this order,
    /// and nothing is moved between them. Only operators that say so get to see them.
    | Images of OnnxElementType * Tensor

    member value.Kind =
        match value with
        | Host(kind, _)
        | Numbers(kind, _)
        | Images(kind, _) -> kind

    member value.Shape =
        match value with
        | Host(_, array) -> array.Shape
        | Numbers(_, tensor) -> tensor.Shape
        | Images(_, tensor) ->
            let shape = tensor.Shape
            [| shape[0]; shape[3]; shape[1]; shape[2] |]

    member value.Rank = value.Shape.Length
    member value.IsFloating = ElementType.isFloating value.Kind

[<AutoOpen>]
module internal ValuePatterns =

    /// The elements where they lie on the host; else a tensor with axes in the order in which the file has them.
    let (|OnHost|AsTensor|) (value: Value) =
        match value with
        | Value.Host(kind, array) -> OnHost(kind, array)
        | Value.Numbers(kind, tensor) -> AsTensor(kind, tensor)
        | Value.Images(kind, tensor) -> AsTensor(kind, Nchw.ofNhwc tensor)

[<RequireQualifiedAccess>]
module internal Value =

    /// The value with axes in the order in which the file has them.
    let plain (value: Value) : Value =
        match value with
        | Value.Images(kind, tensor) -> Value.Numbers(kind, Nchw.ofNhwc tensor)
        | other -> other

    /// Longer results stay tensors.
    let private longestOnHost = 1 <<< 24

    let host (kind: OnnxElementType) (shape: int[]) (numbers: int64[]) : Value =
        Value.Host(kind, { Shape = shape; Numbers = numbers })

    /// A list of whole numbers, such as a shape.
    let list (numbers: int64[]) : Value = host OnnxElementType.Int64 [| numbers.Length |] numbers

    /// Whether elements can be asked for.
    let isKnown (value: Value) : bool =
        match value with
        | Value.Host _ -> true
        | Value.Numbers(_, tensor)
        | Value.Images(_, tensor) -> isNull tensor.Owner

    let private ofInteger (x: float) : int64 = if Double.IsNaN x then 0L else int64 x

    /// The elements as whole numbers. Raises AbstractValueException where they are not known.
    let integers (value: Value) : int64[] =
        match value with
        | OnHost(_, array) -> array.Numbers
        | AsTensor(_, tensor) -> tensor.ToArray() |> Array.map ofInteger

    /// The elements as floating point. Raises AbstractValueException where they are not known.
    let reals (value: Value) : float[] =
        match value with
        | OnHost(_, array) -> array.Numbers |> Array.map float
        | AsTensor(_, tensor) -> tensor.ToArray()

    /// The elements as a tensor of floating point.
    let tensor (context: Context) (dtype: DType) (value: Value) : Tensor =
        match value with
        | AsTensor(_, tensor) -> Tensor.convert dtype tensor
        | OnHost(_, array) ->
            Tensor.ofArray (List.ofArray array.Shape) (array.Numbers |> Array.map float)
            |> Tensor.convert dtype
            |> Tensor.toDevice context.Device

    /// The elements as Int32, for positions.
    let indices (context: Context) (value: Value) : Tensor =
        match value with
        | AsTensor(_, tensor) -> Tensor.convert DType.Int32 tensor
        | OnHost(_, array) ->
            let narrow (number: int64) =
                if number < int64 Int32.MinValue || number > int64 Int32.MaxValue then
                    Fail.data $"the position {number} does not fit 32 bits"

                int number

            Tensor.ofIndices (List.ofArray array.Shape) (array.Numbers |> Array.map narrow)
            |> Tensor.toDevice context.Device

    /// A constant where and as a run computes: on its device, in its precision.
    let ofConstant (context: Context) (value: Value) : Value =
        match value with
        | OnHost _ -> value
        | AsTensor(_, tensor) ->
            let placed = tensor |> Tensor.convert (context.DTypeOf value.Kind) |> Tensor.toDevice context.Device
            Value.Numbers(value.Kind, placed)

    /// Whole numbers in a tensor as a value: on the host where they are known.
    let ofWhole (kind: OnnxElementType) (tensor: Tensor) : Value =
        if isNull tensor.Owner && tensor.Size <= longestOnHost then
            host kind tensor.Shape (tensor.ToArray() |> Array.map ofInteger)
        else
            Value.Numbers(kind, tensor)

    /// What a move of elements makes of a value. On the host it moves positions, so that no number loses a digit.
    let move (f: Tensor -> Tensor) (value: Value) : Value =
        match value with
        | AsTensor(_, tensor) -> Value.Numbers(value.Kind, f tensor)
        | OnHost(_, array) ->
            let moved = f (Tensor.ofIndices (List.ofArray array.Shape) [| 0 .. array.Numbers.Length - 1 |])
            let numbers = moved.ToInt32Array() |> Array.map (fun place -> array.Numbers[place])
            host value.Kind moved.Shape numbers

    /// The same number everywhere.
    let full (context: Context) (kind: OnnxElementType) (shape: int64[]) (number: float) : Value =
        context.RequireRoom("the result", shape)
        let shape = shape |> Array.map int

        if ElementType.isFloating kind then
            let filled = Tensor.full (context.DTypeOf kind) (List.ofArray shape) number
            Value.Numbers(kind, Tensor.toDevice context.Device filled)
        else
            let size = shape |> Array.fold (fun size length -> size * length) 1

            if size <= longestOnHost then
                host kind shape (Array.create size (int64 number))
            else
                Value.Numbers(kind, Tensor.full DType.Float64 (List.ofArray shape) number)
