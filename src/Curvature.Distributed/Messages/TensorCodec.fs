namespace Curvature.FSharp

open System
open System.Runtime.InteropServices
open Curvature

/// Tensors in messages: element type, shape, and the bits of the elements in row-major order.
module internal TensorCodec =

    let private most = 16

    /// How many bytes a tensor takes.
    let bytes (t: Tensor) : int64 = 2L + 4L * int64 t.Rank + int64 t.Size * (if t.DType = DType.Float64 then 8L else 4L)

    let write (out: WireWriter) (t: Tensor) =
        out.Byte(int t.DType)
        out.Byte t.Rank
        t.Signature.Shape |> Array.iter out.Int

        match t.DType with
        | DType.Float32 -> out.Bytes(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToSingleArray())))
        | DType.Float64 -> out.Bytes(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToArray())))
        | _ -> out.Bytes(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToInt32Array())))

    /// The number of elements of a shape from a stranger, as a whole number that cannot overflow.
    let elements (shape: int[]) =
        let mutable product = 1L

        for size in shape do
            if size < 0 then
                ClusterFail.cluster $"a message has a tensor of shape {Shape.show shape}"

            product <- if product > int64 Int32.MaxValue then product else product * int64 size

        product

    let read (input: WireReader) : Tensor =
        let dtype, rank = input.Byte(), input.Byte()
        if rank > most then ClusterFail.cluster $"a message has a tensor of {rank} axes"
        let shape = Array.init rank (fun _ -> input.Int())
        let count, axes = elements shape, List.ofArray shape

        if dtype = int DType.Float32 then
            let bytes = input.Bytes(4L * count)
            Tensor.ofSingleArray axes (MemoryMarshal.Cast<byte, float32>(bytes.Span).ToArray())
        elif dtype = int DType.Float64 then
            Tensor.ofArray axes (MemoryMarshal.Cast<byte, float>((input.Bytes(8L * count)).Span).ToArray())
        elif dtype = int DType.Int32 then
            Tensor.ofIndices axes (MemoryMarshal.Cast<byte, int>((input.Bytes(4L * count)).Span).ToArray())
        else
            ClusterFail.cluster $"a message has a tensor of an element type number {dtype}"
