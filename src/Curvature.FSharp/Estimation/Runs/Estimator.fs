namespace Curvature

open System.Diagnostics
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
    /// It is square, and the products of its transpose are known.
    | SquareWithTranspose = 4

/// How an estimator proceeds.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Procedure<'T> =
    /// The mean of what a measurement says of independent random vectors of a probe.
    | Samples of Probe * Measurement<'T>
    /// Random vectors are kept, and more of them sharpen the same estimate.
    | Sketch of (Key -> LinearOperator -> SketchIncremental<'T>)
    /// A number of products, which the rule must have, is divided beforehand.
    | Division of (int -> Key -> LinearOperator -> Incremental<'T>)
    /// Vectors are kept as long as they pay, by the rule, which ends by itself.
    | Plan of (StoppingRule -> Key -> LinearOperator -> Incremental<'T>)

/// What an estimator is.
[<NoEquality; NoComparison>]
type internal EstimatorDefinition<'T> =
    {
        Name: string
        Need: OperatorNeed
        /// The fewest products from which it has an estimate.
        Least: int
        /// All columns are taken at once where there are no more than these products; 0 to let the rule decide.
        FirstStage: int
        /// How the result follows from all columns, where it does.
        Exact: ExactResult<'T> option
        Procedure: Procedure<'T>
    }

    /// Whether it keeps vectors. Then its error need not fall like that of independent samples, and a file keeps its
    /// products.
    member definition.KeepsVectors =
        match definition.Procedure with
        | Procedure.Samples _ -> false
        | _ -> true

    /// Whether it cannot go without a number of products.
    member definition.NeedsLimit =
        match definition.Procedure with
        | Procedure.Division _ -> true
        | _ -> false

    /// Begins a run.
    member definition.Start (rule: StoppingRule) (key: Key) (operator: LinearOperator) : Incremental<'T> =
        match definition.Procedure with
        | Procedure.Samples(probe, measurement) -> MeanOfSamples(probe, measurement, key, operator)
        | Procedure.Sketch start -> start key operator
        | Procedure.Division start -> start (Stopping.limit rule) key operator
        | Procedure.Plan start -> start rule key operator

/// A way to estimate something of an operator: a value, made by the modules of the methods and run by `Estimate.run`.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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

    member internal this.Text = this.ToString()

module internal Estimator =

    /// An estimator that leaves it to the rule when to stop.
    let make name need least exact (procedure: Procedure<'T>) : Estimator<'T> =
        Estimator
            {
                Name = name
                Need = need
                Least = least
                FirstStage = 0
                Exact = exact
                Procedure = procedure
            }

    /// The same estimator under another name.
    let named name (estimator: Estimator<'T>) : Estimator<'T> = Estimator { estimator.Definition with Name = name }
