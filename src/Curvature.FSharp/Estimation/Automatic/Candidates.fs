namespace Curvature.FSharp

open System
open Curvature

/// An estimator that keeps vectors, among those to choose from.
[<NoEquality; NoComparison>]
type internal SketchCandidate<'T> =
    {
        Name: string
        Need: OperatorNeed
        Begin: Key -> LinearOperator -> SketchIncremental<'T>
    }

/// What is chosen among: the first sketch that fits an operator, and samples of a measurement.
[<NoEquality; NoComparison>]
type internal Candidates<'T> =
    {
        Sketches: SketchCandidate<'T> list
        Probe: Probe
        Measurement: Measurement<'T>
        /// Bytes that vectors which are kept may take.
        Memory: int64
    }

module internal Candidates =

    /// Sorts estimators. Raises ArgumentRangeException for those that cannot be chosen among.
    let ofEstimators (memory: int64) (estimators: Estimator<Estimate<'T>> list) : Candidates<Estimate<'T>> =
        if memory < 0L then
            Fail.range $"Automatic: memory cannot be negative, and it is {memory}"

        let definitions = estimators |> List.map _.Definition

        let sketch (definition: EstimatorDefinition<_>) =
            match definition.Procedure with
            | Procedure.Samples _ -> None
            | Procedure.Sketch start -> Some { Name = definition.Name; Need = definition.Need; Begin = start }
            | Procedure.Division _
            | Procedure.Plan _ ->
                Fail.range (
                    $"Automatic: {definition.Name} cannot be a candidate, because it plans its products itself; "
                    + "candidates are Hutchinson's estimator and those that add one vector after the other, as XTrace"
                )

        let samples =
            definitions
            |> List.choose (fun definition ->
                match definition.Procedure with
                | Procedure.Samples(probe, measurement) -> Some(struct (probe, measurement))
                | _ -> None)

        match samples with
        | [ struct (probe, measurement) ] ->
            {
                Sketches = definitions |> List.choose sketch
                Probe = probe
                Measurement = measurement
                Memory = memory
            }
        | _ ->
            Fail.range (
                "Automatic: one of the candidates must be Hutchinson's estimator, which is taken where no other fits, "
                + $"and {samples.Length} of them are"
            )

    /// What a claim, or its absence, says for a candidate.
    let private describe (need: OperatorNeed) (isMet: bool) =
        let claims what =
            if isMet then
                $"the operator claims to be {what}"
            else
                $"the operator does not claim to be {what}"

        match need with
        | OperatorNeed.Semidefinite -> claims "semidefinite"
        | OperatorNeed.Symmetric -> claims "symmetric"
        | OperatorNeed.SquareWithTranspose ->
            if isMet then
                "the products of the transpose are known"
            else
                "the products of the transpose are not known"
        | _ -> "the operator is square"

    /// The first sketch that fits an operator, where one does, and what speaks for it or against the last: that it fits
    /// where it is the first, else that the one before does not.
    let fitting
        (candidates: Candidates<'T>)
        (operator: LinearOperator)
        : struct (SketchCandidate<'T> voption * string) =
        let rec find before (sketches: SketchCandidate<'T> list) =
            match sketches with
            | [] -> struct (ValueNone, before |> ValueOption.defaultValue "there is no other candidate")
            | candidate :: _ when Requirements.isMet candidate.Need operator ->
                let claim = before |> ValueOption.defaultWith (fun () -> describe candidate.Need true)
                struct (ValueSome candidate, claim)
            | candidate :: others -> find (ValueSome(describe candidate.Need false)) others

        find ValueNone candidates.Sketches

    /// What a result of all columns says of itself.
    let ofColumns (estimate: Estimate<'T>) : ChosenEstimate<'T> =
        let forecast = estimate.Ledger.Forecast

        let reason =
            if Double.IsFinite forecast then
                $"there are {estimate.Samples}, and other ways were expected to take about {forecast:N0} products"
            else
                $"there are only {estimate.Samples}, and as many products are allowed"

        ChosenEstimate(estimate, "all columns", reason)
