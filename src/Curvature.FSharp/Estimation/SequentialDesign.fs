namespace Curvature.FSharp

open System

/// An error that a rule wants to reach.
[<NoEquality; NoComparison>]
type internal Target =
    {
        Error: float
        /// Whether the error is a share of the value.
        IsRelative: bool
        Confidence: float
        /// False for estimators that keep vectors.
        IsIndependent: bool
    }

/// What to do at an interim analysis.
[<RequireQualifiedAccess; NoComparison>]
type internal Decision =
    | Stop
    /// In independent numbers, as Summary.Independent.
    | ContinueTo of samples: int

/// When a rule with a target analyses what was found, and what it may conclude. Analysis j spends the share δ/((j + 1)(j + 2)) of the risk δ.
module internal SequentialDesign =

    /// In vectors, of which XTrace multiplies two for each.
    let private growing = LookPlan(8, 4, 1.3)

    let private plan (target: Target) = if target.IsIndependent then Looks.sampling else growing

    /// The samples after which the first interim analysis takes place.
    let first (target: Target) : int = (plan target).At 0

    let private allowed (target: Target) (summary: Summary) =
        if target.IsRelative then target.Error * abs summary.Value else target.Error

    let private factorAt analysis (summary: Summary) confidence =
        Looks.quantile summary.Independent (Looks.share analysis (1.0 - confidence))

    /// What to do at an interim analysis, given all until now, the newest last.
    let decide (target: Target) (history: Summary list) : Decision =
        let newest, count = List.last history, history.Length
        let isFew = newest.Independent < 2

        if not isFew && factorAt (count - 1) newest target.Confidence * newest.StandardError <= allowed target newest then
            Decision.Stop
        else
            let plan = plan target
            Decision.ContinueTo(plan.At(plan.Next newest.Independent))

    /// The power of 1/m by which the error fell since the analysis before the last; 2 before it was seen to fall, as for eigenvalues 1,
    /// 1/4, 1/9, …
    let private power (history: Summary list) =
        match List.rev history with
        | newest :: before when not before.IsEmpty && newest.StandardError > 0.0 ->
            let older = before[min 1 (before.Length - 1)]

            if Double.IsFinite older.StandardError && older.Independent < newest.Independent then
                log (older.StandardError / newest.StandardError)
                / log (float newest.Independent / float older.Independent)
                |> max 0.5
                |> min 50.0
            else
                2.0
        | _ -> 2.0

    /// How many samples are expected in all: the error falls like 1/√m for independent ones, and like a power seen for others.
    let forecast (target: Target) (history: Summary list) : float =
        match List.tryLast history with
        | None -> float (first target)
        | Some newest when newest.Independent < 2 -> infinity
        | Some newest ->
            let ratio =
                factorAt history.Length newest target.Confidence * newest.StandardError / allowed target newest

            let power = if target.IsIndependent then 0.5 else power history
            float newest.Independent * max 1.0 (Math.Pow(ratio, 1.0 / power))

    /// Half the width of the interval at a confidence, in standard errors, for a run that ended after these analyses (none: a fixed count).
    let factor (confidence: float) (history: Summary list) (final: Summary) : float =
        match List.tryLast history with
        | None -> Looks.quantile final.Independent (1.0 - confidence)
        | Some newest ->
            let analysis = if newest.Independent = final.Independent then history.Length - 1 else history.Length
            factorAt analysis final confidence
