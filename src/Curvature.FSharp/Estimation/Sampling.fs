namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How far an estimator is.
[<Sealed>]
type SamplingProgress internal (samples: int, value: float, standardError: float, seconds: float, completed: float) =
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

/// How sampling runs: nothing here changes what is drawn. Immutable; `Default` and the methods With… make others.
[<Sealed>]
type SamplingOptions private (cancellation: CancellationToken, progress: IProgress<SamplingProgress>, blockSize: int) =
    /// No cancellation, no progress, and blocks of 16 vectors or as many as fit into 256 MiB.
    static member Default = SamplingOptions(CancellationToken.None, null, 0)

    /// Ends sampling early; what was found until then is returned.
    member _.Cancellation = cancellation

    /// Is told after every block; null for nobody.
    member _.Progress = progress

    /// How many vectors are multiplied together; 0 to let memory decide.
    member _.BlockSize = blockSize

    /// The same options with a token that ends sampling early.
    member _.WithCancellation(token: CancellationToken) = SamplingOptions(token, progress, blockSize)

    /// The same options with a listener, told after every block.
    member _.WithProgress(listener: IProgress<SamplingProgress>) = SamplingOptions(cancellation, listener, blockSize)

    /// The same options with another number of vectors multiplied together. Raises ArgumentRangeException for less than one.
    member _.WithBlockSize(size: int) =
        if size < 1 then
            raise (ArgumentRangeException $"WithBlockSize: a block has one vector at least, and {size} were asked for")

        SamplingOptions(cancellation, progress, size)

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

    type private Clock() =
        let watch = Stopwatch.StartNew()
        member _.Seconds = watch.Elapsed.TotalSeconds

    let private ledger (operator: LinearOperator) needsProduct samples seconds reason look =
        let products = if needsProduct || operator.QuadraticForms.IsNone then samples else 0
        let gradients = int64 products * int64 operator.Definition.Gradients
        Ledger(samples, products, samples - products, gradients, seconds, reason, look)

    /// An operator of no or one column is known after that many products.
    let private runExact (measurement: Measurement<'T>) (operator: LinearOperator) (accumulator: Accumulator<'T>) =
        let clock, n = Clock(), operator.Columns

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
        let clock, size = Clock(), blockSize options operator
        let values () = watched accumulator.Summary
        let mutable samples = 0
        let mutable reason = ValueNone
        let mutable look = ValueNone

        while reason.IsNone do
            let before =
                if Stopping.comparesMeans rule then
                    values () |> Array.map (fun struct (value, _) -> value)
                else
                    [||]

            let count = min size (Stopping.nextCheck Looks.sampling rule samples - samples)

            Probe.drawOn operator.Device probe key operator.Columns (samples, count) operator.DType
            |> multiply measurement.NeedsProduct operator samples
            |> accumulator.Add

            samples <- samples + count

            let standing =
                {
                    Samples = samples
                    Independent = samples
                    Seconds = clock.Seconds
                    Look =
                        if Looks.sampling.IsLook samples then
                            ValueSome(looks + Looks.sampling.Next samples - 1)
                        else
                            ValueNone
                    Watched = lazy (values ())
                    Before = before
                }

            report options rule standing accumulator
            reason <- Stopping.reason rule standing

            if reason.IsNone && options.Cancellation.IsCancellationRequested then
                reason <- ValueSome StopReason.Cancelled

        if Stopping.isAdaptive rule then
            look <- ValueSome(looks + Looks.sampling.Next(samples - 1))

        accumulator.Finish(ledger operator measurement.NeedsProduct samples clock.Seconds reason.Value look)

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
