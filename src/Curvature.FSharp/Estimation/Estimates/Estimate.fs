namespace Curvature

open System
open System.Globalization

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
    /// average: all of them may have missed one that matters. Then the standard error and the ends of intervals are
    /// infinite.
    member _.IsErrorKnown = isErrorKnown

    /// The interval that holds the truth with this confidence, elementwise for a vector. It is Student's. For
    /// independent samples it is longer on the side of the tail that their skewness has, or for few samples may have
    /// (Johnson 1978). It is wider where an error that was reached ended the run. It goes from −∞ to ∞ where the
    /// error is not known. Of an exact result, it is that of rounding. Raises ArgumentRangeException for a
    /// confidence outside (0, 1).
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

    /// The ends of an interval from a quantile.
    member internal _.Ends = ends

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
        let text (format: string) (x: 'T) =
            match box x with
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
