namespace Curvature.Bench

open System
open System.Diagnostics
open System.Runtime.InteropServices
open System.Threading.Tasks
open Curvature

/// The two limits of a kernel (Williams, Waterman & Patterson 2009): how fast the machine multiplies and adds, and how
/// fast it moves memory. What lies in a cache moves faster.
type Roofline =
    {
        FlopsPerSecond: float
        BytesPerSecond: float
    }

    /// The least time of some work, by arithmetic or by memory, whichever takes longer.
    member roofline.LeastSeconds(flops: float, bytes: float) =
        max (flops / roofline.FlopsPerSecond) (bytes / roofline.BytesPerSecond)

    override roofline.ToString() =
        $"{roofline.FlopsPerSecond / 1e9:F0} GFLOP/s of multiply-adds on registers, {roofline.BytesPerSecond / 1e9:F1} "
        + "GB/s of copies in memory"

module Roofline =

    let private floats = 64 <<< 20

    /// Bytes that all threads together read and write while they copy arrays that fit no cache; the best of some runs.
    let private copied (threads: int) : float =
        let source, target = Array.zeroCreate<float32> floats, Array.zeroCreate<float32> floats
        let part = floats / threads
        let copy i = source.AsSpan(i * part, part).CopyTo(target.AsSpan(i * part, part))
        let bytes = 2.0 * float (MemoryMarshal.AsBytes(source.AsSpan()).Length)
        let mutable best = 0.0

        for _ in 1..6 do
            let start = Stopwatch.GetTimestamp()
            Parallel.For(0, threads, copy) |> ignore
            best <- max best (bytes / Stopwatch.GetElapsedTime(start).TotalSeconds)

        best

    /// The limits of this machine on a number of threads.
    let measure (dtype: DType) (threads: int) : Roofline =
        {
            FlopsPerSecond = 1e9 * float threads * Peak.GflopsPerCore dtype
            BytesPerSecond = copied threads
        }
