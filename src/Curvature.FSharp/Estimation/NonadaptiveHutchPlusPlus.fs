namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.LinearAlgebra

/// NA-Hutch++ (Meyer, Musco, Musco & Woodruff 2021, algorithm 2): Hutch++ without a product that depends on another one, so that all can run at once. It needs
/// more products than Hutch++ for the same error.
[<RequireQualifiedAccess>]
module NonadaptiveHutchPlusPlus =

    /// Singular values below this share of the largest are noise, and would be blown up.
    let private share (dtype: DType) = 4500.0 * SmallMatrices.epsilon dtype

    /// Random vectors and their products, in blocks.
    let private multiply (options: SamplingOptions) probe key count what (operator: LinearOperator) : Panels * Panels =
        let n, size = operator.Columns, Sampling.blockSize options operator
        let vectors, products = Panels n, Panels n

        for first in 0..size .. count - 1 do
            options.Cancellation.ThrowIfCancellationRequested()
            let block = Probe.drawOn operator.Device probe key n (first, min size (count - first)) operator.DType
            vectors.Add block
            products.Add(operator.Multiply(block, (fun row -> $"{what} vector {first + row} of NA-Hutch++")))

        vectors, products

    /// A ≈ ZMWᵀ, from Z = AR, W = AS and M = (SᵀZ)⁺.
    type private Approximation = { Z: Panels; W: Panels; M: Matrix<float> }

    let private approximate options small large (keys: Key[]) (operator: LinearOperator) =
        let s, w = multiply options Probe.Sphere keys[0] small "S" operator
        let r, z = multiply options Probe.Sphere keys[1] large "R" operator
        let products = Rows.productsOf s z
        // SᵀAR both ways: equal where A is symmetric.
        let difference = (products - Rows.productsOf w r).FrobeniusNorm()
        let size = products.FrobeniusNorm()

        if size > 0.0 then
            Requirements.smallAsymmetry "NA-Hutch++" operator (difference / size)

        {
            Z = z
            W = w
            M = SmallMatrices.pseudoInverse (share operator.DType) products
        }

    /// gᵀAg − gᵀZMWᵀg, the part that the approximation misses, as a measurement with the trace of the approximation added.
    let private missed (a: Approximation) known rounding : Measurement<Estimate<float>> =
        let correction (block: SampleBlock) =
            let z, w = Rows.productsWith a.Z block.Vectors, Rows.productsWith a.W block.Vectors
            SmallMatrices.columnDots z (a.M * w)

        Deflation.offset known rounding (fun block -> Array.map2 (-) block.Forms (correction block))

    let private run options (matvecs: int) (key: Key) (operator: LinearOperator) : Estimate<float> =
        let watch = Diagnostics.Stopwatch.StartNew()
        let keys = key.Split 3
        let small, large = matvecs / 6, matvecs / 3
        let approximation = approximate options small large keys operator
        let inner = approximation.M * Rows.productsOf approximation.W approximation.Z
        let rounding = LeaveOneOutError.rounding operator.DType (inner.Diagonal().L1Norm())
        let gradients = int64 (small + large) * int64 operator.Definition.Gradients
        let seconds = watch.Elapsed.TotalSeconds
        let measurement = missed approximation (inner.Trace()) rounding
        let stop = StoppingRule.Matvecs(matvecs - small - large)
        let estimate = Sampling.run options Probe.Rademacher measurement stop keys[2] operator
        estimate.After(small + large, gradients, seconds)

    /// NA-Hutch++ with options for cancellation, progress and block size.
    let estimateWith (options: SamplingOptions) (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        Requirements.symmetric "NA-Hutch++" operator

        if matvecs >= operator.Columns then
            Exact.traceWith options operator
        else
            ThreeParts.requireProducts "NA-Hutch++" 6 matvecs
            run options matvecs key operator

    /// The trace of a symmetric operator from this many products: ⌊m/6⌋ and ⌊m/3⌋ for the approximation, the rest (or as many
    /// quadratic forms) for what it misses. Unbiased; given the approximation, the forms are independent, so that Student's interval holds.
    /// As many products as there are columns give an exact result.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not,
    /// ArgumentRangeException for fewer than 6 products, and OperationCanceledException when cancelled before the forms begin.
    let estimate (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        estimateWith SamplingOptions.Default matvecs key operator
