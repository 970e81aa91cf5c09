namespace Curvature.FSharp

open Curvature

/// Accumulators of measurements.
module internal Accumulators =

    /// The standard error of sampling, or that of rounding where one sample determines the result.
    let private errorOf (ledger: Ledger) (ofRounding: 'T -> 'T) (value: 'T) (ofSampling: 'T) : 'T =
        if ledger.IsExact then ofRounding value else ofSampling

    /// The mean of a number from each sample, a polynomial of some degree in its vector.
    let scalarOfDegree degree (operator: LinearOperator) (sample: SampleBlock -> float[]) finish : Accumulator<'T> =
        let moments = FormMoments(ProbeShape(), degree)

        { new Accumulator<'T>() with
            member _.Add block = moments.Add(block.Vectors, sample block)
            member _.Summaries = [| struct (Summaries.ofForms moments, true) |]

            member _.Finish ledger =
                let error = errorOf ledger (Rounding.ofProduct operator.DType) moments.Mean moments.StandardError
                finish moments.Law moments.Mean error ledger

            member _.State = [ moments ]
        }

    /// The mean of a number from each sample, a quadratic form of its vector.
    let scalar (operator: LinearOperator) (sample: SampleBlock -> float[]) finish : Accumulator<'T> =
        scalarOfDegree 2 operator sample finish

    /// The mean of a vector of some length from each sample.
    let vector (operator: LinearOperator) length law (sample: SampleBlock -> Tensor) finish : Accumulator<'T> =
        let moments = RunningVectorMoments(length, operator.Device)
        let shape = ProbeShape()
        let dimension = ErrorDimension(length, operator.Device)

        { new Accumulator<'T>() with
            member _.Add block =
                let rows = sample block
                shape.Add block.Vectors
                moments.AddRows rows
                dimension.AddRows rows

            member _.Summaries = [| struct (Summaries.ofVectorMoments moments dimension, true) |]

            member _.Finish ledger =
                let error = errorOf ledger (Rounding.ofElements operator.DType) moments.Mean moments.StandardError
                finish (law shape moments.Count) moments.Mean error ledger

            member _.State = [ moments; dimension; shape ]
        }

    /// The means of zᵀAz restricted to ranges.
    let blockTraces (operator: LinearOperator) (blocks: ParameterBlock[]) : Accumulator<BlockTrace[]> =
        // All blocks have the same vectors, which are looked at once.
        let shape = ProbeShape()
        let moments = blocks |> Array.map (fun _ -> FormMoments shape)
        let dimension = ErrorDimension(blocks.Length, operator.Device)

        let ranges = blocks |> Array.map (fun block -> struct (block.Offset, block.Size))

        { new Accumulator<BlockTrace[]>() with
            member _.Add sample =
                let traces = sample.BlockForms ranges

                shape.Add sample.Vectors
                Array.iter2 (fun (ofBlock: FormMoments) (t: Tensor) -> ofBlock.AddForms(t.ToArray())) moments traces

                dimension.AddRows(Tensor.stack 1 (List.ofArray traces))

            member _.Summaries = [| struct (Summaries.ofMany moments dimension, true) |]

            member _.Finish ledger =
                let trace (ofBlock: FormMoments) =
                    let error = errorOf ledger (Rounding.ofProduct operator.DType) ofBlock.Mean ofBlock.StandardError
                    Estimates.sampled ofBlock.Law ofBlock.Mean error ledger

                Array.map2 (fun block ofBlock -> BlockTrace(block, trace ofBlock)) blocks moments

            member _.State = [ yield dimension; yield! Seq.cast moments ]
        }

    /// Σ z∘Az / Σ z∘z.
    let ratio (operator: LinearOperator) law : Accumulator<Estimate<Tensor>> =
        let sums = RunningRatios(operator.Columns, operator.Device)
        let shape = ProbeShape()

        { new Accumulator<Estimate<Tensor>>() with
            member _.Add block =
                shape.Add block.Vectors
                sums.AddRows(block.Weighted, Tensor.square block.Vectors)

            member _.Summaries = [| struct (Summaries.ofVector sums.Count sums.Value (lazy sums.StandardError), true) |]

            member _.Finish ledger =
                if sums.Untouched > 0 then
                    Fail.operator (
                        $"Measurement.diagonalRatio: {sums.Untouched} of {operator.Columns} entries "
                        + $"were 0 in all {sums.Count} probes; take more samples or denser probes"
                    )

                let error = errorOf ledger (Rounding.ofElements operator.DType) sums.Value sums.StandardError
                Estimates.sampledVector (law shape sums.Count) sums.Value error ledger

            member _.State = [ sums; shape ]
        }

    // ---- combining

    /// Two, from the same samples.
    let both (a: Accumulator<'A>) (b: Accumulator<'B>) : Accumulator<'A * 'B> =
        { new Accumulator<'A * 'B>() with
            member _.Add block =
                a.Add block
                b.Add block

            member _.Summaries = Array.append a.Summaries b.Summaries
            member _.Finish ledger = a.Finish ledger, b.Finish ledger
            member _.State = a.State @ b.State
        }

    /// The same samples, with functions of what they say at interim analyses and of the result.
    let map summaries (finish: 'A -> 'B) (inner: Accumulator<'A>) : Accumulator<'B> =
        { new Accumulator<'B>() with
            member _.Add block = inner.Add block
            member _.Summaries = summaries inner.Summaries
            member _.Finish ledger = finish (inner.Finish ledger)
            member _.State = inner.State
        }

    /// A result that asks nothing of samples.
    let constant (result: 'T) : Accumulator<'T> =
        { new Accumulator<'T>() with
            member _.Add _ = ()
            member _.Summaries = [||]
            member _.Finish _ = result
            member _.State = []
        }
