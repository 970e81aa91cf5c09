namespace Curvature.FSharp

open System
open System.IO
open System.Security.Cryptography
open System.Text
open Curvature

/// The state of a monitor: what is kept in its file.
[<NoEquality; NoComparison>]
type internal MonitorState =
    {
        Losses: ResizeArray<float>
        Records: ResizeArray<MonitorRecord>
        /// The number of measurements, from which keys are made.
        mutable Measurements: int
        mutable Vectors: Tensor voption
    }

/// A file of the state of a monitor, with a checksum.
module internal MonitorFile =

    let private magic = "CURVATURE MONITOR 1\n"B

    let private writeSharpness (writer: BinaryWriter) (found: SharpnessFound) =
        let numbers = [ found.Largest; found.Least; found.Residual; found.RandomShare; found.Rounding; found.Seconds ]

        for number in numbers do
            writer.Write number

        writer.Write found.Steps
        writer.Write found.Dimension
        writer.Write found.IsInvariant

    let private readSharpness (reader: RunReader) : SharpnessFound =
        let numbers = Array.init 6 (fun _ -> reader.ReadDouble())

        {
            Largest = numbers[0]
            Least = numbers[1]
            Residual = numbers[2]
            RandomShare = numbers[3]
            Rounding = numbers[4]
            Seconds = numbers[5]
            Steps = reader.ReadWithin(Int32.MaxValue, "Lanczos steps")
            Dimension = reader.ReadWithin(Int32.MaxValue, "parameters")
            IsInvariant = reader.ReadBoolean()
        }

    let private writeTrace (writer: BinaryWriter) (found: TraceFound) =
        for number in [ found.Value; found.Error; found.Law.Left; found.Law.Right; found.Seconds ] do
            writer.Write number

        writer.Write found.Law.IsKnown
        writer.Write found.Forms

    let private readTrace (reader: RunReader) : TraceFound =
        let numbers = Array.init 5 (fun _ -> reader.ReadDouble())

        {
            Value = numbers[0]
            Error = numbers[1]
            Seconds = numbers[4]
            Law = { Left = numbers[2]; Right = numbers[3]; IsKnown = reader.ReadBoolean() }
            Forms = reader.ReadWithin(Int32.MaxValue, "forms")
        }

    let private writeNoise (writer: BinaryWriter) (noise: NoiseScale voption) =
        writer.Write noise.IsSome

        match noise with
        | ValueSome noise ->
            let spread = noise.Spread

            for number in
                [
                    noise.Value
                    noise.StandardError
                    noise.CovarianceTrace
                    noise.SquaredGradient
                    spread.OfTrace
                    spread.OfSquare
                    spread.Together
                ] do
                writer.Write number

            writer.Write noise.Samples
        | ValueNone -> ()

    let private readNoise (reader: RunReader) : NoiseScale voption =
        if reader.ReadBoolean() then
            let numbers = Array.init 7 (fun _ -> reader.ReadDouble())
            let spread = { OfTrace = numbers[4]; OfSquare = numbers[5]; Together = numbers[6] }
            let samples = reader.ReadWithin(Int32.MaxValue, "samples")
            ValueSome(NoiseScale(numbers[0], numbers[1], numbers[2], numbers[3], samples, spread))
        else
            ValueNone

    let private writeRecord (writer: BinaryWriter) (record: MonitorRecord) =
        let found = record.Found
        writer.Write found.Step

        for number in [ found.Loss; found.Rate; found.Seconds; found.ShareSpent ] do
            writer.Write number

        writeSharpness writer found.Sharpness
        writeTrace writer found.Trace
        writeNoise writer found.Noise

    let private readRecord (reader: RunReader) : MonitorRecord =
        let step = reader.ReadWithin(Int32.MaxValue, "steps")
        let numbers = Array.init 4 (fun _ -> reader.ReadDouble())

        MonitorRecord
            {
                Step = step
                Loss = numbers[0]
                Rate = numbers[1]
                Seconds = numbers[2]
                ShareSpent = numbers[3]
                Sharpness = readSharpness reader
                Trace = readTrace reader
                Noise = readNoise reader
            }

    let private writeVectors (writer: BinaryWriter) (vectors: Tensor voption) =
        match vectors with
        | ValueSome rows ->
            writer.Write rows.Shape[0]
            writer.Write rows.Shape[1]
            writer.Write((rows.DType = DType.Float64))
            rows.ToArray() |> Array.iter writer.Write
        | ValueNone -> writer.Write 0

    /// As many vectors of as many numbers as the rest of the file can hold.
    let private readVectors (reader: RunReader) (length: int64) : Tensor voption =
        match reader.ReadWithin(1 <<< 20, "vectors") with
        | 0 -> ValueNone
        | rows ->
            let columns = reader.ReadWithin(Int32.MaxValue, "parameters")
            let dtype = if reader.ReadBoolean() then DType.Float64 else DType.Float32

            if int64 rows * int64 columns > length / 8L then
                reader.Damaged "its vectors do not fit into it"

            Array.init (rows * columns) (fun _ -> reader.ReadDouble())
            |> Tensor.ofArray [ rows; columns ]
            |> Tensor.convert dtype
            |> ValueSome

    /// Writes the file in place of one that is there. Raises DataException where the file system does not allow it.
    let write (path: string) (state: MonitorState) (pace: MonitorPace) =
        CheckpointFile.requirePath path
        use content = new MemoryStream()

        use writer = new BinaryWriter(content, Encoding.UTF8, true)
        writer.Write state.Losses.Count
        state.Losses |> Seq.iter writer.Write
        writer.Write state.Records.Count
        state.Records |> Seq.iter (writeRecord writer)
        writer.Write state.Measurements
        (pace :> ISavable).Save writer
        writeVectors writer state.Vectors
        writer.Flush()
        let bytes = content.ToArray()

        CheckpointFile.guarded path "written" (fun () ->
            AtomicFile.replace path (fun file ->
                file.Write(ReadOnlySpan magic)
                file.Write(ReadOnlySpan(SHA256.HashData bytes))
                file.Write(ReadOnlySpan bytes)))

    /// Takes a state up again. Raises DataException for a file that cannot be read, is damaged, or is of something
    /// else.
    let read (path: string) (pace: MonitorPace) : MonitorState =
        CheckpointFile.requirePath path
        let bytes = CheckpointFile.guarded path "read" (fun () -> File.ReadAllBytes path)
        let head = magic.Length + SHA256.HashSizeInBytes

        if bytes.Length < head || bytes[.. magic.Length - 1] <> magic then
            Fail.data $"checkpoint {path}: it is not one of a monitor, or of another version"

        let content = bytes[head..]

        if SHA256.HashData content <> bytes[magic.Length .. head - 1] then
            CheckpointFile.damaged path "its checksum is not that of its content"

        CheckpointFile.guarded path "read" (fun () ->
            use reader = new RunReader(path, new MemoryStream(content))
            let many = content.Length
            let losses = ResizeArray<float>()

            for _ in 1 .. reader.ReadWithin(many, "losses") do
                losses.Add(reader.ReadDouble())

            let records = ResizeArray<MonitorRecord>()

            for _ in 1 .. reader.ReadWithin(many, "records") do
                records.Add(readRecord reader)

            let measurements = reader.ReadWithin(Int32.MaxValue, "measurements")
            (pace :> ISavable).Restore reader

            {
                Losses = losses
                Records = records
                Measurements = measurements
                Vectors = readVectors reader (int64 content.Length)
            })
