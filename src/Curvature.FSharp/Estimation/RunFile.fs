namespace Curvature.FSharp

open System
open System.IO
open System.Security.Cryptography
open System.Text
open Curvature

/// What distinguishes a run from others: it can be resumed only as itself.
[<NoEquality; NoComparison>]
type internal RunIdentity =
    {
        /// Names of what must be the same, with the values in this run.
        Facts: (string * string) list
        /// Makes the number by which the operator is recognised.
        Mark: unit -> float
        /// The share by which that number may differ from rounding.
        Tolerance: float
    }

/// How far an interrupted run had come.
[<NoEquality; NoComparison>]
type internal RunProgress = { Samples: int; Seconds: float; Mark: float }

/// What files of runs have in common.
module internal CheckpointFile =

    let damaged path what = DataException $"checkpoint {path}: it is damaged; {what}"

    let foreign path what = DataException $"checkpoint {path}: it is of another run; {what}"

    /// The share by which the same product may differ from one machine to another.
    let tolerance (dtype: DType) = if dtype = DType.Float64 then 1e-6 else 1e-2

    /// Raises DataException, with the path, where the file system or the content does not allow what an action wants.
    let guarded path what (action: unit -> 'T) : 'T =
        try
            action ()
        with
        | :? EndOfStreamException -> raise (damaged path "it ends too early")
        | :? IOException
        | :? UnauthorizedAccessException as error ->
            raise (DataException($"checkpoint {path}: it cannot be {what}; {error.Message}", error))

/// A sampling run in a file: what was measured until then, with a checksum. The random numbers are not there, because they follow
/// from the key.
module internal RunFile =

    let private magic = "CURVATURE RUN 2\n"B

    let private payload (identity: RunIdentity) (progress: RunProgress) (save: BinaryWriter -> unit) : byte[] =
        use stream = new MemoryStream()
        use writer = new BinaryWriter(stream, Encoding.UTF8)
        writer.Write identity.Facts.Length

        for name, value in identity.Facts do
            writer.Write name
            writer.Write value

        writer.Write progress.Samples
        writer.Write progress.Seconds
        writer.Write progress.Mark
        save writer
        writer.Flush()
        stream.ToArray()

    /// Writes beside the file first, so that an interruption leaves the older one whole.
    /// Raises DataException where the file cannot be written.
    let write (path: string) (identity: RunIdentity) (progress: RunProgress) (save: BinaryWriter -> unit) =
        let content = payload identity progress save
        let fresh = path + ".new"

        CheckpointFile.guarded path "written" (fun () ->
            using (File.Create fresh) (fun file ->
                file.Write(ReadOnlySpan magic)
                file.Write(ReadOnlySpan(SHA256.HashData content))
                file.Write(ReadOnlySpan content))

            File.Move(fresh, path, true))

    /// What follows the magic word and the checksum, which must be right.
    let private content path (bytes: byte[]) : byte[] =
        let start = magic.Length + SHA256.HashSizeInBytes

        if bytes.Length < start || bytes[.. magic.Length - 1] <> magic then
            raise (DataException $"checkpoint {path}: it is not one of a sampling run, or of another version")

        let body = bytes[start..]

        if SHA256.HashData body <> bytes[magic.Length .. start - 1] then
            raise (CheckpointFile.damaged path "its checksum is not that of its content")

        body

    let private requireSameRun path (identity: RunIdentity) (reader: BinaryReader) =
        let facts = List.init (reader.ReadInt32()) (fun _ -> reader.ReadString(), reader.ReadString())

        for (name, mine), (_, its) in List.zip identity.Facts facts do
            if mine <> its then
                raise (CheckpointFile.foreign path $"{name} is {its} there, and {mine} here")

    let private requireSameOperator path (identity: RunIdentity) (mark: float) =
        let here = identity.Mark()

        if not (abs (here - mark) <= identity.Tolerance * max (abs here) (abs mark)) then
            raise (
                CheckpointFile.foreign
                    path
                    $"another operator made it, with which the first random vector gave {mark:R}; here it gives {here:R}"
            )

    /// Restores a run from a file; nothing where there is none. Costs one product, to see that the operator is the same.
    /// Raises DataException for a file that is damaged, of another run, of another operator, or cannot be read.
    let tryRead (path: string) (identity: RunIdentity) (restore: BinaryReader -> unit) : RunProgress voption =
        if not (File.Exists path) then
            ValueNone
        else
            CheckpointFile.guarded path "read" (fun () ->
                use reader = new BinaryReader(new MemoryStream(content path (File.ReadAllBytes path)), Encoding.UTF8)
                requireSameRun path identity reader
                let samples, seconds, mark = reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble()
                restore reader

                if reader.BaseStream.Position <> reader.BaseStream.Length then
                    raise (CheckpointFile.foreign path "it holds more than is measured here")

                requireSameOperator path identity mark
                ValueSome { Samples = samples; Seconds = seconds; Mark = mark })
