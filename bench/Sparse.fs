namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// What sparse Hessians take: pattern, colours, products and recovery.
module Sparse =

    /// The extended Rosenbrock function: pairs of variables that do not see each other.
    let private extended (x: Tensor) =
        let pairs = Tensor.reshape [ -1; 2 ] x
        let a, b = Tensor.item 1 0 pairs, Tensor.item 1 1 pairs
        Tensor.sum (100.0 * (b - a * a) ** 2.0 + (1.0 - a) ** 2.0)

    /// The chained Rosenbrock function, whose Hessian is tridiagonal.
    let private chained (x: Tensor) =
        let n = x.Size
        let left, right = Tensor.slice 0 0 (n - 1) x, Tensor.slice 0 1 (n - 1) x
        Tensor.sum (100.0 * (right - left * left) ** 2.0 + (1.0 - left) ** 2.0)

    /// One variable that meets all others.
    let private arrow (x: Tensor) = Tensor.item 0 0 x * Tensor.sum (sin x)

    let private seconds (f: unit -> 'T) : 'T * float =
        let start = Stopwatch.GetTimestamp()
        let result = f ()
        result, Stopwatch.GetElapsedTime(start).TotalSeconds

    let private direct = SparseOptions.Default
    let private substitution = SparseOptions.Default.WithRecovery RecoveryMethod.Substitution

    let run () =
        let n = 100_000
        let x = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ n ]

        let cases =
            [
                "extended Rosenbrock", extended, direct
                "extended Rosenbrock", extended, substitution
                "chained Rosenbrock", chained, direct
                "chained Rosenbrock", chained, substitution
                "arrow", arrow, direct
            ]

        printfn $"Hessians of functions of {n} variables, Float64, in seconds; the first begins with a cold process"
        printfn "  function              recovery       colours  prepare   first   again      entries"

        for name, f, options in cases do
            let prepared, preparing = seconds (fun () -> SparseHessian.prepareWith options f x)
            let _, first = seconds (fun () -> prepared.At x)
            let found, again = seconds (fun () -> prepared.At(x * 1.001))
            let left = $"{name, -20}  {string options.Recovery, -13}  {prepared.ColourCount, 7}"
            printfn $"  {left}  {preparing, 7:F3}  {first, 6:F3}  {again, 6:F3}  {found.Count, 11}"

        let started = DateTime.Now - Process.GetCurrentProcess().StartTime
        printfn $"the process took {started.TotalSeconds:F1} s"
