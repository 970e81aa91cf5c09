namespace Curvature.FSharp

open System
open Curvature

/// What workers answer.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal ShardAnswer =
    /// Facts about the process, and the names of its risks with their numbers of groups.
    | Identity of facts: (string * string) list * risks: (string * int) list
    | Sums of Partial
    | Done
    /// The point is not known here: it is to be set, and the question asked again.
    | NeedsPoint
    /// An error by the name of its type, and its message.
    | Failed of error: string * message: string

/// Answers of workers as bytes: what an engine has to know of them.
[<RequireQualifiedAccess>]
module ShardAnswers =

    let private magic = 0x41565243 // CRVA

    /// The bytes of an answer that says nothing but its kind.
    let private shortest = 9

    let internal encode (answer: ShardAnswer) : byte[] =
        let bytes =
            match answer with
            | ShardAnswer.Sums sums -> 256L + Partial.bytes sums
            | _ -> 0L

        let out = WireWriter(int (min bytes (1L <<< 30)))
        out.Int magic
        out.Int Machine.protocol

        match answer with
        | ShardAnswer.Identity(facts, risks) ->
            out.Byte 0

            out.List(
                facts,
                fun (name, value) ->
                    out.Text name
                    out.Text value
            )

            out.List(
                risks,
                fun (name, groups) ->
                    out.Text name
                    out.Int groups
            )
        | ShardAnswer.Sums sums ->
            out.Byte 1
            Partial.write out sums
        | ShardAnswer.Done -> out.Byte 2
        | ShardAnswer.NeedsPoint -> out.Byte 3
        | ShardAnswer.Failed(error, message) ->
            out.Byte 4
            out.Text error
            out.Text message

        out.ToArray()

    /// Raises ClusterException for what is not a whole answer of this version.
    let internal decode (message: ReadOnlyMemory<byte>) : ShardAnswer =
        let input = WireReader(message, 0)

        if message.Length < shortest || input.Int() <> magic then
            ClusterFail.cluster $"{message.Length} bytes are no answer of this library"

        let version = input.Int()

        if version <> Machine.protocol then
            ClusterFail.cluster $"an answer is of version {version}, and this process speaks {Machine.protocol}"

        let answer =
            match input.Byte() with
            | 0 ->
                let pair second =
                    let name = input.Text()
                    name, second ()

                let facts = input.List(8, (fun () -> pair input.Text)) |> List.ofArray
                ShardAnswer.Identity(facts, input.List(8, (fun () -> pair input.Int)) |> List.ofArray)
            | 1 -> ShardAnswer.Sums(Partial.read input)
            | 2 -> ShardAnswer.Done
            | 3 -> ShardAnswer.NeedsPoint
            | 4 ->
                let error = input.Text()
                ShardAnswer.Failed(error, input.Text())
            | other -> ClusterFail.cluster $"an answer is of a kind number {other}"

        input.End()
        answer

    /// One answer of two; see `merge`.
    let internal mergeDecoded (a: ShardAnswer) (b: ShardAnswer) : ShardAnswer =
        match a, b with
        | ShardAnswer.Sums left, ShardAnswer.Sums right -> ShardAnswer.Sums(Partial.merge left right)
        | ShardAnswer.Failed _, _ -> a
        | _, ShardAnswer.Failed _ -> b
        | ShardAnswer.NeedsPoint, _ -> a
        | _, ShardAnswer.NeedsPoint -> b
        | _ -> ClusterFail.cluster "answers that are not partial sums cannot be put together"

    let internal failed (error: exn) : ShardAnswer = ShardAnswer.Failed(error.GetType().Name, error.Message)

    /// The answer that says that a computation failed with an error.
    let failure (error: exn) : byte[] = encode (failed error)


    /// Whether an answer says that the point is not known to the worker: the point's message is to be sent to it, and
    /// the question again. `ask` does so.
    let needsPoint (answer: byte[]) : bool =
        // Long answers are not read for this.
        answer.Length = shortest
        && (match decode (ReadOnlyMemory answer) with
            | ShardAnswer.NeedsPoint -> true
            | _ -> false)

    /// Asks one worker a question, and sets the point first where it is not known there.
    let ask (send: byte[] -> byte[]) (point: byte[]) (question: byte[]) : byte[] =
        let answer = send question

        if needsPoint answer then
            match decode (ReadOnlyMemory(send point)) with
            | ShardAnswer.Done -> send question
            | other -> encode other
        else
            answer

    /// One answer of many: their partial sums put together along the tree. Of several of which one failed, that one.
    /// The bits of the whole do not depend on the order. Raises ClusterException for answers that do not go together,
    /// such as two with the same group, and for none.
    let mergeAll (answers: byte[] seq) : byte[] =
        match Seq.toArray answers with
        | [||] -> ClusterFail.cluster "there are no answers to put together"
        | [| only |] -> only
        | several ->
            several |> Seq.map (fun answer -> decode (ReadOnlyMemory answer)) |> Seq.reduce mergeDecoded |> encode

    /// One answer of two, as by `mergeAll`.
    let merge (a: byte[]) (b: byte[]) : byte[] = mergeAll [ a; b ]
