namespace Curvature

open System
open System.Threading
open Curvature.FSharp

/// What a run is expected to take in all; NaN for what cannot be told.
[<NoEquality; NoComparison>]
type internal RunForecast =
    {
        Samples: float
        Matvecs: float
        Bytes: float
    }

    /// A product or a quadratic form a sample.
    static member OfSamples(expected: float) = { Samples = expected; Matvecs = expected; Bytes = nan }

/// How far a run is.
[<Sealed>]
type SamplingProgress
    internal
    (samples: int, value: float, standardError: float, seconds: float, forecast: RunForecast, width: IntervalWidth) =
    let expected = forecast.Samples

    /// How many products or quadratic forms were taken so far; for spectra, how many random vectors are complete.
    member _.Samples = samples

    /// The first quantity measured, or its norm; NaN where nothing is known yet.
    member _.Value = value

    /// Its standard error; infinite for fewer than two samples.
    member _.StandardError = standardError

    /// Where the first quantity lies with this confidence, as `Estimate.Interval` would say were this the end. Raises ArgumentRangeException
    /// where there is only one sample, or for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        if samples < 2 then
            Fail.range $"an error bar needs two samples at least, and there are {samples}"

        IntervalWidth.requireConfidence confidence
        let struct (below, above) = width.Reach confidence
        let error reach = if Double.IsInfinity reach then infinity else reach * standardError
        Interval(value - error below, value + error above, confidence, width.IsSequential)

    /// Time spent so far.
    member _.Seconds = seconds

    /// How many samples the run is expected to take in all, as far as the stopping rule and what was seen let that be told; NaN where they do
    /// not.
    member _.ExpectedSamples = expected

    /// How many seconds that is expected to take in all; NaN before the first product.
    member _.ExpectedSeconds = if samples = 0 then nan else seconds * expected / float samples

    /// How many products or quadratic forms the run is expected to take in all; NaN where that cannot be told.
    member _.ForecastMatvecs = forecast.Matvecs

    /// How many bytes it is expected to hold at the most; NaN where that cannot be told.
    member _.ForecastBytes = forecast.Bytes

    /// How much of the way is done, from 0 to 1, as far as that can be told. It is 1 only in the last report.
    member _.Completed =
        if Double.IsNaN expected then 0.0
        elif expected <= float samples then 1.0
        else float samples / expected

/// How a run proceeds: nothing here changes what is drawn. Immutable; `Default` and the methods With… make others.
[<Sealed>]
type RunOptions
    private
    (
        cancellation: CancellationToken,
        progress: struct (IProgress<SamplingProgress> * ProgressRate),
        blockSize: int,
        checkpoint: string,
        interval: float
    ) =
    let struct (listener, rate) = progress

    /// Bytes that a block of vectors may take.
    static let blockBytes = 1L <<< 28

    static let mostVectors = 16

    /// No cancellation, no progress, no checkpoint, and blocks of 16 vectors or as many as fit into 256 MiB.
    static member Default = RunOptions(CancellationToken.None, struct (null, ProgressRate.Default), 0, null, infinity)

    /// Ends a run early, after the block of products at hand. What was found until then is returned, with the reason Cancelled. Where that is
    /// nothing, before the first product, or where part of a result is none, as of an exact one, OperationCanceledException
    /// is raised. Every function that takes these options keeps to that.
    member _.Cancellation = cancellation

    /// Is told before the first product, then after blocks of products, and at the end; null for nobody.
    member _.Progress = listener

    /// Seconds between two reports at least; the first and the last are always made.
    member _.ProgressInterval = rate.Seconds

    /// How many vectors are multiplied together; 0 to let memory decide.
    member _.BlockSize = blockSize

    /// The file in which a run is kept; null for none.
    member _.Checkpoint = checkpoint

    /// Seconds between two times that a run which samples is written.
    member _.CheckpointInterval = interval

    /// The same options without a file.
    member internal _.WithoutCheckpoint = RunOptions(cancellation, progress, blockSize, null, infinity)

    /// The same options for one of several runs, each of which has a file of its own.
    member internal _.ForPart(number: int) =
        let path = if isNull checkpoint then null else $"{checkpoint}.{number}"
        RunOptions(cancellation, progress, blockSize, path, interval)

    /// How many vectors are multiplied together. Depends on the operator's size only, never on the machine.
    member internal _.BlockSizeFor(operator: LinearOperator) =
        if blockSize > 0 then
            blockSize
        else
            let bytes = Storage.Bytes operator.DType * int64 (max 1 (max operator.Rows operator.Columns))
            int (max 1L (min (int64 mostVectors) (blockBytes / bytes)))

    /// The same options with a token that ends a run early.
    member _.WithCancellation(token: CancellationToken) = RunOptions(token, progress, blockSize, checkpoint, interval)

    /// The same options with a listener, told ten times a second at most.
    member this.WithProgress(listener: IProgress<SamplingProgress>) =
        this.WithProgress(listener, ProgressRate.Default.Seconds)

    /// The same options with a listener, and the seconds between two reports at least: 0 for one after every block.
    /// Raises ArgumentRangeException for a time that is negative or NaN.
    member _.WithProgress(listener: IProgress<SamplingProgress>, seconds: float) =
        let rate = rate.WithSeconds "WithProgress" seconds
        RunOptions(cancellation, struct (listener, rate), blockSize, checkpoint, interval)

    /// How often the listener is told.
    member internal _.Rate = rate

    /// The same options with another measure of how often the listener is told.
    member internal _.WithRate(rate: ProgressRate) =
        RunOptions(cancellation, struct (listener, rate), blockSize, checkpoint, interval)

    /// The same options with another number of vectors multiplied together. Raises ArgumentRangeException for less than one.
    member _.WithBlockSize(size: int) =
        if size < 1 then
            Fail.range $"WithBlockSize: a block has one vector at least, and {size} were asked for"

        RunOptions(cancellation, progress, size, checkpoint, interval)

    /// The same options with a file in which the run is kept. Where the file exists, the run goes on from there, and comes to the same bits as one
    /// that was never interrupted, at the cost of one product, which sees that the operator is the same. Runs that sample (Hutchinson's, with
    /// any measurement) write what was measured, at the end, on cancellation too, and about once in `seconds`; estimators that keep vectors
    /// write each product as it comes, see `Checkpoint.run`.
    /// Estimators raise DataException for a file that is damaged, cannot be read or written, or belongs to another run or operator.
    /// Raises ArgumentRangeException for a time that is negative or NaN.
    member _.WithCheckpoint(path: string, seconds: float) =
        if isNull path then nullArg (nameof path)

        if not (seconds >= 0.0) then
            Fail.range $"WithCheckpoint: a time cannot be negative, and it is {seconds}"

        RunOptions(cancellation, progress, blockSize, path, seconds)

    /// The same options with a file in which the run is kept, written at the end and about once in a minute.
    member this.WithCheckpoint(path: string) = this.WithCheckpoint(path, 60.0)

/// Reports to the listener of options, as often as these allow.
[<Sealed>]
type internal ProgressReporter(options: RunOptions) =
    let pace = ProgressPace options.Rate

    /// Tells the listener what a function makes, if there is one and it is time, or the report may not be left out.
    member _.Report(isRequired: bool, make: unit -> SamplingProgress) = pace.Report(options.Progress, isRequired, make)
