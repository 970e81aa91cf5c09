namespace Curvature.FSharp

open Curvature

/// All ranks of the job as workers, rank 0 among them.
[<Sealed>]
type internal MpiCluster(rank: MpiRank, library: string) =
    let mutable moved = 0L
    /// Points that all ranks were told, those told last first.
    let mutable told: byte[] list = []
    let most = 8

    let count (struct (answer: 'T, bytes: int64)) =
        moved <- moved + bytes
        answer

    let tell (point: byte[]) =
        rank.Each point |> count |> ignore
        told <- point :: told |> List.truncate most

    let sum (point: byte[]) question groups =
        if point.Length > 0 && not (told |> List.exists (fun known -> obj.ReferenceEquals(known, point))) then
            tell point

        match rank.Sum(question, groups) |> count with
        | ShardAnswer.NeedsPoint when point.Length > 0 ->
            tell point
            rank.Sum(question, groups) |> count
        | answer -> answer

    interface IDecodedCluster with
        member _.SumDecoded(point, question, groups) = sum point question groups

    interface ICluster with
        member _.Name = $"{rank.Link.Size} ranks of {library}"
        member _.Workers = rank.Link.Size
        member _.BytesMoved = moved
        member _.Broadcast message = rank.Each message |> count
        member _.Sum(point, question, groups) = sum point question groups |> ShardAnswers.encode
        member _.Dispose() = ()
