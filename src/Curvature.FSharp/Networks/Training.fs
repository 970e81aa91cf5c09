namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
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

/// What a training found.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TrainingResult internal (theta: Tensor, losses: float[], steps: int, seconds: float, cancelled: bool) =

    /// The parameters after the last step.
    member _.Theta = theta

    /// The mean loss over each full pass. The loss of each batch is taken just before the step of that batch.
    member _.Losses: IReadOnlyList<float> = losses

    /// The steps taken: one gradient each.
    member _.Steps = steps

    /// The time it took.
    member _.Seconds = seconds

    /// Whether it was cancelled before the last step. Theta is then as far as it came.
    member _.Cancelled = cancelled

    override _.ToString() =
        let time, count = FSharp.Describe.seconds seconds, FSharp.Describe.count steps "step"
        let ended = if cancelled then ", cancelled" else ""

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
        | ValueSome _, EachPass _, Reduction.Sum ->
            Fail.range "training: a sum over batches has no share of the term without data for each batch; use the mean"
        | ValueSome term, _, _ ->
            { risk with
                Loss = fun data theta -> risk.Loss data theta + term theta
                Term = ValueNone
            }

    let private checkFinite step (what: string) (values: float[]) =
        match values |> Array.tryFind (Double.IsFinite >> not) with
        | Some value ->
            Fail.nonFinite $"training: the {what} became {value} in step {step}; a smaller learning rate may help"
        | None -> ()

    /// Descends along a risk over the batches that each pass takes from its source, from θ. A term without data is part
    /// of the loss of every batch. A source may shuffle by the number of the pass, as `Batches.shuffledEachPass` does.
    /// A risk without data is one batch. Cost: one gradient for each batch in each pass, compiled unless the loss asks
    /// for values of its arguments, and one value of the loss more for each batch of the first pass, which checks the
    /// data, such as labels out of range.
    /// Raises DataException for a pass without batches, NonFiniteException where the loss or the parameters stop being
    /// finite, and whatever the loss raises; OperationCanceledException where it was cancelled before the first step.
    let minimize (options: TrainingOptions) (risk: EmpiricalRisk) (theta: Tensor) : TrainingResult =
        if options.EpochCount > 0 then options.Token.ThrowIfCancellationRequested()
        let clock, name = Stopwatch.StartNew(), "training"
        let risk = withTermInBatches risk.Definition
        let losses = ResizeArray<float>()
        let mutable theta, optimizer, steps = theta, options.Method, 0
        let mutable cancelled = false
        let gradient = Gradient.ofBatch risk

        let step (batch: RiskBatch) =
            let value, slope = gradient (losses.Count = 0) theta batch
            steps <- steps + 1
            let value = value.ToScalar()
            checkFinite steps "loss" [| value |]
            let next, following = Optimizer.step optimizer theta slope
            theta <- next
            optimizer <- following
            value

        let pace = ProgressPace options.Rate
        let mutable told, mean = -1, nan

        /// A report that would equal the last one is left out.
        let report isLast mean =
            if steps > told then
                pace.Report(
                    options.Listener,
                    isLast,
                    fun () ->
                        told <- steps
                        TrainingProgress(losses.Count, options.EpochCount, steps, mean)
                )

        let isCancelled (_: RiskBatch) =
            cancelled <- cancelled || options.Token.IsCancellationRequested
            cancelled

        let pass number =
            let mutable total, samples = 0.0, 0

            for batch in RiskPass.batches name theta.Device number risk |> Seq.takeWhile (isCancelled >> not) do
                total <- total + batch.Weight * step batch
                samples <- samples + batch.Size

                if options.ReportSteps > 0 && steps % options.ReportSteps = 0 then
                    report false (total / RiskPass.divisor risk samples)

            checkFinite steps "parameters" (theta.ToArray())
            total / RiskPass.divisor risk samples

        while losses.Count < options.EpochCount && not cancelled do
            let before, found = steps, pass losses.Count
            // A pass that was cancelled before its first step has no loss.
            if steps > before then mean <- found

            if not cancelled then losses.Add mean
            elif steps = 0 then options.Token.ThrowIfCancellationRequested()

            report (cancelled || losses.Count = options.EpochCount) mean

        TrainingResult(theta, losses.ToArray(), steps, clock.Elapsed.TotalSeconds, cancelled)
