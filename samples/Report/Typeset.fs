namespace Curvature.Samples.Report

open System.Globalization
open Curvature
open Curvature.FSharp

/// Numbers as the report has them: those of the library, with a true minus sign and powers of ten.
[<RequireQualifiedAccess>]
module Typeset =

    let private typeset = Numbers.typeset

    /// Six significant digits.
    let value (number: float) = typeset (Numbers.show number)

    /// A number rounded to the second digit of its error; eight digits where that is no more than rounding.
    let within (error: float) (number: float) = typeset (Numbers.within error number)

    /// Two significant digits, for errors.
    let error (number: float) = typeset (Numbers.error number)

    /// Three significant digits, for places on charts.
    let rough (number: float) = within (0.1 * abs number) number

    let count (number: int) = number.ToString("N0", CultureInfo.InvariantCulture)

    let seconds (time: float) = time.ToString("0.00", CultureInfo.InvariantCulture) + " s"

    let percent (share: float) = typeset ((100.0 * share).ToString("0.0", CultureInfo.InvariantCulture)) + " %"

    let private confidence = 0.95

    let private ends (estimate: Estimate<float>) =
        let interval = estimate.Interval confidence
        let write = within (0.5 * (interval.High - interval.Low))
        struct (write estimate.Value, write interval.Low, write interval.High)

    /// The 95 % interval of an estimate.
    let interval (estimate: Estimate<float>) : string =
        let struct (_, low, high) = ends estimate

        if estimate.IsExact then "exact"
        elif not estimate.IsErrorKnown then "unknown"
        else $"{low} … {high}"

    /// An estimate, and its 95 % interval.
    let estimate (found: Estimate<float>) : string =
        let struct (number, _, _) = ends found

        if found.IsExact then number
        elif not found.IsErrorKnown then $"{value found.Value} (error unknown)"
        else $"{number} ({interval found})"
