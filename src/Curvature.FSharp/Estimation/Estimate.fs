namespace Curvature

open System
open System.Globalization
open Curvature.FSharp
open MathNet.Numerics.Distributions

/// What was asked of an operator.
[<Struct; NoEquality; NoComparison>]
type internal Cost =
    {
        Products: int
        Forms: int
    }

    member cost.Total = cost.Products + cost.Forms

module internal Cost =

    let none = { Products = 0; Forms = 0 }
    let products count = { none with Products = count }

    let sum (costs: Cost list) : Cost =
        {
            Products = costs |> List.sumBy _.Products
            Forms = costs |> List.sumBy _.Forms
        }

/// How intervals follow from standard errors.
[<NoEquality; NoComparison>]
type internal IntervalWidth =
    {
        /// Half the width at a confidence, in standard errors.
        Factor: float -> float
        /// Whether it pays for interim analyses, at which what was seen could end the run.
        IsSequential: bool
        /// How many standard errors the interval reaches below and above, at a confidence.
        Reach: float -> struct (float * float)
    }

module internal IntervalWidth =

    /// Raises ArgumentRangeException for a confidence outside (0, 1).
    let requireConfidence (confidence: float) =
        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"a confidence lies between 0 and 1, and this one is {confidence}"

    /// After these interim analyses; none for a number of samples that was fixed beforehand. A single one has no error.
    let ofAnalyses (history: Summary list) (final: Summary) : IntervalWidth =
        let factor confidence =
            if final.Independent < 2 then infinity
            elif history.IsEmpty then Looks.quantile final.Independent (1.0 - confidence)
            else SequentialDesign.factor confidence history final

        {
            Factor = factor
            IsSequential = not history.IsEmpty
            Reach =
                fun confidence ->
                    let t = factor confidence
                    // Interim analyses are paid for, skewness included.
                    if history.IsEmpty then
                        SampleLaw.reach final.Law final.Independent t
                    else
                        struct (t, t)
        }

    /// Of the mean of so many samples: Student's.
    let ofSamples (samples: int) : IntervalWidth =
        ofAnalyses
            []
            {
                Value = 0.0
                StandardError = 1.0
                Independent = samples
                Spread = nan
                Skewness = 0.0
                Law = SampleLaw.symmetric
                Dimension = 1.0
                IsExact = false
            }

    /// Of an exact result, whose error is rounding: a quantile of the normal law.
    let ofRounding: IntervalWidth =
        let factor confidence = Normal.InvCDF(0.0, 1.0, 0.5 + 0.5 * confidence)

        {
            Factor = factor
            IsSequential = false
            Reach =
                fun confidence ->
                    let z = factor confidence
                    struct (z, z)
        }

/// Where a quantity lies, with the given confidence.
[<Sealed; NoEquality; NoComparison>]
type Interval<'T> internal (low: 'T, high: 'T, confidence: float, ?isSequential: bool) =
    /// The lower end.
    member _.Low = low

    /// The upper end.
    member _.High = high

    /// The probability with which such intervals hold the truth.
    member _.Confidence = confidence

    /// Whether it is wide enough for a run that what was seen could end at any interim analysis of its rule. If not, it holds the truth as
    /// often as it says where the number of samples was fixed beforehand.
    member _.IsSequential = defaultArg isSequential false

/// What an estimate cost, and why it ended there. Made by `Ledgers.make`.
[<Sealed; NoEquality; NoComparison>]
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

    /// How many products and quadratic forms the run was expected to take when that was last forecast; NaN where it was not. For an exact
    /// result that a forecast decided, what sampling would have taken.
    member _.Forecast = forecast

    /// Whether nothing is uncertain.
    member _.IsExact = (reason = StopReason.Exact)

    /// The same, after other products with the operator had been spent.
    member internal _.After(earlier: Cost, time: float) =
        Ledger(samples, Cost.sum [ earlier; cost ], seconds + time, reason, width, forecast)

    /// The same, where a run was expected to take so many products.
    member internal _.WithForecast(products: float) = Ledger(samples, cost, seconds, reason, width, products)

    /// Whether there is enough to tell an error from.
    member internal ledger.HasErrorBar = samples >= 2 || ledger.IsExact

    /// Half the width of an interval in standard errors.
    member internal ledger.Factor(confidence: float) : float =
        IntervalWidth.requireConfidence confidence
        let width = if ledger.IsExact then IntervalWidth.ofRounding else width
        width.Factor confidence

    /// Whether intervals pay for interim analyses.
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
            $"exact up to rounding, from {number (float cost.Total)} {unit}; sampling would have taken about {number (scale * round (forecast / scale))}"
        else
            "exact up to rounding"

