namespace Curvature

open System.Collections.Generic

/// Places temporary buffers in one block of memory, so that buffers that are never alive together share bytes.
module internal Arena =

    /// A buffer, with the first and the last step that touch it.
    [<Struct>]
    type Interval = { Buffer: int; Bytes: int64; First: int; Last: int }

    /// Buffers start on cache lines.
    let private align (bytes: int64) = (bytes + 63L) / 64L * 64L

    /// An offset for each buffer, and the bytes of the whole: first fit, in order of birth.
    let place (intervals: Interval seq) : Dictionary<int, int64> * int64 =
        let alive = PriorityQueue<struct (int64 * int64), int>()
        let offsets = Dictionary<int, int64>()
        let mutable gaps = Gaps.all
        let mutable total = 0L

        let release () =
            let struct (offset, size) = alive.Dequeue()
            gaps <- Gaps.give offset size gaps

        for interval in intervals |> Seq.sortBy _.First do
            let hasEnded () =
                match alive.TryPeek() with
                | true, _, last -> last < interval.First
                | _ -> false

            while hasEnded () do
                release ()

            match align interval.Bytes with
            | 0L -> offsets[interval.Buffer] <- 0L
            | size ->
                let struct (offset, left) = Gaps.take size gaps
                gaps <- left
                alive.Enqueue(struct (offset, size), interval.Last)
                offsets[interval.Buffer] <- offset
                total <- max total (offset + size)

        offsets, total
