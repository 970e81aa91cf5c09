namespace Curvature.FSharp

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open Curvature

/// Element types of files.
[<RequireQualifiedAccess>]
type internal ElementType =
    | Boolean
    | UInt8
    | Int8
    | UInt16
    | Int16
    | UInt32
    | Int32
    | UInt64
    | Int64
    | Float16
    | BFloat16
    | Float32
    | Float64

    /// Bytes of one element.
    member this.Size =
        match this with
        | Boolean
        | UInt8
        | Int8 -> 1
        | UInt16
        | Int16
        | Float16
        | BFloat16 -> 2
        | UInt32
        | Int32
        | Float32 -> 4
        | UInt64
        | Int64
        | Float64 -> 8

    /// Bytes of one element of the tensor that it is read into.
    member this.SizeInMemory = if this = Float64 then 8L else 4L

/// From the bytes of a file to tensors: floating point of 16 and 32 bits becomes Float32, of 64 bits Float64, whole
/// numbers Int32.
module internal Elements =

    /// The limit of NumPy.
    let private mostAxes = 64

    /// The number of elements of a shape; nothing where a tensor cannot have it. Takes no memory.
    let tryCount (shape: IReadOnlyList<int64>) : int voption =
        let mutable product = 1L
        let mutable isPossible = shape.Count <= mostAxes
        let mutable axis = 0

        while isPossible && axis < shape.Count do
            let length = shape[axis]
            isPossible <- length >= 0L && length <= int64 Int32.MaxValue

            if isPossible then
                // Both factors are below 2³¹ as long as no product was too large.
                product <- product * length
                isPossible <- product <= int64 Int32.MaxValue

            axis <- axis + 1

        if isPossible then ValueSome(int product) else ValueNone

    /// The number of elements of a shape that a file promises.
    let count (name: string) (what: string) (shape: int64[]) : int =
        if shape.Length > mostAxes then
            Fail.data $"{name}: {what} has {shape.Length} axes, and {mostAxes} are the most"

        match tryCount shape with
        | ValueSome count -> count
        | ValueNone ->
            let text = String.Join("; ", shape)
            Fail.data $"{name}: {what} has shape [{text}], which is more than a tensor holds"

    let private swapEnds (bytes: byte[]) size =
        for start in 0..size .. bytes.Length - size do
            Array.Reverse(bytes, start, size)

    let private whole (name: string) (what: string) (values: seq<int64>) : int[] =
        values
        |> Seq.mapi (fun element value ->
            if value < int64 Int32.MinValue || value > int64 Int32.MaxValue then
                Fail.data $"{name}: element {element} of {what} is {value}, which does not fit 32 bits"

            int value)
        |> Seq.toArray

    let private cast<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (bytes: byte[]) : 'T[] =
        MemoryMarshal.Cast<byte, 'T>(ReadOnlySpan bytes).ToArray()

    /// A bfloat16 is the upper half of a float32.
    let private ofBFloat16 (upper: uint16) = BitConverter.UInt32BitsToSingle(uint32 upper <<< 16)

    /// The elements of an array of that many bytes, which it may change.
    let toTensor
        (reading: Reading)
        (what: string)
        (kind: ElementType)
        bigEndian
        (shape: int list)
        (bytes: byte[])
        : Tensor =
        let name = reading.Name
        reading.Keep(what, int64 (bytes.Length / kind.Size) * kind.SizeInMemory)

        if bigEndian = BitConverter.IsLittleEndian && kind.Size > 1 then
            swapEnds bytes kind.Size

        let ofWhole values = Tensor.ofIndices shape values

        match kind with
        | ElementType.Boolean -> bytes |> Array.map (fun b -> if b = 0uy then 0 else 1) |> ofWhole
        | ElementType.UInt8 -> bytes |> Array.map int |> ofWhole
        | ElementType.Int8 -> cast<sbyte> bytes |> Array.map int |> ofWhole
        | ElementType.UInt16 -> cast<uint16> bytes |> Array.map int |> ofWhole
        | ElementType.Int16 -> cast<int16> bytes |> Array.map int |> ofWhole
        | ElementType.UInt32 -> cast<uint32> bytes |> Seq.map int64 |> whole name what |> ofWhole
        | ElementType.Int32 -> cast<int> bytes |> ofWhole
        | ElementType.UInt64 ->
            // A number above 2⁶³ is negative here, and is refused too.
            cast<int64> bytes |> Seq.map (fun v -> if v < 0L then Int64.MaxValue else v) |> whole name what |> ofWhole
        | ElementType.Int64 -> cast<int64> bytes |> whole name what |> ofWhole
        | ElementType.Float16 -> cast<Half> bytes |> Array.map float32 |> Tensor.ofSingleArray shape
        | ElementType.BFloat16 -> cast<uint16> bytes |> Array.map ofBFloat16 |> Tensor.ofSingleArray shape
        | ElementType.Float32 -> cast<float32> bytes |> Tensor.ofSingleArray shape
        | ElementType.Float64 -> cast<float> bytes |> Tensor.ofArray shape

    /// The element type that holds a tensor's elements as they are, and their bytes, little-endian and row-major.
    let ofTensor (t: Tensor) : ElementType * byte[] =
        let kind, bytes =
            match t.DType with
            | DType.Float32 -> ElementType.Float32, MemoryMarshal.AsBytes(ReadOnlySpan(t.ToSingleArray())).ToArray()
            | DType.Float64 -> ElementType.Float64, MemoryMarshal.AsBytes(ReadOnlySpan(t.ToArray())).ToArray()
            | _ -> ElementType.Int32, MemoryMarshal.AsBytes(ReadOnlySpan(t.ToInt32Array())).ToArray()

        if not BitConverter.IsLittleEndian then swapEnds bytes kind.Size

        kind, bytes
