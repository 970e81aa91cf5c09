namespace Curvature.Tests.Unit

open System
open Curvature

/// Collects progress on the thread that reports it, and then passes each report on.
type RecordedProgress(next: SamplingProgress -> unit) =

    new() = RecordedProgress ignore

    member val Reports = ResizeArray<SamplingProgress>()

    interface IProgress<SamplingProgress> with
        member this.Report value =
            this.Reports.Add value
            next value
