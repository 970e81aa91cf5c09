namespace Curvature.FSharp

open System
open Curvature

/// A point on a line: φ(α) = L(θ + α·d) with its derivative, and what belongs to it.
[<NoEquality; NoComparison>]
type internal LinePoint =
    {
        Step: float
        /// φ(α); infinite where the loss is not finite.
        Value: float
        /// φ′(α) = gᵀd.
        Slope: float
        Theta: Tensor
        Gradient: Tensor
    }

/// What a line search asks of a step: φ(α) ≤ φ(0) + c₁·α·φ′(0) and |φ′(α)| ≤ c₂·|φ′(0)|, the strong Wolfe conditions
/// (Nocedal & Wright 2006, eq. 3.7).
[<NoEquality; NoComparison>]
type internal WolfeConditions = { Decrease: float; Curvature: float }

/// A line search for the strong Wolfe conditions: steps grow until a bracket holds such a step, and the bracket shrinks
/// by cubic interpolation (Nocedal & Wright 2006, algorithms 3.5 and 3.6).
module internal LineSearch =

    /// As many points of one line are tried.
    let private mostPoints = 25

    /// The place of the minimum of the cubic polynomial with the values and slopes of two points (Nocedal & Wright
    /// 2006, eq. 3.59), at least a tenth of the way from either; the middle where the cubic has none.
    let private between (a: LinePoint) (b: LinePoint) =
        let width = b.Step - a.Step
        let d1 = a.Slope + b.Slope - 3.0 * (a.Value - b.Value) / (a.Step - b.Step)
        let d2 = float (sign width) * Math.Sqrt(d1 * d1 - a.Slope * b.Slope)
        let cubic = b.Step - width * ((b.Slope + d2 - d1) / (b.Slope - a.Slope + 2.0 * d2))
        let share = (cubic - a.Step) / width

        if Double.IsFinite share then
            a.Step + width * max 0.1 (min 0.9 share)
        else
            a.Step + 0.5 * width

    let private isTooHigh (conditions: WolfeConditions) (start: LinePoint) (point: LinePoint) =
        not (point.Value <= start.Value + conditions.Decrease * point.Step * start.Slope)

    let private isFlat (conditions: WolfeConditions) (start: LinePoint) (point: LinePoint) =
        abs point.Slope <= -conditions.Curvature * start.Slope

    /// Shrinks a bracket: `low` is the best point so far, and its slope leads towards `high`.
    let rec private shrink conditions start (at: float -> LinePoint) points (low: LinePoint) (high: LinePoint) =
        let step = between low high

        if points = 0 || step = low.Step || step = high.Step then
            // A decrease that is not flat enough is still a decrease.
            if low.Value < start.Value then ValueSome low else ValueNone
        else
            let point = at step

            if isTooHigh conditions start point || point.Value >= low.Value then
                shrink conditions start at (points - 1) low point
            elif isFlat conditions start point then
                ValueSome point
            else
                let other = if point.Slope * (high.Step - low.Step) >= 0.0 then low else high
                shrink conditions start at (points - 1) point other

    /// Doubles steps until the bracket from the last point to this one holds a step that meets the conditions.
    let rec private grow conditions start at points (last: LinePoint) step =
        let point: LinePoint = at step

        if isTooHigh conditions start point || (point.Value >= last.Value && last.Step > 0.0) then
            shrink conditions start at (points - 1) last point
        elif isFlat conditions start point then
            ValueSome point
        elif point.Slope >= 0.0 then
            shrink conditions start at (points - 1) point last
        elif points = 1 then
            ValueSome point
        else
            grow conditions start at (points - 1) point (2.0 * step)

    /// A point that meets the conditions, or at least has a lower value than the start, from a first step. None where
    /// no such point is found, or the line does not descend.
    let search (conditions: WolfeConditions) (at: float -> LinePoint) (start: LinePoint) (first: float) =
        if not (start.Slope < 0.0) then
            ValueNone
        else
            grow conditions start at mostPoints start first
