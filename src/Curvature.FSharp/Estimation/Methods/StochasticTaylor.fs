namespace Curvature.FSharp

open Curvature

/// Sums of high derivatives over very many directions, from random ones: a differential operator is the mean, over
/// random directions v, of derivatives along v alone (Shi, Hu, Lin & Kawaguchi 2024, "Stochastic Taylor derivative
/// estimator"). A sample is one forward pass with k Taylor coefficients, in the memory of k evaluations, whatever the
/// dimension. Each result has the error that the spread of its samples gives.
[<RequireQualifiedAccess>]
module StochasticTaylor =

    /// The identity on the space of a point: what an estimator of this module runs on, since it asks for random vectors
    /// alone.
    let directions (x: Tensor) : LinearOperator =
        if x.DType = DType.Int32 then
            Fail.dtype "StochasticTaylor: the point is Int32; derivatives need Float32 or Float64"

        LinearOperator.Of
            { (LinearOperator.identity x.DType x.Size).Definition with
                Name = $"directions at a point of shape {x.ShapeText}"
                Device = x.Device
            }

    let private sample (x: Tensor) (term: Tensor -> Tensor) (block: SampleBlock) : float[] =
        let count = block.Vectors.Signature.Shape[0]
        let terms = block.Vectors |> Tensor.reshape (count :: List.ofArray x.Shape) |> vmap term

        if terms.Rank <> 1 then
            Fail.shape (
                "StochasticTaylor: a term is a scalar for each direction, "
                + $"and this one has shape {Shape.show terms.Signature.Shape[1..]}"
            )

        (Tensor.convert DType.Float64 terms).ToArray()

    /// The mean of a scalar term over random directions in the shape of x. The term is made of derivatives along its
    /// direction, as in `fun v -> (jet 4 f x [ v ])[3] / 3.0`, and may be inhomogeneous: its degree is the highest
    /// power of v that it has, on which the interval depends. Up to degree 2 that is what forms have. Of degree 3 and 4
    /// it is wide enough for the most skewed law, from 20 samples on; below that, and above degree 4, the error is
    /// unknown. With probes that leave elements out, the error is unknown until each element is expected to have been
    /// touched five times. To be run on `directions x`; the cost counts directions as quadratic forms. Raises
    /// ArgumentRangeException for a degree below 1, ShapeException for a point without elements and, run, for a term
    /// that is not a scalar.
    let estimator (probe: Probe) (degree: int) (x: Tensor) (term: Tensor -> Tensor) : Estimator<Estimate<float>> =
        if degree < 1 then
            Fail.range $"StochasticTaylor: the degree of a term is 1 or more, and it is {degree}"

        if x.Size = 0 then
            Fail.shape $"StochasticTaylor: a point of shape {x.ShapeText} has no directions"

        let start (operator: LinearOperator) =
            if operator.Columns <> x.Size then
                Fail.operator (
                    $"StochasticTaylor: the point has {x.Size} elements, and the operator {operator.Columns} columns; "
                    + "run the estimator on StochasticTaylor.directions"
                )

            Accumulators.scalarOfDegree degree operator (sample x term) Estimates.sampled

        let measurement: Measurement<Estimate<float>> = Measurement(false, start, isOfVectors = true)

        Procedure.Samples(probe, measurement)
        |> Estimator.make "stochastic Taylor derivatives" OperatorNeed.Square 1 None

    /// The mean of a term over random directions at x, until the rule says stop; see `estimator` and `Estimate.run`.
    let estimate probe degree (term: Tensor -> Tensor) stop key (x: Tensor) : Estimate<float> =
        Estimate.run (estimator probe degree x term) stop key (directions x)

    /// The estimator of the Laplacian of a scalar function at x: D²f(x)[v, v] for signs v, with the variance of
    /// Hutchinson's estimator, 2·Σ_{i≠j} H_ij², and no backward pass.
    let laplacianEstimator (f: Tensor -> Tensor) (x: Tensor) : Estimator<Estimate<float>> =
        estimator Probe.rademacher 2 x (fun v -> (jet 2 f x [ v ])[1])

    /// The Laplacian of a scalar function at x, from signs; see `laplacianEstimator`.
    let laplacian stop key (f: Tensor -> Tensor) (x: Tensor) : Estimate<float> =
        Estimate.run (laplacianEstimator f x) stop key (directions x)

    /// The estimator of the biharmonic operator Δ²f of a scalar function at x with n elements: the mean of D⁴f(x)[v, v,
    /// v, v] over the sphere of radius √n is 3n/(n + 2)·Δ²f. Its samples are skewed; the interval allows for that.
    let biharmonicEstimator (f: Tensor -> Tensor) (x: Tensor) : Estimator<Estimate<float>> =
        let n = float x.Size
        estimator Probe.sphere 4 x (fun v -> (jet 4 f x [ v ])[3] * ((n + 2.0) / (3.0 * n)))

    /// The biharmonic operator of a scalar function at x, from random directions; see `biharmonicEstimator`.
    let biharmonic stop key (f: Tensor -> Tensor) (x: Tensor) : Estimate<float> =
        Estimate.run (biharmonicEstimator f x) stop key (directions x)
