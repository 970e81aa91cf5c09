namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How a run proceeds: nothing here changes what is drawn. Immutable; `Default` and the methods With… make others.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type RunOptions =
    internal
        {
            Token: CancellationToken
            Listener: IProgress<SamplingProgress> | null
            ListenerRate: ProgressRate
            VectorsInBlock: int
            File: string | null
            SavingInterval: float
        }

    /// What `BlockSize` is where no number was chosen: memory decides.
    static member AutomaticBlockSize = 0

    /// No cancellation, no progress, no checkpoint, and blocks of 16 vectors or as many as fit into 256 MiB.
    static member Default =
        {
            Token = CancellationToken.None
            Listener = null
            ListenerRate = ProgressRate.Default
            VectorsInBlock = RunOptions.AutomaticBlockSize
            File = null
            SavingInterval = infinity
        }

    /// Ends a run early, after the block of products at hand. The result is what was found until then, with the
    /// reason Cancelled. OperationCanceledException is raised where that is nothing, before the first product, or
    /// where part of a result is none, as of an exact one. Every function that takes these options keeps to that.
    member options.Cancellation = options.Token

    /// Is told before the first product, then after blocks of products, and at the end; null for nobody.
    member options.Progress = options.Listener

    /// Seconds between two reports at least; the first and the last are always made.
    member options.ProgressInterval = options.ListenerRate.Seconds

    /// How many vectors are multiplied together, or `AutomaticBlockSize`.
    member options.BlockSize = options.VectorsInBlock

    /// The file in which a run is kept; null for none.
    member options.Checkpoint = options.File

    /// Seconds between two times that a run which samples is written.
    member options.CheckpointInterval = options.SavingInterval

    /// How often the listener is told.
    member internal options.Rate = options.ListenerRate

    /// The same options without a file.
    member internal options.WithoutCheckpoint = { options with File = null; SavingInterval = infinity }

    /// The same options for one of several runs, each of which has a file to itself.
    member internal options.ForPart(number: int) =
        { options with
            File =
                match options.File with
                | null -> null
                | file -> $"{file}.{number}"
        }

    /// How many vectors are multiplied together. Depends on the operator's size only, never on the machine.
    member internal options.BlockSizeFor(operator: LinearOperator) =
        if options.VectorsInBlock <> RunOptions.AutomaticBlockSize then
            options.VectorsInBlock
        else
            let blockBytes, mostVectors = 1L <<< 28, 16L
            let bytes = Storage.Bytes operator.DType * int64 (max 1 (max operator.Rows operator.Columns))
            int (max 1L (min mostVectors (blockBytes / bytes)))

    /// The same options with a token that ends a run early.
    member options.WithCancellation(token: CancellationToken) = { options with Token = token }

    /// The same options with a listener, told ten times a second at most.
    member options.WithProgress(listener: IProgress<SamplingProgress> | null) =
        options.WithProgress(listener, ProgressRate.Default.Seconds)

    /// The same options with a listener, and the seconds between two reports at least: 0 for one after every block.
    /// Raises ArgumentRangeException for a time that is negative or NaN.
    member options.WithProgress(listener: IProgress<SamplingProgress> | null, seconds: float) =
        { options with
            Listener = listener
            ListenerRate = options.ListenerRate.WithSeconds "WithProgress" seconds
        }

    /// The same options with another measure of how often the listener is told.
    member internal options.WithRate(rate: ProgressRate) = { options with ListenerRate = rate }

    /// The same options with another number of vectors multiplied together. Raises ArgumentRangeException for less than
    /// one.
    member options.WithBlockSize(size: int) =
        if size < 1 then
            Fail.range $"WithBlockSize: a block has one vector at least, and {size} were asked for"

        { options with VectorsInBlock = size }

    /// The same options with a file in which the run is kept. Where the file exists, the run goes on from there, and
    /// comes to the same bits as one that was never interrupted, at the cost of one product, which sees that the
    /// operator is the same. Runs that sample (Hutchinson's, with any measurement) write what was measured, at the end,
    /// on cancellation too, and about once in `seconds`. Estimators that keep vectors write each product as it comes,
    /// see `Checkpoint.run`.
    /// Estimators raise DataException for a file that is damaged, cannot be read or written, or belongs to another run
    /// or operator. Raises ArgumentRangeException for a time that is negative or NaN.
    member options.WithCheckpoint(path: string, seconds: float) =
        ArgumentNullException.ThrowIfNull(path, nameof path)

        if not (seconds >= 0.0) then
            Fail.range $"WithCheckpoint: a time cannot be negative, and it is {seconds}"

        { options with File = path; SavingInterval = seconds }

    /// The same options with a file in which the run is kept, written at the end and about once in a minute.
    member options.WithCheckpoint(path: string) = options.WithCheckpoint(path, 60.0)

    override options.ToString() =
        let size =
            if options.VectorsInBlock = RunOptions.AutomaticBlockSize then
                "blocks of automatic size"
            else
                $"""blocks of {Describe.count options.VectorsInBlock "vector"}"""

        let listener = if isNull options.Listener then "" else ", with progress"

        match options.File with
        | null -> $"{size}{listener}"
        | _ -> $"{size}{listener}, with a checkpoint"

    member internal this.Text = this.ToString()

/// Reports to the listener of options, as often as these allow.
[<Sealed>]
type internal ProgressReporter(options: RunOptions) =
    let pace = ProgressPace options.Rate

    /// Tells the listener what a function makes, if there is one and it is time, or the report may not be left out.
    member _.Report(isRequired: bool, make: unit -> SamplingProgress) = pace.Report(options.Progress, isRequired, make)
