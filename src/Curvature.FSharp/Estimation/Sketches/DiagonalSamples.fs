namespace Curvature.FSharp

open Curvature

/// The estimate of a diagonal by leaving out one random vector at a time: a sum that all have in common, and the mean
/// of a correction by each.
[<Sealed>]
type internal DiagonalSamples<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator) =
    let mutable start = Tensor.zeros DType.Float64 [ goal.Length ] |> Tensor.toDevice operator.Device
    let corrections = RunningVectorMoments(goal.Length, operator.Device)
    let missed = RunningVectorMoments(goal.Length, operator.Device)
    let sampled = RunningVectorMoments(goal.Length, operator.Device)

    /// Adds what all estimates have in common: rows of entries, which are summed.
    member _.AddBase(rows: Tensor) = start <- start + DiagonalGoal.sum goal rows

    /// The same, for a number that is added to every entry.
    member _.AddBaseEverywhere(value: float) = start <- start + DiagonalGoal.everywhere goal operator value

    /// Adds a correction by each of the rows.
    member _.AddCorrections(rows: Tensor) = corrections.AddRows(goal.Reduce rows)

    /// Adds the part ω∘Bω of a correction, where B is what the other random vectors have missed of the operator.
    member _.AddSampled(rows: Tensor) = sampled.AddRows(goal.Reduce rows)

    /// Adds the variance that a direction u with Rayleigh quotient ρ would contribute, had it been missed: ρ²·p(1 + p),
    /// where p is the share of the squared direction that belongs to what is wanted. That is the variance of
    /// ρ·(ωᵇ·uᵇ)(ω·u) for normal ω and the part b of the vectors, and 2ρ² where everything belongs to it.
    member _.AddMissed(squares: Tensor, rayleighQuotients: float[]) =
        let p = goal.Reduce squares

        let weights =
            rayleighQuotients
            |> Array.map (fun rho -> rho * rho)
            |> Tensor.ofArray [ rayleighQuotients.Length; 1 ]
            |> Tensor.toDevice operator.Device

        missed.AddRows(weights * p * (1.0 + p))

    /// Value and standard error from k vectors. The variance of the corrections is multiplied by the goal's factor,
    /// at least this one, and that of what was missed by a share. Each entry has at least this uncertainty and the
    /// rounding of the largest.
    member _.Combine(least: float, k: int, share: float, uncertainty: float) : struct (Tensor * Tensor) =
        let inflation = goal.Inflation least operator.Columns k
        let spread = sqrt inflation * corrections.StandardError
        let entries = DiagonalGoal.everywhere goal operator uncertainty
        let largest = start.ToArray() |> Array.fold (fun most x -> max most (abs x)) 0.0
        let rounding = entries + Rounding.ofProduct operator.DType largest
        let variance = Tensor.square spread + share * missed.Mean + Tensor.square rounding
        struct (start + corrections.Mean, Tensor.sqrt variance)

    /// The length of the standard deviations of one sample of what was missed.
    member _.Spread: float = sampled.Deviation
