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
            if not options.Cancellation.IsCancellationRequested then
                let block = Probe.drawOn operator.Device probe key n (first, min size (count - first)) operator.DType
                vectors.Add block
                products.Add(operator.Multiply(block, (fun row -> $"{what} vector {first + row} of NA-Hutch++")))

        vectors, products

    /// A ≈ ZMWᵀ, from Z = AR, W = AS and M = (SᵀZ)⁺.
    type private Approximation = { Z: Panels; W: Panels; M: Matrix<float> }

    let private approximate (s: Panels, w: Panels) (r: Panels, z: Panels) (operator: LinearOperator) =
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

    /// Hutchinson's estimate from the vectors of the approximation, when it was cancelled.
    let private cancelled (pairs: (Panels * Panels) list) (operator: LinearOperator) seconds : Estimate<float> =
        let forms = FormMoments()

        for vectors, products in pairs do
            for z, y in Seq.zip vectors.Blocks products.Blocks do
                forms.Add(z, (Products.rowDots z y).ToArray())

        let gradients = int64 forms.Count * int64 operator.Definition.Gradients
        let ledger = Ledger(forms.Count, forms.Count, 0, gradients, seconds, StopReason.Cancelled, ValueNone)
        Estimates.sampled forms.Law forms.Mean forms.StandardError ledger

    let private fromApproximation
        (options: SamplingOptions)
        matvecs
        key
        sPair
        rPair
        (watch: Diagnostics.Stopwatch)
        (operator: LinearOperator)
        =
        let approximation = approximate sPair rPair operator
        let inner = approximation.M * Rows.productsOf approximation.W approximation.Z
        let rounding = Rounding.ofProduct operator.DType (inner.Diagonal().L1Norm())
        let spent = (fst sPair: Panels).Count + (fst rPair: Panels).Count
        let seconds = watch.Elapsed.TotalSeconds
        let measurement = missed approximation (inner.Trace()) rounding
        let stop = StoppingRule.Matvecs(matvecs - spent)
        let estimate = Sampling.run options Probe.Rademacher measurement stop key operator
        estimate.After(spent, int64 spent * int64 operator.Definition.Gradients, seconds)

    let private run (options: SamplingOptions) (matvecs: int) (key: Key) (operator: LinearOperator) : Estimate<float> =
        let watch = Diagnostics.Stopwatch.StartNew()
        let keys = key.Split 3
        options.Cancellation.ThrowIfCancellationRequested()
        let s = multiply options Probe.Sphere keys[0] (matvecs / 6) "S" operator
        let r = multiply options Probe.Sphere keys[1] (matvecs / 3) "R" operator

        try
            options.Cancellation.ThrowIfCancellationRequested()
            fromApproximation options matvecs keys[2] s r watch operator
        with :? OperationCanceledException when (fst s).Count > 0 ->
            cancelled [ s; r ] operator watch.Elapsed.TotalSeconds

    /// NA-Hutch++ with options for cancellation, progress and block size.
    let estimateWith (options: SamplingOptions) (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        Requirements.symmetric "NA-Hutch++" operator

        if matvecs >= operator.Columns then
            Exact.traceWith options operator
        else
            ThreeParts.requireProducts "NA-Hutch++" 6 matvecs
            Checkpoint.keeping options operator (fun options -> run options matvecs key)

    /// The trace of a symmetric operator from this many products: ⌊m/6⌋ and ⌊m/3⌋ for the approximation, the rest (or as many
    /// quadratic forms) for what it misses. Unbiased; given the approximation, the forms are independent, so that Student's interval holds.
    /// As many products as there are columns give an exact result.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not,
    /// and ArgumentRangeException for fewer than 6 products. Cancelled before the approximation is complete, it returns Hutchinson's estimate from its
    /// vectors; before the first product it raises OperationCanceledException.
    let estimate (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        estimateWith SamplingOptions.Default matvecs key operator
