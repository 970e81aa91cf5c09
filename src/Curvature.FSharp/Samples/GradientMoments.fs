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

/// The simple noise scale tr Σ/|g|² of gradients g of single samples with covariance Σ (McCandlish, Kaplan & Amodei
/// 2018, eq. 2.9): batches of fewer samples are mostly noise, and larger ones gain little.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NoiseScale internal (value: float, standardError: float, trace: float, square: float, samples: int) =
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

    /// Losses and gradients of the samples, block by block.
    let internal blocks (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : struct (Tensor * Tensor) seq =
        SamplePass.blocks options (ofRisk risk) risk theta |> Seq.map (fun results -> struct (results[0], results[1]))

    /// The gradients at θ as rows of a matrix [N; n] in the element type of θ, in the order of the data. Raises
    /// ArgumentRangeException for more entries than LinearOperator.denseLimit.
    let matrix (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : Tensor =
        blocks options risk theta |> Seq.map (fun struct (_, gradients) -> gradients) |> SamplePass.stackRows name

    /// Losses, lengths, mean and variance of the gradients at θ, in Float64, without keeping the gradients.
    let moments (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : GradientMoments =
        let running = RunningVectorMoments(theta.Size, theta.Device)
        let losses, norms = ResizeArray<float>(), ResizeArray<float>()

        for struct (loss, gradients) in blocks options risk theta do
            losses.AddRange(loss.ToArray())
            norms.AddRange((Tensor.rowNorms gradients).ToArray())
            running.AddRows gradients

        let count = losses.Count
        let spread = float count * Tensor.square running.StandardError
        let variance = if count = 1 then Tensor.fullLike spread nan else spread
        GradientMoments(losses.ToArray(), norms.ToArray(), running.Mean, variance)

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

    /// The scale without each of the samples, from ḡᵀgᵢ and |gᵢ|² of all.
    let private leftOut (meanSquare: float) (sumOfSquares: float) (dots: float[]) (norms: float[]) : float[] =
        let n = float norms.Length

        Array.map2
            (fun dot norm ->
                let square = norm * norm
                let others = (n * n * meanSquare - 2.0 * n * dot + square) / ((n - 1.0) * (n - 1.0))
                let struct (scale, _, _) = scaleOf (n - 1.0) others (sumOfSquares - square)
                scale)
            dots
            norms

    /// The simple noise scale at θ, with a standard error by the jackknife: two passes over the data. Raises
    /// DataException for a single sample, which has no noise, and for data that have changed at the second pass.
    let noiseScale (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : NoiseScale =
        let moments = moments options risk theta
        let count, norms, mean = moments.Samples, moments.Norms, moments.Mean

        if count < 2 then
            Fail.data $"{name}: the noise of gradients needs two samples at least, and there is one"

        let dots =
            [|
                for struct (_, gradients) in blocks options risk theta do
                    yield! (Tensor.matmul (Tensor.convert DType.Float64 gradients) mean).ToArray()
            |]

        if dots.Length <> count then
            Fail.data $"{name}: the first pass had {count} samples, and the second {dots.Length}"

        let meanSquare, sumOfSquares = (Tensor.dot mean mean).ToScalar(), norms |> Array.sumBy (fun x -> x * x)
        let struct (scale, trace, square) = scaleOf (float count) meanSquare sumOfSquares
        let others = if count < 3 then [| infinity |] else leftOut meanSquare sumOfSquares dots norms

        let error =
            if scale < infinity && Array.forall (fun other -> other < infinity) others then
                let middle = Array.average others
                let squares = others |> Array.sumBy (fun other -> (other - middle) * (other - middle))
                sqrt (float (count - 1) / float count * squares)
            else
                infinity

        NoiseScale(scale, error, trace, square, count)
