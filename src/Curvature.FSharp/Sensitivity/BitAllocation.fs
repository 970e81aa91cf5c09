namespace Curvature.FSharp

open System
open Curvature

/// One of several choices for each of some items, of least total score within a budget of total cost: the
/// multiple-choice knapsack.
module internal BitAllocation =

    /// Cost and score of each choice for one item.
    [<NoEquality; NoComparison>]
    type Item = { Costs: int64[]; Scores: float[] }

    /// A step from one choice of an item to a more expensive one on the lower convex hull of its choices.
    [<Struct; NoEquality; NoComparison>]
    type private HullStep = { Cost: int64; Gain: float }

    /// The cheapest choice of an item, and the steps from there, the best gain for its cost first.
    let private hull (item: Item) : struct (int64 * float) * HullStep list =
        let points = Array.zip item.Costs item.Scores |> Array.sort |> Array.distinctBy fst |> List.ofArray

        let slope (c0: int64, s0: float) (c1: int64, s1: float) = (s0 - s1) / float (c1 - c0)

        let rec climb from points =
            match points |> List.filter (fun (cost, score) -> cost > fst from && score < snd from) with
            | [] -> []
            | better ->
                // The steepest; the farthest of those that are equally steep.
                let next = better |> List.maxBy (fun point -> struct (slope from point, fst point))
                { Cost = fst next - fst from; Gain = snd from - snd next } :: climb next points

        let first = points.Head
        struct (fst first, snd first), climb first points

    /// What is left of the items from some position on when choices may be mixed: the linear relaxation.
    [<Sealed>]
    type private Relaxation(hulls: (struct (int64 * float) * HullStep list)[]) =
        let cost = hulls |> Array.sumBy (fun (struct (cost, _), _) -> cost)
        let score = hulls |> Array.sumBy (fun (struct (_, score), _) -> score)

        let steps =
            hulls
            |> Array.collect (fun (_, steps) -> List.toArray steps)
            |> Array.sortBy (fun step -> -step.Gain / float step.Cost)

        let costs = steps |> Array.scan (fun sum step -> sum + step.Cost) 0L
        let gains = steps |> Array.scan (fun sum step -> sum + step.Gain) 0.0

        /// The least cost of the items.
        member _.Cost = cost

        /// No choices within this budget score less than the first number; the second is the score of some that are
        /// within it.
        member _.Bounds(budget: int64) : struct (float * float) =
            let free = budget - cost
            let found = Array.BinarySearch(costs, free)
            // The number of steps that fit as a whole.
            let count = if found >= 0 then found else ~~~found - 1
            let whole = score - gains[count]

            if count = steps.Length then
                whole, whole
            else
                let step = steps[count]
                whole - step.Gain * float (free - costs[count]) / float step.Cost, whole

    /// A choice for each of the first items, the last one first, with their total cost and score.
    [<NoEquality; NoComparison>]
    type private PartialChoice = { Cost: int64; Score: float; Choices: int list }

    /// Of states in order of cost, those that score less than all cheaper ones.
    let private undominated (states: PartialChoice seq) : PartialChoice[] =
        let mutable least = infinity

        [|
            for state in states |> Seq.sortBy (fun state -> struct (state.Cost, state.Score)) do
                if state.Score < least then
                    least <- state.Score
                    state
        |]

    /// The choices of least total score whose total cost is within the budget, by dynamic programming over the states
    /// that no other one dominates (Nemhauser & Ullmann 1969), less those that the linear relaxation of what is left
    /// shows to be worse than choices already known. The result is optimal. Nothing where even the cheapest choices
    /// cost too much.
    let solve (budget: int64) (items: Item[]) : int[] option =
        // Large items first: they decide most.
        let order = Array.init items.Length id |> Array.sortBy (fun i -> -(Array.max items[i].Costs))
        let hulls = order |> Array.map (fun i -> hull items[i])
        let rest = Array.init (items.Length + 1) (fun i -> Relaxation hulls[i..])

        if rest[0].Cost > budget then
            None
        else
            let scale = items |> Array.sumBy (fun item -> item.Scores |> Array.sumBy abs)
            let mutable known = infinity

            let extend position (states: PartialChoice[]) =
                let item, left = items[order[position]], rest[position + 1]

                let next =
                    [|
                        for state in states do
                            for choice in 0 .. item.Costs.Length - 1 do
                                let cost = state.Cost + item.Costs[choice]

                                if cost + left.Cost <= budget then
                                    {
                                        Cost = cost
                                        Score = state.Score + item.Scores[choice]
                                        Choices = choice :: state.Choices
                                    }
                    |]
                    |> undominated

                let bounds = next |> Array.map (fun state -> left.Bounds(budget - state.Cost))

                for i in 0 .. next.Length - 1 do
                    let struct (_, reachable) = bounds[i]
                    known <- min known (next[i].Score + reachable)

                // Sums in another order may differ by rounding.
                let limit = known + 1e-12 * scale

                [|
                    for i in 0 .. next.Length - 1 do
                        let struct (bound, _) = bounds[i]
                        if next[i].Score + bound <= limit then next[i]
                |]

            let mutable states = [| { Cost = 0L; Score = 0.0; Choices = [] } |]

            for position in 0 .. items.Length - 1 do
                states <- extend position states

            let best = states |> Array.minBy _.Score
            let choices = Array.zeroCreate items.Length
            List.rev best.Choices |> List.iteri (fun position choice -> choices[order[position]] <- choice)
            Some choices
