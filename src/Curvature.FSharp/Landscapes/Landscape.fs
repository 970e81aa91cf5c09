namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// A loss along one or two directions from a point (Goodfellow, Vinyals & Saxe 2015; Li et al. 2018), with its quadratic model there.
[<RequireQualifiedAccess>]
module Landscape =

    /// Points that are evaluated between two looks at progress and cancellation.
    let private blockSize = 16

    // ---- what is looked at

    /// `count` positions at equal distances from −radius to radius; with an odd count, 0 is one of them.
    /// Raises ArgumentRangeException for a radius that is not above 0, and for fewer than two positions.
    let grid (radius: float) (count: int) : float[] =
        if not (radius > 0.0 && Double.IsFinite radius) then
            raise (ArgumentRangeException $"Landscape.grid: a radius above 0 is needed, and it is {radius}")

        if count < 2 then
            raise (
                ArgumentRangeException $"Landscape.grid: two positions at least are needed, and {count} were asked for"
            )

        // From the middle, so that both sides have the same positions to the bit.
        Array.init count (fun i -> radius * float (2 * i - (count - 1)) / float (count - 1))

    let private checkPositions (positions: float seq) : float[] =
        let positions = Seq.toArray positions

        if positions.Length = 0 then
            raise (ArgumentRangeException "Landscape: there are no positions")

        match positions |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i ->
            raise (ArgumentRangeException $"Landscape: position {i} is {Finite.name positions[i]}, and must be finite")
        | None -> ()

        match positions |> Array.pairwise |> Array.tryFindIndex (fun (a, b) -> a >= b) with
        | Some i ->
            raise (
                ArgumentRangeException
                    $"Landscape: positions must increase, and number {i + 1} is {positions[i + 1]} after {positions[i]}"
            )
        | None -> positions

    let private vectorOf (theta: Tensor) (direction: Direction) : Tensor =
        let vector = direction.Vector

        if vector.Size <> theta.Size then
            raise (
                ShapeException $"Landscape: {direction.Name} has {vector.Size} elements, and the point has {theta.Size}"
            )

        if vector.DType <> theta.DType then
            raise (DTypeException $"Landscape: {direction.Name} is {vector.DType}, and the point {theta.DType}")

        Tensor.reshape (List.ofArray theta.Signature.Shape) vector |> Tensor.toDevice theta.Device

    /// t ↦ loss(θ + Σ tᵢdᵢ), for a vector t with one element for each direction.
    let private along (theta: Tensor) (vectors: Tensor list) (loss: Tensor -> Tensor) (t: Tensor) : Tensor =
        let moved = vectors |> List.mapi (fun i vector -> Tensor.item 0 i t * vector) |> List.fold (+) theta
        let value = loss moved

        if value.Rank <> 0 then
            raise (
                ShapeException
                    $"Landscape: the loss must be a scalar, and it has shape {Shape.show value.Signature.Shape}"
            )

        if value.DType <> theta.DType then
            raise (DTypeException $"Landscape: the loss is {value.DType}, and the point {theta.DType}")

        value

    // ---- evaluation

    /// The losses at rows of a block of positions [k; directions]. Compiled, with the points of a block shared over the threads, unless the loss asks
    /// for values.
    let private evaluator (f: Tensor -> Tensor) (origin: Tensor) : Tensor -> float[] =
        let direct (block: Tensor) =
            Array.init block.Signature.Shape[0] (fun i -> (f (Tensor.item 0 i block)).ToScalar())

        try
            let map = Compile.family (fun _ -> [], f) origin
            fun block -> (map.ApplyBlock block).ToArray()
        with :? AbstractValueException ->
            direct

    /// The second-order expansion of f at 0: the model's slopes are the gradient of f, and its curvatures the Hessian.
    let private expand (directions: Direction list) usesForms (f: Tensor -> Tensor) (origin: Tensor) : QuadraticModel =
        let eigenvalues = directions |> List.choose (fun direction -> Option.ofNullable direction.Eigenvalue)

        let k = directions.Length

        if not usesForms && eigenvalues.Length = k then
            let value, slopes = fgrad f origin

            QuadraticModel(
                value.ToScalar(),
                slopes.ToArray(),
                QuadraticModels.ofEigenvalues directions eigenvalues,
                true
            )
        else
            let value, slopes, hessian = fgradhessian f origin
            let curvatures = hessian.ToArray()

            QuadraticModel(
                value.ToScalar(),
                slopes.ToArray(),
                Array2D.init k k (fun i j -> curvatures[i * k + j]),
                false
            )

    let private checkModel (model: QuadraticModel) (where: string) (loss: Tensor -> Tensor) (theta: Tensor) =
        let fail (what: string) value =
            if not (Double.IsFinite value) then
                raise (
                    NonFiniteException
                        $"Landscape: the {what} at the point{where} is {Finite.name value}; {Finite.trace loss theta}"
                )

        fail "loss" model.Value
        model.Slopes |> Array.iter (fail "slope")
        model.Curvatures |> Seq.cast<float> |> Seq.iter (fail "curvature")

    /// Points in the space of directions, and what a message calls them.
    type private Points =
        {
            Directions: Direction list
            Steps: float[][]
        }

        member points.Describe(i: int) =
            Seq.map2
                (fun (t: float) (direction: Direction) -> $"{t} along {direction.Name}")
                points.Steps[i]
                points.Directions
            |> String.concat " and "

    let private checkLosses (options: LandscapeOptions) (points: Points) first where f (losses: float[]) =
        if not options.KeepsNonFinite then
            match losses |> Array.tryFindIndex (Double.IsFinite >> not) with
            | Some i ->
                let at = Tensor.ofArray [ points.Directions.Length ] points.Steps[first + i]

                raise (
                    NonFiniteException
                        $"Landscape: the loss is {Finite.name losses[i]} at {points.Describe(first + i)}{where}; {Finite.trace f at}"
                )
            | None -> ()

    /// Losses at all points, and the model, as sums over terms of a weight times a function of θ. A term is used up before the next is
    /// asked for.
    let private survey
        (options: LandscapeOptions)
        (theta: Tensor)
        (points: Points)
        (terms: (string * float * (Tensor -> Tensor)) seq)
        (count: int)
        =
        SecondOrder.checkPoint "Landscape" theta
        Finite.check "Landscape: the point" theta
        let clock = Stopwatch.StartNew()
        let vectors = points.Directions |> List.map (vectorOf theta)
        let k, total = vectors.Length, points.Steps.Length

        let tensor (steps: float[]) =
            Tensor.ofArray [ steps.Length / k; k ] steps |> Tensor.convert theta.DType |> Tensor.toDevice theta.Device

        let origin = Tensor.flatten (tensor (Array.zeroCreate k))
        let losses = Array.zeroCreate<float> total
        let models = ResizeArray<float * QuadraticModel>()
        let mutable evaluations = 0

        for where, weight, loss in terms do
            if models.Count = 0 then SecondOrder.requireDeterministic "Landscape" loss theta
            let f = along theta vectors loss
            let model = expand points.Directions options.UsesQuadraticForms f origin
            checkModel model where loss theta
            models.Add((weight, model))
            let evaluate = evaluator f origin

            for first in 0..blockSize .. total - 1 do
                options.Cancellation.ThrowIfCancellationRequested()
                let block = points.Steps[first .. min total (first + blockSize) - 1]
                let found = evaluate (tensor (Array.concat block))
                checkLosses options points first where (fun t -> f (Tensor.convert theta.DType t)) found
                found |> Array.iteri (fun i value -> losses[first + i] <- losses[first + i] + weight * value)
                evaluations <- evaluations + found.Length

                if not (isNull options.Progress) then
                    options.Progress.Report(LandscapeProgress(evaluations, count * total, clock.Elapsed.TotalSeconds))

        losses, QuadraticModels.sum (List.ofSeq models), evaluations, clock.Elapsed.TotalSeconds

    let private lineOf options theta (direction: Direction) positions terms count : LossLine =
        let positions = checkPositions positions
        let points = { Directions = [ direction ]; Steps = positions |> Array.map Array.singleton }
        let losses, model, evaluations, seconds = survey options theta points terms count
        LossLine(direction, positions, losses, model, evaluations, seconds)

    let private planeOf options theta (first: Direction) (second: Direction) rows columns terms count : LossPlane =
        let rows, columns = checkPositions rows, checkPositions columns

        let points =
            {
                Directions = [ first; second ]
                Steps = Array.allPairs rows columns |> Array.map (fun (s, t) -> [| s; t |])
            }

        let losses, model, evaluations, seconds = survey options theta points terms count
        let table = Array2D.init rows.Length columns.Length (fun i j -> losses[i * columns.Length + j])
        LossPlane(first, second, rows, columns, table, model, evaluations, seconds)

    // ---- lines and planes

    /// The loss along a direction, with options; see `line`.
    let lineWith
        (options: LandscapeOptions)
        (loss: Tensor -> Tensor)
        (theta: Tensor)
        (direction: Direction)
        (positions: float seq)
        : LossLine =
        lineOf options theta direction positions [ "", 1.0, loss ] 1

    /// The loss at θ + t·d for each position t, which increase, and its quadratic model loss + gᵀd·t + ½ dᵀHd·t² at θ, whose curvature comes from
    /// the eigenvalue where d is an eigenvector, and from a quadratic form otherwise. θ may have any shape.
    /// Costs a loss for each position, compiled unless the loss asks for values of its argument, and for the model one gradient, or the
    /// gradient and a product with the Hessian.
    /// Raises NonFiniteException where the loss is NaN or infinite, saying at which position and where that began, ShapeException for a direction of
    /// another size or a loss that is not a scalar, DTypeException for mixed element types, ArgumentRangeException for
    /// positions that do not increase, and DifferentiationException for a loss that differs from call to call.
    let line (loss: Tensor -> Tensor) (theta: Tensor) (direction: Direction) (positions: float seq) : LossLine =
        lineWith LandscapeOptions.Default loss theta direction positions

    /// The loss over the plane of two directions, with options; see `plane`.
    let planeWith
        (options: LandscapeOptions)
        (loss: Tensor -> Tensor)
        (theta: Tensor)
        (first: Direction)
        (second: Direction)
        (firstPositions: float seq)
        (secondPositions: float seq)
        : LossPlane =
        planeOf options theta first second firstPositions secondPositions [ "", 1.0, loss ] 1

    /// The loss at θ + s·d₁ + t·d₂ for each pair of positions, and its quadratic model at θ. The directions need not be at right angles.
    /// Costs and errors are those of `line`, with a product with the Hessian for each direction.
    let plane
        (loss: Tensor -> Tensor)
        (theta: Tensor)
        (first: Direction)
        (second: Direction)
        (firstPositions: float seq)
        (secondPositions: float seq)
        : LossPlane =
        planeWith LandscapeOptions.Default loss theta first second firstPositions secondPositions
