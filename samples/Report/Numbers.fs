namespace Curvature.Samples.Report

open System
open System.Globalization

/// Numbers as people read them: no more digits than are known.
[<RequireQualifiedAccess>]
module Numbers =

    let private invariant (value: float) (format: string) = value.ToString(format, CultureInfo.InvariantCulture)

    /// Six significant digits.
    let value (number: float) = invariant number "G6"

    /// Eight significant digits, for what is known that well.
    let digits (number: float) = invariant number "G8"

    /// Three significant digits, for places on charts.
    let rough (number: float) = (invariant number "G3").Replace('-', '−')

    /// Two significant digits, for errors.
    let error (number: float) = invariant number "G2"

    let count (number: int) = number.ToString("N0", CultureInfo.InvariantCulture)

    let seconds (time: float) = invariant time "0.00" + " s"

    let percent (share: float) = invariant (100.0 * share) "0.0" + " %"

    /// How many places after the point show two significant digits of an error.
    let private places (error: float) = 1 - int (floor (log10 error))

    /// Writes numbers that are known to within an error down to its second significant digit, and to eight digits at
    /// the most.
    let within (error: float) (number: float) : string =
        if not (error > 0.0 && Double.IsFinite error) then
            value number
        elif error < 1e-8 * abs number then
            digits number
        else
            match places error with
            | digits when digits >= 0 && digits <= 8 -> invariant number $"F{digits}"
            | digits when digits < 0 && digits >= -8 -> invariant number "F0"
            | digits ->
                let magnitude = if number = 0.0 then -digits else int (floor (log10 (abs number)))
                invariant number $"E{min 15 (max 1 (magnitude + digits))}"

    /// A value and its error.
    let plusMinus (number: float) (deviation: float) =
        if Double.IsInfinity deviation then $"{value number} ± unknown"
        elif deviation < 1e-8 * abs number then $"{digits number} ± {error deviation}"
        else $"{within deviation number} ± {within deviation deviation}"