module internal Ledgers =

    /// The ledger of a result from so many independent numbers.
    let make samples (cost: Cost) seconds reason (width: IntervalWidth) : Ledger =
        Ledger(samples, cost, seconds, reason, width, nan)

    /// The ledger of a result that rests on a number of samples that was fixed beforehand, or on none.
    let ofSamples samples cost seconds reason = make samples cost seconds reason (IntervalWidth.ofSamples samples)

/// A value with its uncertainty and its cost.
[<Sealed; NoEquality; NoComparison>]
type Estimate<'T>
    internal
    (value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger, bias: float, isErrorKnown: bool) =

    internal new(value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger, isErrorKnown: bool) =
        Estimate(value, standardError, ends, ledger, 0.0, isErrorKnown)

    internal new(value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger, bias: float) =
        Estimate(value, standardError, ends, ledger, bias, (ledger.HasErrorBar && Double.IsFinite bias))

    /// The estimate.
    member _.Value = value

    /// Its standard error. Of an exact result it is that of rounding: products are taken to be rounded to their type,
    /// and sums of n of them to Float64 n times, independently. Infinite where the error is not known, see
    /// `IsErrorKnown`.
    member _.StandardError = standardError

    /// Whether the samples say anything of the error. One or two forms do not, nor fewer than five vectors of the
    /// entries of a diagonal, nor sparse random vectors that have touched each element less than five times on
    /// average: one that matters may have been missed by all. Then the standard error and the ends of intervals are
    /// infinite.
    member _.IsErrorKnown = isErrorKnown

    /// The interval that holds the truth with this confidence, elementwise for a vector: Student's, which for
    /// independent samples is longer on the side where their skewness has, or for few samples may have, its tail
    /// (Johnson 1978), so that it need not be symmetric; widened where what was seen decided when to stop. From −∞ to
    /// ∞ where the error is not known. Of an exact result, where rounding may have led.
    /// Raises ArgumentRangeException for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<'T> =
        let struct (low, high) = ends (ledger.Factor confidence)
        Interval(low, high, confidence, ledger.IsSequential)

    /// A bound of what no number of random vectors makes smaller, such as the error of a quadrature; the interval has
    /// it on both sides. 0 for estimators without such an error, and infinite where it is not known.
    member _.Bias = bias

    /// Whether a bound of the bias is known: where not, the standard error and an end of the interval are infinite.
    member _.IsResolved = Double.IsFinite bias

    /// What it cost, and why it ended there.
    member _.Ledger = ledger

    /// The standard error.
    member internal _.RawStandardError = standardError

    /// The ends of an interval from a quantile.
    member internal _.Ends = ends

    /// The same, after other products with the operator had been spent.
    member internal _.After(earlier: Cost, seconds: float) : Estimate<'T> =
        Estimate(value, standardError, ends, ledger.After(earlier, seconds), bias, isErrorKnown)

    /// How many random vectors were used.
    member _.Samples = ledger.Samples

    /// How many products with the operator were taken.
    member _.Matvecs = ledger.Matvecs

    /// How many quadratic forms were taken in place of products.
    member _.QuadraticForms = ledger.QuadraticForms

    /// Time spent, in seconds.
    member _.Seconds = ledger.Seconds

    /// Why it stopped.
    member _.StopReason = ledger.StopReason

    /// Whether nothing but rounding is uncertain.
    member _.IsExact = ledger.IsExact

    override _.ToString() =
        let text (format: string) (x: obj) =
            match x with
            | :? float as number -> number.ToString(format, CultureInfo.InvariantCulture)
            | other -> string other

        let number, error = text "G6" value, text "G6" standardError
        let samples = if ledger.Samples = 1 then "one sample" else $"{ledger.Samples} samples"

        if ledger.IsExact then
            let roundings = text "G1" standardError
            $"{number} ± {roundings} ({ledger.ExactInWords})"
        elif not (Double.IsFinite bias) then
            $"{number} (not resolved, {samples})"
        elif not isErrorKnown then
            $"{number} ± unknown ({samples})"
        else
            $"{number} ± {error} (a standard error, from {samples})"

