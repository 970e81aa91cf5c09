namespace Curvature.FSharp

open System
open System.Buffers.Binary
open Curvature

/// Messages of any length from rank to rank, and along the binomial tree over ranks.
[<Sealed>]
type internal MpiLink(calls: MpiCalls, mostBytes: int64) =
    let headerTag, bodyTag = 7001, 7002
    /// A transfer counts its bytes by an Int32: long messages go in pieces.
    let piece = 1 <<< 28
    let rank, size = calls.Rank, calls.Size

    let pieces (length: int) (transfer: int -> int -> unit) =
        for start in 0..piece .. length - 1 do
            transfer start (min piece (length - start))

    /// The ranks to which a rank passes on what comes from rank 0, those with most descendants first.
    let children =
        let mutable span = 1

        while span < size && rank % (2 * span) = 0 do
            span <- 2 * span

        [
            let mutable step = span / 2

            while step > 0 do
                if rank + step < size then rank + step
                step <- step / 2
        ]

    /// The rank from which it comes.
    let parent = rank - (rank &&& -rank)

    member _.Rank = rank
    member _.Size = size

    /// Sends a message, with a number beside it.
    member _.Send(target: int, message: byte[], note: int64) =
        let header = Array.zeroCreate 16
        BinaryPrimitives.WriteInt64LittleEndian(Span(header, 0, 8), int64 message.Length)
        BinaryPrimitives.WriteInt64LittleEndian(Span(header, 8, 8), note)
        calls.Send(header, 0, header.Length, target, headerTag)
        pieces message.Length (fun start count -> calls.Send(message, start, count, target, bodyTag))

    member _.Receive(source: int) : struct (byte[] * int64) =
        let header = Array.zeroCreate 16
        calls.Receive(header, 0, header.Length, source, headerTag)
        let length = BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan(header, 0, 8))

        if length < 0L || length > mostBytes then
            ClusterFail.cluster $"rank {source} sends {length} bytes, and the limit is {mostBytes}"

        let message = Array.zeroCreate<byte>(int length)
        pieces message.Length (fun start count -> calls.Receive(message, start, count, source, bodyTag))
        struct (message, BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan(header, 8, 8)))

    /// What rank 0 says, with a number beside it, on all ranks.
    member link.FromRoot(message: byte[], note: int64) : struct (byte[] * int64) =
        let struct (message, note) = if rank = 0 then struct (message, note) else link.Receive parent

        for child in children do
            link.Send(child, message, note)

        struct (message, note)

    /// Merges what all ranks have, neighbours with neighbours. On rank 0 it gives all of it, and the bytes that were
    /// moved; elsewhere nothing of use. What is sent is encoded; nothing is an empty message.
    member link.ToRoot(own: 'T voption, encode: 'T -> byte[], decode: byte[] -> 'T, merge: 'T -> 'T -> 'T) =
        let mutable merged, moved = own, 0L

        for child in List.rev children do
            let struct (other, ofChild) = link.Receive child
            moved <- moved + ofChild + int64 other.Length

            if other.Length > 0 then
                let other = decode other

                merged <-
                    match merged with
                    | ValueSome own -> ValueSome(merge own other)
                    | ValueNone -> ValueSome other

        if rank > 0 then
            let message =
                match merged with
                | ValueSome merged -> encode merged
                | ValueNone -> [||]

            link.Send(parent, message, moved)

        struct (merged, moved)
