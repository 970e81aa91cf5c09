namespace Curvature.FSharp

open System
open Curvature

/// The interim analyses of a run: what they found, and what the targets of the rule conclude from it. All targets
/// share them.
[<Sealed>]
type internal InterimAnalyses(rule: StoppingRule, isIndependent: unit -> bool) =
    /// Of each quantity that is watched, the newest last.
    let mutable histories: Summary list[] = [||]
    let mutable watchesNothing = false

    let target simple = (Stopping.target (isIndependent ()) simple).Value

    let newest () = histories |> Array.map List.last |> Array.minBy _.Independent

    /// What the target concludes from each quantity.
    let decisions target = histories |> Array.map (SequentialDesign.decide target)

    /// The independent numbers at the next analysis for a target. Where it is reached and the run goes on for another
    /// reason, that is after half as many samples more.
    let next target independent : int =
        match histories with
        | [||] when watchesNothing -> 3 * (independent + 1) / 2
        | [||] -> max (SequentialDesign.first target) (independent + 1)
        | _ ->
            decisions target
            |> Array.map (fun decision ->
                match decision with
                | Decision.Stop -> 3 * (newest ()).Independent / 2
                | Decision.ContinueTo samples -> samples)
            |> Array.max

    /// The products at which there will be so many independent numbers.
    let products (spent: int) (cost: int) (independent: int) (samples: float) =
        float spent + max 1.0 (samples - float independent) * float cost

    /// Whether the rule has targets.
    member val HasTargets = Stopping.hasTarget rule

    /// Of the first quantity that is watched.
    member _.History: Summary list = if histories.Length = 0 then [] else histories[0]

    /// Whether the newest analysis was made of so many independent numbers.
    member _.IsNewest(independent: int) = histories.Length > 0 && (newest ()).Independent = independent

    /// Adds an analysis of the quantities that are watched.
    member _.Record(summaries: Summary[]) =
        watchesNothing <- summaries.Length = 0

        if histories.Length = 0 then
            histories <- summaries |> Array.map List.singleton
        else
            if histories.Length <> summaries.Length then
                Fail.data (
                    $"the checkpoint is of a run that watches {histories.Length} quantities, "
                    + $"and this one watches {summaries.Length}"
                )

            histories <- Array.map2 (fun history summary -> history @ [ summary ]) histories summaries

    /// Forgets all analyses, where another way of estimating begins.
    member _.Restart() = histories <- [||]

    /// Whether every quantity has reached the target, by the newest analysis.
    member _.IsReached(target: Target) : bool = histories.Length > 0 && decisions target |> Array.forall _.IsStop

    /// The products at which the rule wants to be asked next, where so many independent numbers came from so many
    /// products.
    member _.NextCheck(spent: int, costOfVector: int, independent: int) : float =
        let ofTarget simple = products spent costOfVector independent (float (next (target simple) independent))
        Stopping.nextCheck ofTarget spent rule

    /// The products at which the rule is expected to end.
    member _.Expected(spent: int, costOfVector: int, independent: int, seconds: float) : float =
        let ofTarget simple =
            let target = target simple

            if histories.Length = 0 then
                products spent costOfVector independent (float (SequentialDesign.first target))
            else
                histories
                |> Array.map (SequentialDesign.forecast target >> products spent costOfVector independent)
                |> Array.max

        Stopping.expected ofTarget spent seconds rule

    interface ISavable with
        member _.Save writer =
            writer.Write histories.Length

            for history in histories do
                writer.Write history.Length

                for s in history do
                    for number in [ s.Value; s.StandardError; s.Spread; s.Skewness; s.Dimension ] do
                        writer.Write number

                    writer.Write s.Independent
                    writer.Write s.IsExact

        member _.Restore reader =
            let summary _ : Summary =
                let numbers = Array.init 5 (fun _ -> reader.ReadDouble())

                { Summaries.ofMean 0 numbers[0] numbers[1] with
                    Spread = numbers[2]
                    Skewness = numbers[3]
                    Dimension = numbers[4]
                    Independent = reader.ReadWithin(Int32.MaxValue, "independent numbers")
                    IsExact = reader.ReadBoolean()
                }

            // Analyses are at least a sample apart, so that there are no more of them than samples.
            let most = 1 + reader.Samples

            let history _ =
                match List.init (reader.ReadWithin(most, "analyses")) summary with
                | [] -> reader.Damaged "a history has no analysis"
                | analyses -> analyses

            histories <- Array.init (reader.ReadWithin(1 <<< 20, "histories")) history
