module Curvature.Tests.Unit.Plans.ArenaTests

open System
open System.Collections.Generic
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Tests

let private align (bytes: int64) = (bytes + 63L) / 64L * 64L

/// First fit as it is defined: each buffer, in order of birth, at the lowest address where it meets no buffer that
/// is alive with it.
let private firstFit (intervals: Arena.Lifetime list) =
    let placed = List<struct (Arena.Lifetime * int64)>()

    for interval in intervals |> List.sortBy _.First do
        let size = align interval.Bytes

        let meets offset =
            placed
            |> Seq.exists (fun struct (other, start) ->
                size > 0L
                && other.Bytes > 0L
                && other.Last >= interval.First
                && offset < start + align other.Bytes
                && start < offset + size)

        let ends = placed |> Seq.map (fun struct (other, start) -> start + align other.Bytes)
        placed.Add(struct (interval, Seq.append [ 0L ] ends |> Seq.sort |> Seq.find (meets >> not)))

    [ for struct (interval, offset) in placed -> interval.Buffer, offset ] |> List.sort

let private random (source: Random) count sizes : Arena.Lifetime list =
    [
        for buffer in 0 .. count - 1 do
            let first = source.Next count

            let interval: Arena.Lifetime =
                {
                    Buffer = buffer
                    Bytes = int64 (source.Next sizes)
                    First = first
                    Last = first + source.Next(1 + source.Next count)
                }

            interval
    ]

[<Tests>]
let tests =
    testList "Unit.Plans.ArenaTests" [
        test "buffers lie at the lowest addresses where they meet no other that is alive" {
            for seed in 1..300 do
                let source = Random seed
                let intervals = random source (1 + source.Next 60) (1 + source.Next 2000)
                let offsets, total = Arena.place intervals
                let expected = firstFit intervals

                Expect.equal
                    "List.sort [ for entry in offset…"
                    expected
                    (List.sort [ for entry in offsets -> entry.Key, entry.Value ])

                let ends = [ for buffer, offset in expected -> offset + align intervals[buffer].Bytes ]
                Expect.equal "total" (List.max ends) total
        }

        test "the tighter of two placements keeps buffers apart that are alive together" {
            let mutable tighter = 0

            for seed in 1..300 do
                let source = Random seed
                let intervals = random source (1 + source.Next 60) (1 + source.Next 2000) |> List.toArray
                let offsets, total = Arena.tightest intervals
                let _, byBirth = Arena.place intervals
                if total < byBirth then tighter <- tighter + 1
                Expect.isTrue "no larger" (total <= byBirth)

                for a in intervals do
                    let ends (b: Arena.Lifetime) = offsets[b.Buffer] + align b.Bytes
                    Expect.isTrue "inside" (a.Bytes = 0L || ends a <= total)

                    for b in intervals do
                        let areAlive = a.Buffer <> b.Buffer && a.First <= b.Last && b.First <= a.Last

                        if areAlive && a.Bytes > 0L && b.Bytes > 0L then
                            Expect.isTrue "apart" (ends a <= offsets[b.Buffer] || ends b <= offsets[a.Buffer])

            Expect.isTrue "tighter at times" (tighter > 100)
        }

        test "a small buffer does not split the room of a large one" {
            let at buffer bytes first last : Arena.Lifetime =
                { Buffer = buffer; Bytes = bytes; First = first; Last = last }

            // The small one is born where the first large one was, and outlives the third.
            let intervals = [| at 0 6400L 0 1; at 1 6400L 1 3; at 2 64L 2 6; at 3 6400L 3 5 |]
            Expect.equal "by birth" 19200L (snd (Arena.place intervals))
            Expect.equal "tightest" 12864L (snd (Arena.tightest intervals))
        }

        test "twice the buffers take twice the work to place, where all of them are alive at once" {
            let work count =
                let intervals: Arena.Lifetime[] =
                    Array.init count (fun i -> { Buffer = i; Bytes = 64L; First = i; Last = 2 * count - i })

                let before = GC.GetAllocatedBytesForCurrentThread()
                Arena.place intervals |> ignore
                float (GC.GetAllocatedBytesForCurrentThread() - before)

            work 100 |> ignore
            Expect.isLessThan "work 40_000 / work 20_000" (work 40_000 / work 20_000, 2.6)
        }
    ]
