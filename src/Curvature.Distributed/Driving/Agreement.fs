namespace Curvature.FSharp

open System
open Curvature

/// What driver and workers must agree on, so that they give the same bits.
module internal Agreement =

    let decode (answer: byte[]) : ShardAnswer = ShardAnswers.decode (ReadOnlyMemory answer)

    /// Raises what a worker said, as what it raised there.
    let raiseFailure (error: string) (message: string) : 'T =
        match error with
        | nameof DataException -> Fail.data message
        | nameof NonFiniteException -> Fail.nonFinite message
        | nameof DifferentiationException
        | nameof AbstractValueException -> Fail.differentiation message
        | nameof ShapeException -> Fail.shape message
        | nameof DTypeException -> Fail.dtype message
        | nameof ArgumentRangeException -> Fail.range message
        | nameof OperatorException -> Fail.operator message
        | nameof ParameterException -> Fail.parameter message
        | nameof ClusterException -> ClusterFail.cluster message
        | _ -> ClusterFail.cluster $"a worker raised {error}: {message}"

    let private sumsOf (answer: ShardAnswer) : Partial =
        match answer with
        | ShardAnswer.Sums sums -> sums
        | ShardAnswer.Failed(error, message) -> raiseFailure error message
        | ShardAnswer.NeedsPoint -> ClusterFail.cluster "the engine did not give a worker the point that it asked for"
        | _ -> ClusterFail.cluster "a worker answered something else than partial sums"

    /// The partial sums of an answer.
    let sums (answer: byte[]) : Partial = sumsOf (decode answer)

    /// The sums over all groups.
    let ask (cluster: ICluster) (point: byte[]) (question: byte[]) (groups: int) : Partial =
        match cluster with
        | :? IDecodedCluster as decoded -> sumsOf (decoded.SumDecoded(point, question, groups))
        | _ -> sums (cluster.Sum(point, question, groups))

    let private differences (shards: Shards) (facts: (string * string) list) (risks: (string * int) list) =
        [
            for (name, own), (_, other) in List.zip Machine.facts.Value facts do
                if own <> other then $"its {name} is {other}, and the driver's {own}"

            for name in shards.Names do
                match risks |> List.tryFind (fun (other, _) -> other = name) with
                | None -> $"it has no risk named {name}"
                | Some(_, groups) when groups <> shards.Groups name ->
                    $"its {name} has {groups} groups, and the driver's {shards.Groups name}"
                | Some _ -> ()
        ]

    /// Raises ClusterException where a worker would give other bits, or has not the same risks.
    let requireWorkers (shards: Shards) (cluster: ICluster) =
        let answers = cluster.Broadcast(ShardMessage.encode ShardRequest.Hello)

        if answers.Length = 0 then
            ClusterFail.cluster $"{cluster.Name}: there are no workers"

        for worker, answer in Seq.indexed answers do
            match decode answer with
            | ShardAnswer.Identity(facts, risks) when facts.Length = Machine.facts.Value.Length ->
                match differences shards facts risks with
                | [] -> ()
                | found ->
                    let listed = String.concat "; " found

                    ClusterFail.cluster ($"worker {worker} does not go with the driver, results would differ: {listed}")
            | ShardAnswer.Failed(error, message) -> raiseFailure error message
            | _ -> ClusterFail.cluster $"worker {worker} did not say who it is"

    /// Raises ClusterException where a worker's first group of a risk is not the driver's.
    let requireData (name: string) (shards: Shards) (cluster: ICluster) =
        let first: GroupRange = struct (0, 1)
        let own = (ShardPass.describe name (shards.Find name).Definition first).Rows.Head.Text
        let question = ShardMessage.encode (ShardRequest.Describe name) |> ShardMessage.withRange first

        for worker, answer in Seq.indexed (cluster.Broadcast question) do
            if (sums answer).Rows.Head.Text <> own then
                ClusterFail.cluster (
                    $"worker {worker} does not go with the driver: it has other data in the first group of {name}"
                )
