namespace Curvature

open System
open System.Diagnostics
open System.Globalization
open Curvature.FSharp

/// What an estimate cost, and why it ended there. Made by `Ledgers.ofSamples`.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Ledger
    internal (samples: int, cost: Cost, seconds: float, reason: StopReason, width: IntervalWidth, forecast: float) =

    /// How many random vectors were used; for an exact result, how many basis vectors.
    member _.Samples = samples

    /// How many products with the operator were taken.
    member _.Matvecs = cost.Products

    /// How many quadratic forms vᵀAv were taken in place of products.
    member _.QuadraticForms = cost.Forms

    /// Time spent, in seconds.
    member _.Seconds = seconds

    /// Why it stopped.
    member _.StopReason = reason

    /// How many products and quadratic forms the run was expected to take when that was last forecast; NaN where it
    /// was not. For an exact result that a forecast decided, what sampling would have taken.
    member _.Forecast = forecast

    /// Whether nothing is uncertain.
    member _.IsExact = (reason = StopReason.Exact)

    /// The same, after other products with the operator had been spent.
    member internal _.After(earlier: Cost, time: float) =
        Ledger(samples, Cost.sum [ earlier; cost ], seconds + time, reason, width, forecast)

    /// The same, with other intervals.
    member internal _.WithIntervals(other: IntervalWidth) = Ledger(samples, cost, seconds, reason, other, forecast)

    /// The same, where the run was expected to take so many products.
    member internal _.WithForecast(products: float) = Ledger(samples, cost, seconds, reason, width, products)

    /// Whether there are enough samples for an error.
    member internal ledger.HasErrorBar = samples >= 2 || ledger.IsExact

    /// Half the width of an interval in standard errors.
    member internal ledger.Factor(confidence: float) : float =
        IntervalWidth.requireConfidence confidence
        let width = if ledger.IsExact then IntervalWidth.ofRounding else width
        width.Factor confidence

    /// Whether intervals are widened for interim analyses.
    member internal _.IsSequential = width.IsSequential

    member internal _.RequireErrorBar() =
        if samples < 2 && reason <> StopReason.Exact then
            Fail.range $"an error bar needs two samples at least, and there were {samples}"

    /// What an exact result cost, in words.
    member internal _.ExactInWords =
        let number (x: float) = x.ToString("N0", CultureInfo.InvariantCulture)

        let unit =
            if cost.Forms = 0 then "products"
            elif cost.Products = 0 then "quadratic forms"
            else "products and quadratic forms"

        if Double.IsFinite forecast then
            // The forecast is good to two digits at best.
            let scale = Math.Pow(10.0, floor (log10 (max 1.0 forecast)) - 1.0) |> max 1.0
            let sampling = number (scale * round (forecast / scale))
            $"exact up to rounding, from {number (float cost.Total)} {unit}; sampling would have taken about {sampling}"
        else
            "exact up to rounding"

    override ledger.ToString() =
        let parts =
            [
                if ledger.IsExact then
                    Describe.count samples "basis vector"
                else
                    Describe.count samples "random vector"
                if cost.Products > 0 then Describe.count cost.Products "product"
                if cost.Forms > 0 then Describe.count cost.Forms "quadratic form"
                Describe.seconds seconds
            ]

        let reason =
            match reason with
            | StopReason.MatvecsSpent -> "the products allowed are spent"
            | StopReason.TimeSpent -> "the time allowed is spent"
            | StopReason.ErrorReached -> "the error asked for is reached"
            | StopReason.RunningMeanSettled -> "two running means agreed"
            | StopReason.CeilingReached -> "the most samples without another limit are taken"
            | StopReason.Cancelled -> "cancelled"
            | _ -> ledger.ExactInWords

        String.Join(", ", parts) + ": " + reason

    member internal this.Text = this.ToString()

module internal Ledgers =

    /// The ledger of a result from so many random vectors, their number fixed beforehand.
    let ofSamples samples (cost: Cost) seconds reason : Ledger =
        Ledger(samples, cost, seconds, reason, IntervalWidth.ofSamples samples, nan)
