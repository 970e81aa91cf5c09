namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Whole tasks on the Hessian of a workload, from an operator to an answer, against the least that the same algorithm
/// takes on a baseline's products: as many of them, and nothing between.
module Jobs =

    /// What a task says of itself: how many products or forms it took, and what it found.
    type private Outcome = { Count: int; Unit: string; Found: string }

    let private trace (hessian: LinearOperator) : Outcome =
        let stop = StoppingRule.orElse (StoppingRule.relativeError 0.02) (StoppingRule.matvecs 4000)
        let found = Hutchinson.trace stop (Key.OfSeed 1L) hessian
        { Count = found.Samples; Unit = "trace_probe"; Found = $"{found}" }

    let private eigenvalues (hessian: LinearOperator) : Outcome =
        let options = EigenOptions.Default.WithTolerance(1e-4)
        let found = ThickRestartLanczos.findWith options SpectrumEnd.LargestMagnitude 5 hessian

        {
            Count = found.Matvecs
            Unit = "hvp"
            Found = $"{found.Values[0]:g5} to {found.Values[4]:g5}"
        }

    let private density (hessian: LinearOperator) : Outcome =
        let found = StochasticLanczos.sample 4 80 (Key.OfSeed 1L) hessian

        {
            Count = 4 * 80
            Unit = "hvp"
            Found = $"{found.Least:g5} to {found.Largest:g5}"
        }

    let private tasks =
        [
            "trace to 2 %, 95 % sure", trace
            "five largest eigenvalues to 1e-4", eigenvalues
            "density of 80 steps, 4 probes", density
        ]

    /// The median of three runs, or the one run that takes longer than ten seconds.
    let private time (task: LinearOperator -> Outcome) (hessian: LinearOperator) : float * Outcome =
        let once () =
            let start = Stopwatch.GetTimestamp()
            let outcome = task hessian
            Stopwatch.GetElapsedTime(start).TotalSeconds, outcome

        let first = once ()

        if fst first > 10.0 then
            first
        else
            let later = [ for _ in 1..3 -> once () ]
            Measured.median (later |> List.map fst), snd first

    let run (data: string option) (baselines: string list) (only: string) =
        let baseline = Baseline baselines
        let count = "products"
        printfn $"""{"workload", -24} {"task", -34} {"ms", 9} {count, 8} {"baseline", 9} {"ratio", 6}  found"""

        for workload in Workloads.all data |> List.filter (fun workload -> workload.Name.StartsWith only) do
            use hessian = Hessian.at workload.Loss workload.Theta

            for name, task in tasks do
                let seconds, outcome = time task hessian

                let compared =
                    match baseline.Seconds(workload, outcome.Unit) with
                    | ValueSome each ->
                        let least = each * float outcome.Count
                        $"{1e3 * least, 9:F1} {least / seconds, 6:F2}"
                    | ValueNone -> $"""{"-", 9} {"-", 6}"""

                printf $"{workload.Name, -24} {name, -34} {1e3 * seconds, 9:F1} {outcome.Count, 8} {compared}  "
                printfn $"{outcome.Found}"
