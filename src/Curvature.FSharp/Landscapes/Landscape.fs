namespace Curvature.FSharp

open System
open Curvature

/// A loss along one or two directions from a point (Goodfellow, Vinyals & Saxe 2015; Li et al. 2018), with its
/// quadratic model there.
[<RequireQualifiedAccess>]
module Landscape =

    // ---- positions

    /// `count` positions at equal distances from −radius to radius; with an odd count, 0 is one of them.
    /// Raises ArgumentRangeException for a radius that is not above 0, and for fewer than two positions.
    let grid (radius: float) (count: int) : float[] =
        if not (radius > 0.0 && Double.IsFinite radius) then
            Fail.range $"Landscape.grid: a radius above 0 is needed, and it is {radius}"

        if count < 2 then
            Fail.range $"Landscape.grid: two positions at least are needed, and {count} were asked for"

        Count.between 2 Count.limit "Landscape.grid" count

        // Counted from the middle, so that both sides have the same positions to the bit.
        Array.init count (fun i -> radius * float (2 * i - (count - 1)) / float (count - 1))

    /// A direction with the positions along it, which increase. Raises ArgumentRangeException where there are no
    /// positions, one is not finite, or they do not increase.
    let axis (positions: float seq) (direction: Direction) : LandscapeAxis =
        let positions = Seq.toArray positions

        if positions.Length = 0 then Fail.range "Landscape: there are no positions"

        match positions |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i -> Fail.range $"Landscape: position {i} is {Finite.name positions[i]}, and must be finite"
        | None -> ()

        match positions |> Array.pairwise |> Array.tryFindIndex (fun (a, b) -> a >= b) with
        | Some i ->
            Fail.range
                $"Landscape: positions must increase, and number {i + 1} is {positions[i + 1]} after {positions[i]}"
        | None -> LandscapeAxis(direction, positions)

    // ---- lines and planes

    /// The value of a risk at θ + t·d for each position t, and its quadratic model loss + gᵀd·t + ½ dᵀHd·t² at θ. The
    /// curvature of the model is the eigenvalue where d is an eigenvector, and a quadratic form otherwise. Positions
    /// increase; θ may have any shape. Costs a loss for each position, compiled unless the loss asks for values of its
    /// argument, and for the model one gradient, or the gradient and a product with the Hessian. Batches are read once,
    /// and all positions evaluated on one before the next is read: memory holds one batch at a time. Plans are made
    /// once for each size of a batch.
    /// Raises NonFiniteException where the loss is NaN or infinite, saying at which position and where that began,
    /// ShapeException for a direction of another size or a loss that is not a scalar, DTypeException for mixed element
    /// types, ArgumentRangeException for positions that do not increase, DataException for no batches, and
    /// DifferentiationException for a loss that differs from call to call.
    let lineWith
        (options: LandscapeOptions)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        (direction: Direction)
        (positions: float seq)
        : LossLine =
        let positions = (axis positions direction).Positions
        let found = LossGrid.at options theta [ direction ] (positions |> Array.map Array.singleton) risk
        LossLine(direction, positions, found.Losses, found.Model, found.Evaluations, found.Seconds)

    /// The value of a risk along a direction; see `lineWith`.
    let line (risk: EmpiricalRisk) (theta: Tensor) (direction: Direction) (positions: float seq) : LossLine =
        lineWith LandscapeOptions.Default risk theta direction positions

    /// The value of a risk at θ + s·d₁ + t·d₂ for the positions s of the first direction and t of the second, and its
    /// quadratic model at θ. The directions need not be at right angles. Costs and errors are those of `lineWith`, with
    /// a product with the Hessian for each direction.
    let planeWith
        (options: LandscapeOptions)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        (first: LandscapeAxis)
        (second: LandscapeAxis)
        : LossPlane =
        let rows, columns = first.Positions, second.Positions
        let steps = Array.allPairs rows columns |> Array.map (fun (s, t) -> [| s; t |])
        let found = LossGrid.at options theta [ first.Direction; second.Direction ] steps risk
        let table = Array2D.init rows.Length columns.Length (fun i j -> found.Losses[i * columns.Length + j])
        LossPlane(first, second, table, found.Model, found.Evaluations, found.Seconds)

    /// The value of a risk over the plane of two directions; see `planeWith`.
    let plane (risk: EmpiricalRisk) (theta: Tensor) (first: LandscapeAxis) (second: LandscapeAxis) : LossPlane =
        planeWith LandscapeOptions.Default risk theta first second
