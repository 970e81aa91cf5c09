namespace Curvature

open System
open System.Collections.Generic
open Curvature.FSharp

/// Answers messages on a worker: bytes in, bytes out, so that any engine can carry them. What is wrong with a message
/// or a computation is an answer too, and never an exception. Safe to use from several threads; computations run one
/// after the other, each on all processors.
[<Sealed; NoEquality; NoComparison>]
type ShardServer(shards: Shards, mostBytes: int64) =
    /// The most points that are kept. Operators at more points at once set them again when they are asked.
    let most = 8
    let computing = obj ()
    let risks = Dictionary<string, ServedRisk>()
    /// Those used last come first.
    let mutable points: ServedPoint list = []

    let find id =
        match points |> List.tryFind (fun point -> point.Id = id) with
        | Some point ->
            points <- point :: (points |> List.filter (fun other -> other.Id <> id))
            ValueSome point
        | None -> ValueNone

    /// The number of elements of a point that is known.
    let sizeOf id =
        match points |> List.tryFind (fun point -> point.Id = id) with
        | Some point -> ValueSome point.Size
        | None -> ValueNone

    let served name =
        match risks.TryGetValue name with
        | true, risk -> risk
        | _ ->
            let risk = ServedRisk(shards.Find name)
            risks[name] <- risk
            risk

    let set (point: ShardPoint) =
        let groups = shards.Groups point.Risk

        if point.FirstBatches.Length <> groups || point.Fingerprints.Length <> groups then
            ClusterFail.cluster (
                $"a point of {point.Risk} has {point.FirstBatches.Length} groups, and here there are {groups}"
            )

        if (find point.Id).IsNone then
            let kept, dropped = List.splitAt (min (most - 1) points.Length) points
            dropped |> List.iter _.Release()
            points <- ServedPoint(served point.Risk, point) :: kept

    let answer (request: ShardRequest) (range: GroupRange) : ShardAnswer =
        match request with
        | ShardRequest.Hello ->
            let risks = [ for name in shards.Names -> name, shards.Groups name ]
            ShardAnswer.Identity(Machine.facts.Value, risks)
        | ShardRequest.Describe name -> ShardAnswer.Sums(ShardPass.describe name (shards.Find name).Definition range)
        | ShardRequest.SetPoint point ->
            lock computing (fun () -> set point)
            ShardAnswer.Done
        | ShardRequest.Ask(id, name, question) ->
            lock computing (fun () ->
                match find id with
                | ValueSome point -> ShardAnswer.Sums(point.Answer(name, question, range))
                | ValueNone -> ShardAnswer.NeedsPoint)
        | ShardRequest.AskElsewhere _ -> ShardAnswer.NeedsPoint
        | ShardRequest.Release id ->
            lock computing (fun () ->
                let dropped, kept = points |> List.partition (fun point -> point.Id = id)
                dropped |> List.iter _.Release()
                points <- kept)

            ShardAnswer.Done

    do
        ArgumentNullException.ThrowIfNull(shards, nameof shards)

        if mostBytes < 1L then
            Fail.range $"ShardServer: a limit of {mostBytes} bytes lets nothing in"

    /// For messages of at most 1 GiB.
    new(shards: Shards) = ShardServer(shards, 1L <<< 30)

    /// The most bytes that a message may have.
    member _.MostBytes = mostBytes

    /// The answer to a message, before it is bytes.
    member internal _.Decide(message: ReadOnlyMemory<byte>) : ShardAnswer =
        try
            if int64 message.Length > mostBytes then
                ClusterFail.cluster $"a message of {message.Length} bytes is over the limit of {mostBytes}"

            let struct (request, range) = ShardMessage.decode sizeOf message
            answer request range
        with error ->
            ShardAnswers.failed error

    /// The answer to a message. A message that is damaged, too large, of another version, or asks for what is not
    /// registered is answered with the error.
    member server.Answer(message: ReadOnlyMemory<byte>) : byte[] =
        try
            ShardAnswers.encode (server.Decide message)
        with error ->
            ShardAnswers.failure error
