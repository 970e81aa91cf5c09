namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// How a measure of points becomes a density: Gaussians of a width, on a grid. Made by the functions of the module
/// Smoothing.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Smoothing
    internal (name: string, plan: (struct (float * float))[] -> int -> struct (float * float * int * float * bool)) =
    /// What the smoothing is called.
    member _.Name = name

    /// From the ends of each rule and the number of steps: first and last grid point, their number, the standard
    /// deviation, and whether the sum over the grid is made 1.
    member internal _.Plan = plan

    override _.ToString() = name

    member internal this.Text = this.ToString()

/// A density of eigenvalues on a grid.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SpectralDensity internal (grid: float[], values: float[], errors: float[], width: float, ledger: Ledger) =
    /// Where the density is given, ascending.
    member _.Grid = Array.copy grid

    /// The density, whose integral is 1: the share of eigenvalues per unit of length.
    member _.Values = Array.copy values

    /// The standard error of each value over random vectors, for this smoothing. The error that smoothing makes is not
    /// part of it: see CumulativeDensity for a band that does not depend on one. Raises ArgumentRangeException for a
    /// single random vector.
    member _.StandardErrors =
        ledger.RequireErrorBar()
        Array.copy errors

    /// Where the density lies with this confidence over random vectors, at each point of the grid: values and Student's
    /// t times the standard errors, and no less than 0. Raises ArgumentRangeException for a single random vector or a
    /// confidence outside (0, 1).
    member this.Band(confidence: float) : Interval<float[]> =
        let factor, errors = ledger.Factor confidence, this.StandardErrors
        let low = Array.map2 (fun value error -> max 0.0 (value - factor * error)) values errors
        Interval(low, Array.map2 (fun value error -> value + factor * error) values errors, confidence)

    /// The standard deviation of the peak that a single eigenvalue becomes.
    member _.Width = width

    /// What it cost.
    member _.Ledger = ledger

    override _.ToString() =
        let low, high = Numbers.show grid[0], Numbers.show grid[grid.Length - 1]
        $"density at {grid.Length} points from {low} to {high}, smoothed by {width:g4}; {ledger}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// How a measure of points becomes a density.
[<RequireQualifiedAccess>]
module Smoothing =

    let private ends (rules: struct (float * float)[]) =
        let low = rules |> Seq.map (fun struct (low, _) -> low) |> Seq.min
        let high = rules |> Seq.map (fun struct (_, high) -> high) |> Seq.max
        struct (low, high)

    /// No grid has more points than this.
    let private mostPoints = 1 <<< 20

    /// Gaussians of a standard deviation, in the units of eigenvalues, on a grid that reaches 5 of them beyond the
    /// outermost Ritz values: 1024 points, or as many as leave two in each standard deviation, up to a million.
    /// Raises ArgumentRangeException for one that is not above 0.
    let gaussian (standardDeviation: float) : Smoothing =
        if not (standardDeviation > 0.0 && Double.IsFinite standardDeviation) then
            Fail.range $"Smoothing.gaussian: a width above 0 is needed, and it is {standardDeviation}"

        Smoothing(
            $"gaussian {standardDeviation}",
            fun rules _ ->
                let struct (low, high) = ends rules
                let reach = 5.0 * standardDeviation
                let points = ceil (2.0 * (high - low + 2.0 * reach) / standardDeviation) + 1.0
                let count = int (min (float mostPoints) (max 1024.0 points))
                struct (low - reach, high + reach, count, standardDeviation, false)
        )

    /// PyHessian's: 10000 points from the mean least Ritz value − 0.01 to the mean largest + 0.01, variance 1e-5·max(1,
    /// range), and the sum over the grid made 1. In the units of the loss: a spectrum much narrower than 0.01 shows as
    /// one bump.
    let pyHessian: Smoothing =
        Smoothing(
            "PyHessian",
            fun rules _ ->
                let low = (rules |> Array.averageBy (fun struct (low, _) -> low)) - 0.01
                let high = (rules |> Array.averageBy (fun struct (_, high) -> high)) + 0.01
                struct (low, high, 10000, sqrt (1e-5 * max 1.0 (high - low)), true)
        )

    /// Papyan's (2019, "Measurements of three-level hierarchical structure"), as in curvlinops: with the spectrum and a
    /// margin of 5 % mapped to [−1, 1], standard deviation 2/((k − 1)√(8 ln 3)) for k steps, on 1024 points.
    let papyan: Smoothing =
        Smoothing(
            "Papyan",
            fun rules steps ->
                let struct (low, high) = ends rules
                let centre, half = 0.5 * (low + high), 0.5 * (high - low)
                // A spectrum of one point has no width.
                let size = max (abs low) (abs high)

                let half =
                    if half > 1e-9 * size then 1.05 * half
                    elif size > 0.0 then 0.05 * size
                    else 1.0

                let width = 2.0 * half / (float (max 1 (steps - 1)) * sqrt (8.0 * log 3.0))
                struct (centre - half, centre + half, 1024, width, false)
        )

/// Densities of eigenvalues.
[<RequireQualifiedAccess>]
module SpectralDensity =

    /// Values of one rule on a grid.
    let private onGrid (grid: float[]) width (rule: SpectralRule) =
        let nodes, weights = rule.Nodes, rule.Weights
        let peak = 1.0 / (width * sqrt (2.0 * Math.PI))

        grid
        |> Array.map (fun x ->
            let mutable sum = 0.0

            for j in 0 .. nodes.Length - 1 do
                let z = (x - nodes[j]) / width
                if abs z < 39.0 then sum <- sum + weights[j] * exp (-0.5 * z * z)

            peak * sum)

    /// The mean over random vectors of Σ wⱼ N(x; θⱼ, σ²) (Lin, Saad & Yang 2016), with an error bar at each point.
    /// Raises ArgumentRangeException for an operator without eigenvalues.
    let ofSample (smoothing: Smoothing) (sample: SpectralSample) : SpectralDensity =
        if sample.Size = 0 then
            Fail.range $"SpectralDensity: {sample.Name} has no eigenvalues"

        let rules = sample.Rules
        let outermost = rules |> Array.map (fun rule -> struct (rule.Nodes[0], Array.last rule.Nodes))
        let struct (low, high, count, width, normalised) = smoothing.Plan outermost sample.Steps
        let step = (high - low) / float (count - 1)
        let grid = Array.init count (fun i -> low + step * float i)
        let curves = rules |> Array.map (onGrid grid width)
        let at i = curves |> Array.map (fun curve -> curve[i])
        let values = Array.init count (fun i -> Statistics.mean (at i))
        let factor = if normalised then 1.0 / (step * Array.sum values) else 1.0
        let error i = if rules.Length < 2 then 0.0 else factor * Statistics.standardError (at i)

        SpectralDensity(grid, values |> Array.map ((*) factor), Array.init count error, width, sample.Ledger)
