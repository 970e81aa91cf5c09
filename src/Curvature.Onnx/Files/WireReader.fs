namespace Curvature.OnnxFormat

open System
open System.Buffers.Binary
open System.IO
open System.Text
open Curvature
open Curvature.FSharp

/// How the value of a field is written in the wire format of protocol buffers.
[<RequireQualifiedAccess>]
type internal Wire =
    /// A whole number of 1 to 10 bytes.
    | Varint
    /// 8 bytes.
    | Fixed64
    /// 4 bytes.
    | Fixed32
    /// A length, and so many bytes.
    | Bytes

/// A field of a message. `Value` is the number itself, or the length of the bytes, which then begin at `Start`.
[<Struct; NoEquality; NoComparison>]
type internal Field =
    {
        Number: int
        Wire: Wire
        Value: uint64
        Start: int64
    }

    /// Where the bytes of the field end.
    member field.End = field.Start + int64 field.Value

/// Reads the wire format of protocol buffers from a file that nobody vouches for
/// (https://protobuf.dev/programming-guides/encoding). No length is believed before it is compared with what surrounds
/// it, and bytes that nobody asks for are passed over.
[<Sealed>]
type internal WireReader(reading: Reading, stream: Stream) =
    let buffer = Array.zeroCreate<byte>(1 <<< 16)
    let mutable bufferStart = 0L
    let mutable filled = 0
    let mutable next = 0

    do stream.Position <- 0L

    let position () = bufferStart + int64 next

    let fail (message: string) : 'T = Fail.data $"{reading.Name}: {message}, at byte {position ()}"

    let moveTo (place: int64) =
        if place >= bufferStart && place <= bufferStart + int64 filled then
            next <- int (place - bufferStart)
        else
            stream.Position <- place
            bufferStart <- place
            filled <- 0
            next <- 0

    let readByte () : byte =
        if next = filled then
            bufferStart <- bufferStart + int64 filled
            next <- 0
            filled <- stream.Read(buffer, 0, buffer.Length)
            if filled = 0 then fail "the file ends in the middle of a field"

        let value = buffer[next]
        next <- next + 1
        value

    let varint () : uint64 =
        let mutable value = 0UL
        let mutable shift = 0
        let mutable isOpen = true

        while isOpen do
            if shift > 63 then fail "a number has more than 10 bytes"
            let piece = readByte ()
            value <- value ||| (uint64 (piece &&& 0x7Fuy) <<< shift)
            shift <- shift + 7
            isOpen <- piece >= 0x80uy

        value

    let fixedBytes (count: int) : uint64 =
        let mutable value = 0UL

        for i in 0 .. count - 1 do
            value <- value ||| (uint64 (readByte ()) <<< 8 * i)

        value

    /// The next field of a message that ends at a place.
    let field (finish: int64) : Field =
        let key = varint ()
        let number = key >>> 3

        if number = 0UL || number > 0x1FFFFFFFUL then
            fail $"a field has the number {number}"

        let seen wire value = { Number = int number; Wire = wire; Value = value; Start = position () }

        let field =
            match int (key &&& 7UL) with
            | 0 -> seen Wire.Varint (varint ())
            | 1 -> seen Wire.Fixed64 (fixedBytes 8)
            | 5 -> seen Wire.Fixed32 (fixedBytes 4)
            | 2 ->
                let length = varint ()
                let left = finish - position ()

                if left < 0L || length > uint64 left then
                    fail $"a field has {length} bytes, and {max left 0L} are left"

                seen Wire.Bytes length
            | kind -> fail $"a field has the wire type {kind}, which ONNX does not use"

        if position () > finish then
            fail "a field ends behind the message that it is part of"

        field

    member _.Reading = reading

    /// How many bytes the file has.
    member _.Length = stream.Length

    /// Raises DataException with the place in the file.
    member _.Fail(message: string) : 'T = fail message

    /// The fields from a place to another, one after the other. The bytes of a field that nobody reads are passed over.
    member _.Fields(start: int64, finish: int64) : Field seq =
        seq {
            moveTo start

            while position () < finish do
                let field = field finish
                yield field
                if field.Wire = Wire.Bytes then moveTo field.End
        }

    /// The bytes of a field as text.
    member _.Text(field: Field) : string =
        if field.Value > uint64 reading.Limits.Line then
            fail (
                $"a text has {field.Value} bytes, and the limit is {reading.Limits.Line}; "
                + "if the file is right, raise it by ReadLimits.WithLine"
            )

        let bytes = Array.zeroCreate<byte>(int field.Value)
        moveTo field.Start

        for i in 0 .. bytes.Length - 1 do
            bytes[i] <- readByte ()

        Encoding.UTF8.GetString bytes

    /// Adds the whole numbers of a field to a list: one, or many that are packed into bytes.
    member this.Integers(field: Field, numbers: ResizeArray<int64>) : unit =
        match field.Wire with
        | Wire.Varint -> numbers.Add(int64 field.Value)
        | Wire.Bytes ->
            moveTo field.Start

            while position () < field.End do
                numbers.Add(int64 (varint ()))

            if position () > field.End then fail "a packed number ends behind its field"
        | _ -> fail $"field {field.Number} is written as {field.Wire}, and whole numbers were expected"

        // A number takes 8 times the memory of its shortest form.
        if int64 numbers.Count * 8L > reading.Limits.Bytes then
            reading.Announce("a list of numbers", int64 numbers.Count * 8L)

    /// Adds the Float32 numbers of a field to a list: one, or many that are packed into bytes.
    member _.Singles(field: Field, numbers: ResizeArray<float32>) : unit =
        let ofBits (bits: uint64) = BitConverter.UInt32BitsToSingle(uint32 bits)

        match field.Wire with
        | Wire.Fixed32 -> numbers.Add(ofBits field.Value)
        | Wire.Bytes when field.Value % 4UL = 0UL ->
            moveTo field.Start

            for _ in 1UL .. field.Value / 4UL do
                numbers.Add(ofBits (fixedBytes 4))
        | _ -> fail $"field {field.Number} is not a list of Float32"

    /// Fills memory with the bytes at a place in the file.
    member _.Copy(start: int64, target: Span<byte>) : unit =
        stream.Position <- start
        // The buffer no longer follows the stream.
        bufferStart <- start
        filled <- 0
        next <- 0

        try
            stream.ReadExactly target
        with :? EndOfStreamException ->
            fail "the file ends in the middle of a tensor"

        bufferStart <- start + int64 target.Length
