namespace Curvature.FSharp

open Curvature

/// Measurements that add the mean of samples to a known part.
module internal KnownPart =

    /// A known number, with the standard error of its rounding, plus the mean of samples.
    let scalar known rounding (samples: SampleBlock -> float[]) : Measurement<Estimate<float>> =
        Measurement(
            false,
            fun _ ->
                let moments = FormMoments()
                let error () = Rounding.hypotenuse moments.StandardError rounding

                { new Accumulator<_>() with
                    member _.Add block = moments.Add(block.Vectors, samples block)

                    member _.Summaries =
                        let sampled = Summaries.ofForms moments
                        let summary = { sampled with Value = known + moments.Mean; StandardError = error () }
                        [| struct (summary, true) |]

                    member _.Finish ledger = Estimates.sampled moments.Law (known + moments.Mean) (error ()) ledger
                    member _.State = [ moments ]
                }
        )

    /// A known diagonal, reduced as the goal wants it and rounded to this type, plus the mean of sampled vectors
    /// z∘Bz, as rows.
    let diagonal goal (dtype: DType) (known: Tensor) (samples: SampleBlock -> Tensor) : Measurement<'T> =
        let rounding = known.ToArray() |> Array.fold (fun most x -> max most (abs x)) 0.0 |> Rounding.ofProduct dtype

        Measurement(
            true,
            fun operator ->
                let moments = RunningVectorMoments(goal.Length, operator.Device)
                let shape = ProbeShape()
                let value () = known + moments.Mean
                let error () = Tensor.sqrt (Tensor.square moments.StandardError + rounding * rounding)

                { new Accumulator<'T>() with
                    member _.Add block =
                        shape.Add block.Vectors
                        moments.AddRows(goal.Reduce(samples block))

                    member _.Summaries =
                        [| struct (Summaries.ofVector moments.Count (value ()) (lazy error ()), true) |]

                    member _.Finish ledger = goal.Finish (goal.Law shape moments.Count) (value ()) (error ()) ledger
                    member _.State = [ moments; shape ]
                }
        )
