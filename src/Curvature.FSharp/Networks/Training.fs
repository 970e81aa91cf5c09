namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
open System.Globalization
open System.Threading

/// How much of a training is done.
[<Sealed>]
type TrainingProgress internal (epoch: int, epochs: int, step: int, loss: float) =

    /// The passes over the data that are done.
    member _.Epoch = epoch

    /// The passes that were asked for.
    member _.Epochs = epochs

    /// The steps that are done.
    member _.Step = step

    /// The mean loss over the last pass, or over the part of a pass that is done. The loss of each batch is taken just
    /// before the step of that batch.
    member _.Loss = loss

/// Why a training stopped.
type TrainingEnd =
    /// All passes or iterations that were asked for are done.
    | Completed = 0
    /// It was cancelled.
    | Cancelled = 1
    /// The validation loss did not improve for as many passes as the patience allows.
    | Patience = 2
    /// Every element of the gradient is at most the tolerance: a minimum, or another stationary point.
    | SmallGradient = 3
    /// The line search found no better point: within rounding, or along that direction, there is none.
    | NoDescent = 4

/// The losses of a training on validation data.
[<NoEquality; NoComparison>]
type internal ValidationHistory = { Losses: float[]; Best: int }

/// What a training found.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TrainingResult
    internal
    (theta: Tensor, losses: float[], validation: ValidationHistory, steps: int, seconds: float, ending: TrainingEnd) =

    /// The parameters after the last step. Of a training with validation those of the best pass, if there was one.
    member _.Theta = theta

    /// The mean loss over each full pass. The loss of each batch is taken just before the step of that batch. Of L-BFGS
    /// the loss after each iteration.
    member _.Losses: IReadOnlyList<float> = losses

    /// The loss on the validation data after each pass; none without such data.
    member _.ValidationLosses: IReadOnlyList<float> = validation.Losses

    /// The number of the pass, from 1, whose validation loss is the least, and whose parameters these are; 0 without
    /// validation.
    member _.BestEpoch = validation.Best

    /// The steps taken: one gradient each. Of L-BFGS the gradients of all data.
    member _.Steps = steps

    /// The time it took.
    member _.Seconds = seconds

    /// Why it stopped.
    member _.End = ending

    /// Whether it was cancelled before the last step. Theta is then as far as it came.
    member _.Cancelled = (ending = TrainingEnd.Cancelled)

    override _.ToString() =
        let time, count = FSharp.Describe.seconds seconds, FSharp.Describe.count steps "step"

        let ended =
            match ending with
            | TrainingEnd.Completed -> ""
            | TrainingEnd.Cancelled -> ", cancelled"
            | TrainingEnd.Patience -> ", ended by patience"
            | TrainingEnd.SmallGradient -> ", at a small gradient"
            | _ -> ", no descent found"

        if losses.Length = 0 then
            $"{count}, {time}{ended}"
        else
            let first, last = FSharp.Numbers.show losses[0], FSharp.Numbers.show losses[losses.Length - 1]
            $"loss {first} in the first pass, {last} in the last ({losses.Length:N0} passes, {count}, {time}{ended})"

    member internal this.Text = this.ToString()

