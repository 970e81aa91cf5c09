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

    /// More buffers are placed in order of birth alone: by size takes time in the square of their number.
    let private mostBySize = 512

    /// Places the largest buffers first, each at the lowest address where it meets none that is alive with it. Small
    /// buffers cannot split the room of large ones then.
    let private bySize (lifetimes: Lifetime[]) : Dictionary<int, int64> * int64 =
        let placed = List<struct (Lifetime * int64)>()
        let offsets = Dictionary<int, int64>()
        let mutable total = 0L

        for lifetime in lifetimes |> Array.sortBy (fun own -> struct (-own.Bytes, own.First)) do
            let size = align lifetime.Bytes
            let isAlive (other: Lifetime) = other.First <= lifetime.Last && lifetime.First <= other.Last

            let neighbours =
                placed
                |> Seq.filter (fun struct (other, _) -> isAlive other)
                |> Seq.sortBy (fun struct (_, offset) -> offset)

            let mutable offset = 0L

            for struct (other, start) in neighbours do
                if offset + size > start then offset <- max offset (start + align other.Bytes)

            offsets[lifetime.Buffer] <- offset
            placed.Add(struct (lifetime, offset))
            if size > 0L then total <- max total (offset + size)

        offsets, total

    /// The smaller of two placements: in order of birth, and the largest first.
    let tightest (lifetimes: Lifetime[]) : Dictionary<int, int64> * int64 =
        let byBirth = place lifetimes

        if lifetimes.Length > mostBySize then
            byBirth
        else
            let bySize = bySize lifetimes
            if snd bySize < snd byBirth then bySize else byBirth
