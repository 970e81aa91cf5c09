namespace Curvature.FSharp

open System
open Curvature

/// Running estimators. An estimator is a value, which the module of its method makes; see Hutchinson, XTrace,
/// XNysTrace, HutchPlusPlus and the others.
[<RequireQualifiedAccess>]
module Estimate =

    let private requireProducts (definition: EstimatorDefinition<'T>) stop (operator: LinearOperator) =
        let limit, least = Stopping.limit stop, min definition.Least operator.Columns

        if limit < least then
            Fail.range $"{definition.Name}: {least} products at least are needed, and {limit} are allowed"

        if definition.NeedsLimit && limit = Int32.MaxValue then
            Fail.range (
                $"{definition.Name}: it divides a number of products, and the rule {stop} has none; "
                + "see StoppingRule.matvecs"
            )

    /// Runs an estimator, with options for cancellation, progress, block size and a checkpoint; see `run`.
    let runWith (options: RunOptions) (estimator: Estimator<'T>) stop key (operator: LinearOperator) : 'T =
        let definition = estimator.Definition
        Requirements.need definition.Name definition.Need operator
        requireProducts definition stop operator

        let run options operator = SequentialRun(options, definition, stop, key, operator).Run()

        if definition.KeepsVectors then
            Checkpoint.keeping options operator run
        else
            run options operator

    /// Runs an estimator on an operator until the rule says stop; the same key gives the same random vectors. Where
    /// the rule has an error to reach, and taking all columns is allowed and expected to be cheaper, all columns are
    /// taken, and the result is exact. It says so, as in "(exact up to rounding, from 370 products; sampling would
    /// have taken about 7,000)". Raises OperatorException for an operator that is not what the estimator needs, or
    /// whose products contradict its claims, NonFiniteException for products that are NaN or infinite (naming the
    /// vector), ArgumentRangeException for a rule that allows fewer products than the estimator needs, and
    /// OperationCanceledException when cancelled before anything was found. Later, it returns what was found, with
    /// the reason Cancelled.
    let run (estimator: Estimator<'T>) stop key (operator: LinearOperator) : 'T =
        runWith RunOptions.Default estimator stop key operator
