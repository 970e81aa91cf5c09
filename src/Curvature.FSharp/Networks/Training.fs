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

    /// The mean loss over the last pass, each batch taken just before its own step.
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
            Token: CancellationToken
        }

    /// 100 passes over all rows at once, by Adam with a learning rate of 0.001.
    static member Default =
        {
            EpochCount = 100
            RowsPerBatch = Int32.MaxValue
            Method = FSharp.Optimizer.adam 1e-3
            Listener = null
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
    let private gradientOf (loss: Tensor -> Tensor -> Tensor -> Tensor) =
        let interpreted (theta: Tensor) x y = fgrad (fun theta -> loss theta x y) theta

        let compiled =
            Compile.funcs (fun inputs ->
                let value, gradient = interpreted inputs[0] inputs[1] inputs[2]
                [ value; gradient ])

        let mutable recordable = true

        fun (theta: Tensor) (x: Tensor) (y: Tensor) ->
            if recordable then
                try
                    let results = compiled [ theta; x; y ]
                    results[0], results[1]
                with :? AbstractValueException ->
                    recordable <- false
                    interpreted theta x y
            else
                interpreted theta x y

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

    /// The batches of a pass: all rows in their own order, or parts of an order drawn for the pass.
    let private batches (key: Key) size pass (inputs: Tensor) (targets: Tensor) =
        let rows = inputs.Shape[0]

        if size >= rows then
            Seq.singleton (inputs, targets)
        else
            Batches.shuffled (key.FoldIn(uint32 pass)) rows
            |> Batches.cut size
            |> Seq.map (fun batch -> Batches.rows batch inputs, Batches.rows batch targets)

    /// Descends along loss θ x y over batches of rows of the inputs and targets, whose leading axes are the rows, from θ. The
    /// loss is a mean over the rows of its batch. Each pass takes the rows in another order, drawn from the key (with
    /// all rows in one batch: in their own order): the same key gives the same bits.
    /// Cost: one gradient for each batch in each pass, compiled unless the loss asks for values of its arguments, as those with Int32
    /// labels do: targets as distributions are faster.
    /// Raises ShapeException where inputs and targets differ in their number of rows or have none, NonFiniteException where
    /// the loss or the parameters stop being finite, and whatever the loss raises.
    let minimize
        (options: TrainingOptions)
        (key: Key)
        (loss: Tensor -> Tensor -> Tensor -> Tensor)
        (inputs: Tensor)
        (targets: Tensor)
        (theta: Tensor)
        : TrainingResult =
        checkRows inputs targets
        let clock = Stopwatch.StartNew()
        let losses = ResizeArray<float>()
        let mutable theta, optimizer, steps = theta, options.Method, 0
        let mutable cancelled = false
        let gradient = gradientOf loss

        let step (x: Tensor) (y: Tensor) =
            let value, slope = gradient theta x y
            steps <- steps + 1
            checkFinite steps "loss" [| value.ToScalar() |]
            let next, following = Optimizer.step optimizer theta slope
            theta <- next
            optimizer <- following
            value.ToScalar()

        let pass number =
            let mutable total = 0.0

            for x, y in batches key options.RowsPerBatch number inputs targets do
                cancelled <- cancelled || options.Token.IsCancellationRequested

                if not cancelled then total <- total + float x.Shape[0] * step x y

            checkFinite steps "parameters" (theta.ToArray())
            total / float inputs.Shape[0]

        while losses.Count < options.EpochCount && not cancelled do
            let mean = pass losses.Count

            if not cancelled then
                losses.Add mean

                if not (isNull options.Listener) then
                    options.Listener.Report(TrainingProgress(losses.Count, options.EpochCount, steps, mean))

        TrainingResult(theta, losses.ToArray(), steps, clock.Elapsed.TotalSeconds, cancelled)
