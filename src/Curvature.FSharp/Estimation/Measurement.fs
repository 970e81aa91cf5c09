namespace Curvature

open System
open Curvature.FSharp

/// The trace of the diagonal block that belongs to a range.
[<Sealed; NoEquality; NoComparison>]
type BlockTrace internal (block: ParameterBlock, trace: Estimate<float>) =
    /// The range.
    member _.Block = block

    /// Its trace.
    member _.Trace = trace

    override _.ToString() = $"{block.Name}: {trace}"

/// What to learn from random vectors z and their products Az. Made and combined by the functions of the module Measurement.
[<Sealed; NoEquality; NoComparison>]
type Measurement<'T> internal (needsProduct: bool, start: LinearOperator -> Accumulator<'T>, ?exact: ExactResult<'T>) =
    /// Whether the product Az is needed, or zᵀAz is enough.
    member _.NeedsProduct = needsProduct

    /// Whether all columns of an operator make the result exact.
    member _.HasExactResult = exact.IsSome

    member internal _.Start(operator: LinearOperator) = start operator

    member internal _.Exact = exact

namespace Curvature.FSharp

open System
open Curvature

/// What to learn from random vectors z, E zzᵀ = I, and their products Az. Measurements combine, and what is combined shares the products.
[<RequireQualifiedAccess>]
module Measurement =

    let private scalar needsProduct prepare (sample: SampleBlock -> float[]) finish exact =
        Measurement(
            needsProduct,
            (fun operator ->
                prepare operator
                let moments = FormMoments()

                let error (ledger: Ledger) =
                    if ledger.IsExact then
                        Rounding.ofProduct operator.DType moments.Mean
                    else
                        moments.StandardError

                { new Accumulator<_>() with
                    member _.Add block = moments.Add(block.Vectors, sample block)
                    member _.Summaries = [| struct (Summaries.ofForms moments, true) |]
                    member _.Finish ledger = finish moments.Law moments.Mean (error ledger) ledger
                    member _.State = [ moments ]
                }),
            exact
        )

    let private vector prepare length law (sample: SampleBlock -> Tensor) finish exact =
        Measurement(
            true,
            (fun (operator: LinearOperator) ->
                prepare operator
                let moments = RunningVectorMoments(length operator, operator.Device)
                let shape = ProbeShape()
                let dimension = ErrorDimension(length operator, operator.Device)

                let error (ledger: Ledger) =
                    if ledger.IsExact then
                        Rounding.ofElements operator.DType moments.Mean
                    else
                        moments.StandardError

                { new Accumulator<_>() with
                    member _.Add block =
                        let rows = sample block
                        shape.Add block.Vectors
                        moments.AddRows rows
                        dimension.AddRows rows

                    member _.Summaries = [| struct (Summaries.ofVectorMoments moments dimension, true) |]
                    member _.Finish ledger = finish (law shape moments.Count) moments.Mean (error ledger) ledger
                    member _.State = [ moments; dimension; shape ]
                }),
            exact
        )

    let private ofEntries (shape: ProbeShape) samples = SampleLaw.ofEntries shape.IsSign shape.Touched samples
    let private ofSquares (shape: ProbeShape) samples = SampleLaw.ofSquares shape.Touched samples

    /// tr A = E zᵀAz (Girard 1989, Hutchinson 1990). The only measurement that can do with quadratic forms instead of products.
    let trace: Measurement<Estimate<float>> =
        ExactResult.ofDiagonal ExactResult.sum
        |> scalar false (OperatorParts.requireSquare "Measurement.trace") _.Forms Estimates.sampled

    /// diag A = E z∘Az, with a standard error for each entry, all Float64 [n] (Bekas, Kokiopoulou & Saad 2007, without the division).
    /// A stopping rule sees the norms of value and standard errors.
    let diagonal: Measurement<Estimate<Tensor>> =
        ExactResult.ofDiagonal (fun dtype diagonal ->
            ExactResult.elements dtype (Tensor.ofArray [ diagonal.Length ] diagonal))
        |> vector
            (OperatorParts.requireSquare "Measurement.diagonal")
            _.Columns
            ofEntries
            _.Weighted
            Estimates.sampledVector

    /// ‖A‖²_F = E ‖Az‖².
    let squaredFrobenius: Measurement<Estimate<float>> =
        ExactResult.ofSquares (fun rounding squares ->
            let total = Array.sum (squares.ToArray())
            Estimates.scalar total (2.0 * rounding squares.Size * total))
        |> scalar true ignore _.SquaredLengths Estimates.sampled

    /// ‖A‖_F, the root of squaredFrobenius; its interval's ends are the roots of that one's. A stopping rule sees the square.
    let frobenius: Measurement<Estimate<float>> =
        ExactResult.ofSquares (fun rounding squares ->
            let norm = sqrt (Array.sum (squares.ToArray()))
            Estimates.scalar norm (rounding squares.Size * norm))
        |> scalar true ignore _.SquaredLengths Estimates.scalarRoot

    let private squaresOfRows (block: SampleBlock) = Tensor.square (Tensor.convert DType.Float64 block.Product)

    /// ‖row i of A‖² = E (Az)_i² for each row, Float64 [m].
    let squaredRowNorms: Measurement<Estimate<Tensor>> =
        ExactResult.ofSquares (fun rounding squares -> Estimates.vector squares (2.0 * rounding 1 * squares))
        |> vector ignore _.Rows ofSquares squaresOfRows Estimates.sampledVector

    /// ‖row i of A‖ for each row, Float64 [m]; a stopping rule sees the squares.
    let rowNorms: Measurement<Estimate<Tensor>> =
        ExactResult.ofSquares (fun rounding squares ->
            let norms = Tensor.sqrt squares
            Estimates.vector norms (rounding 1 * norms))
        |> vector ignore _.Rows ofSquares squaresOfRows Estimates.vectorRoot

    let internal checkBlocks what (blocks: ParameterBlock[]) (operator: LinearOperator) =
        OperatorParts.requireSquare what operator

        if blocks.Length = 0 then Fail.range $"{what}: there are no blocks"

        for block in blocks do
            if block.Offset < 0 || block.Size < 1 || block.Offset + block.Size > operator.Columns then
                Fail.range
                    $"{what}: block {block.Name} of {block.Size} elements from {block.Offset} is not within the {operator.Columns} of {operator.Name}"

    /// The trace of the diagonal block of each range: E of zᵀAz restricted to it. A stopping rule sees their norms.
    /// Raises ArgumentRangeException for ranges outside the operator, or none.
    let blockTraces (blocks: ParameterBlock seq) : Measurement<BlockTrace[]> =
        let blocks = Seq.toArray blocks

        let exact =
            ExactResult.ofDiagonal (fun dtype diagonal ledger ->
                blocks
                |> Array.map (fun block ->
                    let entries = diagonal[block.Offset .. block.Offset + block.Size - 1]
                    BlockTrace(block, ExactResult.sum dtype entries ledger)))

        Measurement(
            true,
            (fun operator ->
                checkBlocks "Measurement.blockTraces" blocks operator
                let moments = blocks |> Array.map (fun _ -> FormMoments())
                let dimension = ErrorDimension(blocks.Length, operator.Device)

                { new Accumulator<_>() with
                    member _.Add sample =
                        let forms (block: ParameterBlock) =
                            Tensor.slice 1 block.Offset block.Size sample.Weighted
                            |> Tensor.sumAxes [ 1 ]
                            |> Tensor.convert DType.Float64

                        let traces = blocks |> Array.map forms
                        let add (own: FormMoments) (traces: Tensor) = own.Add(sample.Vectors, traces.ToArray())
                        Array.iter2 add moments traces
                        dimension.AddRows(Tensor.stack 1 (List.ofArray traces))

                    member _.Summaries = [| struct (Summaries.ofMany moments dimension, true) |]

                    member _.Finish ledger =
                        Array.map2
                            (fun block (own: FormMoments) ->
                                let error =
                                    if ledger.IsExact then
                                        Rounding.ofProduct operator.DType own.Mean
                                    else
                                        own.StandardError

                                BlockTrace(block, Estimates.sampled own.Law own.Mean error ledger))
                            blocks
                            moments

                    member _.State = [ yield dimension; yield! Seq.cast moments ]
                }),
            exact
        )

    /// diag A as Σ z∘Az / Σ z∘z (Bekas, Kokiopoulou & Saad 2007): biased, but for normal probes of less variance than `diagonal`,
    /// about Σ_{j≠i} A_ij²/(m − 2) an entry. The standard errors are those of a ratio of means, infinite
    /// for an entry that a single probe has touched. With signs it is the same as `diagonal`.
    /// An entry that no probe has touched is an OperatorException: sparse probes need enough samples.
    let diagonalRatio: Measurement<Estimate<Tensor>> =
        Measurement(
            true,
            fun operator ->
                OperatorParts.requireSquare "Measurement.diagonalRatio" operator
                let sums = RunningRatios(operator.Columns, operator.Device)
                let shape = ProbeShape()

                { new Accumulator<_>() with
                    member _.Add block =
                        shape.Add block.Vectors
                        sums.AddRows(block.Weighted, Tensor.square block.Vectors)

                    member _.Summaries =
                        [| struct (Summaries.ofVector sums.Count sums.Value (lazy sums.StandardError), true) |]

                    member _.Finish ledger =
                        if sums.Untouched > 0 then
                            Fail.operator
                                $"Measurement.diagonalRatio: {sums.Untouched} of {operator.Columns} entries were 0 in all {sums.Count} probes; take more samples or denser probes"

                        let error =
                            if ledger.IsExact then
                                Rounding.ofElements operator.DType sums.Value
                            else
                                sums.StandardError

                        Estimates.sampledVector (ofEntries shape sums.Count) sums.Value error ledger

                    member _.State = [ sums; shape ]
                }
        )

    // ---- combining

    /// Both of two measurements, from the same products. A stopping rule watches both.
    let both (first: Measurement<'A>) (second: Measurement<'B>) : Measurement<'A * 'B> =
        Measurement(
            first.NeedsProduct || second.NeedsProduct,
            (fun operator ->
                let a, b = first.Start operator, second.Start operator

                { new Accumulator<_>() with
                    member _.Add block =
                        a.Add block
                        b.Add block

                    member _.Summaries = Array.append a.Summaries b.Summaries
                    member _.Finish ledger = a.Finish ledger, b.Finish ledger
                    member _.State = a.State @ b.State
                }),
            ?exact = Option.map2 ExactResult.both first.Exact second.Exact
        )

    /// A measurement whose accumulator and exact result are made of those of another.
    let private derived (measurement: Measurement<'A>) accumulator exact : Measurement<'B> =
        Measurement(
            measurement.NeedsProduct,
            (fun operator -> accumulator (measurement.Start operator)),
            ?exact = Option.map exact measurement.Exact
        )

    /// What a function makes of a measurement's result.
    let map (f: 'A -> 'B) (measurement: Measurement<'A>) : Measurement<'B> =
        let accumulator (inner: Accumulator<'A>) =
            { new Accumulator<'B>() with
                member _.Add block = inner.Add block
                member _.Summaries = inner.Summaries
                member _.Finish ledger = f (inner.Finish ledger)
                member _.State = inner.State
            }

        derived measurement accumulator (ExactResult.map f)

    /// The same measurement, without a say in when to stop: a stopping rule on errors does not watch it.
    let unwatched (measurement: Measurement<'T>) : Measurement<'T> =
        let accumulator (inner: Accumulator<'T>) =
            { new Accumulator<'T>() with
                member _.Add block = inner.Add block
                member _.Summaries = inner.Summaries |> Array.map (fun struct (summary, _) -> struct (summary, false))
                member _.Finish ledger = inner.Finish ledger
                member _.State = inner.State
            }

        derived measurement accumulator id

    /// All of several measurements of one kind, from the same products.
    let all (measurements: Measurement<'T> list) : Measurement<'T list> =
        let cons = map (fun (head, tail) -> head :: tail)

        let nothing =
            Measurement(
                false,
                (fun _ ->
                    { new Accumulator<_>() with
                        member _.Add _ = ()
                        member _.Summaries = [||]
                        member _.Finish _ = []
                        member _.State = []
                    }),
                { NeedsProduct = false; Finish = fun _ _ -> [] }
            )

        List.foldBack (fun measurement rest -> both measurement rest |> cons) measurements nothing
