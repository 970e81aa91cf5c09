namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How far an estimator is.
[<Sealed>]
type SamplingProgress
    internal
    (
        samples: int,
        value: float,
        standardError: float,
        seconds: float,
        completed: float,
        ?forecastMatvecs: float,
        ?forecastBytes: float
    ) =
    /// How many random vectors are used so far.
    member _.Samples = samples

    /// The first quantity measured, or its norm.
    member _.Value = value

    /// Its standard error; infinite for fewer than two samples.
    member _.StandardError = standardError

    /// Where the first quantity lies with this confidence, by Student's t, were this the end. Raises ArgumentRangeException where there
    /// is only one sample, or for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        if samples < 2 then
            raise (ArgumentRangeException $"an error bar needs two samples at least, and there are {samples}")

        if not (confidence > 0.0 && confidence < 1.0) then
            raise (ArgumentRangeException $"a confidence lies between 0 and 1, and this one is {confidence}")

        let half = Looks.quantile samples (1.0 - confidence) * standardError
        Interval(value - half, value + half, confidence)

    /// Time spent so far.
    member _.Seconds = seconds

    /// How much of the way is done, from 0 to 1, as far as the stopping rule lets that be told.
    member _.Completed = completed

    /// How many products the whole run is going to take at most; NaN where that is not known beforehand.
    member _.ForecastMatvecs = defaultArg forecastMatvecs nan

    /// Bytes that vectors and results are going to take at most; NaN where that is not known beforehand.
    member _.ForecastBytes = defaultArg forecastBytes nan

/// How sampling runs: nothing here changes what is drawn. Immutable; `Default` and the methods With… make others.
[<Sealed>]
type SamplingOptions
    private
    (
        cancellation: CancellationToken,
        progress: IProgress<SamplingProgress>,
        blockSize: int,
        checkpoint: string,
        interval: float,
        rate: ProgressRate
    ) =
    /// No cancellation, no progress, no checkpoint, and blocks of 16 vectors or as many as fit into 256 MiB.
    static member Default = SamplingOptions(CancellationToken.None, null, 0, null, infinity, ProgressRate.Default)

    /// Ends sampling early; what was found until then is returned.
    member _.Cancellation = cancellation

    /// Is told after every block; null for nobody.
    member _.Progress = progress

    /// How many vectors are multiplied together; 0 to let memory decide.
    member _.BlockSize = blockSize

    /// The file in which a run is kept; null for none.
    member _.Checkpoint = checkpoint

    /// Seconds between two times that a run which samples is written.
    member _.CheckpointInterval = interval

    /// How often the listener is told, where it is not after every block.
    member internal _.Rate = rate

    member internal _.WithRate(rate: ProgressRate) =
        SamplingOptions(cancellation, progress, blockSize, checkpoint, interval, rate)

    /// The same options without a file.
    member internal _.WithoutCheckpoint = SamplingOptions(cancellation, progress, blockSize, null, infinity, rate)

    /// The same options for one of several runs, each of which has a file of its own.
    member internal _.ForPart(number: int) =
        let own = if isNull checkpoint then null else $"{checkpoint}.{number}"
        SamplingOptions(cancellation, progress, blockSize, own, interval, rate)

    /// The same options with a token that ends sampling early.
    member _.WithCancellation(token: CancellationToken) =
        SamplingOptions(token, progress, blockSize, checkpoint, interval, rate)

    /// The same options with a listener, told after every block.
    member _.WithProgress(listener: IProgress<SamplingProgress>) =
        SamplingOptions(cancellation, listener, blockSize, checkpoint, interval, rate)

    /// The same options with another number of vectors multiplied together. Raises ArgumentRangeException for less than one.
    member _.WithBlockSize(size: int) =
        if size < 1 then
            raise (ArgumentRangeException $"WithBlockSize: a block has one vector at least, and {size} were asked for")

        SamplingOptions(cancellation, progress, size, checkpoint, interval, rate)

    /// The same options with a file in which the run is kept. Where the file exists, the run goes on from there, and comes to the same bits as one
    /// that was never interrupted, at the cost of one product, which sees that the operator is the same. Runs that sample (Hutchinson's, with
    /// any measurement) write what was measured, at the end, on cancellation too, and about once in `seconds`; estimators that keep vectors
    /// write each product as it comes, see `Checkpoint.run`.
    /// Estimators raise DataException for a file that is damaged, cannot be read or written, or belongs to another run or operator.
    /// Raises ArgumentRangeException for a time that is negative or NaN.
    member _.WithCheckpoint(path: string, seconds: float) =
        if isNull path then nullArg (nameof path)

        if not (seconds >= 0.0) then
            raise (ArgumentRangeException $"WithCheckpoint: a time cannot be negative, and it is {seconds}")

        SamplingOptions(cancellation, progress, blockSize, path, seconds, rate)

    /// The same options with a file in which the run is kept, written at the end and about once in a minute.
    member this.WithCheckpoint(path: string) = this.WithCheckpoint(path, 60.0)

