namespace Curvature.FSharp

open System
open System.Globalization

/// Numbers as they are written on charts.
module internal Labels =

    let private invariant (format: string) (x: float) = x.ToString(format, CultureInfo.InvariantCulture)

    /// A true minus sign, which is as wide as a plus.
    let private signed (text: string) = text.Replace('-', '−')

    /// Powers of ten, such as 10⁻⁷.
    let power (exponent: int) =
        let raise (digit: char) = if digit = '-' then '⁻' else "⁰¹²³⁴⁵⁶⁷⁸⁹"[int digit - int '0']
        "10" + String.map raise (string exponent)

    let private scientific (decimals: int) (x: float) =
        let parts = (invariant $"E{decimals}" x).Split 'E'
        let exponent = int parts[1]
        if exponent = 0 then signed parts[0] else $"{signed parts[0]}×{power exponent}"

    /// The power of ten of a number's first digit.
    let magnitude (x: float) = if x = 0.0 then 0 else int (floor (log10 (abs x) + 1e-12))

    /// Five significant digits, for reading off.
    let short (x: float) =
        if x = 0.0 then
            "0"
        elif Double.IsInfinity x then
            if x > 0.0 then "∞" else "−∞"
        elif abs x >= 1e-4 && abs x < 1e6 then
            signed (x.ToString("G5", CultureInfo.InvariantCulture))
        else
            scientific 3 x

    /// A tick among others that are `step` apart and at most `largest` in size.
    let tick (largest: float) (step: float) (x: float) =
        if largest >= 1e6 || step < 1e-5 then
            if x = 0.0 then "0" else scientific (max 0 (magnitude x - magnitude step)) x
        else
            let decimals = max 0 -(magnitude step)
            signed (invariant $"N{decimals}" (if abs x < 1e-9 * step then 0.0 else x))
