namespace Curvature

open System
open System.Globalization
open Curvature.FSharp
open MathNet.Numerics.Distributions

/// What an estimate cost, and why it ended there.
[<Sealed; NoEquality; NoComparison>]
type Ledger
    internal
    (samples: int, matvecs: int, forms: int, gradients: int64, seconds: float, reason: StopReason, look: int voption) =

    /// How many random vectors were used; for an exact result, how many basis vectors.
    member _.Samples = samples

    /// How many products with the operator were taken.
    member _.Matvecs = matvecs

    /// How many quadratic forms vᵀAv were taken in place of products.
    member _.QuadraticForms = forms

    /// How many gradients the products were made of, for operators that are made of gradients; 0 for others.
    member _.Gradients = gradients

    /// Time spent, in seconds.
    member _.Seconds = seconds

    /// Why it stopped.
    member _.StopReason = reason

    /// Whether nothing is uncertain.
    member _.IsExact = (reason = StopReason.Exact)

    /// The same, after other products with the operator had been spent.
    member internal _.After(products: int, made: int64, time: float) =
        Ledger(samples, matvecs + products, forms, gradients + made, seconds + time, reason, look)

    /// Whether what was seen decided when to stop.
    member internal _.IsSequential = look.IsSome

    /// Whether there is enough to tell an error from.
    member internal _.HasErrorBar = samples >= 2 || reason = StopReason.Exact

    /// Half the width of an interval in standard errors: a quantile of Student's t, widened to pay for the looks that
    /// decided when to stop; of the normal law for an exact result, whose error is rounding.
    member internal _.Factor(confidence: float) : float =
        if not (confidence > 0.0 && confidence < 1.0) then
            raise (ArgumentRangeException $"a confidence lies between 0 and 1, and this one is {confidence}")

        let delta = 1.0 - confidence

        if reason = StopReason.Exact then
            Normal.InvCDF(0.0, 1.0, 1.0 - delta / 2.0)
        elif samples < 2 then
            infinity
        else
            match look with
            | ValueSome look -> Looks.quantile samples (Looks.share look delta)
            | ValueNone -> Looks.quantile samples delta

    member internal _.RequireErrorBar() =
        if samples < 2 && reason <> StopReason.Exact then
            raise (ArgumentRangeException $"an error bar needs two samples at least, and there were {samples}")

/// Where a quantity lies, with the given confidence.
[<Sealed; NoEquality; NoComparison>]
type Interval<'T> internal (low: 'T, high: 'T, confidence: float) =
    /// The lower end.
    member _.Low = low

    /// The upper end.
    member _.High = high

    /// The probability with which such intervals hold the truth.
    member _.Confidence = confidence

/// A value with its uncertainty and its cost.
[<Sealed; NoEquality; NoComparison>]
type Estimate<'T>
    internal (value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger, isErrorKnown: bool) =

    internal new(value: 'T, standardError: 'T, ends: float -> struct ('T * 'T), ledger: Ledger) =
        Estimate(value, standardError, ends, ledger, ledger.HasErrorBar)

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
        Interval(low, high, confidence)

    /// What it cost, and why it ended there.
    member _.Ledger = ledger

    /// The standard error.
    member internal _.RawStandardError = standardError

    /// The ends of an interval from a quantile.
    member internal _.Ends = ends

    /// The same, after other products with the operator had been spent.
    member internal _.After(products: int, gradients: int64, seconds: float) : Estimate<'T> =
        Estimate(value, standardError, ends, ledger.After(products, gradients, seconds), isErrorKnown)

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

        let roundings = "G1"
        let samples = if ledger.Samples = 1 then "one sample" else $"{ledger.Samples} samples"

        let number, error = text "G6" value, text "G6" standardError

        if ledger.IsExact then
            $"{number} ± {text roundings standardError} (exact up to rounding)"
        elif not isErrorKnown then
            $"{number} ± unknown ({samples})"
        else
            $"{number} ± {error} ({samples})"

/// Making estimates of what was accumulated.
module internal Estimates =

    /// Of independent samples of a law: quantiles of the intervals' ends, from Student's.
    let private quantiles (law: SampleLaw) (ledger: Ledger) (t: float) : struct (float * float) =
        // Looks that decided when to stop are paid for by more than skewness takes.
        if ledger.IsExact || ledger.IsSequential then
            struct (t, t)
        else
            struct (SampleLaw.quantile ledger.Samples law.Left t, SampleLaw.quantile ledger.Samples law.Right t)

    let private isKnown (law: SampleLaw) (ledger: Ledger) = ledger.IsExact || (ledger.HasErrorBar && law.IsKnown)

    /// The mean of independent samples of a law.
    let sampled (law: SampleLaw) (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
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
