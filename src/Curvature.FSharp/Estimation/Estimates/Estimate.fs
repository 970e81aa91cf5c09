namespace Curvature

open System
open System.Diagnostics
open System.Globalization
open Curvature.FSharp

/// A value with its uncertainty and its cost.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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

    /// Value and standard error, or what is known of them, from how a number and how a number with its error are
    /// written.
    member private _.Write(write: float -> string, withError: float -> float -> string) =
        let known = if isErrorKnown then withError else (fun _ x -> write x + " ± unknown")

        match box value, box standardError with
        | (:? float as value), (:? float as error) -> known error value
        | (:? Tensor as value), (:? Tensor as error) ->
            Describe.numbersWithErrors write known (error.ToArray()) (value.ToArray())
        | value, _ -> string value

    /// `12.5 ± 1.3`, without what it comes from.
    member internal this.Brief = this.Write(Numbers.show, Numbers.withError)

    /// Value and standard error, rounded to the second digit of the error, and what they come from: `12.5 ± 1.3 (a
    /// standard error, from 64 samples)`. Of vectors of more than six elements, the least and the largest number, and
    /// the largest error.
    override this.ToString() =
        let samples = Describe.count ledger.Samples "sample"

        if ledger.IsExact then
            $"{this.Brief} ({ledger.ExactInWords})"
        elif not (Double.IsFinite bias) then
            $"{this.Write(Numbers.show, (fun _ x -> Numbers.show x))} (not resolved, {samples})"
        elif not isErrorKnown then
            $"{this.Brief} ({samples})"
        else
            $"{this.Brief} (a standard error, from {samples})"

    /// Value and standard error, each in a format of numbers, such as `F2`, of a culture (the invariant one where none
    /// is given): `12.48 ± 1.31`. Without a format it is ToString(). Raises FormatException for a format that numbers
    /// do not have.
    member this.ToString(format: string | null, provider: IFormatProvider | null) : string =
        match format with
        | null
        | "" -> this.ToString()
        | format ->
            let culture: IFormatProvider =
                match provider with
                | null -> CultureInfo.InvariantCulture
                | culture -> culture

            let write (x: float) = x.ToString(format, culture)
            this.Write(write, (fun error x -> $"{write x} ± {write error}"))

    interface IFormattable with
        member this.ToString(format, provider) = this.ToString(format, provider)

    member internal this.Text = this.ToString()
