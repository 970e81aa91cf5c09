namespace Curvature.FSharp

open System
open MathNet.Numerics.Distributions

/// An error that a rule allows.
[<NoComparison>]
type internal Target =
    {
        Error: float
        /// Whether the error is a share of the value.
        IsRelative: bool
        Confidence: float
        /// Whether samples are independent; not so for estimators that keep their vectors.
        IsIndependent: bool
    }

/// What follows an interim analysis.
[<NoComparison>]
type internal Decision =
    | Stop
    /// The next interim analysis takes place after this many samples.
    | ContinueTo of samples: int

/// When a rule with a target stops: an accelerated sequential plan.
///
/// The mean of N samples has the error that a target allows, d, where N ≥ c² s²/d² (Chow & Robbins 1965, Annals of
/// Mathematical Statistics 36). An analysis after every sample is not needed. Half of the samples that those seen ask
/// for are taken at once, and then the number is computed again (Hall 1983, "Sequential estimation saving sampling
/// operations", Journal of the Royal Statistical Society B 45; with three stages Hall 1981, Annals of Statistics 9).
/// For normal samples mean and variance are independent. So a rule on the variance alone spends nothing of its risk,
/// and there is no alpha spending: none is divided among the analyses, other than in a test. Intervals of such plans
/// hold less often than they say for two reasons: the plans stop where s happens to be small, and samples are skewed.
/// Three corrections meet both:
/// • c² is a quantile of Student's t squared, or of F for a vector: the first stage of Stein (1945) is exact with it.
/// • c² is larger by 0.3 relative standard errors √(2/(ν (N − 1))) of s², which vanish as N grows.
/// • Skewed samples widen t (Hall 1992, "The bootstrap and Edgeworth expansion", section 2.6).
/// What was compared, and measured, is in docs/decisions/sequential-design.md.
///
/// Intervals are those of a fixed time, not valid at every time at once: the interval at the end holds the truth as
/// often as it says, that of a progress report holds it as often at a time chosen beforehand.
module internal SequentialDesign =

    let private least = 8

    /// Fewer samples that are all equal are not enough: a rarer value may not have come yet.
    let private leastOfEqual = 16

    /// Relative standard errors of the variance that are added to it.
    let private margin = 0.3

    /// An interim analysis is at most this many times as late as the one before.
    let private longestStep = 4.0

    /// No forecast is longer.
    let private longest = 1e9

    /// The samples after which the first interim analysis takes place.
    let first (_: Target) : int = least

    /// The error that a target allows.
    let allowed (target: Target) (summary: Summary) : float =
        if target.IsRelative then target.Error * abs summary.Value else target.Error

    /// The squared skewness that intervals assume: the one seen, or that of a positive form where that is more,
    /// because few samples hardly show theirs. A positive form is about a multiple of a χ² (Satterthwaite 1946),
    /// whose skewness is twice its coefficient of variation, which is at most √2. Forms that vary more are not
    /// positive.
    let private squaredSkewness (summary: Summary) : float =
        let variation = summary.Spread / abs summary.Value
        let ofPositiveForm = if variation <= 1.7 then min (2.0 * variation) (2.0 * sqrt 2.0) else 0.0
        Math.Pow(max (abs summary.Skewness) ofPositiveForm, 2.0)

    /// b, where skewness γ widens z² to z² (1 + b γ²/N): from the 1/N term of P(|t| ≤ z) (Hall 1992, section 2.6), z
    /// (γ² (z⁴ + 2z² − 3)/18 − κ (z² − 3)/12) with the kurtosis κ = 3γ²/2 of a gamma distribution. Smaller by ν for a
    /// vector.
    let private skewnessWeight (confidence: float) : float =
        let z2 = Math.Pow(Normal.InvCDF(0.0, 1.0, 0.5 + 0.5 * confidence), 2.0)
        max 0.0 (2.0 * ((z2 * z2 + 2.0 * z2 - 3.0) / 18.0 - (z2 - 3.0) / 8.0))

    let private skewness confidence (summary: Summary) =
        if Double.IsFinite summary.Spread && summary.Spread > 0.0 then
            skewnessWeight confidence * squaredSkewness summary / max 1.0 summary.Dimension
        else
            0.0

    /// c² without skewness, for a time that was chosen by what was seen or beforehand.
    let private squaredFactor confidence isSequential dimension samples =
        let c2 = ErrorQuantile.squared dimension samples confidence
        let freedom = float (max 1 (samples - 1)) * max 1.0 dimension
        if isSequential then c2 * (1.0 + margin * sqrt (2.0 / freedom)) else c2

    /// Half the width of the interval at a confidence, in standard errors, for a run that ended after these analyses
    /// (none: a count fixed beforehand). At the confidence of the rule it is what the rule compared with its target;
    /// at another one it is what a rule of that confidence would have compared. For entries of a vector, the summary's
    /// dimension is 1. 0 for an exact result. A fixed count has the plain quantile, to which the law of the samples
    /// adds its skewness on each side.
    let factor (confidence: float) (history: Summary list) (final: Summary) : float =
        if final.IsExact then
            0.0
        else
            let widening = if history.IsEmpty then 0.0 else skewness confidence final
            let c2 = squaredFactor confidence (not history.IsEmpty) final.Dimension final.Independent
            sqrt (c2 * (1.0 + widening / float (max 1 final.Independent)))

    /// The samples that are enough, by what the latest of them show: N = r (1 + b/N), where r = c² s²/d² with the c² of
    /// so many samples.
    let private enough (target: Target) (allowed: float) (summary: Summary) (samples: float) : float =
        let ratio = float summary.Independent * Math.Pow(summary.StandardError / allowed, 2.0)
        let r = squaredFactor target.Confidence true summary.Dimension (int samples) * ratio

        if summary.StandardError = 0.0 then
            float (if summary.Independent < leastOfEqual then leastOfEqual else summary.Independent)
        elif Double.IsFinite r then
            min longest (0.5 * (r + sqrt (r * r + 4.0 * r * skewness target.Confidence summary)))
        else
            longest

    /// The fastest fall of the error, as a power of N, from any earlier analysis to the latest; at least that of a
    /// mean.
    let private rate (history: Summary list) : float =
        let latest = List.last history

        history
        |> List.map (fun earlier ->
            log (earlier.StandardError / latest.StandardError)
            / log (float latest.Independent / float earlier.Independent))
        |> List.filter Double.IsFinite
        |> List.fold max 0.5

    /// The same where errors fall by a power that is not known beforehand. At first as that of a mean.
    let private enoughDependent (target: Target) (history: Summary list) : float =
        let latest = List.last history
        let ratio = factor target.Confidence history latest * latest.StandardError / allowed target latest
        let n = float latest.Independent

        if ratio <= 1.0 || latest.StandardError = 0.0 then n
        elif not (Double.IsFinite ratio) then longest
        else min longest (n * Math.Pow(ratio, 1.0 / rate history))

    /// A value farther from 0 by a standard error: a mean that happens to be near 0 must not forecast a run without an
    /// end.
    let private optimistic (summary: Summary) = { summary with Value = abs summary.Value + summary.StandardError }

    /// The number of samples at the expected end, after analyses in order, the newest last. That of the latest where
    /// it is enough. With a relative target, it is that of a value farther from 0 by a standard error.
    let forecast (target: Target) (history: Summary list) : float =
        let latest = List.last history
        let n = float latest.Independent

        if latest.IsExact then
            n
        elif not target.IsIndependent then
            enoughDependent target history
        elif enough target (allowed target latest) latest n <= n then
            n
        else
            // c² falls as N grows, so that the answer is a fixed point.
            let next = enough target (allowed target (optimistic latest)) latest
            max (n + 1.0) (n |> next |> next |> next)

    /// What to do after these interim analyses, in order, the newest last.
    let decide (target: Target) (history: Summary list) : Decision =
        let latest = List.last history
        let n = float latest.Independent
        let expected = forecast target history

        // No step is longer than what is known allows: a forecast from few samples is often far off.
        let step = if target.IsIndependent then min (0.5 * expected) (longestStep * n) else 1.3 * n

        if latest.IsExact || expected <= n then Stop
        elif target.IsIndependent && step < 1.2 * n then ContinueTo(int (ceil expected))
        else ContinueTo(max (latest.Independent + 1) (int (ceil (min expected step))))

    /// What to do where several quantities are watched, each with a target: stop where all have met theirs. Each
    /// then holds its truth with the confidence of its target, and all of k together with 1 − Σ(1 − cᵢ) at least
    /// (Bonferroni).
    let all (decisions: Decision seq) : Decision =
        let further =
            decisions
            |> Seq.choose (function
                | Stop -> None
                | ContinueTo samples -> Some samples)
            |> Seq.toArray

        if further.Length = 0 then Stop else ContinueTo(Array.max further)
