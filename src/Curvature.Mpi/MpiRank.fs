namespace Curvature.FSharp

open System
open Curvature

/// What rank 0 tells all ranks to do with a message.
type internal MpiCommand =
    /// End.
    | Stop = 0L
    /// Answer it, each to rank 0.
    | Each = 1L
    /// Answer it for the rank's own groups; their number is the command's number less 2.
    | Sum = 2L

/// One rank: answers for itself, and takes part in what all do.
[<Sealed>]
type internal MpiRank(link: MpiLink, server: ShardServer) =
    let answer (message: byte[]) = server.Answer(ReadOnlyMemory message)

    /// The answer for the groups of this rank, where it has some.
    let ofRange groups (question: byte[]) : ShardAnswer voption =
        let struct (low, high) as range = FixedTree.range link.Rank link.Size groups

        if low = high then
            ValueNone
        else
            ValueSome(server.Decide(ReadOnlyMemory(ShardMessage.withRange range question)))

    let decode (answer: byte[]) = ShardAnswers.decode (ReadOnlyMemory answer)

    /// Answers that cannot be put together are the fault of this library or of a worker; they are an answer too.
    let merge (a: ShardAnswer) (b: ShardAnswer) : ShardAnswer =
        try
            ShardAnswers.mergeDecoded a b
        with :? CurvatureException as error ->
            ShardAnswers.failed error

    let toRoot groups question = link.ToRoot(ofRange groups question, ShardAnswers.encode, decode, merge)

    member _.Link = link

    /// Rank 0: has all ranks answer a message; gives their answers in order, and the bytes that were moved.
    member _.Each(message: byte[]) : struct (byte[][] * int64) =
        link.FromRoot(message, int64 MpiCommand.Each) |> ignore
        let own = answer message

        let answers =
            [|
                own
                for rank in 1 .. link.Size - 1 do
                    let struct (other, _) = link.Receive rank
                    other
            |]

        let back = answers |> Seq.skip 1 |> Seq.sumBy (fun other -> int64 other.Length)
        struct (answers, back + int64 message.Length * int64 (link.Size - 1))

    /// Rank 0: has all ranks answer a question for their groups; gives the sum, and the bytes that were moved.
    member _.Sum(question: byte[], groups: int) : struct (ShardAnswer * int64) =
        link.FromRoot(question, int64 MpiCommand.Sum + int64 groups) |> ignore
        let struct (sum, back) = toRoot groups question

        let sum =
            match sum with
            | ValueSome sum -> sum
            | ValueNone -> ClusterFail.cluster "a question about no groups was asked"

        struct (sum, back + int64 question.Length * int64 (link.Size - 1))

    /// Rank 0: has all other ranks end.
    member _.Stop() = link.FromRoot([||], int64 MpiCommand.Stop) |> ignore

    /// The other ranks: does what rank 0 says until it says to end.
    member _.Serve() =
        let rec next () =
            let struct (message, command) = link.FromRoot([||], 0L)

            if command <> int64 MpiCommand.Stop then
                if command = int64 MpiCommand.Each then
                    link.Send(0, answer message, 0L)
                else
                    let groups = int (command - int64 MpiCommand.Sum)
                    toRoot groups message |> ignore

                next ()

        next ()