/// Making estimates of what was accumulated.
module internal Estimates =

    /// Products are finite where they are made, but their sums and squares may overflow: no estimate is NaN ± NaN.
    let private checkFinite (value: float) (error: float) =
        if not (Double.IsFinite value) || Double.IsNaN error then
            Fail.nonFinite
                $"the estimate is {Finite.name value} and its standard error {error}, from finite products: their sums overflow; scale the operator"

    let private checkFiniteVectors (value: Tensor) (error: Tensor) =
        Finite.check "the estimate, a sum of finite products that overflows," value

        match Finite.tryFind error with
        | ValueSome(struct (i, number)) when Double.IsNaN number ->
            Fail.nonFinite $"the standard error is NaN at element {i}: squares of products overflow"
        | _ -> ()

    /// Of independent samples of a law: quantiles of the intervals' ends, from Student's.
    let private quantiles (law: SampleLaw) (ledger: Ledger) (t: float) : struct (float * float) =
        // Looks that decided when to stop are paid for by more than skewness takes.
        if ledger.IsExact || ledger.IsSequential then
            struct (t, t)
        else
            SampleLaw.reach law ledger.Samples t

    let private isKnown (law: SampleLaw) (ledger: Ledger) = ledger.IsExact || (ledger.HasErrorBar && law.IsKnown)

    /// The mean of independent samples of a law.
    let sampled (law: SampleLaw) (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        checkFinite value standardError
        let known = ledger.IsExact || (isKnown law ledger && Double.IsFinite standardError)

        // A single vector that tells everything has no spread.
        let error =
            if not known then infinity
            elif ledger.IsExact && not (Double.IsFinite standardError) then 0.0
            else standardError

        let ends t =
            let struct (below, above) = quantiles law ledger t
            struct (value - below * error, value + above * error)

        Estimate(value, error, ends, ledger, known)

    let scalar (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        sampled SampleLaw.symmetric value standardError ledger

    /// A number times an estimate.
    let scaled (factor: float) (estimate: Estimate<float>) : Estimate<float> =
        if factor = 0.0 then
            scalar 0.0 0.0 estimate.Ledger
        else
            let ends t =
                let struct (low, high) = estimate.Ends t

                if factor > 0.0 then
                    struct (factor * low, factor * high)
                else
                    struct (factor * high, factor * low)

            let error = abs factor * estimate.RawStandardError
            Estimate(factor * estimate.Value, error, ends, estimate.Ledger, estimate.IsErrorKnown)

    /// The mean of independent vectors whose elements are of a law.
    let sampledVector (law: SampleLaw) (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        checkFiniteVectors value standardError
        let known = isKnown law ledger
        let error = if known then standardError else Tensor.fullLike standardError infinity

        let ends t =
            let struct (below, above) = quantiles law ledger t
            struct (value - below * error, value + above * error)

        Estimate(value, error, ends, ledger, known)

    let vector (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        sampledVector SampleLaw.symmetric value standardError ledger

    /// The root of a quantity that cannot be negative. The interval's ends are the roots of its ends.
    let scalarRoot (law: SampleLaw) (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        let square = sampled law value standardError ledger
        let root = sqrt value

        let ends t =
            let struct (low, high) = square.Ends t
            struct (sqrt (max 0.0 low), sqrt high)

        let error =
            if root > 0.0 then
                square.StandardError / (2.0 * root)
            else
                sqrt square.StandardError

        Estimate(root, error, ends, ledger, square.IsErrorKnown)

    /// The elementwise root of quantities that cannot be negative.
    let vectorRoot (law: SampleLaw) (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        let square = sampledVector law value standardError ledger
        let root = Tensor.sqrt value
        let safe = Tensor.where (Tensor.greater root (Tensor.zerosLike root)) root (Tensor.onesLike root)

        let ends t =
            let struct (low, high) = square.Ends t
            struct (Tensor.sqrt (Tensor.relu low), Tensor.sqrt high)

        Estimate(root, square.StandardError / (2.0 * safe), ends, ledger, square.IsErrorKnown)
