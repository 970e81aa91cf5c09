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
        let placed = List<struct (Interval * int64)>()
        let offsets = Dictionary<int, int64>()
        let mutable total = 0L

        for interval in intervals |> Seq.sortBy _.First do
            let alive =
                placed
                |> Seq.filter (fun struct (other, _) -> other.Last >= interval.First && other.First <= interval.Last)
                |> Seq.map (fun struct (other, offset) -> struct (offset, offset + align other.Bytes))
                |> Seq.sort

            let size = align interval.Bytes
            let mutable offset = 0L

            for struct (start, stop) in alive do
                if offset + size > start && offset < stop then offset <- stop

            placed.Add(struct (interval, offset))
            offsets[interval.Buffer] <- offset
            total <- max total (offset + size)

        offsets, total
