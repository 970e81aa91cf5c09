namespace Curvature

open System
open System.Globalization
open Curvature.FSharp

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
    }

module internal IntervalWidth =

    /// Raises ArgumentRangeException for a confidence outside (0, 1).
    let requireConfidence (confidence: float) =
        if not (confidence > 0.0 && confidence < 1.0) then
            raise (ArgumentRangeException $"a confidence lies between 0 and 1, and this one is {confidence}")

    /// After these interim analyses; none for a number of samples that was fixed beforehand.
    let ofAnalyses (history: Summary list) (final: Summary) : IntervalWidth =
        {
            Factor =
                fun confidence ->
                    if history.IsEmpty then
                        Looks.quantile final.Independent (1.0 - confidence)
                    else
                        SequentialDesign.factor confidence history final
            IsSequential = not history.IsEmpty
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
                Dimension = 1.0
                IsExact = false
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

    /// Half the width of an interval in standard errors.
    member internal ledger.Factor(confidence: float) : float =
        IntervalWidth.requireConfidence confidence
        if ledger.IsExact then 0.0 else width.Factor confidence

    /// Whether intervals pay for interim analyses.
    member internal _.IsSequential = width.IsSequential

    member internal _.RequireErrorBar() =
        if samples < 2 && reason <> StopReason.Exact then
            raise (ArgumentRangeException $"an error bar needs two samples at least, and there were {samples}")

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
            $"exact, from {number (float cost.Total)} {unit}; sampling would have taken about {number (scale * round (forecast / scale))}"
        else
            "exact"

module internal Ledgers =

    /// The ledger of a result from so many independent numbers.
    let make samples (cost: Cost) seconds reason (width: IntervalWidth) : Ledger =
        Ledger(samples, cost, seconds, reason, width, nan)

    /// The ledger of a result that rests on a number of samples that was fixed beforehand, or on none.
    let ofSamples samples cost seconds reason = make samples cost seconds reason (IntervalWidth.ofSamples samples)

/// A value with its uncertainty and its cost.
[<Sealed; NoEquality; NoComparison>]
type Estimate<'T> internal (value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger, bias: float)
    =

    internal new(value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger) =
        Estimate(value, standardError, ends, ledger, 0.0)

    /// The estimate.
    member _.Value = value

    /// Its standard error; 0 for an exact result. Raises ArgumentRangeException where there is only one sample.
    member _.StandardError =
        ledger.RequireErrorBar()
        standardError

    /// The interval that holds the truth with this confidence, by Student's t, elementwise for a vector; widened where what was seen
    /// decided when to stop. Raises ArgumentRangeException where there is only one sample, or for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<'T> =
        ledger.RequireErrorBar()
        let struct (low, high) = ends (ledger.Factor confidence)
        Interval(low, high, confidence, ledger.IsSequential)

    /// A bound of what no number of random vectors makes smaller, such as the error of a quadrature; the interval has
    /// it on both sides. 0 for estimators without such an error, and infinite where it is not known.
    member _.Bias = bias

    /// Whether a bound of the bias is known: where not, the standard error and an end of the interval are infinite.
    member _.IsResolved = Double.IsFinite bias

    /// What it cost, and why it ended there.
    member _.Ledger = ledger

    /// The standard error, which is infinite or meaningless where there is only one sample.
    member internal _.RawStandardError = standardError

    /// The same, after other products with the operator had been spent.
    member internal _.After(earlier: Cost, seconds: float) : Estimate<'T> =
        Estimate(value, standardError, ends, ledger.After(earlier, seconds), bias)

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

    /// Whether nothing is uncertain.
    member _.IsExact = ledger.IsExact

    override _.ToString() =
        let text (x: obj) =
            match x with
            | :? float as number -> number.ToString("G6", CultureInfo.InvariantCulture)
            | other -> string other

        if ledger.IsExact then
            $"{text value} ({ledger.ExactInWords})"
        elif not (Double.IsFinite bias) then
            $"{text value} (not resolved, {ledger.Samples} samples)"
        elif ledger.Samples < 2 then
            $"{text value} (one sample)"
        else
            $"{text value} ± {text standardError} (a standard error, from {ledger.Samples} samples)"

/// Making estimates of what was accumulated.
module internal Estimates =

    let private errorOf (ledger: Ledger) (standardError: float) = if ledger.IsExact then 0.0 else standardError

    /// Products are finite where they are made, but their sums and squares may overflow: no estimate is NaN ± NaN.
    let private checkFinite (value: float) (error: float) =
        if not (Double.IsFinite value) || Double.IsNaN error then
            raise (
                NonFiniteException
                    $"the estimate is {Finite.name value} and its standard error {error}, from finite products: their sums overflow; scale the operator"
            )

    let private checkFiniteVectors (value: Tensor) (error: Tensor) =
        Finite.check "the estimate, a sum of finite products that overflows," value

        match Finite.tryFind error with
        | ValueSome(struct (i, number)) when Double.IsNaN number ->
            raise (NonFiniteException $"the standard error is NaN at element {i}: squares of products overflow")
        | _ -> ()

    let scalar (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        let error = errorOf ledger standardError
        checkFinite value error
        let ends factor = struct (value - factor * error, value + factor * error)
        Estimate(value, error, ends, ledger)

    /// A number times an estimate.
    let scaled (factor: float) (estimate: Estimate<float>) : Estimate<float> =
        scalar (factor * estimate.Value) (abs factor * estimate.RawStandardError) estimate.Ledger

    let vector (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        checkFiniteVectors value standardError
        let ends (factor: float) = struct (value - factor * standardError, value + factor * standardError)

        Estimate(value, standardError, ends, ledger)

    /// The root of a quantity that cannot be negative. The interval's ends are the roots of its ends.
    let scalarRoot (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        let root, error = sqrt value, errorOf ledger standardError
        checkFinite value error
        let ends factor = struct (sqrt (max 0.0 (value - factor * error)), sqrt (value + factor * error))
        Estimate(root, (if root > 0.0 then error / (2.0 * root) else 0.0), ends, ledger)

    /// The elementwise root of quantities that cannot be negative.
    let vectorRoot (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        checkFiniteVectors value standardError
        let root = Tensor.sqrt value
        let safe = Tensor.where (Tensor.greater root (Tensor.zerosLike root)) root (Tensor.onesLike root)

        let ends (factor: float) =
            struct (Tensor.sqrt (Tensor.relu (value - factor * standardError)),
                    Tensor.sqrt (value + factor * standardError))

        Estimate(root, standardError / (2.0 * safe), ends, ledger)
