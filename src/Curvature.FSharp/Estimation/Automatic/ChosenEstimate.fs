namespace Curvature

open System.Diagnostics

/// An estimate by a method that was chosen on the way.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ChosenEstimate<'T> internal (estimate: Estimate<'T>, method: string, reason: string) =
    /// The value, its error bar and all that it cost, the choice included.
    member _.Estimate = estimate

    /// What the method is called.
    member _.Method = method

    /// Why it was chosen.
    member _.Reason = reason

    override _.ToString() = $"{estimate} by {method}: {reason}"

    member internal this.Text = this.ToString()
