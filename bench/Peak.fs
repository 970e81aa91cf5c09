namespace Curvature.Bench

open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics

/// The rate of fused multiply-adds that one core of this machine reaches on registers alone, in GFLOP/s: what
/// "share of peak" is a share of.
type Peak =

    /// 14 independent chains of float32 multiply-adds, 2·16·14 operations a turn.
    [<MethodImpl(MethodImplOptions.AggressiveOptimization ||| MethodImplOptions.NoInlining)>]
    static member private Float32Chains(turns: int) : float32 =
        let x = Vector512.Create 0.999f
        let y = Vector512.Create 1e-3f
        let mutable a = y
        let mutable b = y
        let mutable c = y
        let mutable d = y
        let mutable e = y
        let mutable f = y
        let mutable g = y
        let mutable h = y
        let mutable i = y
        let mutable j = y
        let mutable k = y
        let mutable l = y
        let mutable m = y
        let mutable n = y

        for _ in 1..turns do
            a <- Vector512.FusedMultiplyAdd(a, x, y)
            b <- Vector512.FusedMultiplyAdd(b, x, y)
            c <- Vector512.FusedMultiplyAdd(c, x, y)
            d <- Vector512.FusedMultiplyAdd(d, x, y)
            e <- Vector512.FusedMultiplyAdd(e, x, y)
            f <- Vector512.FusedMultiplyAdd(f, x, y)
            g <- Vector512.FusedMultiplyAdd(g, x, y)
            h <- Vector512.FusedMultiplyAdd(h, x, y)
            i <- Vector512.FusedMultiplyAdd(i, x, y)
            j <- Vector512.FusedMultiplyAdd(j, x, y)
            k <- Vector512.FusedMultiplyAdd(k, x, y)
            l <- Vector512.FusedMultiplyAdd(l, x, y)
            m <- Vector512.FusedMultiplyAdd(m, x, y)
            n <- Vector512.FusedMultiplyAdd(n, x, y)

        Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l + m + n)

    /// The best of several short runs; float64 vectors hold half as many numbers.
    static member GflopsPerCore(dtype: Curvature.DType) : float =
        let turns = 2_000_000
        let mutable best = 0.0
        let mutable sink = 0.0f

        for _ in 1..8 do
            let start = Stopwatch.GetTimestamp()
            sink <- sink + Peak.Float32Chains turns
            let seconds = Stopwatch.GetElapsedTime(start).TotalSeconds
            best <- max best (float turns * 2.0 * 16.0 * 14.0 / seconds / 1e9)

        // Using the sum keeps the loop from being removed.
        let rate = if System.Single.IsNaN sink then 0.0 else best
        if dtype = Curvature.DType.Float64 then rate / 2.0 else rate
