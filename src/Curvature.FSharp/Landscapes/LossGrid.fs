namespace Curvature.FSharp

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Curvature

/// Losses at combinations of directions, and the quadratic model.
[<NoEquality; NoComparison>]
type internal LossGrid = { Losses: float[]; Model: QuadraticModel; Evaluations: int; Seconds: float }

/// A risk at several points.
module internal LossGrid =

    /// Points that are evaluated between two reports of progress.
    let private blockSize = 16

    // ---- directions

    let private vectorOf (theta: Tensor) (direction: Direction) : Tensor =
        let vector = direction.Vector

        if vector.Size <> theta.Size then
            Fail.shape $"Landscape: {direction.Name} has {vector.Size} elements, and the point has {theta.Size}"

        if vector.DType <> theta.DType then
            Fail.dtype $"Landscape: {direction.Name} is {vector.DType}, and the point {theta.DType}"

        Tensor.reshape (List.ofArray theta.Signature.Shape) vector |> Tensor.toDevice theta.Device

    /// t ↦ loss(θ + Σ tᵢdᵢ), for a vector t with one element for each direction.
    let private along (theta: Tensor) (vectors: Tensor list) (loss: Tensor -> Tensor) (t: Tensor) : Tensor =
        vectors
        |> List.mapi (fun i vector -> Tensor.item 0 i t * vector)
        |> List.fold (+) theta
        |> loss
        |> Linearization.checkLoss "Landscape" theta

    // ---- the quadratic model

    /// Value, gradient and, where the model needs it, Hessian of a function of t: they are the value, slopes and
    /// curvatures of the model.
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

    let private checkModel (parts: Tensor list) (where: string) loss theta =
        for what, part in Seq.zip [ "loss"; "slope"; "curvature" ] parts do
            match Finite.tryFind part with
            | ValueSome(struct (_, value)) ->
                Fail.nonFinite
                    $"Landscape: the {what} at the point{where} is {Finite.name value}; {Finite.trace loss theta}"
            | ValueNone -> ()

    // ---- all batches

    /// The first batch tells whether the loss is deterministic.
    let private requireDeterministic name theta (batch: RiskBatch) =
        if batch.Number = 0 then Determinism.require name batch.Loss theta

    let private describe (directions: string list) (steps: float[]) =
        Seq.map2 (fun (t: float) (direction: string) -> $"{t} along {direction}") steps directions
        |> String.concat " and "

    /// How many losses there will be, where that is known before.
    let private expected (risk: RiskDefinition) (points: int) =
        match risk.Source with
        | NoData -> points
        | EachPass source ->
            match source 0 with
            | :? IReadOnlyCollection<Batch> as known -> (known.Count + ValueOption.count risk.Term) * points
            | _ -> 0
        | InGroups _ -> 0

    /// What a plan gives for a batch; the alternative where the loss asks for values, and for a term, which has no
    /// plan.
    let private compiledOr maps point (batch: RiskBatch) (ofMap: CompiledMap -> 'T) (otherwise: unit -> 'T) : 'T =
        if batch.IsTerm then
            otherwise ()
        else
            try
                maps point batch [] |> ofMap
            with :? AbstractValueException ->
                otherwise ()

    /// What a batch is evaluated by: the parts of the model, the losses of a block of steps, and how to give memory
    /// back.
    [<NoEquality; NoComparison>]
    type private BatchEvaluation = { Model: Tensor list; Losses: Tensor -> Tensor; Release: unit -> unit }

    /// A batch's evaluation along some vectors, by plans that are made once for each size of a batch, or by calls of
    /// the loss where that asks for values.
    let private evaluation needsHessian (theta: Tensor) vectors (risk: RiskDefinition) : RiskBatch -> BatchEvaluation =
        let map loss =
            let f = along theta vectors loss
            expand needsHessian f, f

        let maps =
            RiskPass.maps risk (fun t data _ ->
                let model, f = map (risk.Loss data)
                model t, f)

        let origin =
            Tensor.zeros DType.Float64 [ List.length vectors ]
            |> Tensor.convert theta.DType
            |> Tensor.toDevice theta.Device

        fun batch ->
            compiledOr
                maps
                origin
                batch
                (fun map -> { Model = map.Values; Losses = map.ApplyBlock; Release = map.Dispose })
                (fun () ->
                    let model, f = map batch.Loss
                    let each (rows: Tensor) = List.init rows.Shape[0] (fun i -> f (Tensor.item 0 i rows))
                    { Model = model origin; Losses = each >> Tensor.stack 0; Release = ignore })

    /// Raises NonFiniteException where one of the losses of a block of steps is NaN or infinite.
    let private checkLosses directions (steps: float[][]) (batch: RiskBatch) traceAt (losses: Tensor) =
        match Finite.tryFind losses with
        | ValueSome(struct (i, value)) ->
            Fail.nonFinite (
                $"Landscape: the loss is {Finite.name value} at {describe directions steps[i]}{batch.Suffix}; "
                + traceAt steps[i]
            )
        | ValueNone -> ()

    /// Counts losses, and reports them.
    [<Sealed>]
    type private LossProgress(options: LandscapeOptions, expected: int, clock: Stopwatch) =
        let mutable evaluations, told = 0, -1
        let pace = ProgressPace options.Rate

        let report isLast =
            pace.Report(
                options.Progress,
                isLast,
                fun () ->
                    told <- evaluations
                    LandscapeProgress(evaluations, expected, clock.Elapsed.TotalSeconds)
            )

        member _.Evaluations = evaluations

        member _.Add(count: int) =
            evaluations <- evaluations + count
            // The last report is made at the end.
            if evaluations <> expected then report false

        member _.Finish() = if told < evaluations then report true

    /// What a grid asks of each batch: losses, and the parts of the model. `evaluated` is told before every block of
    /// losses, and after it their number.
    let parts (evaluated: int -> unit) theta (grid: GridQuestion) (risk: RiskDefinition) : RiskBatch -> Tensor list =
        let names, vectors = List.unzip grid.Directions
        let evaluate = evaluation grid.NeedsHessian theta vectors risk

        let block (rows: float[][]) =
            Tensor.ofArray [ rows.Length; names.Length ] (Array.concat rows)
            |> Tensor.convert theta.DType
            |> Tensor.toDevice theta.Device

        let lossesOf (batch: RiskBatch) (evaluation: BatchEvaluation) (rows: float[][]) =
            evaluated 0
            let losses = evaluation.Losses(block rows)

            if not grid.KeepsNonFinite then
                let traceAt row = Finite.trace (along theta vectors batch.Loss) (Tensor.flatten (block [| row |]))
                checkLosses names rows batch traceAt losses

            evaluated losses.Size
            losses

        fun batch ->
            evaluated 0
            requireDeterministic "Landscape" theta batch
            let evaluation = evaluate batch
            checkModel evaluation.Model batch.Suffix batch.Loss theta

            let losses =
                grid.Steps |> Array.chunkBySize blockSize |> Array.map (lossesOf batch evaluation) |> List.ofArray

            evaluation.Release()
            Tensor.concat 0 losses :: evaluation.Model

    /// Losses of a risk at θ plus combinations of the directions, and the model. A batch is used up before the next is
    /// asked for.
    let at (options: LandscapeOptions) theta (directions: Direction list) (steps: float[][]) (risk: EmpiricalRisk) =
        Linearization.checkPoint "Landscape" theta
        Finite.check "Landscape: the point" theta
        options.Cancellation.ThrowIfCancellationRequested()
        let clock, risk = Stopwatch.StartNew(), risk.Definition
        let eigenvalues = directions |> List.choose (fun direction -> Option.ofNullable direction.Eigenvalue)
        let progress = LossProgress(options, expected risk steps.Length, clock)

        let evaluated count =
            options.Cancellation.ThrowIfCancellationRequested()
            if count > 0 then progress.Add count

        let grid: GridQuestion =
            {
                Directions = directions |> List.map (fun direction -> direction.Name, vectorOf theta direction)
                Steps = steps
                NeedsHessian = options.UsesQuadraticForms || eigenvalues.Length < directions.Length
                KeepsNonFinite = options.KeepsNonFinite
            }

        let question = RiskQuestion.LossGrid grid
        let totals = RiskPass.totalsAsked "Landscape" theta risk question (parts evaluated theta grid risk)
        // What others evaluate counts once for each point.
        if risk.Remote.IsSome then progress.Add steps.Length
        progress.Finish()

        {
            LossGrid.Losses = totals.Head.ToArray()
            Model = modelOf directions eigenvalues totals.Tail
            Evaluations = progress.Evaluations
            Seconds = clock.Elapsed.TotalSeconds
        }

    /// What losses at points ask of each batch.
    let lossesOf (token: CancellationToken) name (points: Tensor[]) (risk: RiskDefinition) : RiskBatch -> Tensor list =
        let theta = points[0]
        let maps = RiskPass.maps risk (fun _ data _ -> [], risk.Loss data)

        fun batch ->
            token.ThrowIfCancellationRequested()
            requireDeterministic name theta batch

            let evaluate, release =
                compiledOr maps theta batch (fun map -> map.Apply, map.Dispose) (fun () -> batch.Loss, ignore)

            let values =
                [
                    for point in points do
                        token.ThrowIfCancellationRequested()
                        evaluate point |> Linearization.checkLoss name theta
                ]

            release ()
            [ Tensor.stack 0 values ]

    /// Losses of a risk at points of one shape. What is not finite is kept.
    let losses (token: CancellationToken) name (points: Tensor[]) (risk: EmpiricalRisk) : float[] =
        token.ThrowIfCancellationRequested()
        let theta, risk = points[0], risk.Definition
        Linearization.checkPoint name theta
        let parts = lossesOf token name points risk
        (RiskPass.totalsAsked name theta risk (RiskQuestion.LossesAt points) parts).Head.ToArray()
