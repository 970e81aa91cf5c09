namespace Curvature

open Curvature.FSharp

/// What a measurement has seen so far.
[<AbstractClass>]
type internal Accumulator<'T>() =
    abstract Add: SampleBlock -> unit

    /// The summary of each quantity, and whether a stopping rule watches it.
    abstract Summaries: struct (Summary * bool)[]

    abstract Finish: Ledger -> 'T

    /// All that was seen, so that a run can go on from it.
    abstract State: ISavable list
