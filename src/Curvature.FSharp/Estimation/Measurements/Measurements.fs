namespace Curvature.FSharp

open Curvature

/// What to learn from random vectors z, E zzᵀ = I, and their products Az. Measurements combine; what is combined shares
/// the products.
[<RequireQualifiedAccess>]
module Measurement =

    let private ofEntries (shape: ProbeShape) samples = SampleLaw.ofEntries shape.IsSign shape.Touched samples
    let private ofSquares (shape: ProbeShape) samples = SampleLaw.ofSquares shape.Touched samples

    /// tr A = E zᵀAz (Girard 1989, Hutchinson 1990). The only measurement that can do with quadratic forms instead of
    /// products.
    let trace: Measurement<Estimate<float>> =
        Measurement(
            false,
            (fun operator ->
                OperatorParts.requireSquare "Measurement.trace" operator
                Accumulators.scalar operator _.Forms Estimates.sampled),
            ExactResult.ofDiagonal ExactResult.sum
        )

    /// diag A = E z∘Az, with a standard error for each entry, all Float64 [n] (Bekas, Kokiopoulou & Saad 2007, without
    /// the division). A stopping rule sees the norms of value and standard errors.
    let diagonal: Measurement<Estimate<Tensor>> =
        Measurement(
            true,
            (fun operator ->
                OperatorParts.requireSquare "Measurement.diagonal" operator
                Accumulators.vector operator operator.Columns ofEntries _.Weighted Estimates.sampledVector),
            ExactResult.ofDiagonal (fun dtype diagonal ->
                ExactResult.elements dtype (Tensor.ofArray [ diagonal.Length ] diagonal))
        )

    let private ofSquaredLengths finish ofTotal : Measurement<Estimate<float>> =
        Measurement(
            true,
            (fun operator -> Accumulators.scalar operator _.SquaredLengths finish),
            ExactResult.ofSquares (fun rounding squares ->
                ofTotal (rounding squares.Size) (Array.sum (squares.ToArray())))
        )

    /// ‖A‖²_F = E ‖Az‖².
    let squaredFrobenius: Measurement<Estimate<float>> =
        ofSquaredLengths Estimates.sampled (fun rounding total -> Estimates.scalar total (2.0 * rounding * total))

    /// ‖A‖_F, the root of squaredFrobenius; its interval's ends are the roots of that one's. A stopping rule sees the
    /// square.
    let frobenius: Measurement<Estimate<float>> =
        ofSquaredLengths Estimates.scalarRoot (fun rounding total ->
            Estimates.scalar (sqrt total) (rounding * sqrt total))

    let private ofRowSquares finish ofTotals : Measurement<Estimate<Tensor>> =
        let squares (block: SampleBlock) = Tensor.square (Tensor.convert DType.Float64 block.Product)

        Measurement(
            true,
            (fun operator -> Accumulators.vector operator operator.Rows ofSquares squares finish),
            ExactResult.ofSquares (fun rounding squares -> ofTotals (rounding 1) squares)
        )

    /// ‖row i of A‖² = E (Az)_i² for each row, Float64 [m].
    let squaredRowNorms: Measurement<Estimate<Tensor>> =
        ofRowSquares Estimates.sampledVector (fun rounding squares ->
            Estimates.vector squares (2.0 * rounding * squares))

    /// ‖row i of A‖ for each row, Float64 [m]; a stopping rule sees the squares.
    let rowNorms: Measurement<Estimate<Tensor>> =
        ofRowSquares Estimates.vectorRoot (fun rounding squares ->
            let norms = Tensor.sqrt squares
            Estimates.vector norms (rounding * norms))

    let internal checkBlocks what (blocks: ParameterBlock[]) (operator: LinearOperator) =
        OperatorParts.requireSquare what operator

        if blocks.Length = 0 then Fail.range $"{what}: there are no blocks"

        for block in blocks do
            if block.Offset < 0 || block.Size < 1 || block.Offset + block.Size > operator.Columns then
                Fail.range (
                    $"{what}: block {block.Name} of {block.Size} elements from {block.Offset} "
                    + $"is not within the {operator.Columns} of {operator.Name}"
                )

    /// The trace of the diagonal block of each range: E of zᵀAz restricted to it. A stopping rule sees their norms.
    /// Raises ArgumentRangeException for ranges outside the operator, or none.
    let blockTraces (blocks: ParameterBlock seq) : Measurement<BlockTrace[]> =
        let blocks = Seq.toArray blocks

        let ofDiagonal dtype (diagonal: float[]) ledger =
            blocks
            |> Array.map (fun block ->
                let entries = diagonal[block.Offset .. block.Offset + block.Size - 1]
                BlockTrace(block, ExactResult.sum dtype entries ledger))

        Measurement(
            true,
            (fun operator ->
                checkBlocks "Measurement.blockTraces" blocks operator
                Accumulators.blockTraces operator blocks),
            ExactResult.ofDiagonal ofDiagonal,
            blocks |> Array.map (fun block -> struct (block.Offset, block.Size))
        )

    /// diag A as Σ z∘Az / Σ z∘z (Bekas, Kokiopoulou & Saad 2007): biased, but for normal probes of less variance than
    /// `diagonal`, about Σ_{j≠i} A_ij²/(m − 2) an entry. The standard errors are those of a ratio of means, infinite
    /// for an entry that a single probe has touched. With signs it is the same as `diagonal`. Raises
    /// OperatorException for an entry that no probe has touched: sparse probes need enough samples.
    let diagonalRatio: Measurement<Estimate<Tensor>> =
        Measurement(
            true,
            fun operator ->
                OperatorParts.requireSquare "Measurement.diagonalRatio" operator
                Accumulators.ratio operator ofEntries
        )

    // ---- combining

    /// Both of two measurements, from the same products. A stopping rule watches both.
    let both (first: Measurement<'A>) (second: Measurement<'B>) : Measurement<'A * 'B> =
        Measurement(
            first.NeedsProduct || second.NeedsProduct,
            (fun operator -> Accumulators.both (first.Start operator) (second.Start operator)),
            ?exact = Option.map2 ExactResult.both first.Exact second.Exact
        )

    let private derived summaries (finish: 'A -> 'B) (measurement: Measurement<'A>) : Measurement<'B> =
        Measurement(
            measurement.NeedsProduct,
            (fun operator -> measurement.Start operator |> Accumulators.map summaries finish),
            ?exact = Option.map (ExactResult.map finish) measurement.Exact
        )

    /// What a function makes of a measurement's result.
    let map (f: 'A -> 'B) (measurement: Measurement<'A>) : Measurement<'B> = derived id f measurement

    /// The same measurement, without a say in when to stop: a stopping rule on errors does not watch it.
    let unwatched (measurement: Measurement<'T>) : Measurement<'T> =
        derived (Array.map (fun struct (summary, _) -> struct (summary, false))) id measurement

    /// All of several measurements of one kind, from the same products.
    let all (measurements: Measurement<'T> list) : Measurement<'T list> =
        let nothing =
            Measurement(false, (fun _ -> Accumulators.constant []), { NeedsProduct = false; Finish = fun _ _ -> [] })

        List.foldBack
            (fun measurement rest -> both measurement rest |> map (fun (head, tail) -> head :: tail))
            measurements
            nothing
