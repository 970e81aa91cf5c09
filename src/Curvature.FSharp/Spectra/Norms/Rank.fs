namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// The stable rank ‖A‖²_F/‖A‖₂², from an estimate of each norm.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type StableRank internal (squaredFrobenius: Estimate<float>, norm: SpectralNorm, most: int) =
    /// The estimate of ‖A‖²_F over the square of the largest singular value that was found.
    member _.Value = squaredFrobenius.Value / (norm.Value * norm.Value)

    /// ‖A‖²_F with its error bar.
    member _.SquaredFrobenius = squaredFrobenius

    /// ‖A‖₂ with its interval.
    member _.Norm = norm

    /// How many products with the operator and its transpose were taken.
    member _.Matvecs = squaredFrobenius.Matvecs + norm.Matvecs

    /// Where the stable rank lies with this confidence, from intervals of both norms that fail half as often each; it
    /// is never less than 1 nor more than the smaller side of the matrix. Raises ArgumentRangeException for a
    /// confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        IntervalWidth.requireConfidence confidence
        let each = 0.5 + 0.5 * confidence
        let square, size = squaredFrobenius.Interval each, norm.Interval each
        let low = max 0.0 square.Low / (size.High * size.High)
        let high = square.High / (size.Low * size.Low)
        Interval(Math.Clamp(low, 1.0, float most), Math.Clamp(high, 1.0, float most), confidence)

    override this.ToString() =
        let interval = this.Interval 0.95
        let write = Numbers.within (0.5 * (interval.High - interval.Low))
        $"{write this.Value}, from {write interval.Low} to {write interval.High} with 95 %% confidence"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// How many directions an operator has that matter, as numbers that need not be whole.
[<RequireQualifiedAccess>]
module Rank =

    /// The ends of the error of the entropy H = E/T + ln T of eigenvalues over their sum, E = −tr A ln A and T = tr A.
    /// With T off by the share u, H is off by ℓ/(1 + u) + ln(1 + u) − u/(1 + u), where ℓ is the error to first order:
    /// that of the trace of one function of A. As a function of u this falls until u = ℓ, and rises from there on.
    let private entropyEnds (trace: Integral) (linear: Integral) (t: float) : struct (float * float) =
        let struct (leastTrace, mostTrace) = trace.Ends t
        let least, most = leastTrace / trace.Value - 1.0, mostTrace / trace.Value - 1.0
        let struct (low, high) = linear.Ends t
        let low, high = low - linear.Value, high - linear.Value

        let error first u =
            if u > -1.0 && u < infinity then
                (first - u) / (1.0 + u) + log (1.0 + u)
            else
                infinity

        let nearest = Math.Clamp(low, max least (Math.BitIncrement -1.0), max most (Math.BitIncrement -1.0))
        struct (error low nearest, max (error high least) (error high most))

    let private effectiveOver what (scale: float) (sample: SpectralSample) : Estimate<float> =
        StochasticLanczos.requireSemidefinite what sample
        let entropyOf x = if x <= 0.0 then 0.0 else -x * log x
        // From the second derivative on, that of −x ln x, signs alternate.
        let derivatives = Alternating(0.0, 1.0, false)
        let trace = QuadratureError.integral id derivatives sample

        if not (trace.Value > 0.0) then
            Fail.operator $"{what}: an operator other than 0 is needed, and the trace of {sample.Name} is {trace.Value}"

        let entropy = QuadratureError.integral entropyOf derivatives sample
        let slope = (1.0 - entropy.Value / trace.Value) / trace.Value
        let linear = QuadratureError.integral (fun x -> entropyOf x / trace.Value + slope * x) derivatives sample
        let n = float sample.Size
        let rank = Math.Clamp(exp (entropy.Value / trace.Value + log trace.Value), 1.0, n)
        let within (x: float) = Math.Clamp(x, 1.0, n) / scale

        let ends t =
            let struct (low, high) = entropyEnds trace linear t
            struct (within (rank * exp low), within (rank * exp high))

        let error = rank * sqrt (linear.Random * linear.Random + linear.Bias * linear.Bias)
        Estimate(rank / scale, error / scale, ends, sample.Ledger, rank * linear.Bias / scale)

    /// exp(−Σ pᵢ ln pᵢ) for pᵢ = λᵢ/tr A (Roy & Vetterli 2007, "The effective rank"): n where all eigenvalues are the
    /// same, 1 where there is a single one. Of a positive semidefinite A. The standard error is that of the entropy to
    /// first order, the trace of a function of A; the interval follows the entropy beyond it, and never leaves [1, n].
    /// Raises OperatorException where a Ritz value is negative by more than rounding, or A is 0.
    let effective (sample: SpectralSample) : Estimate<float> = effectiveOver "Rank.effective" 1.0 sample

    /// The effective rank over n, a share of all directions; see `effective`.
    let normalisedEffective (sample: SpectralSample) : Estimate<float> =
        effectiveOver "Rank.normalisedEffective" (float sample.Size) sample

    /// `stable` with options for cancellation, progress, a checkpoint and block size. A checkpoint keeps the products
    /// of both norms.
    let stableWith
        (options: RunOptions)
        (relativeError: float)
        (stop: StoppingRule)
        (key: Key)
        (operator: LinearOperator)
        : StableRank =
        let keys = key.Split 2

        let norms (options: RunOptions) operator =
            let norm = Norm.spectralWith options 0.95 relativeError keys[1] operator

            if not (norm.Value > 0.0) then
                Fail.operator $"Rank.stable: an operator other than 0 is needed, and the norm of {operator.Name} is 0"

            let hutchinson = Hutchinson.estimator Probe.rademacher Measurement.squaredFrobenius
            struct (Estimate.runWith options hutchinson stop keys[0] operator, norm)

        let struct (square, norm) = Checkpoint.keeping options operator norms
        StableRank(square, norm, min operator.Rows operator.Columns)

    /// ‖A‖²_F/‖A‖₂² of any operator, at most its rank: ‖A‖²_F by signs until a rule ends, one product each, and ‖A‖₂ to
    /// within a relative error, as `Norm.spectral` finds it. Raises OperatorException for an operator that is 0, and
    /// what `Norm.spectral` raises.
    let stable (relativeError: float) (stop: StoppingRule) (key: Key) (operator: LinearOperator) : StableRank =
        stableWith RunOptions.Default relativeError stop key operator
