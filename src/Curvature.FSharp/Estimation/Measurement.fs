namespace Curvature

open System
open Curvature.FSharp

/// A named range of the elements of a vector, such as the parameters of one layer.
[<Sealed>]
type ParameterBlock(name: string, offset: int, size: int) =
    /// What the range is called.
    member _.Name = name

    /// Its first element.
    member _.Offset = offset

    /// How many elements it has.
    member _.Size = size

    override _.ToString() = $"{name} [{offset} .. {offset + size - 1}]"

/// The trace of the diagonal block that belongs to a range.
[<Sealed; NoEquality; NoComparison>]
type BlockTrace internal (block: ParameterBlock, trace: Estimate<float>) =
    /// The range.
    member _.Block = block

    /// Its trace.
    member _.Trace = trace

    override _.ToString() = $"{block.Name}: {trace}"

/// Random vectors and what the operator made of them.
[<Sealed>]
type internal SampleBlock(vectors: Tensor, product: Tensor voption, forms: Tensor voption) =
    let weighted = lazy (vectors * product.Value)

    let formValues =
        lazy
            (match forms with
             | ValueSome forms -> forms.ToArray()
             | ValueNone -> (Tensor.sumAxes [ 1 ] weighted.Value).ToArray())

    member _.Vectors = vectors
    member _.Product = product.Value

    /// z∘Az, a row for each vector.
    member _.Weighted = weighted.Value

    /// zᵀAz for each vector.
    member _.Forms = formValues.Value

    /// ‖Az‖² for each vector, in Float64: squares of Float32 numbers may not exist in Float32.
    member _.SquaredLengths =
        Array.init product.Value.Signature.Shape[0] (fun row ->
            let own = Tensor.convert DType.Float64 (Tensor.item 0 row product.Value)
            (Tensor.sum (Tensor.square own)).ToScalar())

    /// A number by which the first vector's product can be recognised.
    member _.Mark: float =
        match product with
        | ValueSome product -> (Tensor.norm (Tensor.item 0 0 product)).ToScalar()
        | ValueNone -> formValues.Value[0]

/// What a measurement has seen so far.
[<AbstractClass>]
type internal Accumulator<'T>() =
    abstract Add: SampleBlock -> unit

    /// Value and standard error, or their norms, of each quantity, and whether a stopping rule watches it.
    abstract Summary: struct (float * float * bool)[]

    abstract Finish: Ledger -> 'T

    /// All that was seen, so that a run can go on from it.
    abstract State: ISavable list

/// What to learn from random vectors z and their products Az. Made and combined by the functions of the module Measurement.
[<Sealed; NoEquality; NoComparison>]
type Measurement<'T> internal (needsProduct: bool, start: LinearOperator -> Accumulator<'T>) =
    /// Whether the product Az is needed, or zᵀAz is enough.
    member _.NeedsProduct = needsProduct

    member internal _.Start(operator: LinearOperator) = start operator

namespace Curvature.FSharp

open System
open Curvature

