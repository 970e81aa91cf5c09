namespace Curvature.FSharp

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Curvature

/// A loss that is a sum over batches: a loss of θ for the tensors of a batch, and the batches, each with what messages call it and
/// its weight.
[<NoEquality; NoComparison>]
type internal LandscapeLoss =
    {
        Of: Tensor list -> Tensor -> Tensor
        Batches: struct (string * float * Tensor list) seq
        /// How many batches there are, where that is known.
        Count: int voption
        /// Whether the sum is divided by that of the weights.
        IsMean: bool
    }

/// What a survey found.
[<NoEquality; NoComparison>]
type internal Surveyed = { Losses: float[]; Model: QuadraticModel; Evaluations: int; Seconds: float }

/// Losses and quadratic models at combinations of directions.
module internal Survey =

    /// Points that are evaluated between two looks at progress and cancellation.
    let private blockSize = 16

    let ofLoss (loss: Tensor -> Tensor) : LandscapeLoss =
        {
            Of = fun _ -> loss
            Batches = [ struct ("", 1.0, []) ]
            Count = ValueSome 1
            IsMean = false
        }

    let ofBatches (reduction: Reduction) (loss: Batch -> Tensor -> Tensor) (batches: Batch seq) : LandscapeLoss =
        if reduction <> Reduction.Mean && reduction <> Reduction.Sum then
            raise (ArgumentRangeException $"Landscape: the reduction is Mean or Sum, and this one is {int reduction}")

        let read index (batch: Batch) =
            if isNull (box batch) then
                raise (DataException $"Landscape: batch {index} is null")

            let weight = if reduction = Reduction.Mean then float batch.Size else 1.0
            struct ($", batch {index}", weight, [ batch.Inputs; batch.Targets ])

        {
            Of = fun tensors -> loss (Batch(tensors[0], tensors[1]))
            Batches = Seq.mapi read batches
            Count =
                match batches with
                | :? IReadOnlyCollection<Batch> as known -> ValueSome known.Count
                | _ -> ValueNone
            IsMean = (reduction = Reduction.Mean)
        }

    // ---- one batch

    let private vectorOf (theta: Tensor) (direction: Direction) : Tensor =
        let vector = direction.Vector

        if vector.Size <> theta.Size then
            raise (
                ShapeException $"Landscape: {direction.Name} has {vector.Size} elements, and the point has {theta.Size}"
            )

        if vector.DType <> theta.DType then
            raise (DTypeException $"Landscape: {direction.Name} is {vector.DType}, and the point {theta.DType}")

        Tensor.reshape (List.ofArray theta.Signature.Shape) vector |> Tensor.toDevice theta.Device

    let private scalar name (theta: Tensor) (value: Tensor) : Tensor =
        if value.Rank <> 0 then
            raise (
                ShapeException $"{name}: the loss must be a scalar, and it has shape {Shape.show value.Signature.Shape}"
            )

        if value.DType <> theta.DType then
            raise (DTypeException $"{name}: the loss is {value.DType}, and the point {theta.DType}")

        value

    /// t ↦ loss(θ + Σ tᵢdᵢ), for a vector t with one element for each direction.
    let private along (theta: Tensor) (vectors: Tensor list) (loss: Tensor -> Tensor) (t: Tensor) : Tensor =
        vectors
        |> List.mapi (fun i vector -> Tensor.item 0 i t * vector)
        |> List.fold (+) theta
        |> loss
        |> scalar "Landscape" theta

    /// Value, gradient and, where the model needs it, Hessian of a function of t: they are the value, slopes and curvatures of the model.
    let private expand needsHessian (f: Tensor -> Tensor) (origin: Tensor) : Tensor list =
        if needsHessian then
            let value, slopes, curvatures = fgradhessian f origin
            [ value; slopes; curvatures ]
        else
            let value, slopes = fgrad f origin
            [ value; slopes ]

    let private modelOf (directions: Direction list) (eigenvalues: float list) (parts: Tensor list) : QuadraticModel =
        let k = directions.Length
        let value, slopes = parts[0].ToScalar(), parts[1].ToArray()

        match parts with
        | [ _; _; curvatures ] ->
            let entries = curvatures.ToArray()
            QuadraticModel(value, slopes, Array2D.init k k (fun i j -> entries[i * k + j]), false)
        | _ -> QuadraticModel(value, slopes, QuadraticModels.ofEigenvalues directions eigenvalues, true)

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

    // ---- all of them

    let private describe (directions: Direction list) (steps: float[]) =
        Seq.map2 (fun (t: float) (direction: Direction) -> $"{t} along {direction.Name}") steps directions
        |> String.concat " and "

    /// Losses at combinations of the directions, and the model. A batch is used up before the next is asked for, and plans are made once
    /// for each size of a batch, unless the loss asks for values.
    let run (options: LandscapeOptions) theta (directions: Direction list) (steps: float[][]) (loss: LandscapeLoss) =
        SecondOrder.checkPoint "Landscape" theta
        Finite.check "Landscape: the point" theta
        let clock = Stopwatch.StartNew()
        let vectors, k = directions |> List.map (vectorOf theta), directions.Length
        let on (t: Tensor) = Tensor.toDevice theta.Device t

        let block (rows: float[][]) =
            Tensor.ofArray [ rows.Length; k ] (Array.concat rows) |> Tensor.convert theta.DType |> on

        let origin = block [| Array.zeroCreate k |] |> Tensor.flatten
        let eigenvalues = directions |> List.choose (fun direction -> Option.ofNullable direction.Eigenvalue)
        let needsHessian = options.UsesQuadraticForms || eigenvalues.Length < k
        let ofData tensors = along theta vectors (loss.Of tensors)

        let maps =
            Compile.familyOf (fun points ->
                let f = ofData (List.ofArray points[1..])
                expand needsHessian f points[0], f)

        /// The parts of the model, the losses of a block, and how to give memory back.
        let study (data: Tensor list) : Tensor list * (Tensor -> float[]) * (unit -> unit) =
            try
                let map = maps (List.toArray (origin :: data))
                map.Values, (fun rows -> (map.ApplyBlock rows).ToArray()), map.Dispose
            with :? AbstractValueException ->
                let f = ofData data
                let each (rows: Tensor) i = (f (Tensor.item 0 i rows)).ToScalar()
                expand needsHessian f origin, (fun rows -> Array.init rows.Signature.Shape[0] (each rows)), ignore

        let total = steps.Length
        let losses = Array.zeroCreate<float> total
        let models = ResizeArray<float * QuadraticModel>()
        let mutable evaluations = 0

        let checkLosses first (where: string) data (found: float[]) =
            if not options.KeepsNonFinite then
                match found |> Array.tryFindIndex (Double.IsFinite >> not) with
                | Some i ->
                    let at = Tensor.flatten (block [| steps[first + i] |])

                    raise (
                        NonFiniteException
                            $"Landscape: the loss is {Finite.name found[i]} at {describe directions steps[first + i]}{where}; {Finite.trace (ofData data) at}"
                    )
                | None -> ()

        for struct (where, weight, data) in loss.Batches do
            options.Cancellation.ThrowIfCancellationRequested()
            let data = List.map on data
            let own = loss.Of data
            if models.Count = 0 then SecondOrder.requireDeterministic "Landscape" own theta
            let parts, evaluate, release = study data
            let model = modelOf directions eigenvalues parts
            checkModel model where own theta
            models.Add((weight, model))

            for first in 0..blockSize .. total - 1 do
                options.Cancellation.ThrowIfCancellationRequested()
                let found = evaluate (block steps[first .. min total (first + blockSize) - 1])
                checkLosses first where data found
                found |> Array.iteri (fun i value -> losses[first + i] <- losses[first + i] + weight * value)
                evaluations <- evaluations + found.Length

                if not (isNull options.Progress) then
                    let expected = loss.Count |> ValueOption.map ((*) total) |> ValueOption.defaultValue 0
                    options.Progress.Report(LandscapeProgress(evaluations, expected, clock.Elapsed.TotalSeconds))

            release ()

        if models.Count = 0 then raise (DataException "Landscape: there are no batches")

        let divisor = if loss.IsMean then Seq.sumBy fst models else 1.0

        {
            Losses = losses |> Array.map (fun value -> value / divisor)
            Model =
                models |> Seq.map (fun (weight, model) -> weight / divisor, model) |> List.ofSeq |> QuadraticModels.sum
            Evaluations = evaluations
            Seconds = clock.Elapsed.TotalSeconds
        }

    /// Losses at points of one shape, over all batches. What is not finite is kept.
    let losses (token: CancellationToken) name (points: Tensor[]) (loss: LandscapeLoss) : float[] =
        let theta = points[0]
        SecondOrder.checkPoint name theta
        let totals = Array.zeroCreate<float> points.Length
        let mutable weights, count = 0.0, 0
        let maps = Compile.familyOf (fun inputs -> [], loss.Of(List.ofArray inputs[1..]))

        for struct (_, weight, data) in loss.Batches do
            let data = data |> List.map (Tensor.toDevice theta.Device)
            let own = loss.Of data
            if count = 0 then SecondOrder.requireDeterministic name own theta

            let evaluate, release =
                try
                    let map = maps (List.toArray (theta :: data))
                    map.Apply, map.Dispose
                with :? AbstractValueException ->
                    own, ignore

            for i in 0 .. points.Length - 1 do
                token.ThrowIfCancellationRequested()
                totals[i] <- totals[i] + weight * (scalar name theta (evaluate points[i])).ToScalar()

            release ()
            weights <- weights + weight
            count <- count + 1

        if count = 0 then raise (DataException $"{name}: there are no batches")

        if loss.IsMean then
            totals |> Array.map (fun total -> total / weights)
        else
            totals
