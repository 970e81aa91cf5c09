namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// How often 95 % intervals hold the truth, at budgets from the least to all columns.
module Coverage =

    let private n = 100

    /// What one estimate says: for each number its distance from the truth, its standard error, and whether the
    /// interval holds the truth.
    [<Struct>]
    type private Outcome = { Off: float; Error: float; Holds: bool }

    let private ofScalar truth (estimate: Estimate<float>) =
        let interval = estimate.Interval 0.95

        [|
            {
                Off = estimate.Value - truth
                Error = estimate.StandardError
                Holds = interval.Low <= truth && truth <= interval.High
            }
        |]

    let private ofVector (truth: float[]) (estimate: Estimate<Tensor>) =
        let interval = estimate.Interval 0.95
        let low, high = interval.Low.ToArray(), interval.High.ToArray()
        let value, error = estimate.Value.ToArray(), estimate.StandardError.ToArray()

        Array.init truth.Length (fun i ->
            {
                Off = value[i] - truth[i]
                Error = error[i]
                Holds = low[i] <= truth[i] && truth[i] <= high[i]
            })

    /// An estimator of one cell: from a number of products and a key.
    type private Method =
        {
            Name: string
            Least: int
            NeedsSemidefinite: bool
            Run: int -> Key -> Outcome[]
        }

    let private methods (a: Tensor) (operator: LinearOperator) : Method list =
        let wide = Tensor.convert DType.Float64 a
        let entries = wide.ToArray()
        let diagonal = Array.init n (fun i -> entries[i * n + i])
        let trace = Array.sum diagonal
        let rows = Array.init n (fun i -> Array.sumBy (fun x -> x * x) entries[i * n .. i * n + n - 1])
        let blocks = [ ParameterBlock("first", 0, 30); ParameterBlock("rest", 30, n - 30) ]
        let blockTruths = [| Array.sum diagonal[..29]; Array.sum diagonal[30..] |]
        let stop m = StoppingRule.matvecs m

        let ofBlocks (traces: BlockTrace[]) =
            Array.map2 (fun truth (block: BlockTrace) -> ofScalar truth block.Trace) blockTruths traces |> Array.concat

        let plain name least run = { Name = name; Least = least; NeedsSemidefinite = false; Run = run }

        let semidefinite name least run = { plain name least run with NeedsSemidefinite = true }

        let sampled =
            [
                for probe in
                    [
                        Probe.rademacher
                        Probe.gaussian
                        Probe.sphere
                        Probe.sparse 0.1
                        Probe.fixedSparse 10
                        Probe.basis
                    ] do
                    let run measurement m key = Hutchinson.estimate probe measurement (stop m) key operator

                    plain $"trace {probe}" 1 (fun m key -> run Measurement.trace m key |> ofScalar trace)
                    plain $"diagonal {probe}" 1 (fun m key -> run Measurement.diagonal m key |> ofVector diagonal)
                    plain $"blocks {probe}" 1 (fun m key -> run (Measurement.blockTraces blocks) m key |> ofBlocks)

                    plain $"frobenius {probe}" 1 (fun m key ->
                        run Measurement.frobenius m key |> ofScalar (sqrt (Array.sum rows)))

                    plain $"rows {probe}" 1 (fun m key -> run Measurement.squaredRowNorms m key |> ofVector rows)
            ]

        [
            yield! sampled

            plain "ratio gaussian" 1 (fun m key ->
                Hutchinson.estimate Probe.gaussian Measurement.diagonalRatio (stop m) key operator |> ofVector diagonal)

            plain "Hutch++" 3 (fun m key -> HutchPlusPlus.estimate (stop m) key operator |> ofScalar trace)
            plain "NA-Hutch++" 6 (fun m key ->
                NonadaptiveHutchPlusPlus.estimate (stop m) key operator |> ofScalar trace)

            plain "A-Hutch++" 1 (fun m key ->
                let error = 4.0 * Math.Sqrt(2.0 * Array.sum rows / float m)
                AdaptiveHutchPlusPlus.estimate error 0.05 key operator |> ofScalar trace)

            plain "XTrace" 2 (fun m key -> XTrace.estimate (stop m) key operator |> ofScalar trace)

            semidefinite "XNysTrace" 1 (fun m key -> XNysTrace.estimate (stop m) key operator |> ofScalar trace)
            plain "Automatic" 1 (fun m key -> (Automatic.trace (stop m) key operator).Estimate |> ofScalar trace)
            plain "XDiag" 2 (fun m key -> XDiag.estimate (stop m) key operator |> ofVector diagonal)
            plain "XDiag blocks" 2 (fun m key -> XDiag.blockTraces (stop m) key blocks operator |> ofBlocks)
            semidefinite "XNysDiag" 1 (fun m key -> XNysDiag.estimate (stop m) key operator |> ofVector diagonal)

            semidefinite "XNysDiag blocks" 1 (fun m key ->
                XNysDiag.blockTraces (stop m) key blocks operator |> ofBlocks)
            plain "UDiag++" 3 (fun m key -> UDiagPlusPlus.estimate (stop m) key operator |> ofVector diagonal)

            plain "Automatic diagonal" 1 (fun m key ->
                (Automatic.diagonal (stop m) key operator).Estimate |> ofVector diagonal)
        ]

    let private budgets = [ 1; 2; 3; 4; 5; 10; 25; 50; 70; 80; 90; 97; 100 ]

    /// The share of intervals that hold the truth, the share whose error is not known, and the mean standard error
    /// beside the root of the mean squared error, where it is known.
    let private cell repetitions m (method: Method) =
        let keys = (Key.OfSeed 2026L).Split repetitions
        let outcomes = keys |> Array.map (method.Run m) |> Array.concat
        let known = outcomes |> Array.filter (fun o -> Double.IsFinite o.Error)
        let share f = outcomes |> Array.averageBy (fun o -> if f o then 1.0 else 0.0)

        let width =
            if known.Length = 0 then
                nan
            else
                let rmse = known |> Array.averageBy (fun o -> o.Off * o.Off) |> sqrt
                if rmse > 0.0 then (known |> Array.averageBy _.Error) / rmse else nan

        struct (share _.Holds, share (fun o -> not (Double.IsFinite o.Error)), width)

    /// Prints a line for each estimator, spectrum and type: at each budget the coverage in percent, and the mean
    /// standard error beside the ideal one; `?` where the error is never known, no width where there is no error, and
    /// `!` where the share lies 5 standard errors below 93 %.
    let run (repetitions: int) (estimator: string) (spectrum: string) (dtypes: DType list) (chosen: int list) =
        let budgets = if chosen.IsEmpty then budgets else chosen
        let limit = 0.93 - 5.0 * sqrt (0.93 * 0.07 / float repetitions)
        printfn $"{repetitions} repetitions, n = {n}; products: {budgets}"
        let mutable failures = 0

        for dtype in dtypes do
            for name, eigenvalues in TurnedSpectra.all n do
                if name.Contains spectrum then
                    let a = TurnedSpectra.matrix dtype eigenvalues
                    let isSemidefinite = Array.min eigenvalues >= 0.0

                    let operator = TurnedSpectra.operator dtype eigenvalues

                    for method in methods a operator do
                        if method.Name.Contains estimator && (isSemidefinite || not method.NeedsSemidefinite) then
                            printf $"{method.Name, -22} {name, -10} {dtype, -7}"

                            for m in budgets do
                                if m >= method.Least then
                                    let struct (holds, unknown, width) = cell repetitions m method
                                    let mark = if holds < limit then "!" else ""
                                    if holds < limit then failures <- failures + 1

                                    if unknown = 1.0 then printf $" {m}:?{mark}"
                                    elif Double.IsNaN width then printf $" {m}:{100.0 * holds:F1}{mark}"
                                    else printf $" {m}:{100.0 * holds:F1}{mark}x{width:F2}"

                            printfn ""

        printfn $"{failures} cells lie 5 standard errors below 93 percent"
