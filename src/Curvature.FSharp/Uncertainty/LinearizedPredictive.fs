namespace Curvature

open System
open System.Diagnostics
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra
open Curvature.FSharp

/// Means over the normal law.
module internal NormalMean =

    /// Beyond this many deviations the law has no more mass than rounding.
    let private reach = 9.0

    let private mostPoints = 40_000

    /// E σ(m + √v z) by the trapezoidal rule. The integrand is analytic up to the pole of σ at iπ/√v, so that the error
    /// falls like exp(−2π·(π/√v)/h) with the step h (Trefethen & Weideman 2014, theorem 5.1).
    let sigmoid (mean: float) (variance: float) : float =
        let deviation = sqrt variance
        let step = min 0.25 (2.0 * Math.PI * Math.PI / deviation / 38.0)
        let points = int (min (float mostPoints) (ceil (reach / step)))
        let h = reach / float points
        let sigmoid x = if x >= 0.0 then 1.0 / (1.0 + exp -x) else exp x / (1.0 + exp x)

        if points = mostPoints then
            // The sigmoid is a step beside a law so wide.
            Distributions.Normal.CDF(0.0, deviation, mean)
        else
            let mutable weights, total = 0.0, 0.0

            for i in -points .. points do
                let z = h * float i
                let weight = exp (-0.5 * z * z)
                weights <- weights + weight
                total <- total + weight * sigmoid (mean + deviation * z)

            total / weights

/// What a posterior says of the outputs of a model at some inputs, with the model linearised at the mode: the outputs f
/// are normal with the mean f(x, θ) and the covariance J P⁻¹ Jᵀ (Khan et al. 2019; Immer, Korzepa & Bauer 2021).
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LinearizedPredictive internal (likelihood: Likelihood, mean: Tensor, covariance: Tensor) =
    let samples, outputs = mean.Signature.Shape[0], mean.Signature.Shape[1]
    let variance = lazy (Tensor.diagonal covariance)

    let requireClasses () =
        match likelihood with
        | Likelihood.Gaussian _ -> Fail.operator "LinearizedPredictive: a Gaussian likelihood has no probabilities"
        | _ -> ()

    /// The number of inputs.
    member _.Samples = samples

    /// The mean of the outputs, Float64 [N; C].
    member _.Mean = mean

    /// The covariance of the outputs of each input, without noise, Float64 [N; C; C].
    member _.Covariance = covariance

    /// The variance of each output, without noise, Float64 [N; C].
    member _.Variance: Tensor = variance.Value

    /// The variance of targets: that of the outputs and of the noise, Float64 [N; C]. Raises OperatorException for a
    /// likelihood without noise.
    member _.TargetVariance: Tensor =
        match likelihood with
        | Likelihood.Gaussian noise -> variance.Value + noise
        | other -> Fail.operator $"LinearizedPredictive: a {other} likelihood has no noise variance"

    /// The probabilities by the probit approximation, Float64 [N; C]: σ(m/√(1 + πv/8)) for yes and no (MacKay 1992,
    /// "The evidence framework applied to classification networks"), and for classes the softmax of the means
    /// so divided, each by its variance (Gibbs 1997; Lu, Ie & Sha 2020). Raises OperatorException for a Gaussian
    /// likelihood.
    member _.Probabilities: Tensor =
        requireClasses ()
        let divided = mean / Tensor.sqrt (1.0 + Math.PI / 8.0 * variance.Value)

        match likelihood with
        | Likelihood.Bernoulli -> Tensor.sigmoid divided
        | _ -> Tensor.softmax divided

    /// The probabilities of yes by quadrature to about 1e-14, Float64 [N; C]: E σ(f) over the normal law of f. Raises
    /// OperatorException for another likelihood than Bernoulli's; see `DrawProbabilities` for classes.
    member _.IntegratedProbabilities: Tensor =
        match likelihood with
        | Likelihood.Bernoulli ->
            Array.map2 NormalMean.sigmoid (mean.ToArray()) (variance.Value.ToArray())
            |> Tensor.ofArray [ samples; outputs ]
        | other -> Fail.operator $"IntegratedProbabilities: a Bernoulli likelihood is needed, and it is {other}"

    /// The probabilities as a mean over draws from the normal law of the outputs, with their errors. Raises
    /// ArgumentRangeException for less than two draws, or more than memory has room for, and OperatorException for a
    /// Gaussian likelihood.
    member _.DrawProbabilities(key: Key, draws: int) : SampledPredictive =
        requireClasses ()
        Count.between 2 Count.limit "DrawProbabilities" draws
        SamplePass.checkEntries "DrawProbabilities" draws mean.Size
        // Semidefinite matrices have no Cholesky factor.
        let values, vectors = Tensor.eigh covariance
        let roots = Tensor.unsqueeze 1 (Tensor.sqrt (Tensor.maximum values 0.0)) * vectors
        let z = Tensor.normal key DType.Float64 [ draws; samples; outputs ]
        let logits = mean + Tensor.einsum "ncr,snr->snc" roots z
        let running = RunningVectorMoments(mean.Size, mean.Device)
        running.AddRows(Tensor.reshape [ draws; mean.Size ] (Likelihood.means likelihood logits))
        SampledPredictive([| samples; outputs |], running)

    /// ln p(targets) of each input under the predictive distribution, [N]: of a Gaussian with the covariance of the
    /// outputs and the noise; of classes by `Probabilities`. Targets are those of `Likelihood.loss`. Raises
    /// ShapeException and DataException for targets that do not fit.
    member this.LogProbabilities(targets: Tensor) : float[] =
        ArgumentNullException.ThrowIfNull(targets, nameof targets)

        match likelihood with
        | Likelihood.Gaussian noise ->
            if targets.Size <> mean.Size || targets.DType = DType.Int32 then
                Fail.shape (
                    $"LogProbabilities: targets must be {samples}·{outputs} numbers, and they are "
                    + $"{targets.Signature.Text}"
                )

            let residuals = Tensor.reshape [ samples; outputs ] (Tensor.convert DType.Float64 targets) - mean
            let total = covariance + noise * Tensor.eye DType.Float64 outputs
            let solved = Tensor.squeeze -1 (Tensor.solve total (Tensor.unsqueeze -1 residuals))
            let squares = Tensor.sumAxes [ 1 ] (residuals * solved)
            (-0.5 * (squares + Tensor.logdet total + float outputs * Math.Log(2.0 * Math.PI))).ToArray()
        | _ ->
            let probabilities = this.Probabilities

            let logits =
                match likelihood with
                | Likelihood.Bernoulli -> Tensor.log probabilities - Tensor.log1p -probabilities
                | _ -> Tensor.log probabilities

            let shape = List.ofArray targets.Signature.Shape

            let logits =
                match likelihood with
                | Likelihood.Bernoulli when targets.Size = mean.Size -> Tensor.reshape shape logits
                | _ -> logits

            Array.init samples (fun row ->
                let one t = Tensor.slice 0 row 1 t

                if shape.IsEmpty || shape.Head <> samples then
                    Fail.shape $"LogProbabilities: there are {samples} inputs, and targets of {targets.ShapeText}"

                -(Likelihood.loss likelihood Reduction.Sum (one targets) (one logits)).ToScalar())

    override _.ToString() =
        let inputs = Describe.count samples "input"
        let deviations = variance.Value.ToArray() |> Array.map (fun v -> sqrt (max 0.0 v))
        let range = Describe.numbers Numbers.error deviations
        let outputs = Describe.count outputs "output"
        $"predictive law ({likelihood}) at {inputs} with {outputs} each, standard deviations {range}"

    member internal this.Text = this.ToString()
