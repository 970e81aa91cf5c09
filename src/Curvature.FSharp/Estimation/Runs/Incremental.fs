namespace Curvature

open Curvature.FSharp

/// What a file keeps of a run: what identifies it, and its state.
[<NoEquality; NoComparison>]
type internal SavedRun =
    {
        /// Names of what must be the same, with their values.
        Facts: (string * string) list
        /// Takes a product for the number that identifies the operator.
        Ask: unit -> float
        /// The same number from the first block, once that was multiplied.
        Mark: unit -> float voption
        Parts: ISavable list
    }

/// An estimator on its way: what the loop that runs it sees of it, whether it samples or keeps vectors.
[<AbstractClass>]
type internal Incremental<'T>() =
    /// The most products that one more random vector costs.
    abstract CostOfVector: int

    default _.CostOfVector = 1

    /// What was asked of the operator so far.
    abstract Spent: Cost

    /// Whether it takes quadratic forms next, and not products.
    abstract TakesForms: bool

    default _.TakesForms = false

    /// How many independent numbers the standard errors rest on.
    abstract Samples: int

    /// Whether nothing is left to estimate.
    abstract IsExact: bool

    /// Whether the estimator itself has found enough.
    abstract IsDone: bool

    default _.IsDone = false

    /// How many products it expects to take in all, where it plans that itself; NaN where the rule decides.
    abstract Expected: float

    default _.Expected = nan

    /// Multiplies this many more random vectors, or fewer where a part of its plan ends before.
    abstract Advance: count: int -> unit

    /// The summary of each quantity, and whether a stopping rule watches it. It may cost a product that Advance
    /// saved, and may find that everything is known.
    abstract Summaries: struct (Summary * bool)[]

    abstract Finish: Ledger -> 'T

    /// Whether the errors are those of independent samples, for an estimator that may keep vectors at first.
    abstract IsIndependent: bool

    default _.IsIndependent = false

    /// Whether it keeps vectors of which more may let the error fall faster than that of samples.
    abstract MayFallFaster: bool

    default _.MayFallFaster = true

    /// Whether it has given up its vectors for samples, so that interim analyses begin anew.
    abstract HasBegunAnew: bool

    default _.HasBegunAnew = false

    /// What can be kept in a file; nothing where products are kept instead.
    abstract Saved: SavedRun voption

    default _.Saved = ValueNone