/// How to train. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TrainingOptions =
    internal
        {
            EpochCount: int
            Method: Optimizer
            Validation: EmpiricalRisk voption
            Patience: int voption
            Listener: IProgress<TrainingProgress> | null
            ReportSteps: int
            Rate: FSharp.ProgressRate
            Token: CancellationToken
        }

    /// 100 passes over the data, by Adam with a learning rate of 0.001.
    static member Default =
        {
            EpochCount = 100
            Method = FSharp.Optimizer.adam 1e-3
            Validation = ValueNone
            Patience = ValueNone
            Listener = null
            ReportSteps = 0
            Rate = FSharp.ProgressRate.Default
            Token = CancellationToken.None
        }

    /// The number of passes over the data. Raises ArgumentRangeException for a negative one.
    member options.WithEpochs(count: int) =
        if count < 0 then
            Fail.range $"epochs: a count of passes cannot be negative, and this one is {count}"

        { options with EpochCount = count }

    /// The method of descent.
    member options.WithOptimizer(optimizer: Optimizer) = { options with Method = optimizer }

    /// The same options with a risk on data that the training does not see, such as that of the network in evaluation.
    /// Its value is computed after each pass, and the result has the parameters of the pass where it is least. Costs a
    /// pass over its data, without gradients, for each pass.
    member options.WithValidation(risk: EmpiricalRisk) =
        ArgumentNullException.ThrowIfNull(risk, nameof risk)
        { options with Validation = ValueSome risk }

    /// Stops where the validation loss was not less than the least for so many passes in a row. Raises
    /// ArgumentRangeException for a count below 1. Without `WithValidation` training raises ArgumentRangeException.
    member options.WithPatience(passes: int) =
        if passes < 1 then
            Fail.range $"patience: a count of passes of at least 1 is needed, and it is {passes}"

        { options with Patience = ValueSome passes }

    /// The same options with a listener, told after each pass, ten times a second at most, and at the end.
    member options.WithProgress(progress: IProgress<TrainingProgress> | null) = { options with Listener = progress }

    /// The same options with a listener that is told within a pass too, whenever so many more steps are done: for
    /// passes that take minutes. Ten times a second at most, and at the end.
    /// Raises ArgumentRangeException if they are less than 1.
    member options.WithProgress(progress: IProgress<TrainingProgress> | null, everySteps: int) =
        if everySteps < 1 then
            Fail.range $"progress: it is told after 1 step or more, and {everySteps} were asked for"

        { options with Listener = progress; ReportSteps = everySteps }

    /// The seconds between two reports at least: 0 for every report, 0.1 at first. Raises ArgumentRangeException for a
    /// time that is negative or NaN.
    member options.WithProgressInterval(seconds: float) =
        { options with Rate = options.Rate.WithSeconds "WithProgressInterval" seconds }

    /// The same options with another measure of how often the listener is told.
    member internal options.WithRate(rate: FSharp.ProgressRate) = { options with Rate = rate }

    /// Stops between two steps when cancelled; what was found so far is the result. Before the first step that is
    /// nothing, and OperationCanceledException is raised.
    member options.WithCancellation(token: CancellationToken) = { options with Token = token }

    override options.ToString() = $"""{FSharp.Describe.count options.EpochCount "epoch"} by {options.Method}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Finding parameters of a small loss by descent.
[<RequireQualifiedAccess>]
module Training =

    /// A term without data as a part of the loss of every batch: of a mean as it is, of a sum in proportion to the
    /// samples of the batch, which are not known before they are read, so that there it is refused.
    let private withTermInBatches (risk: RiskDefinition) : RiskDefinition =
        match risk.Term, risk.Source, risk.Reduction with
        | ValueNone, _, _ -> risk
        | ValueSome _, (EachPass _ | InGroups _), Reduction.Sum ->
            Fail.range "training: a sum over batches has no share of the term without data for each batch; use the mean"
        | ValueSome term, _, _ ->
            { risk with
                Loss = fun data theta -> risk.Loss data theta + term theta
                Term = ValueNone
                Remote = ValueNone
            }

    let private checkFinite step (what: string) (values: float[]) =
        match values |> Array.tryFind (Double.IsFinite >> not) with
        | Some value ->
            Fail.nonFinite $"training: the {what} became {value} in step {step}; a smaller learning rate may help"
        | None -> ()

    /// The state of a training between two passes.
    [<NoEquality; NoComparison>]
    type private Descent =
        {
            mutable Theta: Tensor
            mutable Optimizer: Optimizer
            mutable Steps: int
            mutable Cancelled: bool
            /// The mean loss over the last pass.
            mutable Mean: float
            /// The mean loss over each full pass.
            Losses: ResizeArray<float>
        }

    /// A step with the gradient of a batch, and the loss before it.
    let private step gradient (state: Descent) (batch: RiskBatch) =
        let (value: Tensor), slope = gradient (state.Losses.Count = 0) state.Theta batch
        state.Steps <- state.Steps + 1
        let value = value.ToScalar()
        checkFinite state.Steps "loss" [| value |]
        let next, following = Optimizer.step state.Optimizer state.Theta slope
        state.Theta <- next
        state.Optimizer <- following
        value

    /// Tells a listener how much is done. A report that would equal the last one is left out.
    let private reporter (options: TrainingOptions) (state: Descent) =
        let pace = ProgressPace options.Rate
        let mutable told = -1

        fun isLast mean ->
            if state.Steps > told then
                pace.Report(
                    options.Listener,
                    isLast,
                    fun () ->
                        told <- state.Steps
                        TrainingProgress(state.Losses.Count, options.EpochCount, state.Steps, mean)
                )

    /// A pass over the batches of a risk, and its mean loss.
    let private pass (options: TrainingOptions) report (risk: RiskDefinition) gradient (state: Descent) =
        let mutable total, samples = 0.0, 0

        let isCancelled (_: RiskBatch) =
            state.Cancelled <- state.Cancelled || options.Token.IsCancellationRequested
            state.Cancelled

        let batches = RiskPass.batches "training" state.Theta.Device state.Losses.Count risk

        for batch in Seq.takeWhile (isCancelled >> not) batches do
            total <- total + batch.Weight * step gradient state batch
            samples <- samples + batch.Size

            if options.ReportSteps > 0 && state.Steps % options.ReportSteps = 0 then
                report false (total / RiskPass.divisor risk samples)

        checkFinite state.Steps "parameters" (state.Theta.ToArray())
        total / RiskPass.divisor risk samples

    /// The losses on validation data, and the parameters where they were least.
    [<Sealed>]
    type private Validation(options: TrainingOptions) =
        let losses = ResizeArray<float>()
        let mutable best = 0
        let mutable bestTheta = ValueNone

        do
            if options.Patience.IsSome && options.Validation.IsNone then
                Fail.range "training: patience needs a risk on validation data; give one by WithValidation"

        /// Adds the loss at the parameters after a full pass.
        member _.Add(theta: Tensor) =
            match options.Validation with
            | ValueSome risk ->
                losses.Add(Risk.value risk theta)

                if best = 0 || losses[losses.Count - 1] < losses[best - 1] then
                    best <- losses.Count
                    bestTheta <- ValueSome theta
            | ValueNone -> ()

        member _.IsOutOfPatience =
            match options.Patience with
            | ValueSome passes -> losses.Count - best >= passes
            | ValueNone -> false

        member _.History = { Losses = losses.ToArray(); Best = best }
        member _.BestOr(theta: Tensor) = ValueOption.defaultValue theta bestTheta

    /// Descends along a risk of each pass, given with its gradient.
    let private descend (options: TrainingOptions) (ofPass: int -> RiskDefinition * _) (theta: Tensor) =
        if options.EpochCount > 0 then options.Token.ThrowIfCancellationRequested()
        let clock, validation = Stopwatch.StartNew(), Validation options

        let state =
            {
                Theta = theta
                Optimizer = options.Method
                Steps = 0
                Cancelled = false
                Mean = nan
                Losses = ResizeArray()
            }

        let report = reporter options state
        let isDone () = state.Losses.Count = options.EpochCount || validation.IsOutOfPatience

        while not (isDone () || state.Cancelled) do
            let risk, gradient = ofPass state.Losses.Count
            let before, found = state.Steps, pass options report risk gradient state
            // A pass that was cancelled before its first step has no loss.
            if state.Steps > before then state.Mean <- found

            if not state.Cancelled then
                state.Losses.Add state.Mean
                validation.Add state.Theta
            elif state.Steps = 0 then
                options.Token.ThrowIfCancellationRequested()

            report (state.Cancelled || isDone ()) state.Mean

        let ending =
            if state.Cancelled then TrainingEnd.Cancelled
            elif state.Losses.Count < options.EpochCount then TrainingEnd.Patience
            else TrainingEnd.Completed

        TrainingResult(
            validation.BestOr state.Theta,
            state.Losses.ToArray(),
            validation.History,
            state.Steps,
            clock.Elapsed.TotalSeconds,
            ending
        )

    /// Descends along a risk over the batches that each pass takes from its source, from θ. A term without data is part
    /// of the loss of every batch. A source may shuffle by the number of the pass, as `Batches.shuffledEachPass` does.
    /// A risk without data is one batch. Cost: one gradient for each batch in each pass, compiled unless the loss asks
    /// for values of its arguments, and one value of the loss more for each batch of the first pass, which checks the
    /// data, such as labels out of range.
    /// Raises DataException for a pass without batches, NonFiniteException where the loss or the parameters stop being
    /// finite, and whatever the loss raises; OperationCanceledException where it was cancelled before the first step.
    let minimize (options: TrainingOptions) (risk: EmpiricalRisk) (theta: Tensor) : TrainingResult =
        let risk = withTermInBatches risk.Definition
        let gradient = Gradient.ofBatch risk
        descend options (fun _ -> risk, gradient) theta

    /// The same with another risk in each pass, by its number from 0: for what is random in training and fixed by a
    /// key, such as dropout, whose network is made anew with the key's fold with the number. The gradient is compiled
    /// in each pass.
    let minimizeEachPass (options: TrainingOptions) (risks: int -> EmpiricalRisk) (theta: Tensor) : TrainingResult =
        let ofPass number =
            let risk = withTermInBatches (risks number).Definition
            risk, Gradient.ofBatch risk

        descend options ofPass theta
