namespace Curvature.FSharp

open Curvature

/// The divergence Σ ∂fᵢ/∂xᵢ of a vector field: the trace of its Jacobian, which is not symmetric. It is how fast the
/// flow of the field spreads, and what changes the log-density along it (Grathwohl et al. 2019, "FFJORD", equation
/// 8).
[<RequireQualifiedAccess>]
module Divergence =

    /// At a point of any shape, exactly: one product with the Jacobian for each of the n elements.
    /// Raises OperatorException for a function whose value does not have as many elements as the point.
    let exact (f: Tensor -> Tensor) (x: Tensor) : Estimate<float> = Exact.trace (Jacobian.at f x)

    /// At a point of any shape, from signs z and products Jz (Hutchinson 1990). Unbiased; the variance of one sample
    /// is 2·Σ_{i≠j} S_ij² with S = (J + Jᵀ)/2: the antisymmetric part of the Jacobian, a rotation, adds nothing to
    /// it. Raises OperatorException for a function whose value does not have as many elements as the point.
    let hutchinson stop key (f: Tensor -> Tensor) (x: Tensor) : Estimate<float> =
        Hutchinson.trace stop key (Jacobian.at f x)

    let private requireStack (points: Tensor) =
        if points.Rank < 1 || points.Size = 0 then
            Fail.shape (
                "Divergence: a stack has points along its leading axis, "
                + $"and the shape is {Shape.show points.Signature.Shape}"
            )

        points.Signature.Shape[0]

    /// At each point of a stack, along its leading axis, exactly, Float64 [points]: f is of a single point, and runs
    /// on all as one computation. Costs one derivative of the stack along each axis of a point.
    /// Raises ShapeException for a function whose value does not have the shape of its argument.
    let exactAtPoints (f: Tensor -> Tensor) (points: Tensor) : Estimate<Tensor> =
        let watch = System.Diagnostics.Stopwatch.StartNew()
        let size = points.Size / requireStack points
        let value = vmap (divergence f) points |> Tensor.convert DType.Float64
        Finite.check "Divergence: the divergence" value

        Ledgers.ofSamples size (Cost.products size) watch.Elapsed.TotalSeconds StopReason.Exact
        |> ExactResult.elements points.DType value

    /// The divergence at each point of a stack, as a measurement of the Jacobian of the whole stack, `Jacobian.at
    /// (vmap f) points`.
    /// Raises ShapeException for a stack without points.
    let atPoints (points: Tensor) : Measurement<Estimate<float>[]> =
        let count = requireStack points
        let size = points.Size / count

        [ for i in 0 .. count - 1 -> ParameterBlock($"point {i}", i * size, size) ]
        |> Measurement.blockTraces
        |> Measurement.map (Array.map _.Trace)

    /// At each point of a stack, along its leading axis, from signs: f is of a single point, and every sample is one
    /// product with the Jacobian of the whole stack. A stopping rule on errors looks at the norm of all.
    let hutchinsonAtPoints stop key (f: Tensor -> Tensor) (points: Tensor) : Estimate<float>[] =
        Hutchinson.estimate Probe.rademacher (atPoints points) stop key (Jacobian.at (vmap f) points)

    /// At each point of a stack with a sketch of the Jacobians: exactly within the sketch, and from signs outside it,
    /// by Hutch++'s formula (Meyer et al. 2021, algorithm 1). Unbiased for every sketch that was found with another
    /// key; the variance of one sample is that of what the sketch leaves, 2·Σ_{i≠j} S_ij² of the symmetric part S of (I
    /// − QQᵀ)J(I − QQᵀ). Costs one product with the Jacobian of the whole stack for each direction of the sketch, and
    /// one a sample; the rule counts the samples alone, and a rule on relative errors those of what the sketch leaves.
    /// Raises ShapeException for points that the sketch does not fit.
    let sketchedAtPoints stop key (sketch: FieldSketch) (f: Tensor -> Tensor) (points: Tensor) : Estimate<float>[] =
        System.ArgumentNullException.ThrowIfNull(sketch, nameof sketch)
        let count = requireStack points
        let watch = System.Diagnostics.Stopwatch.StartNew()
        let jacobian = Jacobian.at (vmap f) points
        let k, size = sketch.Vectors, points.Size / count
        let directions = FieldSketch.directions sketch points |> Tensor.reshape [ k; points.Size ]

        let inside =
            if k = 0 then
                Array.zeroCreate count
            else
                let products = directions * jacobian.Multiply(directions, (fun row -> $"direction {row} of the sketch"))
                (products |> Tensor.reshape [ k; count; size ] |> Tensor.sumAxes [ 0; 2 ]).ToArray()

        let seconds = watch.Elapsed.TotalSeconds
        let project = Products.ofMatmat (FieldSketch.outside sketch)

        let rest =
            LinearOperator.Of
                { jacobian.Definition with
                    Product = project |> Products.andThen jacobian.Definition.Product |> Products.andThen project
                    Adjoint = ValueNone
                    Forms = ValueNone
                }

        Hutchinson.estimate Probe.rademacher (atPoints points) stop key rest
        |> Array.map2 (fun known estimate -> Estimates.shifted known (Cost.products k) seconds estimate) inside
