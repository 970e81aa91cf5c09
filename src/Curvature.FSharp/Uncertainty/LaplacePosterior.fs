namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// What a fit found at θ, for a noise variance of 1 where there is noise: the posterior of any prior precision and any
/// noise follows without another product.
[<NoEquality; NoComparison>]
type internal LaplaceFit =
    {
        Risk: RiskDefinition
        Theta: Tensor
        Likelihood: Likelihood
        Options: LaplaceOptions
        /// Σ Jᵢᵀ Λᵢ Jᵢ with the Hessians Λ of the unit losses by the outputs.
        Curvature: DampedCurvature
        /// The sum over samples of the unit losses: half of the squared errors, or −ln p.
        UnitLoss: float
        /// The gradient of the sum of unit losses, Float64 [n].
        UnitGradient: Tensor
        Samples: int
        /// The numbers that were observed: N·C.
        Targets: int
        Warnings: string list
    }

/// The Gaussian approximation N(θ, P⁻¹) of the posterior of parameters at their mode θ, with the precision P = sG + δI:
/// the Gauss–Newton matrix G of the negative log-likelihood, s = 1 over the noise variance (1 for classes), and the
/// prior precision δ (MacKay 1992; Daxberger et al. 2021). Immutable.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LaplacePosterior internal (fit: LaplaceFit, precision: float) =
    let scale =
        match fit.Likelihood with
        | Likelihood.Gaussian variance -> 1.0 / variance
        | _ -> 1.0

    let n, damping = fit.Curvature.Size, precision / scale
    let theta = Tensor.flatten fit.Theta |> HostNumbers.wide
    let thetaSquare = (Tensor.dot theta theta).ToScalar()

    let inverse (block: Tensor) = fit.Curvature.Inverse damping block / scale

    /// tr P⁻¹
    let inverseTrace = lazy (fit.Curvature.InverseTrace damping / scale)

    let logLikelihood =
        match fit.Likelihood with
        | Likelihood.Gaussian variance ->
            -fit.UnitLoss / variance - 0.5 * float fit.Targets * Math.Log(2.0 * Math.PI * variance)
        | _ -> -fit.UnitLoss

    let gradient = lazy (scale * fit.UnitGradient + precision * theta)

    let logDeterminant = lazy (float n * log scale + fit.Curvature.LogDeterminant damping)

    let evidence =
        lazy
            (logLikelihood - 0.5 * precision * thetaSquare + 0.5 * float n * log precision - 0.5 * logDeterminant.Value)

    member internal _.Fit = fit
    member internal _.Scale = scale

    /// P⁻¹ times rows, Float64.
    member internal _.Inverse(block: Tensor) = inverse block

    /// The point θ, in its shape and element type.
    member _.Theta = fit.Theta

    /// The number n of parameters.
    member _.Size = n

    /// What the outputs say of the targets; of a Gaussian with its noise variance.
    member _.Likelihood = fit.Likelihood

    /// The noise variance σ² of a Gaussian likelihood; NaN where there is no noise.
    member _.NoiseVariance =
        match fit.Likelihood with
        | Likelihood.Gaussian variance -> variance
        | _ -> nan

    /// The prior precision δ.
    member _.PriorPrecision = precision

    /// What is kept of the curvature.
    member _.Structure = fit.Options.Structure

    /// The number N of samples that were fitted.
    member _.Samples = fit.Samples

    /// Why the numbers are doubtful, in sentences.
    member _.Warnings: Collections.Generic.IReadOnlyList<string> = fit.Warnings

    /// ln p(targets | θ).
    member _.LogLikelihood = logLikelihood

    /// ln det P.
    member _.LogDeterminant = logDeterminant.Value

    /// ln p(targets) ≈ ln p(targets | θ) − ½δ|θ|² + ½n ln δ − ½ ln det P (MacKay 1992; Bishop 2006, eq. 3.86; Immer et
    /// al. 2021), which is exact for a linear model with Gaussian noise where θ is the mode.
    member _.LogEvidence = evidence.Value

    /// The number γ = n − δ tr P⁻¹ of parameters that the data determine (MacKay 1992; Bishop 2006, eq. 3.91).
    member _.EffectiveParameters = float n - precision * inverseTrace.Value

    /// ½gᵀP⁻¹g with the gradient g of the negative log posterior at θ: what the quadratic model expects its logarithm
    /// to grow by on the way to the mode. It is 0 at the mode; where it is not small, θ is not yet the mode, or has
    /// ceased to be by another prior precision.
    member _.DistanceFromMode =
        let g = gradient.Value
        0.5 * (Tensor.dot g (Tensor.squeeze 0 (inverse (Tensor.unsqueeze 0 g)))).ToScalar()

    /// The derivative of LogEvidence with respect to ln δ, with θ held fixed: ½(γ − δ|θ|²).
    member this.LogPriorPrecisionGradient = 0.5 * (this.EffectiveParameters - precision * thetaSquare)

    /// The derivative of LogEvidence with respect to ln σ², with θ held fixed: ½(Σ(y − f)²/σ² − N·C + γ). NaN where
    /// there is no noise.
    member this.LogNoiseVarianceGradient =
        match fit.Likelihood with
        | Likelihood.Gaussian variance ->
            fit.UnitLoss / variance - 0.5 * float fit.Targets + 0.5 * this.EffectiveParameters
        | _ -> nan

    /// The variance of each parameter, Float64 [n]: the diagonal of P⁻¹.
    member _.Variances: Tensor = fit.Curvature.InverseDiagonal damping / scale

    /// P⁻¹ as an operator on vectors of Float64.
    member _.Covariance: LinearOperator =
        LinearOperator.Of
            { OperatorParts.define "posterior covariance" DType.Float64 n n (Products.ofMatmat inverse) with
                Properties = OperatorProperties.PositiveSemidefinite
            }

    /// The posterior at the same θ for another prior precision, without another product. Raises ArgumentRangeException
    /// for one that is not above 0 and finite.
    member _.WithPriorPrecision(other: float) : LaplacePosterior =
        LaplaceOptions.CheckPositive("WithPriorPrecision", other)
        LaplacePosterior(fit, other)

    /// The posterior at the same θ for another noise variance, without another product. Raises ArgumentRangeException
    /// for one that is not above 0 and finite, and OperatorException for a likelihood without noise.
    member _.WithNoiseVariance(other: float) : LaplacePosterior =
        LaplaceOptions.CheckPositive("WithNoiseVariance", other)

        match fit.Likelihood with
        | Likelihood.Gaussian _ -> LaplacePosterior({ fit with Likelihood = Likelihood.Gaussian other }, precision)
        | likelihood -> Fail.operator $"WithNoiseVariance: a {likelihood} likelihood has no noise variance"

    /// Standard normal vectors and the samples that they make, Float64 [count; n].
    member internal _.DrawWithNoise(key: Key, first: int, count: int) : struct (Tensor * Tensor) =
        let z = Probe.draw Probe.gaussian key n (first, count) DType.Float64
        struct (z, theta + fit.Curvature.InverseRoot damping z / sqrt scale)

    /// Samples of the parameters, Float64 [count; n]. Sample i depends on the key and i alone. Raises
    /// ArgumentRangeException for less than one, or more entries than LinearOperator.denseLimit.
    member this.Draw(key: Key, count: int) : Tensor =
        Count.between 1 Count.limit "Draw" count
        SamplePass.checkEntries "Draw" count n
        let struct (_, samples) = this.DrawWithNoise(key, 0, count)
        samples

    override this.ToString() =
        let noise =
            match fit.Likelihood with
            | Likelihood.Gaussian variance -> $", noise variance {Numbers.show variance}"
            | _ -> ""

        let effective = this.EffectiveParameters.ToString("F1", Globalization.CultureInfo.InvariantCulture)

        $"""Laplace approximation ({fit.Options.Structure}) of {Describe.count n "parameter"}: """
        + $"log evidence {Numbers.show this.LogEvidence}, prior precision {Numbers.show precision}{noise}, "
        + $"{effective} effective parameters"

    member internal this.Text = this.ToString()
