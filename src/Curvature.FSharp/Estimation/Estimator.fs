namespace Curvature

open Curvature.FSharp

/// What an estimator needs an operator to be, by its shape or its claims.
type OperatorNeed =
    /// Any operator will do.
    | Nothing = 0
    /// It is square.
    | Square = 1
    /// It is square and claims to be symmetric.
    | Symmetric = 2
    /// It is square and claims to be positive semidefinite.
    | Semidefinite = 3

/// Numbers by which an interrupted run is recognised, and all that it had seen.
[<NoEquality; NoComparison>]
type internal SavedRun =
    {
        /// Names of what must be the same, with their values.
        Facts: (string * string) list
        /// Asks the operator for the number by which it is recognised.
        Ask: unit -> float
        /// The same number from the first block, once that was multiplied.
        Mark: unit -> float voption
        Parts: ISavable list
    }

/// What every estimator is to the loop that runs it: independent samples and sketches that grow alike.
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

    /// Of each quantity, and whether a stopping rule watches it. It may cost a product that Advance saved, and may find that
    /// everything is known.
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

/// How an estimator works.
[<NoEquality; NoComparison>]
type internal EstimatorDefinition<'T> =
    {
        Name: string
        Need: OperatorNeed
        /// The fewest products from which it has an estimate.
        Least: int
        /// All columns are taken at once where there are no more than these products; 0 to let the rule decide.
        FirstStage: int
        /// Whether it keeps vectors. Then its error need not fall like that of independent samples, and the products are what a file keeps.
        KeepsVectors: bool
        /// Whether it divides a number of products beforehand, and cannot go without one.
        NeedsLimit: bool
        /// How the result follows from all columns, where it does.
        Exact: ExactResult<'T> option
        /// From the rule, which ends by itself, the key and the operator.
        Start: StoppingRule -> Key -> LinearOperator -> Incremental<'T>
    }

/// A way to estimate something of an operator: a value, made by the modules of the methods and run by `Estimate.run`.
[<Sealed; NoEquality; NoComparison>]
type Estimator<'T> internal (definition: EstimatorDefinition<'T>) =
    /// What the method is called.
    member _.Name = definition.Name

    /// What it needs an operator to be.
    member _.Need = definition.Need

    /// The fewest products from which it has an estimate, of an operator that has as many columns or more.
    member _.LeastMatvecs = definition.Least

    /// Whether it keeps the vectors that it multiplies, in memory.
    member _.KeepsVectors = definition.KeepsVectors

    member internal _.Definition = definition

    override _.ToString() = definition.Name

module internal Estimator =

    /// One that keeps its vectors.
    let keepingVectors name need least exact (start: Key -> LinearOperator -> Incremental<'T>) : Estimator<'T> =
        Estimator
            {
                Name = name
                Need = need
                Least = least
                FirstStage = 0
                KeepsVectors = true
                NeedsLimit = false
                Exact = exact
                Start = fun _ key operator -> start key operator
            }

    /// One that divides a number of products, which it is told, between a sketch and samples of what that misses.
    let dividing name need least exact (start: int -> Key -> LinearOperator -> Incremental<'T>) : Estimator<'T> =
        Estimator
            {
                Name = name
                Need = need
                Least = least
                FirstStage = 0
                KeepsVectors = true
                NeedsLimit = true
                Exact = exact
                Start = fun rule key operator -> start (Stopping.limit rule) key operator
            }
