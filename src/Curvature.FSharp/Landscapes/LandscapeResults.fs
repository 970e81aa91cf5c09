namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// Where a loss leaves its quadratic model on either side of the point.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LineDeparture internal (below: Nullable<float>, above: Nullable<float>) =
    /// The nearest position below 0 at which the loss differs from the model; nothing where it differs at none.
    member _.Below = below

    /// The nearest position above 0 at which the loss differs from the model; nothing where it differs at none.
    member _.Above = above

    override _.ToString() =
        match Option.ofNullable below, Option.ofNullable above with
        | None, None -> "nowhere"
        | Some a, None -> $"at {Numbers.show a}"
        | None, Some b -> $"at {Numbers.show b}"
        | Some a, Some b -> $"at {Numbers.show a} and {Numbers.show b}"

    member internal this.Text = this.ToString()

/// Results of landscapes have these parts in common.
module internal LandscapeParts =

    let checkTolerance (tolerance: float) =
        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            Fail.range $"Departure: a tolerance above 0 is needed, and it is {tolerance}"

    let nearest (positions: float seq) = if Seq.isEmpty positions then Nullable() else Nullable(Seq.minBy abs positions)

/// A loss along a direction, and its quadratic model.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LossLine
    internal
    (direction: Direction, positions: float[], losses: float[], model: QuadraticModel, evaluations: int, seconds: float)
    =

    let predictions = positions |> Array.map (fun t -> model.At t)

    /// The direction.
    member _.Direction = direction

    /// Multiples t of the direction that are added to the point.
    member _.Positions = Array.copy positions

    /// The loss at each position.
    member _.Losses = Array.copy losses

    /// The model at the point: loss + gᵀd·t + ½ dᵀHd·t².
    member _.Model = model

    /// What the model says at each position.
    member _.ModelLosses = Array.copy predictions

    /// The indices of positions at which the loss is NaN or infinite; none unless the options ask to keep those.
    member _.NonFinite =
        [|
            for i in 0 .. losses.Length - 1 do
                if not (Double.IsFinite losses[i]) then i
        |]

    /// The positions nearest to 0, on both sides, at which the loss differs from the model by more than the tolerance
    /// times
    /// |loss(0)| + |model(t) − loss(0)|. Raises ArgumentRangeException for a tolerance that is not above 0.
    member _.Departure(tolerance: float) : LineDeparture =
        LandscapeParts.checkTolerance tolerance

        let departing =
            [
                for i in 0 .. positions.Length - 1 do
                    if model.Departs(tolerance, losses[i], predictions[i]) then positions[i]
            ]

        LineDeparture(
            departing |> List.filter (fun t -> t < 0.0) |> LandscapeParts.nearest,
            departing |> List.filter (fun t -> t > 0.0) |> LandscapeParts.nearest
        )

    /// How many losses of batches were evaluated.
    member _.Evaluations = evaluations

    /// Time spent.
    member _.Seconds = seconds

    override _.ToString() =
        let low, high = Numbers.show positions[0], Numbers.show positions[positions.Length - 1]
        $"loss along {direction} at {positions.Length} positions from {low} to {high}; model {model}"

    member internal this.Text = this.ToString()

/// A loss over the plane of two directions, and its quadratic model.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LossPlane
    internal
    (
        first: LandscapeAxis,
        second: LandscapeAxis,
        losses: float[,],
        model: QuadraticModel,
        evaluations: int,
        seconds: float
    ) =

    let rows, columns = first.Positions, second.Positions
    let first, second = first.Direction, second.Direction
    let predictions = losses |> Array2D.mapi (fun i j _ -> model.At(rows[i], columns[j]))

    /// The direction along the first axis of the losses.
    member _.First = first

    /// The direction along the second axis of the losses.
    member _.Second = second

    /// Multiples of the first direction, one for each row of the losses.
    member _.FirstPositions = Array.copy rows

    /// Multiples of the second direction, one for each column of the losses.
    member _.SecondPositions = Array.copy columns

    /// The loss at each pair of positions, [first; second].
    member _.Losses = Array2D.copy losses

    /// The model at the point, with slopes and curvatures along both directions.
    member _.Model = model

    /// What the model says at each pair of positions.
    member _.ModelLosses = Array2D.copy predictions

    /// The indices, in the first and in the second axis, of losses that are NaN or infinite; none unless the options
    /// ask to keep those.
    member _.NonFinite: int[][] =
        [|
            for i in 0 .. rows.Length - 1 do
                for j in 0 .. columns.Length - 1 do
                    if not (Double.IsFinite losses[i, j]) then [| i; j |]
        |]

    /// The distance ‖t₁d₁ + t₂d₂‖ of the nearest pair of positions at which the loss differs from the model by more
    /// than the tolerance times
    /// |loss(0)| + |model(t) − loss(0)|; nothing where it differs at none. Raises ArgumentRangeException for a
    /// tolerance that is not above 0.
    member _.DepartureDistance(tolerance: float) : Nullable<float> =
        LandscapeParts.checkTolerance tolerance
        let cross = Curvature.FSharp.Vectors.dot first.Vector second.Vector

        let distance s t =
            sqrt (max 0.0 (s * s * first.Length ** 2.0 + 2.0 * s * t * cross + t * t * second.Length ** 2.0))

        LandscapeParts.nearest
            [
                for i in 0 .. rows.Length - 1 do
                    for j in 0 .. columns.Length - 1 do
                        if model.Departs(tolerance, losses[i, j], predictions[i, j]) then
                            distance rows[i] columns[j]
            ]

    /// How many losses of batches were evaluated.
    member _.Evaluations = evaluations

    /// Time spent.
    member _.Seconds = seconds

    override _.ToString() =
        $"loss over {first} and {second} at {rows.Length} × {columns.Length} positions; model {model}"

    member internal this.Text = this.ToString()
