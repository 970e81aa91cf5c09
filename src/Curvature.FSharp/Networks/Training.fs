namespace Curvature

open System
open System.Collections.Generic
open System.Threading

/// How far a training has come.
[<Sealed>]
type TrainingProgress internal (epoch: int, epochs: int, step: int, loss: float) =

    /// The passes over the data that are done.
    member _.Epoch = epoch

    /// The passes that were asked for.
    member _.Epochs = epochs

    /// The steps that are done.
    member _.Step = step

    /// The mean loss over the last pass, or over the part of a pass that is done, each batch taken just before its own step.
    member _.Loss = loss

/// What a training found.
[<Sealed>]
type TrainingResult internal (theta: Tensor, losses: float[], steps: int, seconds: float, cancelled: bool) =

    /// The parameters after the last step.
    member _.Theta = theta

    /// The mean loss over each full pass, each batch taken just before its own step.
    member _.Losses: IReadOnlyList<float> = losses

    /// The steps taken: one gradient each.
    member _.Steps = steps

    /// The time it took.
    member _.Seconds = seconds

    /// Whether it was cancelled before the last step. Theta is then as far as it came.
    member _.Cancelled = cancelled

/// How to train. Immutable; begin with Default.
[<NoEquality; NoComparison>]
type TrainingOptions =
    internal
        {
            EpochCount: int
            RowsPerBatch: int
            Method: Optimizer
            Listener: IProgress<TrainingProgress>
            ReportSteps: int
            Token: CancellationToken
        }

    /// 100 passes over all rows at once, by Adam with a learning rate of 0.001.
    static member Default =
        {
            EpochCount = 100
            RowsPerBatch = Int32.MaxValue
            Method = FSharp.Optimizer.adam 1e-3
            Listener = null
            ReportSteps = 0
            Token = CancellationToken.None
        }

    /// The number of passes over the data. Raises ArgumentRangeException for a negative one.
    member options.WithEpochs(count: int) =
        if count < 0 then
            raise (ArgumentRangeException $"epochs: a count of passes cannot be negative, and this one is {count}")

        { options with EpochCount = count }

    /// The number of rows in a batch; the last batch of a pass may be smaller. Raises ArgumentRangeException if it is less than 1.
    member options.WithBatchSize(rows: int) =
        if rows < 1 then
            raise (ArgumentRangeException $"batchSize: a batch has at least one row, and {rows} were asked for")

        { options with RowsPerBatch = rows }

    /// The method of descent.
    member options.WithOptimizer(optimizer: Optimizer) = { options with Method = optimizer }

    /// Whom to tell after each pass.
    member options.WithProgress(progress: IProgress<TrainingProgress>) = { options with Listener = progress }

    /// Whom to tell after each pass, and within a pass whenever so many steps more are done: for passes that take minutes.
    /// Raises ArgumentRangeException if they are less than 1.
    member options.WithProgress(progress: IProgress<TrainingProgress>, everySteps: int) =
        if everySteps < 1 then
            raise (ArgumentRangeException $"progress: it is told after 1 step or more, and {everySteps} were asked for")

        { options with Listener = progress; ReportSteps = everySteps }

    /// Stops between two steps when cancelled; what was found so far is the result.
    member options.WithCancellation(token: CancellationToken) = { options with Token = token }

namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Finding parameters of a small loss by descent.
[<RequireQualifiedAccess>]
module Training =

    /// The loss of a batch and its gradient in θ: compiled once for each size of a batch, unless the loss asks for values on its
    /// way, which a recording does not have.
    let private gradientOf (loss: Batch -> Tensor -> Tensor) =
        let interpreted (theta: Tensor) (batch: Batch) = fgrad (loss batch) theta

        let compiled =
            Compile.funcs (fun inputs ->
                let value, gradient = interpreted inputs[0] (Batch(inputs[1], inputs[2]))
                [ value; gradient ])

        let mutable recordable = true

        fun isFirstPass (theta: Tensor) (batch: Batch) ->
            if recordable then
                try
                    let results = compiled [ theta; batch.Inputs; batch.Targets ]
                    // A recording does not see values: what is wrong with them shows where the loss is computed as it stands.
                    if isFirstPass then loss batch theta |> ignore
                    results[0], results[1]
                with :? AbstractValueException ->
                    recordable <- false
                    interpreted theta batch
            else
                interpreted theta batch

    let private checkRows (inputs: Tensor) (targets: Tensor) =
        if inputs.Rank = 0 || targets.Rank = 0 || inputs.Shape[0] <> targets.Shape[0] || inputs.Shape[0] = 0 then
            raise (
                ShapeException
                    $"training: inputs and targets need the same number of rows, at least one, and have shapes {Shape.show inputs.Shape} and {Shape.show targets.Shape}"
            )

    let private checkFinite step (what: string) (values: float[]) =
        match values |> Array.tryFind (Double.IsFinite >> not) with
        | Some value ->
            raise (
                NonFiniteException
                    $"training: the {what} became {value} in step {step}; a smaller learning rate may help"
            )
        | None -> ()

    /// Descends along loss θ batch over the batches that each pass, numbered from 0, takes from a source, from θ. The loss is a mean
    /// over the samples of its batch; it is the function that Hessian.overBatches takes. A source may shuffle by the number of
    /// the pass, as `fun pass -> Batches.ofImages (options.WithShuffling(key.FoldIn(uint32 pass))) dtype images` does.
    /// Cost: one gradient for each batch in each pass, compiled unless the loss asks for values of its arguments, and one value of the
    /// loss more for each batch of the first pass, which checks the data, such as labels out of range.
    /// Raises DataException for a pass without batches, NonFiniteException where the loss or the parameters stop being finite, and
    /// whatever the loss raises.
    let minimizeOverBatches
        (options: TrainingOptions)
        (loss: Batch -> Tensor -> Tensor)
        (batches: int -> Batch seq)
        (theta: Tensor)
        : TrainingResult =
        let clock = Stopwatch.StartNew()
        let losses = ResizeArray<float>()
        let mutable theta, optimizer, steps = theta, options.Method, 0
        let mutable cancelled = false
        let gradient = gradientOf loss

        let step (batch: Batch) =
            let value, slope = gradient (losses.Count = 0) theta batch
            steps <- steps + 1
            let value = value.ToScalar()
            checkFinite steps "loss" [| value |]
            let next, following = Optimizer.step optimizer theta slope
            theta <- next
            optimizer <- following
            value

        let report mean =
            if not (isNull options.Listener) then
                options.Listener.Report(TrainingProgress(losses.Count, options.EpochCount, steps, mean))

        let isCancelled (_: Batch) =
            cancelled <- cancelled || options.Token.IsCancellationRequested
            cancelled

        let pass number =
            let mutable total, samples = 0.0, 0

            for batch in batches number |> Seq.takeWhile (isCancelled >> not) do
                total <- total + float batch.Size * step (batch.On theta.Device)
                samples <- samples + batch.Size

                if options.ReportSteps > 0 && steps % options.ReportSteps = 0 then
                    report (total / float samples)

            if samples = 0 && not cancelled then
                raise (DataException $"training: pass {number} has no batches")

            checkFinite steps "parameters" (theta.ToArray())
            total / float samples

        while losses.Count < options.EpochCount && not cancelled do
            let mean = pass losses.Count

            if not cancelled then
                losses.Add mean
                report mean

        TrainingResult(theta, losses.ToArray(), steps, clock.Elapsed.TotalSeconds, cancelled)

    /// Descends along loss θ x y over batches of rows of the inputs and targets, whose leading axes are the rows, from θ. The
    /// loss is a mean over the rows of its batch. Each pass takes the rows in another order, drawn from the key (with
    /// all rows in one batch: in their own order): the same key gives the same bits.
    /// Cost and errors are those of `minimizeOverBatches`; ShapeException is raised where inputs and targets differ in their number of rows
    /// or have none.
    let minimize
        (options: TrainingOptions)
        (key: Key)
        (loss: Tensor -> Tensor -> Tensor -> Tensor)
        (inputs: Tensor)
        (targets: Tensor)
        (theta: Tensor)
        : TrainingResult =
        checkRows inputs targets

        let batches pass =
            if options.RowsPerBatch >= inputs.Shape[0] then
                Seq.singleton (Batch(inputs, targets))
            else
                let parts = BatchOptions.Default.WithSize(options.RowsPerBatch).WithShuffling(key.FoldIn(uint32 pass))
                Batches.ofTensors parts inputs targets

        minimizeOverBatches options (fun batch theta -> loss theta batch.Inputs batch.Targets) batches theta
