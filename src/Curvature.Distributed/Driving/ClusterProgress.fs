namespace Curvature

open System
open System.Diagnostics

/// What a cluster has done so far. Immutable.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ClusterProgress internal (engine: string, workers: int, shards: int, questions: int64, bytes: int64) =
    /// The engine.
    member _.Engine = engine

    /// How many workers there are.
    member _.Workers = workers

    /// How many groups of batches the risk has.
    member _.Shards = shards

    /// How many questions have been answered: blocks of products or forms, gradients, losses.
    member _.Questions = questions

    /// How many bytes have been moved between processes.
    member _.BytesMoved = bytes

    override _.ToString() = $"{workers} workers, {shards} shards, {questions} questions, {bytes} bytes moved ({engine})"

    member internal this.Text = this.ToString()

/// How a driver uses a cluster. Immutable; every With-method gives a changed copy.
[<Sealed; NoEquality; NoComparison>]
type ClusterOptions private (progress: IProgress<ClusterProgress> | null) =
    /// Nobody is told of progress.
    static member Default = ClusterOptions null

    /// Who is told after every question; null for nobody.
    member _.Progress = progress

    /// Tells somebody after every question, on the thread that asks.
    member _.WithProgress(progress: IProgress<ClusterProgress> | null) = ClusterOptions progress
