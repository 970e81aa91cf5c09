namespace Curvature

open System
open Curvature.Kernels

/// The shape and element type of an array.
type internal Signature =
    {
        Shape: int[]
        DType: DType
    }

    /// The bytes of an element.
    static member BytesOf(dtype: DType) =
        match dtype with
        | DType.Float64 -> 8L
        | DType.Float32
        | DType.Int32 -> 4L
        | other -> Fail.dtype $"element types are Float32, Float64 and Int32, and {other} was asked for"

    /// The bytes of all elements.
    member signature.Bytes = int64 (Shape.size signature.Shape) * Signature.BytesOf signature.DType

    /// Such as Float32[2; 3].
    member signature.Text = $"{signature.DType}{Shape.show signature.Shape}"

    /// Raises DTypeException for an array of indices.
    member signature.RequireNumbers(operation: string) =
        if signature.DType = DType.Int32 then
            Fail.dtype $"{operation}: arithmetic needs Float32 or Float64, and got Int32; convert it first"

/// An array in device memory: a strided view of a block that it keeps alive. A uniform array holds one number for all
/// elements, and takes memory only when its address is asked for.
[<Sealed>]
type internal Storage
    private
    (
        device: Device,
        block: DeviceMemory | null,
        offset: int64,
        strides: int[],
        signature: Signature,
        uniform: float voption
    ) =

    let shape, dtype = signature.Shape, signature.DType

    let mutable block = block

    static member Bytes dtype = Signature.BytesOf dtype
    member _.Device = device
    member _.Offset = offset
    member _.Shape = shape
    member _.Strides = strides
    member _.DType = dtype
    member _.Uniform = uniform
    member _.Signature = signature

    /// Equal for arrays that may replace each other. For uniform arrays these are the bits of the number, the element
    /// type and the shape; for all others it is the array itself.
    member this.Identity: obj =
        match uniform with
        | ValueSome value -> struct (BitConverter.DoubleToInt64Bits value, dtype, Shape.show shape) :> obj
        | ValueNone -> this :> obj

    /// The block that holds the elements. Keep a reference to it while its address is in use.
    member _.Memory: DeviceMemory =
        match block with
        | null ->
            let fresh = device.Allocate(Signature.BytesOf dtype)
            let value = uniform.Value

            match dtype with
            | DType.Float32 -> device.Upload(ReadOnlySpan [| float32 value |], fresh.Address)
            | DType.Float64 -> device.Upload(ReadOnlySpan [| value |], fresh.Address)
            | _ -> device.Upload(ReadOnlySpan [| int value |], fresh.Address)

            match Threading.Interlocked.CompareExchange(&block, fresh, null) with
            | null -> fresh
            | ofAnotherThread -> ofAnotherThread
        | allocated -> allocated

    /// Where the first element lies in the block.
    member this.Address = this.Memory.Address + nativeint (offset * Signature.BytesOf dtype)

    member _.IsRowMajor = uniform.IsNone && Shape.isRowMajor shape strides

    /// Uninitialised row-major storage.
    static member Allocate(device: Device, signature: Signature) =
        let block = device.Allocate(max signature.Bytes 1L)
        Storage(device, block, 0L, Shape.rowMajor signature.Shape, signature, ValueNone)

    /// The same number everywhere: the nearest one of the element type, as kernels see it.
    static member Full(device: Device, signature: Signature, value: float) =
        let value =
            match signature.DType with
            | DType.Float32 -> float (float32 value)
            | DType.Int32 -> float (int value)
            | _ -> value

        Signature.BytesOf signature.DType |> ignore

        let strides = Array.zeroCreate signature.Shape.Length
        Storage(device, null, 0L, strides, signature, ValueSome value)

    /// A copy of host values, row-major.
    static member Of<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
        (device: Device, shape: int[], dtype: DType, values: 'T[])
        =
        let storage = Storage.Allocate(device, { Shape = shape; DType = dtype })
        device.Upload(ReadOnlySpan values, storage.Memory.Address)
        storage

    /// The same block seen with another offset, shape and strides.
    member this.View(offset: int64, shape: int[], strides: int[]) =
        let seen: Signature = { Shape = shape; DType = dtype }

        match uniform with
        | ValueSome value -> Storage.Full(device, seen, value)
        | ValueNone -> Storage(device, block, offset, strides, seen, ValueNone)

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
        device.Download(dense.Address, Span values)
        GC.KeepAlive dense.Memory
        values
