namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// How numbers become positions.
[<NoComparison>]
type internal AxisKind =
    | Linear
    | Logarithmic
    /// sign(x)·log₁₀(1 + |x|/threshold): linear near 0, logarithmic far from it, on both sides.
    | SymmetricLogarithmic of threshold: float
    | Categories of names: string[]

/// One direction of a chart: what is measured along it, and how numbers become places. Made by the functions of the
/// module Axis.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Axis internal (title: string, kind: AxisKind, range: struct (float * float) voption) =
    /// What is measured along it, with its unit.
    member _.Title = title

    member internal _.Kind = kind
    member internal _.Range = range

    /// The same axis from one number to another; without it, an axis reaches as far as the data. Raises
    /// ArgumentRangeException for an empty range, one that is not finite, one that is not above 0 on a logarithmic
    /// axis, and for any on an axis of names.
    member _.WithRange(low: float, high: float) : Axis =
        if not (low < high && Double.IsFinite(high - low)) then
            Fail.range $"WithRange: [{low}, {high}] is not a finite range from low to high"

        match kind with
        | Logarithmic when low <= 0.0 ->
            Fail.range $"WithRange: a logarithmic axis lies above 0, and the range begins at {low}"
        | Categories _ -> Fail.range "WithRange: an axis of names has no range of numbers"
        | _ -> Axis(title, kind, ValueSome(struct (low, high)))

    override _.ToString() =
        let scale =
            match kind with
            | Linear -> "linear"
            | Logarithmic -> "logarithmic"
            | SymmetricLogarithmic _ -> "logarithmic on both sides of 0"
            | Categories names -> Describe.count names.Length "name"

        let ends =
            match range with
            | ValueSome(struct (low, high)) -> $", from {Numbers.show low} to {Numbers.show high}"
            | ValueNone -> ""

        $"axis \"{title}\", {scale}{ends}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Axes of charts. Titles say what is measured, with its unit.
[<RequireQualifiedAccess>]
module Axis =

    let private create kind (title: string) = Axis(title, kind, ValueNone)

    /// Equal differences are equal lengths.
    let linear (title: string) : Axis = create Linear title

    /// Equal ratios are equal lengths; what is not above 0 lies below the lower end.
    let logarithmic (title: string) : Axis = create Logarithmic title

    /// Linear up to about the threshold on both sides of 0, logarithmic beyond: sign(x)·log₁₀(1 + |x|/threshold). For
    /// eigenvalues, most of which are near 0 while a few are far. Raises ArgumentRangeException for a threshold that is
    /// not above 0.
    let symmetricLogarithmic (threshold: float) (title: string) : Axis =
        if not (threshold > 0.0 && Double.IsFinite threshold) then
            Fail.range $"symmetricLogarithmic: a threshold above 0 is needed, and it is {threshold}"

        create (SymmetricLogarithmic threshold) title

    /// Places for names, numbered from 0: from the left, or from the top.
    let categories (names: string seq) (title: string) : Axis = create (Categories(Seq.toArray names)) title
