namespace Curvature.FSharp

open Curvature

/// What is wanted of a diagonal that is being estimated: its entries, or their sums over ranges.
[<NoEquality; NoComparison>]
type internal DiagonalGoal<'T> =
    {
        Length: int
        /// [k; n] → [k; Length], Float64.
        Reduce: Tensor -> Tensor
        /// The factor of the spread of estimates that leave out one of k vectors of n, from the least one, n and k.
        Inflation: float -> int -> int -> float
        /// From values and standard errors, Float64 [Length].
        Finish: Tensor -> Tensor -> Ledger -> 'T
    }

module internal DiagonalGoal =

    /// The entries of the diagonal.
    let entries (operator: LinearOperator) : DiagonalGoal<Estimate<Tensor>> =
        {
            Length = operator.Columns
            Reduce = Tensor.convert DType.Float64
            Inflation = LeaveOneOutError.inflationOfEntries
            Finish = Estimates.vector
        }

    /// The traces of the diagonal blocks of ranges.
    let blockTraces what (blocks: ParameterBlock seq) (operator: LinearOperator) : DiagonalGoal<BlockTrace[]> =
        let blocks = Seq.toArray blocks
        Measurement.checkBlocks what blocks operator

        let sums (rows: Tensor) =
            blocks
            |> Array.map (fun block ->
                Tensor.slice 1 block.Offset block.Size rows |> Tensor.convert DType.Float64 |> Tensor.sumAxes [ 1 ])
            |> List.ofArray
            |> Tensor.stack 1

        let finish (values: Tensor) (errors: Tensor) ledger =
            Array.map3
                (fun block value error -> BlockTrace(block, Estimates.scalar value error ledger))
                blocks
                (values.ToArray())
                (errors.ToArray())

        {
            Length = blocks.Length
            Reduce = sums
            Inflation = LeaveOneOutError.inflation
            Finish = finish
        }

/// Σ base + the mean of corrections by one random vector each, for a goal.
[<Sealed>]
type internal DiagonalSamples<'T>(goal: DiagonalGoal<'T>, operator: LinearOperator) =
    let full shape (value: float) = Tensor.full DType.Float64 shape value |> Tensor.toDevice operator.Device
    let mutable start = full [ goal.Length ] 0.0
    let corrections = RunningVectorMoments(goal.Length, operator.Device)
    let missed = RunningVectorMoments(goal.Length, operator.Device)
    let sampled = RunningVectorMoments(goal.Length, operator.Device)

    /// Adds what all estimates have in common: rows of entries, which are summed.
    member _.AddBase(rows: Tensor) = start <- start + Tensor.sumAxes [ 0 ] (goal.Reduce rows)

    /// The same, for a number that is added to every entry.
    member this.AddBaseEverywhere(value: float) = this.AddBase(full [ 1; operator.Columns ] value)

    /// Adds a correction by each of the rows.
    member _.AddCorrections(rows: Tensor) = corrections.AddRows(goal.Reduce rows)

    /// Adds the part ω∘Bω of a correction, where B is what the other random vectors have missed of the operator.
    member _.AddSampled(rows: Tensor) = sampled.AddRows(goal.Reduce rows)

    /// Adds the variance that one direction each would contribute, had it been missed: ρ²·p(1 + p), where p is the share of the squared direction
    /// that belongs to what is wanted. (The variance of ρ·(ωᵇ·uᵇ)(ω·u) for normal ω; 2ρ² where everything belongs to it.)
    member _.AddMissed(squares: Tensor, excess: float[]) =
        let p = goal.Reduce squares

        let weights =
            excess
            |> Array.map (fun rho -> rho * rho)
            |> Tensor.ofArray [ excess.Length; 1 ]
            |> Tensor.toDevice operator.Device

        missed.AddRows(weights * p * (1.0 + p))

    /// Value and standard error from k vectors, where the variance of the corrections is multiplied by the goal's
    /// factor, at least this one, and that of what was missed by a share, and each entry is uncertain by this much,
    /// or by the rounding of the largest, in any case.
    member _.Combine(least: float, k: int, share: float, uncertainty: float) : struct (Tensor * Tensor) =
        let inflation = goal.Inflation least operator.Columns k
        let spread = sqrt inflation * corrections.StandardError
        let entries = full [ 1; operator.Columns ] uncertainty |> goal.Reduce |> Tensor.squeeze 0
        let largest = start.ToArray() |> Array.fold (fun most x -> max most (abs x)) 0.0
        let rounding = entries + Rounding.ofProduct operator.DType largest
        let variance = Tensor.square spread + share * missed.Mean + Tensor.square rounding
        struct (start + corrections.Mean, Tensor.sqrt variance)

    /// The length of the standard deviations of one sample of what was missed.
    member _.Spread: float = sampled.Deviation
