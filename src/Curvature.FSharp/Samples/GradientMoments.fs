namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Moments of the gradients of the losses of single samples.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type GradientMoments internal (losses: float[], norms: float[], mean: Tensor, variance: Tensor) =
    /// The number N of samples.
    member _.Samples = losses.Length

    /// The loss of each sample, [N].
    member _.Losses = Array.copy losses

    /// The length of each gradient, [N].
    member _.Norms = Array.copy norms

    /// 1/N Σ gᵢ, Float64 [n].
    member _.Mean = mean

    /// 1/(N − 1) Σ (gᵢ − mean)², elementwise, Float64 [n]: the diagonal of the covariance of gradients, unbiased for
    /// independent samples. NaN for a single sample.
    member _.Variance = variance

    /// 1/N Σ gᵢ², elementwise, Float64 [n]: the diagonal of the empirical Fisher matrix.
    member _.SecondMoment: Tensor =
        let n = float losses.Length
        let spread = if losses.Length = 1 then Tensor.zerosLike mean else (n - 1.0) / n * variance
        spread + Tensor.square mean

    override _.ToString() =
        let length, trace = (Tensor.norm mean).ToScalar(), (Tensor.sum variance).ToScalar()

        $"""gradients of {Describe.count losses.Length "sample"}: a mean of length {Numbers.show length}, """
        + $"a covariance of trace {Numbers.show trace}"

    member internal this.Text = this.ToString()

/// The variances and the covariance of the estimates of tr Σ and |g|², by the jackknife.
[<Struct; NoEquality; NoComparison>]
type internal NoiseSpread = { OfTrace: float; OfSquare: float; Together: float }

/// The simple noise scale tr Σ/|g|² of gradients g of single samples with covariance Σ (McCandlish, Kaplan & Amodei
/// 2018, eq. 2.9): batches of fewer samples are mostly noise, and larger ones gain little.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NoiseScale
    internal (value: float, standardError: float, trace: float, square: float, samples: int, spread: NoiseSpread) =
    /// tr Σ/|g|², in samples. Infinite where the estimate of |g|² is not above 0: the mean is lost in the noise.
    member _.Value = value

    /// The standard error by the jackknife over samples; infinite where it is not known.
    member _.StandardError = standardError

    /// Whether the samples say anything of the error: not fewer than three, nor where the scale is infinite with all
    /// samples or without one of them.
    member _.IsErrorKnown = standardError < infinity

    /// tr Σ, unbiased.
    member _.CovarianceTrace = trace

    /// |g|², unbiased: the squared length of the mean gradient less what the noise of N samples adds to it. It may be
    /// negative.
    member _.SquaredGradient = square

    /// The number N of samples.
    member _.Samples = samples

    member internal _.Spread = spread

    /// The interval that holds the scale with this confidence: of a ratio of two estimates with errors, by Fieller's
    /// theorem (Fieller 1954) with the jackknife's variances and Student's quantile. It ends at ∞ where |g|² may be 0,
    /// and goes from 0 to ∞ for fewer than three samples. Raises ArgumentRangeException for a confidence outside (0,
    /// 1).
    member _.Interval(confidence: float) : Interval<float> =
        IntervalWidth.requireConfidence confidence

        if samples < 3 then
            Interval(0.0, infinity, confidence)
        else
            let t = (IntervalWidth.ofSamples samples).Factor confidence
            // The ratios r with (T − rS)² ≤ t²·Var(T − rS) are those with ar² − 2br + c ≤ 0.
            let a = square * square - t * t * spread.OfSquare
            let b = trace * square - t * t * spread.Together
            let c = trace * trace - t * t * spread.OfTrace
            let root = sqrt (max 0.0 (b * b - a * c))

            if a > 0.0 && square > 0.0 then
                Interval(max 0.0 ((b - root) / a), (b + root) / a, confidence)
            elif c > 0.0 && a < 0.0 then
                // The roots lie on both sides of 0, and ratios beyond them belong to the set.
                Interval((b - root) / a, infinity, confidence)
            else
                Interval(0.0, infinity, confidence)

    override _.ToString() =
        let origin = $"""by the jackknife over {Describe.count samples "sample"}"""
        $"noise scale {Numbers.withError standardError value} samples ({origin})"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Gradients of the losses of single samples of a risk. The loss of a sample is that of a batch with this sample alone.
