namespace Curvature.FSharp

open Curvature

/// Reports of progress while a spectrum is sampled: before the first product, the products and bytes that all of it
/// will take; after each block of vectors, the trace that they show.
[<Sealed; NoEquality; NoComparison>]
type internal SpectralProgress(options: RunOptions, wanted: int, matvecs: float, bytes: float) =
    let mutable traces = RunningMoments()

    let reporter = ProgressReporter options
    let forecast = { Samples = float wanted; Matvecs = matvecs; Bytes = bytes }

    let report isRequired seconds =
        reporter.Report(
            isRequired,
            fun () ->
                let value = if traces.Count = 0 then nan else traces.Mean
                let width = IntervalWidth.ofSamples traces.Count
                SamplingProgress(traces.Count, value, traces.StandardError, seconds, forecast, width)
        )

    /// Before the first product.
    member _.Start() = report true 0.0

    /// After a block of vectors, with a trace from each.
    member _.Add(seconds: float, block: float[]) =
        block |> Array.iter traces.Add
        // The last report is made at the end.
        if traces.Count < wanted then report false seconds

    /// At the end, or where the run was cancelled.
    member _.Finish(seconds: float) = report true seconds

    /// The vectors so far do not count.
    member _.Restart() = traces <- RunningMoments()
