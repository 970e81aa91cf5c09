namespace Curvature.FSharp

open Curvature

/// Estimating what is outside an orthonormal basis.
module internal Deflation =

    /// I − QQᵀ, applied to blocks and single vectors.
    let private outside (basis: Panels) : Products = Products.ofBlock (Rows.without basis)

    /// (I − QQᵀ)A(I − QQᵀ), of the same claims, by the products and quadratic forms of A.
    let symmetric (basis: Panels) (a: LinearOperator) : LinearOperator =
        let project = outside basis
        let around product = project |> Products.andThen product |> Products.andThen project

        LinearOperator.Of
            { a.Definition with
                Product = around a.Definition.Product
                Adjoint = a.Definition.Adjoint |> ValueOption.map around
                Forms = a.Definition.Forms |> ValueOption.map (fun forms -> project.Block >> forms)
            }

    /// (I − QQᵀ)A, of no claims.
    let left (basis: Panels) (a: LinearOperator) : LinearOperator =
        let project = outside basis

        LinearOperator.Of
            { a.Definition with
                Properties = OperatorProperties.None
                Product = a.Definition.Product |> Products.andThen project
                Adjoint =
                    LinearOperator.AdjointOf a.Definition
                    |> ValueOption.map (fun adjoint -> project |> Products.andThen adjoint)
                Forms = ValueNone
            }

    /// zᵀBz for vectors z of a probe, B an operator that a basis was deflated from. Forms of vectors of the sphere, or normal ones, are
    /// scaled as if their part outside the basis had length √(n − k) (Epperly, Tropp & Webber 2024, section 2.3).
    let private forms (basis: Panels) probe (block: SampleBlock) : float[] =
        if ProbeKind.isContinuous probe then
            let rest = float (basis.Length - basis.Count)
            let outside = Rows.squares (Rows.without basis block.Vectors)
            Array.map2 (fun form length -> form * rest / length) block.Forms outside
        else
            block.Forms

    /// A known part, rounded by so much, and the mean of samples.
    let offset known rounding (samples: SampleBlock -> float[]) : Measurement<Estimate<float>> =
        Measurement(
            false,
            fun _ ->
                let moments = FormMoments()
                let error () = Rounding.hypotenuse moments.StandardError rounding

                { new Accumulator<_>() with
                    member _.Add block = moments.Add(block.Vectors, samples block)

                    member _.Summaries =
                        [|
                            struct ({ Summaries.ofForms moments with
                                        Value = known + moments.Mean
                                        StandardError = error ()
                                    },
                                    true)
                        |]

                    member _.Finish ledger = Estimates.sampled moments.Law (known + moments.Mean) (error ()) ledger
                    member _.State = [ moments ]
                }
        )

    /// The trace of a deflated operator, to which a known part is added, that is rounded by so much.
    let trace (basis: Panels) probe (known: float) (rounding: float) : Measurement<Estimate<float>> =
        offset known rounding (forms basis probe)

    /// A known part, in the rounding of this type, and the mean of sampled vectors.
    let offsetVector (dtype: DType) (known: Tensor) (samples: SampleBlock -> Tensor) : Measurement<Estimate<Tensor>> =
        let rounding = known.ToArray() |> Array.fold (fun most x -> max most (abs x)) 0.0 |> Rounding.ofProduct dtype

        Measurement(
            true,
            fun operator ->
                let moments = RunningVectorMoments(operator.Columns, operator.Device)
                let shape = ProbeShape()
                let law () = SampleLaw.ofEntries shape.IsSign shape.Touched moments.Count
                let value () = known + moments.Mean
                let error () = Tensor.sqrt (Tensor.square moments.StandardError + rounding * rounding)

                { new Accumulator<_>() with
                    member _.Add block =
                        shape.Add block.Vectors
                        moments.AddRows(samples block)

                    member _.Summaries =
                        [| struct (Summaries.ofVector moments.Count (value ()) (lazy error ()), true) |]

                    member _.Finish ledger = Estimates.sampledVector (law ()) (value ()) (error ()) ledger
                    member _.State = [ moments; shape ]
                }
        )

    /// The diagonal of a deflated operator, to which a known part is added.
    let diagonal (dtype: DType) (known: Tensor) : Measurement<Estimate<Tensor>> = offsetVector dtype known _.Weighted
