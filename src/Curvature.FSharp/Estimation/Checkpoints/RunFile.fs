namespace Curvature.FSharp

open System
open System.IO
open System.Security.Cryptography
open System.Text
open Curvature

/// What identifies a run. A file resumes only the run that wrote it.
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

/// The state of a run when its file was written.
[<NoEquality; NoComparison>]
type internal RunProgress = { Samples: int; Seconds: float; Mark: float }

/// A sampling run in a file: what was measured until then, with a checksum. The random numbers are not there, because
/// they follow from the key.
module internal RunFile =

    let private magic = "CURVATURE RUN 3\n"B
    let private start = magic.Length + SHA256.HashSizeInBytes

    let private writePayload (writer: BinaryWriter) (identity: RunIdentity) (progress: RunProgress) =
        writer.Write identity.Facts.Length

        for name, value in identity.Facts do
            writer.Write name
            writer.Write value

        writer.Write progress.Samples
        writer.Write progress.Seconds
        writer.Write progress.Mark

    /// Writes the file in one step, so that an interruption leaves the older one whole.
    /// Raises DataException where the file cannot be written.
    let write (path: string) (identity: RunIdentity) (progress: RunProgress) (save: BinaryWriter -> unit) =
        CheckpointFile.guarded path "written" (fun () ->
            AtomicFile.replace path (fun file ->
                use sha = SHA256.Create()
                file.Write(ReadOnlySpan magic)
                file.Position <- int64 start

                using (new CryptoStream(file, sha, CryptoStreamMode.Write, true)) (fun hashed ->
                    using (new BinaryWriter(hashed, Encoding.UTF8, true)) (fun writer ->
                        writePayload writer identity progress
                        save writer))

                file.Position <- int64 magic.Length
                file.Write(ReadOnlySpan sha.Hash)))

    /// Raises DataException where the magic word or the checksum is wrong. Afterwards the stream stands behind them.
    let private requireWhole path (file: Stream) =
        let head = Array.zeroCreate start
        let got = file.ReadAtLeast(Span head, start, false)

        if got < start || head[.. magic.Length - 1] <> magic then
            Fail.data $"checkpoint {path}: it is not one of a sampling run, or of another version"

        if SHA256.HashData file <> head[magic.Length ..] then
            CheckpointFile.damaged path "its checksum is not that of its content"

        file.Position <- int64 start

    let private requireSameRun path (identity: RunIdentity) (reader: RunReader) =
        let count = reader.ReadInt32()

        if count <> identity.Facts.Length then
            CheckpointFile.foreign path $"it tells {count} facts of its run, and {identity.Facts.Length} are needed"

        for name, mine in identity.Facts do
            let itsName, its = reader.ReadString(), reader.ReadString()

            if itsName <> name then
                CheckpointFile.foreign path $"it tells {itsName}, and {name} is needed"

            if mine <> its then
                CheckpointFile.foreign path $"{name} is {its} there, and {mine} here"

    let private requireSameOperator path (identity: RunIdentity) (mark: float) =
        let here = identity.Mark()

        if not (abs (here - mark) <= identity.Tolerance * max (abs here) (abs mark)) then
            let what = $"another operator made it, with which the first random vector gave {mark:R}"
            CheckpointFile.foreign path $"{what}; here it gives {here:R}"

    let private readProgress (reader: RunReader) : RunProgress =
        let samples, seconds, mark = reader.ReadInt32(), reader.ReadDouble(), reader.ReadDouble()

        if samples < 1 then reader.Damaged $"it would be of {samples} samples"

        if not (seconds >= 0.0 && Double.IsFinite seconds) then
            reader.Damaged $"it would have taken {seconds} seconds"

        reader.Samples <- samples
        { Samples = samples; Seconds = seconds; Mark = mark }

    let private readFile (path: string) (identity: RunIdentity) (restore: RunReader -> unit) : RunProgress =
        use file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 <<< 16)
        requireWhole path file
        use reader = new RunReader(path, file)
        requireSameRun path identity reader
        let progress = readProgress reader
        restore reader

        if file.Position <> file.Length then
            CheckpointFile.foreign path "it holds more than is measured here"

        progress

    /// Restores a run from a file; nothing where there is none. Costs one product, to see that the operator is the
    /// same. Raises DataException for a file that is damaged, of another run, of another operator, or cannot be read,
    /// or could not be written later.
    let tryRead (path: string) (identity: RunIdentity) (restore: RunReader -> unit) : RunProgress voption =
        CheckpointFile.requirePath path
        CheckpointFile.guarded path "written" (fun () -> AtomicFile.requireWritable path)

        if not (File.Exists path) then
            ValueNone
        else
            let progress = CheckpointFile.guarded path "read" (fun () -> readFile path identity restore)
            // The operator is the caller's, and its errors are not those of the file.
            requireSameOperator path identity progress.Mark
            ValueSome progress
