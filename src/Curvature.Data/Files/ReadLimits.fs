namespace Curvature

open System.Diagnostics

/// How much a reader takes before it refuses a file. A small file can unpack to a large one, and a damaged one can
/// state any size. Sizes are checked before memory is taken for them, and bytes are counted while they are read.
/// Immutable; begin with Default.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ReadLimits private (bytes: int64, line: int, entries: int) =

    static let atLeastOne (what: string) (value: int64) =
        if value < 1L then
            Fail.range $"ReadLimits.{what}: a limit is 1 at least, and this one is {value}"

    /// 4 GiB, lines of 16,777,216 characters, and 1,000,000 entries.
    static member Default = ReadLimits(1L <<< 32, 1 <<< 24, 1_000_000)

    /// The most bytes that a file may hold, after unpacking where it is packed, and that the numbers read from it may
    /// take in memory. A reader takes up to about three times as much while it works.
    member _.Bytes = bytes

    /// The most characters that a line of a text may have, or a row of a table.
    member _.Line = line

    /// The most tensors or arrays that a file may list.
    member _.Entries = entries

    /// The same limits with another number of bytes. Raises ArgumentRangeException for less than 1.
    member _.WithBytes(bytes: int64) =
        atLeastOne (nameof bytes) bytes
        ReadLimits(bytes, line, entries)

    /// The same limits with another length of lines. Raises ArgumentRangeException for less than 1.
    member _.WithLine(characters: int) =
        atLeastOne (nameof characters) (int64 characters)
        ReadLimits(bytes, characters, entries)

    /// The same limits with another number of tensors. Raises ArgumentRangeException for less than 1.
    member _.WithEntries(entries: int) =
        atLeastOne (nameof entries) (int64 entries)
        ReadLimits(bytes, line, entries)

    override _.ToString() = $"{bytes:N0} bytes, lines of {line:N0} characters, {entries:N0} entries"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// A file that is being read: what messages call it, and how much of its limits is left.
[<Sealed>]
type internal Reading private (name: string, limits: ReadLimits, taken: int64 ref, kept: int64 ref) =
    new(name, limits) = Reading(name, limits, ref 0L, ref 0L)

    /// What messages call the file.
    member _.Name = name

    member _.Limits = limits

    /// A part of the same file, with another name and under the same limits.
    member _.Part(part: string) = Reading($"{name}, {part}", limits, taken, kept)

    member private _.Refuse(what: string) =
        Fail.data (
            $"{name}: {what}, and the limit is {limits.Bytes} bytes; "
            + "if the file is right, raise it by ReadLimits.WithBytes"
        )

    /// Refuses what would take more bytes than the limit.
    member this.Announce(what: string, bytes: int64) =
        if bytes > limits.Bytes then this.Refuse $"{what} needs {bytes} bytes"

    /// Counts bytes that came out of a packed file.
    member this.Take(bytes: int) =
        taken.Value <- taken.Value + int64 bytes

        if taken.Value > limits.Bytes then
            this.Refuse "it is longer when it is unpacked"

    /// Counts bytes of what is read and kept in memory.
    member this.Keep(what: string, bytes: int64) =
        kept.Value <- kept.Value + bytes

        if kept.Value > limits.Bytes then
            this.Refuse $"{what} would take {kept.Value} bytes of memory"

    /// Refuses a list of more tensors than the limit.
    member _.RequireEntries(count: int) =
        if count > limits.Entries then
            Fail.data (
                $"{name}: it lists {count} tensors, and the limit is {limits.Entries}; "
                + "if the file is right, raise it by ReadLimits.WithEntries"
            )

/// What comes out of a packed file, counted.
[<Sealed>]
type internal UnpackedStream(reading: Reading, packed: Stream) =
    inherit Stream()

    let count (bytes: int) =
        reading.Take bytes
        bytes

    override _.CanRead = true
    override _.CanSeek = false
    override _.CanWrite = false
    override _.Length = raise (NotSupportedException())

    override _.Position
        with get () = raise (NotSupportedException())
        and set _ = raise (NotSupportedException())

    override _.Flush() = ()
    override _.Seek(_, _) = raise (NotSupportedException())
    override _.SetLength _ = raise (NotSupportedException())
    override _.Write(_: byte[], _: int, _: int) : unit = raise (NotSupportedException())
    override _.Read(buffer: byte[], offset: int, length: int) : int = packed.Read(buffer, offset, length) |> count
    override _.Read(buffer: Span<byte>) : int = packed.Read buffer |> count

    override _.Dispose(disposing: bool) =
        if disposing then packed.Dispose()
        base.Dispose disposing