/// The loop that all samplers share: draw, multiply, measure, ask whether to stop.
module internal Sampling =

    /// Bytes that a block of vectors may take.
    let private blockBytes = 1L <<< 28

    let private mostVectors = 16

    /// How many vectors are multiplied together. Depends on the operator's size only, never on the machine.
    let blockSize (options: SamplingOptions) (operator: LinearOperator) =
        if options.BlockSize > 0 then
            options.BlockSize
        else
            let bytes = Storage.Bytes operator.DType * int64 (max 1 (max operator.Rows operator.Columns))
            int (max 1L (min (int64 mostVectors) (blockBytes / bytes)))

    /// Multiplies vectors number first, first + 1, …
    let private multiply needsProduct (operator: LinearOperator) first (vectors: Tensor) : SampleBlock =
        let name row = $"probe {first + row}"

        match operator.FormsNamed with
        | ValueSome forms when not needsProduct -> SampleBlock(vectors, ValueNone, ValueSome(forms name vectors))
        | _ -> SampleBlock(vectors, ValueSome(operator.Multiply(vectors, name)), ValueNone)

    /// Time spent, now and before an interruption.
    type private Clock(earlier: float) =
        let watch = Stopwatch.StartNew()
        member _.Seconds = earlier + watch.Elapsed.TotalSeconds

    let private ledger (operator: LinearOperator) needsProduct samples seconds reason look =
        let products = if needsProduct || operator.QuadraticForms.IsNone then samples else 0
        let gradients = int64 products * int64 operator.Definition.Gradients
        Ledger(samples, products, samples - products, gradients, seconds, reason, look)

    /// An operator of no or one column is known after that many products.
    let private runExact (measurement: Measurement<'T>) (operator: LinearOperator) (accumulator: Accumulator<'T>) =
        let clock, n = Clock 0.0, operator.Columns

        if n > 0 && operator.Rows > 0 then
            Tensor.ones operator.DType [ 1; n ]
            |> Tensor.toDevice operator.Device
            |> multiply measurement.NeedsProduct operator 0
            |> accumulator.Add

        accumulator.Finish(ledger operator measurement.NeedsProduct n clock.Seconds StopReason.Exact ValueNone)

    let private watched (summary: struct (float * float * bool)[]) =
        summary
        |> Array.choose (fun struct (value, error, isWatched) ->
            if isWatched then Some(struct (value, error)) else None)

    let private report (options: SamplingOptions) rule (standing: Standing) (accumulator: Accumulator<'T>) =
        if not (isNull options.Progress) then
            match Array.tryHead accumulator.Summary with
            | Some(struct (value, error, _)) ->
                SamplingProgress(
                    standing.Samples,
                    value,
                    error,
                    standing.Seconds,
                    Stopping.completed Looks.sampling rule standing
                )
                |> options.Progress.Report
            | None -> ()

    /// Draws and multiplies vectors number first, first + 1, …
    let private draw probe (measurement: Measurement<'T>) key (operator: LinearOperator) first count =
        Probe.drawOn operator.Device probe key operator.Columns (first, count) operator.DType
        |> multiply measurement.NeedsProduct operator first

    let private identity probe (measurement: Measurement<'T>) (key: Key) (operator: LinearOperator) size : RunIdentity =
        {
            Facts =
                [
                    "the operator", string operator
                    "the key", string key
                    "the probe", string probe
                    "the result", typeof<'T>.ToString()
                    "the block size", string<int> size
                ]
            Mark = fun () -> (draw probe measurement key operator 0 1).Mark
            Tolerance = CheckpointFile.tolerance operator.DType
        }

    let private standing looks samples seconds (accumulator: Accumulator<'T>) before : Standing =
        {
            Samples = samples
            Independent = samples
            Seconds = seconds
            Look =
                if Looks.sampling.IsLook samples then
                    ValueSome(looks + Looks.sampling.Next samples - 1)
                else
                    ValueNone
            Watched = lazy (watched accumulator.Summary)
            Before = before
        }

    /// A run in memory, and in the file of the options if they have one.
    [<Sealed>]
    type private Run<'T>(options: SamplingOptions, identity: RunIdentity, accumulator: Accumulator<'T>) =
        let state = accumulator.State

        let earlier =
            if isNull options.Checkpoint then
                ValueNone
            else
                RunFile.tryRead options.Checkpoint identity (fun reader ->
                    for part in state do
                        part.Restore reader)

        let clock = Clock(earlier |> ValueOption.map _.Seconds |> ValueOption.defaultValue 0.0)
        let mutable mark = earlier |> ValueOption.map _.Mark
        let mutable saved = clock.Seconds

        member _.Seconds = clock.Seconds

        /// How many samples were in the file.
        member _.Earlier = earlier |> ValueOption.map _.Samples |> ValueOption.defaultValue 0

        member _.Add(block: SampleBlock) =
            if mark.IsNone && not (isNull options.Checkpoint) then
                mark <- ValueSome block.Mark

            accumulator.Add block

        /// Writes the file where it is time, or the run ends.
        member _.Save(samples: int, isEnd: bool) =
            if not (isNull options.Checkpoint) && (isEnd || clock.Seconds - saved >= options.CheckpointInterval) then
                let progress = { Samples = samples; Seconds = clock.Seconds; Mark = mark.Value }

                RunFile.write options.Checkpoint identity progress (fun writer ->
                    for part in state do
                        part.Save writer)

                saved <- clock.Seconds

    let private sample
        (options: SamplingOptions)
        looks
        probe
        (measurement: Measurement<'T>)
        rule
        key
        (operator: LinearOperator)
        (accumulator: Accumulator<'T>)
        =
        let size = blockSize options operator
        let run = Run(options, identity probe measurement key operator size, accumulator)
        let values () = watched accumulator.Summary
        let mutable samples = run.Earlier

        // A run that was complete stays so. What it was one sample before is not known, which PyHessian's rule alone asks for.
        let mutable reason =
            if samples = 0 then
                ValueNone
            else
                Array.create (values ()).Length nan
                |> standing looks samples run.Seconds accumulator
                |> Stopping.reason rule

        while reason.IsNone do
            let before =
                if Stopping.comparesMeans rule then
                    values () |> Array.map (fun struct (value, _) -> value)
                else
                    [||]

            let count = min size (Stopping.nextCheck Looks.sampling rule samples - samples)
            draw probe measurement key operator samples count |> run.Add
            samples <- samples + count
            let standing = standing looks samples run.Seconds accumulator before
            report options rule standing accumulator
            reason <- Stopping.reason rule standing

            if reason.IsNone && options.Cancellation.IsCancellationRequested then
                reason <- ValueSome StopReason.Cancelled

            run.Save(samples, reason.IsSome)

        let look =
            if Stopping.isAdaptive rule then
                ValueSome(looks + Looks.sampling.Next(samples - 1))
            else
                ValueNone

        let checks = if run.Earlier > 0 then 1 else 0
        let ledger = ledger operator measurement.NeedsProduct samples run.Seconds reason.Value look
        accumulator.Finish(ledger.After(checks, int64 (checks * operator.Definition.Gradients), 0.0))

    /// Measures random vectors until the rule, or the caller, says stop, where so many looks were taken before, and have to be paid for.
    let runAfter
        (looks: int)
        (options: SamplingOptions)
        (probe: Probe)
        (measurement: Measurement<'T>)
        (stop: StoppingRule)
        (key: Key)
        (operator: LinearOperator)
        : 'T =
        let accumulator = measurement.Start operator

        if operator.Columns <= 1 then
            runExact measurement operator accumulator
        else
            options.Cancellation.ThrowIfCancellationRequested()

            sample options looks probe measurement (Stopping.bounded stop) key operator accumulator

    /// Measures random vectors until the rule, or the caller, says stop.
    let run options probe (measurement: Measurement<'T>) stop key operator : 'T =
        runAfter 0 options probe measurement stop key operator