/// What to learn from random vectors z, E zzᵀ = I, and their products Az. Measurements combine, and what is combined shares the products.
[<RequireQualifiedAccess>]
module Measurement =

    let private scalar needsProduct prepare (sample: SampleBlock -> float[]) finish =
        Measurement(
            needsProduct,
            fun operator ->
                prepare operator
                let moments = FormMoments()

                let error (ledger: Ledger) =
                    if ledger.IsExact then
                        Rounding.ofProduct operator.DType moments.Mean
                    else
                        moments.StandardError

                { new Accumulator<_>() with
                    member _.Add block = moments.Add(block.Vectors, sample block)
                    member _.Summary = [| struct (moments.Mean, moments.StandardError, true) |]
                    member _.Finish ledger = finish moments.Law moments.Mean (error ledger) ledger
                    member _.State = [ moments ]
                }
        )

    let private vector prepare length law (sample: SampleBlock -> Tensor) finish =
        Measurement(
            true,
            fun (operator: LinearOperator) ->
                prepare operator
                let moments = RunningVectorMoments(length operator, operator.Device)
                let shape = ProbeShape()

                let error (ledger: Ledger) =
                    if ledger.IsExact then
                        Rounding.ofElements operator.DType moments.Mean
                    else
                        moments.StandardError

                { new Accumulator<_>() with
                    member _.Add block =
                        shape.Add block.Vectors
                        moments.AddRows(sample block)

                    member _.Summary =
                        let struct (value, error) = moments.Norms
                        [| struct (value, error, true) |]

                    member _.Finish ledger = finish (law shape moments.Count) moments.Mean (error ledger) ledger
                    member _.State = [ moments; shape ]
                }
        )

    let private ofEntries (shape: ProbeShape) samples = SampleLaw.ofEntries shape.IsSign shape.Touched samples
    let private ofSquares (shape: ProbeShape) samples = SampleLaw.ofSquares shape.Touched samples

    /// tr A = E zᵀAz (Girard 1989, Hutchinson 1990). The only measurement that can do with quadratic forms instead of products.
    let trace: Measurement<Estimate<float>> =
        scalar false (OperatorParts.requireSquare "Measurement.trace") _.Forms Estimates.sampled

    /// diag A = E z∘Az, with a standard error for each entry, all Float64 [n] (Bekas, Kokiopoulou & Saad 2007, without the division).
    /// A stopping rule sees the norms of value and standard errors.
    let diagonal: Measurement<Estimate<Tensor>> =
        vector
            (OperatorParts.requireSquare "Measurement.diagonal")
            _.Columns
            ofEntries
            _.Weighted
            Estimates.sampledVector

    /// ‖A‖²_F = E ‖Az‖².
    let squaredFrobenius: Measurement<Estimate<float>> = scalar true ignore _.SquaredLengths Estimates.sampled

    /// ‖A‖_F, the root of squaredFrobenius; its interval's ends are the roots of that one's. A stopping rule sees the square.
    let frobenius: Measurement<Estimate<float>> = scalar true ignore _.SquaredLengths Estimates.scalarRoot

    /// ‖row i of A‖² = E (Az)_i² for each row, Float64 [m].
    let squaredRowNorms: Measurement<Estimate<Tensor>> =
        vector
            ignore
            _.Rows
            ofSquares
            (fun block -> Tensor.square (Tensor.convert DType.Float64 block.Product))
            Estimates.sampledVector

    /// ‖row i of A‖ for each row, Float64 [m]; a stopping rule sees the squares.
    let rowNorms: Measurement<Estimate<Tensor>> =
        vector
            ignore
            _.Rows
            ofSquares
            (fun block -> Tensor.square (Tensor.convert DType.Float64 block.Product))
            Estimates.vectorRoot

    let internal checkBlocks what (blocks: ParameterBlock[]) (operator: LinearOperator) =
        OperatorParts.requireSquare what operator

        if blocks.Length = 0 then
            raise (ArgumentRangeException $"{what}: there are no blocks")

        for block in blocks do
            if block.Offset < 0 || block.Size < 1 || block.Offset + block.Size > operator.Columns then
                raise (
                    ArgumentRangeException
                        $"{what}: block {block.Name} of {block.Size} elements from {block.Offset} is not within the {operator.Columns} of {operator.Name}"
                )

    /// The trace of the diagonal block of each range: E of zᵀAz restricted to it. A stopping rule sees their norms.
    /// Raises ArgumentRangeException for ranges outside the operator, or none.
    let blockTraces (blocks: ParameterBlock seq) : Measurement<BlockTrace[]> =
        let blocks = Seq.toArray blocks

        Measurement(
            true,
            fun operator ->
                checkBlocks "Measurement.blockTraces" blocks operator
                let moments = blocks |> Array.map (fun _ -> FormMoments())
                let norm f = moments |> Array.sumBy (fun m -> f m ** 2.0) |> sqrt

                { new Accumulator<_>() with
                    member _.Add sample =
                        Array.iter2
                            (fun (block: ParameterBlock) (own: FormMoments) ->
                                own.Add(
                                    sample.Vectors,
                                    (Tensor.slice 1 block.Offset block.Size sample.Weighted |> Tensor.sumAxes [ 1 ])
                                        .ToArray()
                                ))
                            blocks
                            moments

                    member _.Summary = [| struct (norm _.Mean, norm _.StandardError, true) |]

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

                    member _.State = [ for own in moments -> own ]
                }
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

                    member _.Summary =
                        let norm (t: Tensor) = (Tensor.norm t).ToScalar()

                        [|
                            struct (norm sums.Value,
                                    (if sums.Count < 2 then infinity else norm sums.StandardError),
                                    true)
                        |]

                    member _.Finish ledger =
                        if sums.Untouched > 0 then
                            raise (
                                OperatorException
                                    $"Measurement.diagonalRatio: {sums.Untouched} of {operator.Columns} entries were 0 in all {sums.Count} probes; take more samples or denser probes"
                            )

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
            fun operator ->
                let a, b = first.Start operator, second.Start operator

                { new Accumulator<_>() with
                    member _.Add block =
                        a.Add block
                        b.Add block

                    member _.Summary = Array.append a.Summary b.Summary
                    member _.Finish ledger = a.Finish ledger, b.Finish ledger
                    member _.State = a.State @ b.State
                }
        )

    /// What a function makes of a measurement's result.
    let map (f: 'A -> 'B) (measurement: Measurement<'A>) : Measurement<'B> =
        Measurement(
            measurement.NeedsProduct,
            fun operator ->
                let inner = measurement.Start operator

                { new Accumulator<_>() with
                    member _.Add block = inner.Add block
                    member _.Summary = inner.Summary
                    member _.Finish ledger = f (inner.Finish ledger)
                    member _.State = inner.State
                }
        )

    /// The same measurement, without a say in when to stop: a stopping rule on errors does not watch it.
    let unwatched (measurement: Measurement<'T>) : Measurement<'T> =
        Measurement(
            measurement.NeedsProduct,
            fun operator ->
                let inner = measurement.Start operator

                { new Accumulator<_>() with
                    member _.Add block = inner.Add block

                    member _.Summary =
                        inner.Summary |> Array.map (fun struct (value, error, _) -> struct (value, error, false))

                    member _.Finish ledger = inner.Finish ledger
                    member _.State = inner.State
                }
        )

    /// All of several measurements of one kind, from the same products.
    let all (measurements: Measurement<'T> list) : Measurement<'T list> =
        let cons = map (fun (head, tail) -> head :: tail)

        let nothing =
            Measurement(
                false,
                fun _ ->
                    { new Accumulator<_>() with
                        member _.Add _ = ()
                        member _.Summary = [||]
                        member _.Finish _ = []
                        member _.State = []
                    }
            )

        List.foldBack (fun measurement rest -> both measurement rest |> cons) measurements nothing