/// A term without data belongs to no sample, and is left out. A function of θ alone raises DataException, and so do no
/// batches; coupled samples, as by batch normalisation in training, raise DifferentiationException, and results that
/// are not finite NonFiniteException. A pass costs about a gradient of all data; the options limit its memory.
[<RequireQualifiedAccess>]
module SampleGradients =

    let private name = "SampleGradients"

    let private ofRisk (risk: EmpiricalRisk) : SampleFunction =
        let loss = risk.Definition.Loss

        {
            Name = name
            Observe = fun data theta -> [ BatchLoss(loss data theta) ]
            OfSample =
                fun data theta ->
                    let loss, gradient = Linearization.gradient name (loss data) theta
                    [ loss; Tensor.flatten gradient ]
            Numbers = fun _ theta -> int64 theta.Size
        }

    /// Losses and gradients of the samples, block by block, at point after point.
    let private blocksFamily (options: SampleOptions) (risk: EmpiricalRisk) : Tensor -> struct (Tensor * Tensor) seq =
        let pass = SamplePass.family (ofRisk risk) options risk
        fun theta -> pass theta |> Seq.map (fun results -> struct (results[0], results[1]))

    /// Losses and gradients of the samples, block by block.
    let internal blocks (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : struct (Tensor * Tensor) seq =
        blocksFamily options risk theta

    /// The gradients at θ as rows of a matrix [N; n] in the element type of θ, in the order of the data. Raises
    /// ArgumentRangeException for more entries than LinearOperator.denseLimit.
    let matrix (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : Tensor =
        blocks options risk theta |> Seq.map (fun struct (_, gradients) -> gradients) |> SamplePass.stackRows name

    let private momentsOf (theta: Tensor) (blocks: struct (Tensor * Tensor) seq) : GradientMoments =
        let running = RunningVectorMoments(theta.Size, theta.Device)
        let losses, norms = ResizeArray<float>(), ResizeArray<float>()

        for struct (loss, gradients) in blocks do
            losses.AddRange(loss.ToArray())
            norms.AddRange((Tensor.rowNorms gradients).ToArray())
            running.AddRows gradients

        let count = losses.Count
        let spread = float count * Tensor.square running.StandardError
        let variance = if count = 1 then Tensor.fullLike spread nan else spread
        GradientMoments(losses.ToArray(), norms.ToArray(), running.Mean, variance)

    /// Losses, lengths, mean and variance of the gradients at θ, in Float64, without keeping the gradients.
    let moments (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : GradientMoments =
        momentsOf theta (blocks options risk theta)

    /// The covariance 1/(N − 1) Σ (gᵢ − ḡ)(gᵢ − ḡ)ᵀ of the gradients at θ, as an operator on vectors [n] in the element
    /// type of θ; its diagonal is the Variance of `moments`, and with the mean it makes up the empirical Fisher matrix:
    /// 1/N Σ gᵢgᵢᵀ = (N − 1)/N·Σ + ḡḡᵀ. It holds the gradients [N; n]. Raises DataException for a single sample, and
    /// ArgumentRangeException for more entries than LinearOperator.denseLimit.
    let covariance (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : LinearOperator =
        let gradients = matrix options risk theta
        let count, n = gradients.Signature.Shape[0], gradients.Signature.Shape[1]

        if count < 2 then
            Fail.data $"{name}: a covariance of gradients needs two samples at least, and there is one"

        let centered = gradients - Tensor.meanAxes [ 0 ] gradients
        let factor = 1.0 / float (count - 1)
        let matmat (block: Tensor) = factor * Tensor.matmul (Tensor.einsum "kn,in->ki" block centered) centered

        LinearOperator.Of
            { OperatorParts.define "covariance of gradients" theta.DType n n (Products.ofMatmat matmat) with
                Device = theta.Device
                Properties = OperatorProperties.PositiveSemidefinite
            }

    /// tr Σ/|g|² of N samples from N, |ḡ|² and Σ|gᵢ|², with tr Σ and |g|² unbiased.
    let private scaleOf (n: float) (meanSquare: float) (sumOfSquares: float) : struct (float * float * float) =
        let trace = (sumOfSquares - n * meanSquare) / (n - 1.0)
        let square = meanSquare - trace / n
        struct ((if square > 0.0 then trace / square else infinity), trace, square)

    /// Scale, trace and square without each of the samples, from ḡᵀgᵢ and |gᵢ|² of all.
    let private leftOut (meanSquare: float) (sumOfSquares: float) (dots: float[]) (norms: float[]) =
        let n = float norms.Length

        Array.map2
            (fun dot norm ->
                let square = norm * norm
                let others = (n * n * meanSquare - 2.0 * n * dot + square) / ((n - 1.0) * (n - 1.0))
                scaleOf (n - 1.0) others (sumOfSquares - square))
            dots
            norms

    /// The jackknife's covariance of two quantities from their values without each of the samples.
    let private jackknife (x: float[]) (y: float[]) : float =
        let n = float x.Length
        let ofX, ofY = Array.average x, Array.average y
        (n - 1.0) / n * (Array.map2 (fun a b -> (a - ofX) * (b - ofY)) x y |> Array.sum)

    let private scaleFrom (moments: GradientMoments) (dots: float[]) : NoiseScale =
        let count, norms, mean = moments.Samples, moments.Norms, moments.Mean

        if dots.Length <> count then
            Fail.data $"{name}: the first pass had {count} samples, and the second {dots.Length}"

        let meanSquare, sumOfSquares = (Tensor.dot mean mean).ToScalar(), norms |> Array.sumBy (fun x -> x * x)
        let struct (scale, trace, square) = scaleOf (float count) meanSquare sumOfSquares

        if count < 3 then
            let unknown = { OfTrace = infinity; OfSquare = infinity; Together = 0.0 }
            NoiseScale(scale, infinity, trace, square, count, unknown)
        else
            let others = leftOut meanSquare sumOfSquares dots norms
            let scales = others |> Array.map (fun struct (scale, _, _) -> scale)
            let traces = others |> Array.map (fun struct (_, trace, _) -> trace)
            let squares = others |> Array.map (fun struct (_, _, square) -> square)

            let error =
                if scale < infinity && Array.forall (fun other -> other < infinity) scales then
                    sqrt (jackknife scales scales)
                else
                    infinity

            let spread =
                {
                    OfTrace = jackknife traces traces
                    OfSquare = jackknife squares squares
                    Together = jackknife traces squares
                }

            NoiseScale(scale, error, trace, square, count, spread)

    /// Noise scales at point after point: recorded and compiled at the first.
    let internal noiseScaleFamily (options: SampleOptions) (risk: EmpiricalRisk) : Tensor -> NoiseScale =
        let blocks = blocksFamily options risk

        fun theta ->
            let moments = momentsOf theta (blocks theta)

            if moments.Samples < 2 then
                Fail.data $"{name}: the noise of gradients needs two samples at least, and there is one"

            [|
                for struct (_, gradients) in blocks theta do
                    yield! (Tensor.matmul (Tensor.convert DType.Float64 gradients) moments.Mean).ToArray()
            |]
            |> scaleFrom moments

    /// The simple noise scale at θ, with a standard error by the jackknife: two passes over the data. Raises
    /// DataException for a single sample, which has no noise, and for data that have changed at the second pass.
    let noiseScale (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : NoiseScale =
        noiseScaleFamily options risk theta
