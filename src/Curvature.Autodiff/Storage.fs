namespace Curvature

open System
open Curvature.Kernels

/// The shape and element type of an array.
type internal Signature = { Shape: int[]; DType: DType }

/// An array in device memory: a strided view of a block that it keeps alive. A uniform array holds one number for all
/// elements, and takes memory only when its address is asked for.
[<Sealed; AllowNullLiteral>]
type internal Storage
    private
    (
        device: Device,
        block: DeviceMemory,
        offset: int64,
        shape: int[],
        strides: int[],
        dtype: DType,
        uniform: float voption
    ) =

    let mutable block = block

    static member Bytes dtype =
        match dtype with
        | DType.Float64 -> 8L
        | DType.Float32
        | DType.Int32 -> 4L
        | other -> Fail.dtype $"element types are Float32, Float64 and Int32, and {other} was asked for"

    member _.Device = device
    member _.Offset = offset
    member _.Shape = shape
    member _.Strides = strides
    member _.DType = dtype
    member _.Uniform = uniform
    member _.Signature = { Shape = shape; DType = dtype }

    /// Equal for arrays of which one may stand for the other: for uniform ones the bits of the number, the element type
    /// and the shape, for all others the array itself.
    member this.Identity: obj =
        match uniform with
        | ValueSome value -> box (struct (BitConverter.DoubleToInt64Bits value, dtype, Shape.show shape))
        | ValueNone -> box this

    /// The block that holds the elements; refer to it for as long as its address is in use.
    member _.Memory =
        if isNull block then
            let fresh = device.Allocate(Storage.Bytes dtype)
            let value = uniform.Value

            match dtype with
            | DType.Float32 -> device.Upload(ReadOnlySpan [| float32 value |], fresh.Address)
            | DType.Float64 -> device.Upload(ReadOnlySpan [| value |], fresh.Address)
            | _ -> device.Upload(ReadOnlySpan [| int value |], fresh.Address)

            Threading.Interlocked.CompareExchange(&block, fresh, null) |> ignore

        block

    member _.IsRowMajor =
        uniform.IsNone
        && Array.forall2 (fun length _ -> length >= 0) shape strides
        && (let expected = Shape.rowMajor shape
            let mutable same = true

            for axis in 0 .. shape.Length - 1 do
                if shape[axis] <> 1 && strides[axis] <> expected[axis] then same <- false

            same)

    /// Uninitialised row-major storage.
    static member Allocate(device: Device, signature: Signature) =
        let bytes = int64 (Shape.size signature.Shape) * Storage.Bytes signature.DType
        let block = device.Allocate(max bytes 1L)
        Storage(device, block, 0L, signature.Shape, Shape.rowMajor signature.Shape, signature.DType, ValueNone)

    /// The same number everywhere.
    static member Full(device: Device, signature: Signature, value: float) =
        Storage.Bytes signature.DType |> ignore
        let strides = Array.zeroCreate signature.Shape.Length
        Storage(device, null, 0L, signature.Shape, strides, signature.DType, ValueSome value)

    /// A copy of host values, row-major.
    static member Of<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
        (device: Device, shape: int[], dtype: DType, values: 'T[])
        =
        let storage = Storage.Allocate(device, { Shape = shape; DType = dtype })
        device.Upload(ReadOnlySpan values, storage.Memory.Address)
        storage

    /// The same block seen with another offset, shape and strides.
    member this.View(offset: int64, shape: int[], strides: int[]) =
        match uniform with
        | ValueSome value -> Storage.Full(device, { Shape = shape; DType = dtype }, value)
        | ValueNone -> Storage(device, block, offset, shape, strides, dtype, ValueNone)

    /// Row-major elements in memory, in another element type if asked: a copy where this is anything else.
    member this.Dense(target: DType) : Storage =
        if dtype = target && this.IsRowMajor then
            this
        else
            let result = Storage.Allocate(device, { Shape = shape; DType = target })

            let copy =
                CopyDescription(dtype, target, shape, Operand(0, offset, strides), Operand(1, 0L, result.Strides))

            let source = this.Memory
            device.Copy(copy).Run([| source.Address; result.Memory.Address |], device.Threads)
            GC.KeepAlive source
            result

    /// The elements on the host, row-major, in the given element type.
    member this.ToArray<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
        (target: DType)
        : 'T[] =
        let dense = this.Dense target
        let values = GC.AllocateUninitializedArray<'T>(Shape.size shape)
        let start = dense.Memory.Address + nativeint (dense.Offset * Storage.Bytes target)
        device.Download(start, Span values)
        GC.KeepAlive dense.Memory
        values
