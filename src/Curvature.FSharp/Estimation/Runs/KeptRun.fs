namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// A run, and its file if the options have one: the time that it took, before an interruption too, and what
/// identifying the operator cost.
[<Sealed>]
type internal KeptRun(options: RunOptions, blockSize: int, saved: SavedRun voption, operator: LinearOperator) =
    /// The file, and the run that it holds.
    let kept =
        match options.Checkpoint with
        | null -> ValueNone
        | path -> saved |> ValueOption.map (fun run -> struct (path, run))

    let watch = Stopwatch.StartNew()
    let mutable questions = 0

    let ask (run: SavedRun) =
        questions <- questions + 1
        run.Ask()

    let identity (run: SavedRun) : RunIdentity =
        {
            Facts = run.Facts @ [ "the block size", string<int> blockSize ]
            Mark = fun () -> ask run
            Tolerance = CheckpointFile.tolerance operator.DType
        }

    let earlier =
        match kept with
        | ValueSome(struct (path, run)) ->
            RunFile.tryRead path (identity run) (fun reader ->
                for part in run.Parts do
                    part.Restore reader)
        | ValueNone -> ValueNone

    let seconds () = (earlier |> ValueOption.map _.Seconds |> ValueOption.defaultValue 0.0) + watch.Elapsed.TotalSeconds

    let mutable written = seconds ()

    let write products struct (path: string, run: SavedRun) =
        let mark = run.Mark() |> ValueOption.defaultWith (fun () -> ask run)
        let progress = { Samples = products; Seconds = seconds (); Mark = mark }

        RunFile.write path (identity run) progress (fun writer ->
            for part in run.Parts do
                part.Save writer)

        written <- seconds ()

    member _.Seconds = seconds ()

    /// How many products were taken to identify the operator.
    member _.Questions = questions

    /// Whether a file held the beginning of the run.
    member _.IsResumed = earlier.IsSome

    /// Writes the file where it is time, or the run ends.
    member _.Save(products: int, isEnd: bool) =
        if isEnd || seconds () - written >= options.CheckpointInterval then
            kept |> ValueOption.iter (write products)
