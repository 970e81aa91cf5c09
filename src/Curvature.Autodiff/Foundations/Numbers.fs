namespace Curvature.FSharp

open System
open System.Globalization
open System.Text
open System.Text.RegularExpressions

/// Numbers as people read them: with no more digits than are known. All results print their numbers by these
/// functions. Text does not depend on the culture.
[<RequireQualifiedAccess>]
module Numbers =

    let private format (code: string) (x: float) = x.ToString(code, CultureInfo.InvariantCulture)

    /// −0.0 is no number that people write.
    let private withoutNegativeZero (text: string) =
        if text.StartsWith '-' && Seq.forall (fun c -> c = '-' || c = '0' || c = '.') text then
            text.Substring 1
        else
            text

    /// `G6` with a small e, as F# writes numbers.
    let private significant (digits: int) (x: float) =
        if Double.IsNaN x then "NaN"
        elif Double.IsPositiveInfinity x then "∞"
        elif Double.IsNegativeInfinity x then "-∞"
        else (format $"G{digits}" x).Replace('E', 'e') |> withoutNegativeZero

    /// Six significant digits, such as `0.0351289`, `12` or `1.5e-07`.
    let show (x: float) : string = significant 6 x

    /// The power of ten of the first digit of a number that is rounded to so many digits.
    let private magnitude (digits: int) (x: float) =
        if x = 0.0 then 0 else int ((format $"E{digits - 1}" x).Split('E')[1])

    /// Rounding errors are this share of a number at most.
    let private roundingShare = 1e-8

    /// A number whose error is no more than rounding shows eight digits.
    let private roundingDigits = 8

    let private isRounding (error: float) (x: float) = error < roundingShare * abs x

    /// Rounded to a power of ten, without an exponent.
    let private fixedTo (power: int) (x: float) =
        if power > 0 then
            let unit = Math.Pow(10.0, float power)
            format "F0" (unit * Math.Round(x / unit, MidpointRounding.AwayFromZero))
        else
            format $"F{-power}" x
        |> withoutNegativeZero

    /// A number and its error, rounded to the second digit of the error, and the power of ten that both are to be
    /// multiplied by, where it is not 0.
    let private rounded (error: float) (x: float) : struct (string * string * int) =
        let last = magnitude 2 error - 1
        let first = max (if abs x < error then last else magnitude 15 x) (last + 1)

        if last >= -8 && last <= 3 && first <= 8 then
            struct (fixedTo last x, fixedTo last error, 0)
        else
            let unit = Math.Pow(10.0, float first)
            struct (fixedTo (last - first) (x / unit), fixedTo (last - first) (error / unit), first)

    let private power (exponent: int) = if exponent < 0 then $"e-{-exponent:D2}" else $"e+{exponent:D2}"

    let private isKnown (error: float) = error > 0.0 && Double.IsFinite error

    /// A number, rounded to the second digit of its error: `12.5` for 12.4837 with an error of 1.3. Eight digits where
    /// the error is no more than rounding, six where it is 0 or not known.
    let within (error: float) (x: float) : string =
        if not (isKnown error && Double.IsFinite x) then
            show x
        elif isRounding error x then
            significant roundingDigits x
        else
            let struct (number, _, exponent) = rounded error x
            if exponent = 0 then number else number + power exponent

    /// An error, by itself: two digits.
    let error (deviation: float) : string = within deviation deviation

    /// A number and its error, both rounded to the second digit of the error: `12.5 ± 1.3`, `123500 ± 4600`,
    /// `(1.234 ± 0.045)e-12`, `3.8871506 ± 1.7e-14` where the error is no more than rounding, and `2.5 ± unknown` for
    /// an error that is infinite or NaN.
    let withError (deviation: float) (x: float) : string =
        if not (Double.IsFinite deviation) then
            $"{show x} ± unknown"
        elif not (isKnown deviation && Double.IsFinite x) || isRounding deviation x then
            $"{significant roundingDigits x} ± {significant 2 deviation}"
        else
            match rounded deviation x with
            | struct (number, ofDeviation, 0) -> $"{number} ± {ofDeviation}"
            | struct (number, ofDeviation, exponent) -> $"({number} ± {ofDeviation}){power exponent}"

    let private superscript (digit: char) = if digit = '-' then '⁻' else "⁰¹²³⁴⁵⁶⁷⁸⁹"[int digit - int '0']

    let private exponent = Regex(@"(?<=[0-9)])[eE]([+-]?[0-9]+)", RegexOptions.CultureInvariant)

    let private minus = Regex(@"(?<![\p{L}\p{N}])-(?=[0-9∞])", RegexOptions.CultureInvariant)

    /// Numbers in a text as print has them: a true minus sign, and powers of ten, `−3.6×10⁻⁵` for `-3.6e-05`.
    let typeset (text: string) : string =
        let ofPower (found: Match) = "×10" + String.map superscript (string (int found.Groups[1].Value))
        minus.Replace(exponent.Replace(text, ofPower), "−")

/// Parts of what results print.
module internal Describe =

    /// Longer lists of rows are cut.
    let private mostRows = 40

    let private mostItems = 6

    /// `1 step`, `2 steps`.
    let count (number: int) (thing: string) : string =
        let text = number.ToString("N0", CultureInfo.InvariantCulture)
        if number = 1 then $"{text} {thing}" else $"{text} {thing}s"

    let seconds (time: float) : string = time.ToString("0.0##", CultureInfo.InvariantCulture) + " s"

    /// Rows below one another, of long tables the first.
    let lines (rows: string seq) : string =
        let rows = Seq.toArray rows
        let shown = Array.truncate mostRows rows
        let left = rows.Length - shown.Length
        let text = String.Join("\n", shown)

        if left > 0 then
            StringBuilder(text).Append($"\n… and {left} more").ToString()
        else
            text

    /// Numbers where there are few, and else how many there are and from where to where they go.
    let numbers (write: float -> string) (values: float[]) : string =
        if values.Length <= mostItems then
            "[" + String.Join(", ", Array.map write values) + "]"
        else
            $"{values.Length:N0} numbers from {write (Array.min values)} to {write (Array.max values)}"

    /// Numbers with their errors where there are few, and else from where to where both go.
    let numbersWithErrors
        (write: float -> string)
        (withError: float -> float -> string)
        (errors: float[])
        (values: float[])
        : string =
        if values.Length <= mostItems then
            "[" + String.Join(", ", Array.map2 withError errors values) + "]"
        else
            let largest = Array.max errors

            if Double.IsFinite largest then
                $"{numbers write values}, errors up to {Numbers.error largest}"
            else
                $"{numbers write values}, errors unknown"
