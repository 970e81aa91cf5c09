namespace Curvature.FSharp

open Curvature

/// What is wanted of a diagonal: its entries, or their sums over ranges.
[<NoEquality; NoComparison>]
type internal DiagonalGoal<'T> =
    {
        Length: int
        /// [k; n] → [k; Length], Float64.
        Reduce: Tensor -> Tensor
        /// The factor of the spread of estimates that leave out one of k vectors of n, from the least one, n and k.
        Inflation: float -> int -> int -> float
        /// The law of so many reduced samples z∘Bz.
        Law: ProbeShape -> int -> SampleLaw
        /// From the law of samples, values and standard errors, Float64 [Length].
        Finish: SampleLaw -> Tensor -> Tensor -> Ledger -> 'T
    }

module internal DiagonalGoal =

    /// The entries of the diagonal.
    let entries (operator: LinearOperator) : DiagonalGoal<Estimate<Tensor>> =
        {
            Length = operator.Columns
            Reduce = Tensor.convert DType.Float64
            Inflation = LeaveOneOutError.inflationOfEntries
            Law = fun shape samples -> SampleLaw.ofEntries shape.IsSign shape.Touched samples
            Finish = Estimates.sampledVector
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

        let finish law (values: Tensor) (errors: Tensor) ledger =
            Array.map3
                (fun block value error -> BlockTrace(block, Estimates.sampled law value error ledger))
                blocks
                (values.ToArray())
                (errors.ToArray())

        {
            Length = blocks.Length
            Reduce = sums
            Inflation = LeaveOneOutError.inflation
            Law = fun shape samples -> SampleLaw.ofEntries false shape.Touched samples
            Finish = finish
        }

    /// What is wanted of the sum of rows.
    let sum (goal: DiagonalGoal<'T>) (rows: Tensor) : Tensor = Tensor.sumAxes [ 0 ] (goal.Reduce rows)

    /// What is wanted of a diagonal whose entries are all the same.
    let everywhere (goal: DiagonalGoal<'T>) (operator: LinearOperator) (value: float) : Tensor =
        Tensor.full DType.Float64 [ 1; operator.Columns ] value
        |> Tensor.toDevice operator.Device
        |> goal.Reduce
        |> Tensor.squeeze 0

    /// The length of the standard deviations of samples, as rows.
    let deviation (goal: DiagonalGoal<'T>) (device: Kernels.Device) (samples: Tensor seq) : float =
        let moments = RunningVectorMoments(goal.Length, device)
        samples |> Seq.iter (goal.Reduce >> moments.AddRows)
        moments.Deviation
