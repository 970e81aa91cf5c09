namespace Curvature

open System.Collections.Generic

/// Places temporary buffers in one block of memory, so that buffers that are never alive together share bytes.
module internal Arena =

    /// A buffer, with the first and the last kernel of a run that touch it.
    [<Struct>]
    type Lifetime = { Buffer: int; Bytes: int64; First: int; Last: int }

    /// Buffers start on cache lines.
    let private align (bytes: int64) = (bytes + 63L) / 64L * 64L

    /// An offset for each buffer, and the bytes of the whole: first fit, in order of birth.
    let place (lifetimes: Lifetime seq) : Dictionary<int, int64> * int64 =
        let alive = PriorityQueue<struct (int64 * int64), int>()
        let offsets = Dictionary<int, int64>()
        let mutable gaps = Gaps.all
        let mutable total = 0L

        let release () =
            let struct (offset, size) = alive.Dequeue()
            gaps <- Gaps.give offset size gaps

        for lifetime in lifetimes |> Seq.sortBy _.First do
            let hasEnded () =
                match alive.TryPeek() with
                | true, _, last -> last < lifetime.First
                | _ -> false

            while hasEnded () do
                release ()

            match align lifetime.Bytes with
            | 0L -> offsets[lifetime.Buffer] <- 0L
            | size ->
                let struct (offset, left) = Gaps.take size gaps
                gaps <- left
                alive.Enqueue(struct (offset, size), lifetime.Last)
                offsets[lifetime.Buffer] <- offset
                total <- max total (offset + size)

        offsets, total
