namespace Curvature.OnnxFormat

open System
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open Curvature
open Curvature.FSharp

/// The elements of tensors, read when it is known where they belong, so that weights are in memory once. A tensor whose
/// shape and bytes do not agree is refused before memory is taken for it.
[<Sealed>]
type internal TensorContent(wire: WireReader, folder: string voption) =
    let reading = wire.Reading
    let files = Dictionary<string, FileStream>()

    let external (path: string) : FileStream =
        match files.TryGetValue path with
        | true, file -> file
        | _ ->
            match folder with
            | ValueNone ->
                Fail.data
                    $"{reading.Name}: the weights are in \"{path}\", which only a model that is read from a path has"
            | ValueSome folder ->
                let file = ExternalData.openFile reading folder path
                files[path] <- file
                file

    let what (record: TensorRecord) = $"tensor \"{record.Name}\""

    let refuse (record: TensorRecord) (message: string) : 'T = Fail.data $"{reading.Name}: {what record} {message}"

    let kindOf (record: TensorRecord) : OnnxElementType =
        match ElementType.tryOf record.Type with
        | ValueSome kind -> kind
        | ValueNone -> refuse record $"has elements of type {ElementType.name record.Type}, which cannot be read"

    let count (record: TensorRecord) : int =
        if record.Dims |> Array.exists (fun length -> length < 0L) then
            refuse record $"has a negative length in its shape, {record.Dims |> Array.toList}"

        Elements.count reading.Name (what record) record.Dims

    let requireCount (record: TensorRecord) (there: int) =
        let wanted = count record

        if there <> wanted then
            refuse record $"has {there} elements, and its shape {record.Dims |> Array.toList} holds {wanted}"

    let swapEnds (size: int) (bytes: Span<byte>) =
        if size > 1 && not BitConverter.IsLittleEndian then
            for start in 0..size .. bytes.Length - size do
                bytes.Slice(start, size).Reverse()

    /// The number of bytes, compared with what the file has.
    let requireBytes (record: TensorRecord) : unit =
        let wanted = int64 (count record) * int64 (ElementType.size (kindOf record))

        let compare (length: int64) =
            if length <> wanted then
                refuse
                    record
                    $"has {length} bytes, and its shape {record.Dims |> Array.toList} of {kindOf record} needs {wanted}"

        match record.Elements with
        | Stored.InFile segment -> compare segment.Length
        | Stored.External(path, offset, length) ->
            ValueOption.iter compare length
            let file = external path

            if offset < 0L || wanted > file.Length || offset > file.Length - wanted then
                refuse record $"needs {wanted} bytes from byte {offset} of \"{path}\", which has {file.Length} bytes"
        | Stored.Integers _
        | Stored.Reals _ -> ()

    /// Fills memory of the right size with the bytes of a tensor that is in a file.
    let copy (record: TensorRecord) (target: Span<byte>) : unit =
        match record.Elements with
        | Stored.InFile segment -> wire.Copy(segment.Start, target)
        | Stored.External(path, offset, _) ->
            let file = external path
            file.Position <- offset
            file.ReadExactly target
        | Stored.Integers _
        | Stored.Reals _ -> ()

        swapEnds (ElementType.size (kindOf record)) target

    let array (record: TensorRecord) : 'T[] when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType =
        requireBytes record
        let values = Array.zeroCreate<'T>(count record)
        copy record (MemoryMarshal.AsBytes(Span values))
        values

    let ofHalf (bits: uint16) = float32 (BitConverter.UInt16BitsToHalf bits)
    let ofBrain (bits: uint16) = BitConverter.UInt32BitsToSingle(uint32 bits <<< 16)

    /// The bits of 16-bit numbers, converted one by one.
    let copyBits (record: TensorRecord) (convert: uint16 -> float32) (target: Span<float32>) : unit =
        let bits =
            match record.Elements with
            | Stored.Integers bits ->
                requireCount record bits.Length
                bits |> Array.map uint16
            | _ -> (array record: uint16[])

        for i in 0 .. bits.Length - 1 do
            target[i] <- convert bits[i]

    let integersInFile (record: TensorRecord) : int64[] =
        match kindOf record with
        | OnnxElementType.UInt8 -> (array record: uint8[]) |> Array.map int64
        | OnnxElementType.Bool -> (array record: uint8[]) |> Array.map (fun b -> if b = 0uy then 0L else 1L)
        | OnnxElementType.Int8 -> (array record: int8[]) |> Array.map int64
        | OnnxElementType.UInt16 -> (array record: uint16[]) |> Array.map int64
        | OnnxElementType.Int16 -> (array record: int16[]) |> Array.map int64
        | OnnxElementType.Int32 -> (array record: int32[]) |> Array.map int64
        | OnnxElementType.UInt32 -> (array record: uint32[]) |> Array.map int64
        | OnnxElementType.Int64
        | OnnxElementType.UInt64 -> (array record: int64[])
        | kind -> refuse record $"has elements of type {kind}, and whole numbers are needed"

    /// The element type. Raises DataException for one that cannot be held.
    member _.Kind(record: TensorRecord) = kindOf record

    /// The shape, of which the product fits into a tensor.
    member _.Shape(record: TensorRecord) : int[] =
        count record |> ignore
        record.Dims |> Array.map int

    /// Checks that the file has as many elements as the shape says, and counts their memory.
    member _.Check(record: TensorRecord) : unit =
        let kind = kindOf record
        let bytes = if ElementType.isFloating kind then max 4 (ElementType.size kind) else 8
        reading.Keep(what record, int64 (count record) * int64 bytes)

        match record.Elements with
        | Stored.Integers values -> requireCount record values.Length
        | Stored.Reals values -> requireCount record values.Length
        | Stored.InFile _
        | Stored.External _ -> requireBytes record

    /// Whole numbers and truth values.
    member _.Integers(record: TensorRecord) : int64[] =
        match record.Elements with
        | Stored.Integers values ->
            requireCount record values.Length
            values |> Array.map (ElementType.wrap (kindOf record))
        | Stored.Reals values when values.Length > 0 -> refuse record "is of whole numbers, and holds fractions"
        | _ -> integersInFile record

    /// Floating point of 16 or 32 bits, into memory of as many elements.
    member _.CopySingles(record: TensorRecord, target: Span<float32>) : unit =
        match kindOf record, record.Elements with
        | OnnxElementType.Float16, _ -> copyBits record ofHalf target
        | OnnxElementType.BFloat16, _ -> copyBits record ofBrain target
        | OnnxElementType.Float32, Stored.Reals values ->
            requireCount record values.Length

            for i in 0 .. values.Length - 1 do
                target[i] <- float32 values[i]
        | OnnxElementType.Float32, Stored.Integers values -> requireCount record (if values.Length = 0 then 0 else -1)
        | OnnxElementType.Float32, _ ->
            requireBytes record
            copy record (MemoryMarshal.AsBytes target)
        | kind, _ -> refuse record $"has elements of type {kind}, and floating point of 32 bits is needed"

    /// Floating point of 64 bits.
    member _.Doubles(record: TensorRecord) : float[] =
        match kindOf record, record.Elements with
        | OnnxElementType.Float64, Stored.Reals values ->
            requireCount record values.Length
            values
        | OnnxElementType.Float64, Stored.Integers values ->
            requireCount record (if values.Length = 0 then 0 else -1)
            [||]
        | OnnxElementType.Float64, _ -> (array record: float[])
        | kind, _ -> refuse record $"has elements of type {kind}, and Float64 is needed"

    /// Floating point of 16 or 32 bits.
    member this.Singles(record: TensorRecord) : float32[] =
        let values = Array.zeroCreate<float32>(count record)
        this.CopySingles(record, Span values)
        values

    interface IDisposable with
        member _.Dispose() =
            for file in files.Values do
                file.Dispose()
