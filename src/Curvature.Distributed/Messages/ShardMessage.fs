namespace Curvature.FSharp

open System
open System.Buffers.Binary
open Curvature

/// A point θ of a risk, as workers are told.
[<NoEquality; NoComparison>]
type internal ShardPoint =
    {
        /// A hash of everything else here.
        Id: int64
        Risk: string
        Theta: Tensor
        /// The number of the first batch of each group.
        FirstBatches: int[]
        /// The fingerprint of each group, as the first to read it found.
        Fingerprints: string[]
    }

/// What a driver says to workers. Those with a range are about these groups only.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal ShardRequest =
    /// Who are you?
    | Hello
    /// Which data are in groups of a risk: batches, samples, and fingerprints.
    | Describe of risk: string
    /// Take a point.
    | SetPoint of ShardPoint
    /// Answer a question at a point, for errors under a name.
    | Ask of point: int64 * name: string * RiskQuestion
    /// A question at a point that is not known here; it is not read.
    | AskElsewhere of point: int64
    /// Forget a point.
    | Release of point: int64

/// Messages to workers as bytes. An engine carries them as they are; it only sets their range of groups.
[<RequireQualifiedAccess>]
module ShardMessage =

    let private magic = 0x51565243 // CRVQ

    /// Where the range of groups stands.
    let private rangeAt = 8

    /// What every message begins with: the magic number, the version, the kind, and the range.
    let private header = 16

    let private write (kind: int) (bytes: int64) (body: WireWriter -> unit) : byte[] =
        let out = WireWriter(int (min bytes (1L <<< 30)))
        out.Int magic
        out.Int(Machine.protocol ||| (kind <<< 16))
        out.Int 0
        out.Int 0
        body out
        out.ToArray()

    let internal encode (request: ShardRequest) : byte[] =
        match request with
        | ShardRequest.Hello -> write 0 0L ignore
        | ShardRequest.Describe risk -> write 1 0L (fun out -> out.Text risk)
        | ShardRequest.SetPoint point ->
            write 2 (TensorCodec.bytes point.Theta) (fun out ->
                out.Long point.Id
                out.Text point.Risk
                TensorCodec.write out point.Theta
                out.List(point.FirstBatches, out.Int)
                out.List(point.Fingerprints, out.Text))
        | ShardRequest.Ask(point, name, question) ->
            // Head, point, name and the head of the question.
            let around = 64L + 3L * int64 name.Length

            write 3 (around + QuestionCodec.bytes question) (fun out ->
                out.Long point
                out.Text name
                QuestionCodec.write out question)
        | ShardRequest.AskElsewhere point -> write 3 0L (fun out -> out.Long point)
        | ShardRequest.Release point -> write 4 0L (fun out -> out.Long point)

    /// The same message about a range of groups: bytes, to be sent to the worker that has these groups.
    let withRange (struct (low, high): GroupRange) (message: byte[]) : byte[] =
        ArgumentNullException.ThrowIfNull(message, nameof message)

        if message.Length < header then
            ClusterFail.cluster $"a message has {header} bytes or more, and this one {message.Length}"

        let copy = Array.copy message
        BinaryPrimitives.WriteInt32LittleEndian(Span(copy, rangeAt, 4), low)
        BinaryPrimitives.WriteInt32LittleEndian(Span(copy, rangeAt + 4, 4), high)
        copy

    let private readPoint (input: WireReader) : ShardPoint =
        let id, risk = input.Long(), input.Text()
        let theta = TensorCodec.read input
        let firstBatches = input.List(4, input.Int)

        {
            Id = id
            Risk = risk
            Theta = theta
            FirstBatches = firstBatches
            Fingerprints = input.List(4, input.Text)
        }

    /// A message, where the number of elements of a point is known by its number. Raises ClusterException for what is
    /// not a whole message of this version.
    let internal decode
        (sizeOf: int64 -> int voption)
        (message: ReadOnlyMemory<byte>)
        : struct (ShardRequest * GroupRange) =
        let input = WireReader(message, 0)

        if message.Length < header || input.Int() <> magic then
            ClusterFail.cluster $"{message.Length} bytes are no message of this library"

        let word = input.Int()

        if (word &&& 0xffff) <> Machine.protocol then
            ClusterFail.cluster (
                $"a message is of version {word &&& 0xffff}, and this process speaks version {Machine.protocol}; "
                + "run the same version everywhere"
            )

        let low = input.Int()
        let range: GroupRange = struct (low, input.Int())

        let request =
            match word >>> 16 with
            | 0 -> ShardRequest.Hello
            | 1 -> ShardRequest.Describe(input.Text())
            | 2 -> ShardRequest.SetPoint(readPoint input)
            | 3 ->
                let point = input.Long()
                input.VectorLength <- sizeOf point

                if input.VectorLength.IsNone then
                    input.Rest()
                    ShardRequest.AskElsewhere point
                else
                    let name = input.Text()
                    ShardRequest.Ask(point, name, QuestionCodec.read input)
            | 4 -> ShardRequest.Release(input.Long())
            | other -> ClusterFail.cluster $"a message is of a kind number {other}"

        input.End()
        struct (request, range)
