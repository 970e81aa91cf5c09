namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// Watches a training: the largest eigenvalue and the trace of a Hessian and the noise scale of gradients, measured so
/// often that it takes a stated share of the time. A measurement begins with the eigenvectors that the last one found.
/// Made by the functions of the module Monitor; for one training at a time, and one thread.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type TrainingMonitor internal (options: MonitorOptions, risk: EmpiricalRisk, pace: MonitorPace, state: MonitorState) =
    let measurement = MonitorMeasurement(options, risk)

    let measure (theta: Tensor) (loss: float) (rate: float) : MonitorRecord =
        let struct (struct (sharpness, trace, noise, vectors), seconds) =
            pace.Measure(fun () -> measurement.At(state.Measurements, theta, state.Vectors))

        state.Measurements <- state.Measurements + 1
        state.Vectors <- vectors

        let record =
            MonitorRecord
                {
                    Step = state.Losses.Count
                    Loss = loss
                    Rate = rate
                    Sharpness = sharpness
                    Trace = trace
                    Noise = noise
                    Seconds = seconds
                    ShareSpent = pace.ShareSpent
                }

        state.Records.Add record
        record

    /// The steps that were reported.
    member _.Steps = state.Losses.Count

    /// The loss of each step.
    member _.Losses: IReadOnlyList<float> = state.Losses

    /// What was measured, in order.
    member _.Records: IReadOnlyList<MonitorRecord> = state.Records

    /// The last measurement; null before the first.
    member _.Last: MonitorRecord | null =
        if state.Records.Count = 0 then null else state.Records[state.Records.Count - 1]

    /// The seconds between the steps, without measurements.
    member _.StepSeconds = pace.StepSeconds

    /// The seconds of all measurements.
    member _.MeasurementSeconds = pace.Spent

    /// The share of the time that went into measurements.
    member _.ShareOfTime = pace.ShareSpent

    /// Reports a step: the parameters after it, its loss, and the learning rate, NaN where there is none. Measures at
    /// these parameters where that is within the share of the time, and gives the record; otherwise null. The time
    /// since the last call is that of the step. The first measurement waits until it is affordable if it costs what the
    /// options say in gradients, a step being one; where it costs more, as it compiles, the next ones wait for longer.
    /// Raises whatever the loss raises, NonFiniteException where its gradient or a product is not finite, and
    /// ShapeException for parameters of another shape than before.
    member _.Observe(theta: Tensor, loss: float, learningRate: float) : MonitorRecord | null =
        ArgumentNullException.ThrowIfNull(theta, nameof theta)
        pace.Step()
        state.Losses.Add loss

        if pace.IsDue options.FirstInGradients then
            measure theta loss learningRate
        else
            null

    /// The same without a learning rate.
    member this.Observe(theta: Tensor, loss: float) : MonitorRecord | null = this.Observe(theta, loss, nan)

    /// Measures at once, whatever that costs; later measurements wait for it. The loss of the record is the last that
    /// was reported.
    member _.Measure(theta: Tensor) : MonitorRecord =
        ArgumentNullException.ThrowIfNull(theta, nameof theta)
        let loss = if state.Losses.Count = 0 then nan else state.Losses[state.Losses.Count - 1]

        let rate =
            if state.Records.Count = 0 then
                nan
            else
                state.Records[state.Records.Count - 1].LearningRate

        measure theta loss rate

    /// The time from here to the next step is not that of a step. Training.minimize begins so.
    member _.Pause() = pace.Pause()

    /// Writes what was seen, the eigenvectors and the time spent into a file, in place of one that is there, so that
    /// `Monitor.resume` goes on from it. Raises DataException where the file system does not allow it.
    member _.Save(path: string) =
        ArgumentNullException.ThrowIfNull(path, nameof path)
        MonitorFile.write path state pace

    /// The loss, the sharpness beside 2/learning rate, the trace, and the noise scale where it was measured, each with
    /// its 95 % interval, by the step.
    member _.Charts: IReadOnlyList<Chart> = MonitorChart.all (state.Losses.ToArray()) (state.Records.ToArray())

    override _.ToString() =
        let steps = Describe.count state.Losses.Count "step"
        let count = Describe.count state.Records.Count "measurement"
        let head = $"{steps}, {count}, {(100.0 * pace.ShareSpent):F1} %% of the time"

        if state.Records.Count = 0 then
            head
        else
            $"{head}\n{state.Records[state.Records.Count - 1]}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Curvature while training, at a stated share of the time.
[<RequireQualifiedAccess>]
module Monitor =

    let private create' (options: MonitorOptions) (risk: EmpiricalRisk) state =
        System.ArgumentNullException.ThrowIfNull(risk, nameof risk)
        let pace = MonitorPace(options.Share, options.Time)
        TrainingMonitor(options, risk, pace, state pace)

    /// A monitor of a risk: that of all data, or cheaper of some batches of it, with the term without data where it
    /// has one. It may be another than the one that is minimised. The noise scale is that of the samples of its data.
    let create (options: MonitorOptions) (risk: EmpiricalRisk) : TrainingMonitor =
        create' options risk (fun _ ->
            {
                Losses = ResizeArray()
                Records = ResizeArray()
                Measurements = 0
                Vectors = ValueNone
            })

    /// A monitor that goes on from what `TrainingMonitor.Save` wrote, with the same options and risk, as if it had not
    /// been interrupted. Raises DataException for a file that cannot be read, is damaged, or is of something else.
    let resume (options: MonitorOptions) (path: string) (risk: EmpiricalRisk) : TrainingMonitor =
        System.ArgumentNullException.ThrowIfNull(path, nameof path)
        create' options risk (MonitorFile.read path)

    /// Reports a step with its loss and its learning rate, NaN for none; gives a record where it was time to measure.
    /// See `TrainingMonitor.Observe`.
    let observe (theta: Tensor) (loss: float) (learningRate: float) (monitor: TrainingMonitor) : MonitorRecord option =
        match monitor.Observe(theta, loss, learningRate) with
        | null -> None
        | record -> Some record

    /// Measures at once; see `TrainingMonitor.Measure`.
    let measure (theta: Tensor) (monitor: TrainingMonitor) : MonitorRecord = monitor.Measure theta

    /// The charts as one SVG document, one below the other.
    let toSvg (monitor: TrainingMonitor) : string = Chart.stackedSvg monitor.Charts
