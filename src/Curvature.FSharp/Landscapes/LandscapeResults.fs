namespace Curvature

open System
open System.Threading
open Curvature.FSharp

/// How much of a landscape is done.
[<Sealed>]
type LandscapeProgress internal (evaluations: int, total: int, seconds: float) =
    /// Losses of batches evaluated so far.
    member _.Evaluations = evaluations

    /// Losses of batches to be evaluated, including those of a term without data. Equal to Evaluations only in the last
    /// report; 0 while the number of batches is not known.
    member _.Total = total

    /// Time spent so far.
    member _.Seconds = seconds

/// How landscapes are made. Immutable; `Default` and the methods With… make others.
[<Sealed>]
type LandscapeOptions
    private
    (
        cancellation: CancellationToken,
        progress: IProgress<LandscapeProgress>,
        rate: ProgressRate,
        keepsNonFinite: bool,
        usesForms: bool
    ) =
    /// No cancellation and no progress; a loss that is not finite is an error; the model's curvature is that of the
    /// eigenvalues where all directions have one, and quadratic forms otherwise.
    static member Default = LandscapeOptions(CancellationToken.None, null, ProgressRate.Default, false, false)

    /// Ends the work with an OperationCanceledException.
    member _.Cancellation = cancellation

    /// The listener, told after every few points and at the end; null for none.
    member _.Progress = progress

    /// Whether losses that are not finite are kept, and listed in the result.
    member _.KeepsNonFinite = keepsNonFinite

    /// Whether the model's curvature is always made of quadratic forms.
    member _.UsesQuadraticForms = usesForms

    /// The same options with a token that ends the work with an OperationCanceledException: there is no partial
    /// landscape.
    member _.WithCancellation(token: CancellationToken) =
        LandscapeOptions(token, progress, rate, keepsNonFinite, usesForms)

    /// The same options with a listener, told after every few points, ten times a second at most, and at the end.
    member _.WithProgress(listener: IProgress<LandscapeProgress>) =
        LandscapeOptions(cancellation, listener, rate, keepsNonFinite, usesForms)

    /// The same options with other seconds between two reports at least: 0 for every report, 0.1 at first. Raises
    /// ArgumentRangeException for a time that is negative or NaN.
    member this.WithProgressInterval(seconds: float) = this.WithRate(rate.WithSeconds "WithProgressInterval" seconds)

    member internal _.Rate = rate

    member internal _.WithRate(rate: ProgressRate) =
        LandscapeOptions(cancellation, progress, rate, keepsNonFinite, usesForms)

    /// The same options, where losses that are NaN or infinite, far from the point, are kept and listed in the result
    /// instead of being an error.
    member _.WithNonFinite() = LandscapeOptions(cancellation, progress, rate, true, usesForms)

    /// The same options, where the model's curvature is made of quadratic forms even along eigenvectors.
    member _.WithQuadraticForms() = LandscapeOptions(cancellation, progress, rate, keepsNonFinite, true)

/// Where a loss leaves its quadratic model on either side of the point.
[<Sealed; NoEquality; NoComparison>]
type LineDeparture internal (below: Nullable<float>, above: Nullable<float>) =
    /// The nearest position below 0 at which the loss differs from the model; nothing where it differs at none.
    member _.Below = below

    /// The nearest position above 0 at which the loss differs from the model; nothing where it differs at none.
    member _.Above = above

/// Results of landscapes have these parts in common.
module internal LandscapeParts =

    let checkTolerance (tolerance: float) =
        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            Fail.range $"Departure: a tolerance above 0 is needed, and it is {tolerance}"

    let nearest (positions: float seq) = if Seq.isEmpty positions then Nullable() else Nullable(Seq.minBy abs positions)

/// A loss along a direction, and its quadratic model.
[<Sealed; NoEquality; NoComparison>]
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

    override _.ToString() = $"loss along {direction} at {positions.Length} positions"

/// A loss over the plane of two directions, and its quadratic model.
[<Sealed; NoEquality; NoComparison>]
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

    override _.ToString() = $"loss over {first} and {second} at {rows.Length} × {columns.Length} positions"
