namespace Curvature

open System
open System.Collections
open Curvature.Kernels

/// How tensors are made.
module internal TensorCreation =

    let private create (storage: Storage) : Tensor = Tensor.OfStorage storage

    let private checkShape operation (shape: int list) = Shape.check operation (List.toArray shape)

    let full (dtype: DType) (shape: int list) (value: float) : Tensor =
        create (Storage.Full(CpuDevice.Shared, { Shape = checkShape "full" shape; DType = dtype }, value))

    let private ofValues operation (dtype: DType) (shape: int list) (values: 'T[]) : Tensor =
        let shape = checkShape operation shape

        if Shape.size shape <> values.Length then
            Fail.shape (
                $"{operation}: {values.Length} values do not fill shape {Shape.show shape}, "
                + $"which holds {Shape.size shape}"
            )

        create (Storage.Of(CpuDevice.Shared, shape, dtype, values))

    let ofArray shape (values: float[]) = ofValues "ofArray" DType.Float64 shape values
    let ofSingleArray shape (values: float32[]) = ofValues "ofSingleArray" DType.Float32 shape values
    let ofIndices shape (values: int[]) = ofValues "ofIndices" DType.Int32 shape values

    let convert (dtype: DType) (t: Tensor) : Tensor =
        if t.DType = dtype then t else Tensor.Of(Structure.Convert dtype, t)

    let arange (dtype: DType) (count: int) : Tensor =
        Count.between 0 Array.MaxLength "arange" count
        ofIndices [ count ] [| 0 .. count - 1 |] |> convert dtype

    let linspace (dtype: DType) (first: float) (last: float) (count: int) : Tensor =
        Count.between 2 Array.MaxLength "linspace" count

        if dtype = DType.Int32 then
            Fail.dtype "linspace: dtype is Float32 or Float64, and Int32 was asked for; convert the result"

        Array.init count (fun i -> first + (last - first) * float i / float (count - 1))
        |> ofArray [ count ]
        |> convert dtype

    let eye (dtype: DType) (size: int) : Tensor =
        Shape.size [| size; size |] |> ignore
        let index = arange dtype size
        Tensor.Apply(OpCode.Equal, Tensor.Of(Structure.Reshape [| size; 1 |], index), index)

    let private typeName (element: objnull) =
        match element with
        | null -> "null"
        | element -> element.GetType().Name

    /// The elements, which must all be of one type.
    let private allOf<'T> (elements: obj[]) : 'T[] =
        elements
        |> Array.map (fun element ->
            match element with
            | :? 'T as element -> element
            | other -> Fail.dtype $"tensor: elements are of different types, {typeof<'T>.Name} and {typeName other}")

    let ofObject (value: obj) : Tensor =
        let rec shapeOf (value: obj) =
            match value with
            | :? string -> Fail.dtype "tensor: text is not a number"
            | :? Tensor -> []
            | :? Array as array when array.Rank > 1 -> List.init array.Rank array.GetLength
            | :? IEnumerable as items ->
                let items = items |> Seq.cast<obj> |> Seq.toList

                match items with
                | [] -> [ 0 ]
                | first :: rest ->
                    let inner = shapeOf first

                    for item in rest do
                        if shapeOf item <> inner then
                            let show shape = Shape.show (List.toArray shape)

                            Fail.shape (
                                $"tensor: the nested sequences are ragged: "
                                + $"shape {show inner} beside {show (shapeOf item)}"
                            )

                    items.Length :: inner
            | _ -> []

        let rec leaves (value: obj) : obj seq =
            match value with
            | :? Tensor -> Seq.singleton value
            | :? IEnumerable as items -> items |> Seq.cast<obj> |> Seq.collect leaves
            | leaf -> Seq.singleton leaf

        let shape = shapeOf value
        let values = leaves value |> Seq.toArray

        match Array.tryHead values with
        | None -> full DType.Float64 shape 0.0
        | Some(:? float) -> ofArray shape (allOf values)
        | Some(:? float32) -> ofSingleArray shape (allOf values)
        | Some(:? int) -> ofIndices shape (allOf values)
        | Some other -> Fail.dtype $"tensor: elements are float, float32 or int, and these are {typeName other}"

    let random distribution (key: Key) (dtype: DType) shape : Tensor =
        if dtype = DType.Int32 then
            Fail.dtype "random tensors are Float32 or Float64, and Int32 was asked for"

        let result = Storage.Allocate(CpuDevice.Shared, { Shape = checkShape "random" shape; DType = dtype })
        let count = int64 (Shape.size result.Shape)
        let fill = RandomDescription(dtype, distribution, key.Word0, key.Word1, 0L, count, Place(0, 0L))
        CpuDevice.Shared.Random(fill).Run([| result.Memory.Address |], CpuDevice.Shared.Threads)
        create result

    let toDevice (device: Device) (t: Tensor) : Tensor =
        let shape = t.Shape

        if not (obj.ReferenceEquals(t.Device, device) || isNull t.Owner) then
            Fail.differentiation
                $"toDevice: the tensor is part of a transformation; move it to {device.Name} before that"

        match t.DType with
        | _ when obj.ReferenceEquals(t.Device, device) -> t
        | DType.Float32 -> create (Storage.Of(device, shape, DType.Float32, t.ToSingleArray()))
        | DType.Float64 -> create (Storage.Of(device, shape, DType.Float64, t.ToArray()))
        | _ -> create (Storage.Of(device, shape, DType.Int32, t.ToInt32Array()))
