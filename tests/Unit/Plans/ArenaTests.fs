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
