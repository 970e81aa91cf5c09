namespace Curvature.FSharp

open System
open System.Buffers.Binary
open System.Runtime.InteropServices
open System.Text

/// Writes messages: whole numbers and bits of floating point numbers, the least significant byte first. Where the
/// length is known beforehand, nothing is copied twice.
[<Sealed>]
type internal WireWriter(capacity: int) =
    let mutable bytes = Array.zeroCreate<byte>(max 64 capacity)
    let mutable length = 0

    /// Room for so many bytes more.
    let room (count: int) : Span<byte> =
        if count > bytes.Length - length then
            let needed = int64 length + int64 count

            if needed > int64 Array.MaxLength then
                ClusterFail.cluster $"a message of {needed} bytes is too long; take smaller blocks"

            let size = min (int64 Array.MaxLength) (max needed (2L * int64 bytes.Length))
            Array.Resize(&bytes, int size)

        let start = length
        length <- length + count
        Span(bytes, start, count)

    new() = WireWriter 0

    member _.Byte(x: int) = (room 1)[0] <- byte x
    member this.Bool(x: bool) = this.Byte(if x then 1 else 0)
    member _.Int(x: int) = BinaryPrimitives.WriteInt32LittleEndian(room 4, x)
    member _.UInt(x: uint32) = BinaryPrimitives.WriteUInt32LittleEndian(room 4, x)
    member _.Long(x: int64) = BinaryPrimitives.WriteInt64LittleEndian(room 8, x)
    member _.Float(x: float) = BinaryPrimitives.WriteDoubleLittleEndian(room 8, x)
    member _.Bytes(x: ReadOnlySpan<byte>) = x.CopyTo(room x.Length)

    /// Its length, and then its UTF-8.
    member this.Text(x: string) =
        let utf8 = Encoding.UTF8.GetBytes x
        this.Int utf8.Length
        this.Bytes(ReadOnlySpan utf8)

    /// How many, and then each.
    member this.List(items: 'T seq, write: 'T -> unit) =
        let items = Seq.toArray items
        this.Int items.Length
        Array.iter write items

    /// How many, and then their bits.
    member this.Floats(x: float[]) =
        this.Int x.Length
        this.Bytes(MemoryMarshal.AsBytes(ReadOnlySpan x))

    member _.ToArray() : byte[] = if length = bytes.Length then bytes else Array.sub bytes 0 length

/// Reads messages from strangers: whatever does not fit raises ClusterException, before memory is taken for it.
[<Sealed>]
type internal WireReader(message: ReadOnlyMemory<byte>, start: int) =
    let mutable position = start

    let take (count: int64) =
        if count < 0L || count > int64 (message.Length - position) then
            ClusterFail.cluster (
                $"a message of {message.Length} bytes has no {count} bytes more at {position}: it is damaged, "
                + "or no message of this library"
            )

        let first = position
        position <- position + int count
        message.Slice(first, int count)

    /// The length that vectors have which are drawn for a message; nothing where it is not known.
    member val VectorLength: int voption = ValueNone with get, set

    member _.Byte() = int (take 1L).Span[0]

    member this.Bool() =
        match this.Byte() with
        | 0 -> false
        | 1 -> true
        | other -> ClusterFail.cluster $"a message has {other} where true or false is expected"

    member _.Int() = BinaryPrimitives.ReadInt32LittleEndian((take 4L).Span)
    member _.UInt() = BinaryPrimitives.ReadUInt32LittleEndian((take 4L).Span)
    member _.Long() = BinaryPrimitives.ReadInt64LittleEndian((take 8L).Span)
    member _.Float() = BinaryPrimitives.ReadDoubleLittleEndian((take 8L).Span)
    member _.Bytes(count: int64) : ReadOnlyMemory<byte> = take count

    /// A count of things of at least `size` bytes each, which must be there.
    member this.Count(size: int) =
        let count = this.Int()

        if count < 0 || int64 count * int64 size > int64 (message.Length - position) then
            ClusterFail.cluster $"a message of {message.Length} bytes announces {count} things of {size} bytes or more"

        count

    member this.Text() =
        let bytes = take (int64 (this.Count 1))

        try
            UTF8Encoding(false, true).GetString bytes.Span
        with :? ArgumentException ->
            ClusterFail.cluster "a message has a text that is not UTF-8"

    member this.List(size: int, read: unit -> 'T) : 'T[] = Array.init (this.Count size) (fun _ -> read ())

    member this.Floats() : float[] =
        let count = this.Count 8
        MemoryMarshal.Cast<byte, float>((take (8L * int64 count)).Span).ToArray()

    /// Passes over what is left.
    member _.Rest() = position <- message.Length

    /// Raises ClusterException where something is left.
    member _.End() =
        if position <> message.Length then
            ClusterFail.cluster $"a message has {message.Length - position} bytes too many"
