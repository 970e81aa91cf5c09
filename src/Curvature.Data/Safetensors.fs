namespace Curvature.FSharp

open System
open System.Buffers.Binary
open System.IO
open System.Text
open System.Text.Json
open Curvature

/// Files of named tensors in the safetensors format: the length of a header, a header in JSON, and the elements of all
/// tensors, little-endian and row-major, without gaps. (https://huggingface.co/docs/safetensors)
[<RequireQualifiedAccess>]
module Safetensors =

    /// The longest header that is read: the limit of the format.
    let private longestHeader = 100_000_000L

    let private ofStream (reading: Reading) (stream: Stream) : (string * Tensor) list =
        let name = reading.Name

        let length =
            BinaryPrimitives.ReadInt64LittleEndian(DataFile.readBytes reading "the length of the header" 8L stream)

        if length < 0L || length > longestHeader then
            SafetensorsHeader.fail
                name
                $"its header would have {uint64 length} bytes, and at most {longestHeader} are allowed"

        let header = DataFile.readBytes reading "the header" length stream |> SafetensorsHeader.read reading

        let tensors =
            [
                for tensor in header.Order ->
                    let what = $"tensor \"{header.Names[tensor]}\""
                    let bytes = header.Ends[tensor] - header.Starts[tensor]
                    let data = DataFile.readBytes reading what bytes stream

                    header.Names[tensor],
                    Elements.toTensor reading what header.Elements[tensor] false (header.Shape tensor) data
            ]

        if stream.ReadByte() >= 0 then
            SafetensorsHeader.fail name "it goes on behind the last tensor"

        tensors

    /// The named tensors of a file, in the order in which their elements lie in it. Float16 and BFloat16 become
    /// Float32, and all integers Int32. Raises DataException, naming the file, for one that is not there, is damaged,
    /// has element types that cannot be held, or exceeds the limits. A header takes less than 3 times its size in
    /// memory.
    let readWith (limits: ReadLimits) (path: string) : (string * Tensor) list = DataFile.read limits path ofStream

    /// The named tensors of a file, within the default limits.
    let read (path: string) : (string * Tensor) list = readWith ReadLimits.Default path

    /// The named tensors of a stream of such a file; the name is for errors.
    let readStream (limits: ReadLimits) (name: string) (stream: Stream) : (string * Tensor) list =
        ofStream (Reading(name, limits)) stream

    // ---- writing

    /// Writes named tensors, in the given order. Raises ParameterException where a name comes twice.
    let writeStream (stream: Stream) (tensors: (string * Tensor) list) : unit =
        match tensors |> List.countBy fst |> List.tryFind (fun (name, uses) -> uses > 1 || name = "__metadata__") with
        | Some(name, _) -> Fail.parameter $"two tensors have the name \"{name}\", or the name is reserved"
        | None -> ()

        let encoded = tensors |> List.map (fun (name, tensor) -> name, tensor, Elements.ofTensor tensor)
        use buffer = new MemoryStream()

        using (new Utf8JsonWriter(buffer)) (fun json ->
            json.WriteStartObject()
            let mutable place = 0L

            for name, tensor, (kind, data) in encoded do
                let struct (dtype, _) =
                    SafetensorsHeader.elements |> Array.find (fun (struct (_, element)) -> element = kind)

                json.WriteStartObject name
                json.WriteString("dtype", dtype)
                json.WriteStartArray "shape"
                tensor.Shape |> Array.iter json.WriteNumberValue
                json.WriteEndArray()
                json.WriteStartArray "data_offsets"
                json.WriteNumberValue place
                place <- place + int64 data.Length
                json.WriteNumberValue place
                json.WriteEndArray()
                json.WriteEndObject()

            json.WriteEndObject())

        // Spaces bring the elements to a multiple of 8 bytes.
        buffer.Write(Encoding.ASCII.GetBytes(String(' ', int (-buffer.Length &&& 7L))))
        let length = Array.zeroCreate<byte> 8
        BinaryPrimitives.WriteInt64LittleEndian(length.AsSpan(), buffer.Length)
        stream.Write length
        buffer.WriteTo stream

        for _, _, (_, data) in encoded do
            stream.Write data

    /// Writes named tensors to a file, in the given order, as a whole or not at all. Raises ParameterException where a
    /// name comes twice, DataException where the file cannot be written.
    let write (path: string) (tensors: (string * Tensor) list) : unit =
        AtomicFile.write path (fun stream -> writeStream stream tensors)
