namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// What was found for one vector v.
[<NoEquality; NoComparison>]
type internal FunctionRow =
    {
        /// About f(A)v, [n].
        Value: Tensor
        /// ‖f(A)v − value‖ is at most this, as a bound or an estimate.
        Error: float
        IsBound: bool
        /// ‖value‖
        Length: float
        Matvecs: int
    }

    /// Whether the error is small enough; an error of 0 is, for a value of 0 too.
    member row.IsWithin(tolerance: float) = row.Error <= tolerance * row.Length

/// f(A)v for one vector v or a block of them, and how wrong it may be.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type FunctionProduct
    internal (name: string, value: Tensor, rows: FunctionRow[], tolerance: float, seconds: float, cancelled: bool) =

    let relative = rows |> Array.map (fun row -> if row.Error = 0.0 then 0.0 else row.Error / row.Length)

    let isConverged = rows |> Array.forall _.IsWithin(tolerance)

    /// What was computed, such as `sqrt of Hessian`.
    member _.Name: string = name

    /// f(A)v, in the shape of v.
    member _.Value = value

    /// ‖f(A)v − value‖ for each vector: not more than this where IsBound, and otherwise an estimate. What rounding adds
    /// is part of it. Infinite where nothing is known yet.
    member _.Errors = rows |> Array.map _.Error

    /// The errors beside the length of each result.
    member _.RelativeErrors = Array.copy relative

    /// Whether the errors are bounds that hold for every spectrum within what was stated of it, rounding aside.
    member _.IsBound = rows |> Array.forall _.IsBound

    /// The tolerance that was asked for.
    member _.Tolerance: float = tolerance

    /// Whether every error, beside the length of the result, is within the tolerance.
    member _.IsConverged = isConverged

    /// Whether it was cancelled before the errors were within the tolerance.
    member _.IsCancelled = cancelled && not isConverged

    /// How many products with the operator each vector took.
    member _.MatvecsByVector = rows |> Array.map _.Matvecs

    /// How many products with the operator were taken.
    member _.Matvecs = rows |> Array.sumBy _.Matvecs

    /// Time spent, in seconds.
    member _.Seconds: float = seconds

    override this.ToString() =
        let vectors = Describe.count rows.Length "vector"
        let products = Describe.count this.Matvecs "product"
        let largest = if rows.Length = 0 then 0.0 else Array.max relative
        let error = if System.Double.IsFinite largest then Numbers.error largest else "unknown"
        let kind = if this.IsBound then "at most" else "about"

        let ended =
            if isConverged then ""
            elif cancelled then ", cancelled"
            else $", not within {Numbers.show tolerance}"

        $"{name} times {vectors}: relative error {kind} {error}, {products}{ended}"

    member internal this.Text = this.ToString()
