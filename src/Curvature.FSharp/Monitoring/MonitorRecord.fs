namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// The mean of the forms behind a trace, and their law.
[<NoEquality; NoComparison>]
type internal TraceFound = { Value: float; Error: float; Forms: int; Law: SampleLaw; Seconds: float }

module internal TraceFound =

    let estimate (found: TraceFound) : Estimate<float> =
        let cost = { Products = 0; Forms = found.Forms }

        Ledgers.ofSamples found.Forms cost found.Seconds StopReason.MatvecsSpent
        |> Estimates.sampled found.Law found.Value found.Error

/// What one measurement of a monitor is made of.
[<NoEquality; NoComparison>]
type internal MonitorFound =
    {
        Step: int
        Loss: float
        Rate: float
        Sharpness: SharpnessFound
        Trace: TraceFound
        Noise: NoiseScale voption
        Seconds: float
        /// The share of the time spent so far, this measurement included.
        ShareSpent: float
    }

/// What a monitor measured after one step of a training.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type MonitorRecord internal (found: MonitorFound) =
    let sharpness = lazy SharpnessBound.estimate found.Sharpness
    let trace = lazy TraceFound.estimate found.Trace

    member internal _.Found = found

    /// The number of steps before it.
    member _.Step = found.Step

    /// The loss that was reported with that step.
    member _.Loss = found.Loss

    /// The learning rate that was reported with that step, of gradient descent of the same stability; NaN where there
    /// is none.
    member _.LearningRate = found.Rate

    /// The largest eigenvalue of the Hessian of the monitor's risk, by its largest Ritz value, which it is not below.
    /// The interval goes from there to what the random part of Lanczos's start vector rules out (Kuczyński &
    /// Woźniakowski 1992); it is far wider than the residual, as it supposes nothing of the spectrum.
    member _.Sharpness: Estimate<float> = sharpness.Value

    /// An eigenvalue lies so near to the sharpness; mostly it is the largest.
    member _.SharpnessResidual = found.Sharpness.Residual

    /// The trace of the Hessian of the monitor's risk.
    member _.Trace: Estimate<float> = trace.Value

    /// The noise scale of gradients of the samples of the monitor's risk; null where it is not measured.
    member _.NoiseScale: NoiseScale | null =
        match found.Noise with
        | ValueSome noise -> noise
        | ValueNone -> null

    /// 2/λ of the sharpness λ: gradient descent with a larger learning rate is unstable along that eigenvector
    /// (Cohen et al. 2021). Infinite where no curvature is upward. Since the largest eigenvalue is not below the
    /// sharpness, the truth is no more than this.
    member _.LargestLearningRate =
        if found.Sharpness.Largest > 0.0 then
            2.0 / found.Sharpness.Largest
        else
            infinity

    /// The interval that holds 2/λ₁ for the largest eigenvalue λ₁ with this confidence. Raises ArgumentRangeException
    /// for a confidence outside (0, 1).
    member _.LargestLearningRateInterval(confidence: float) : Interval<float> =
        let of' (lambda: float) = if lambda > 0.0 then 2.0 / lambda else infinity
        let interval = sharpness.Value.Interval confidence
        Interval(of' interval.High, of' interval.Low, confidence)

    /// Products with the Hessian that were taken.
    member _.Matvecs = found.Sharpness.Steps

    /// Quadratic forms of the Hessian that were taken.
    member _.QuadraticForms = found.Trace.Forms

    /// The time that it took, in seconds.
    member _.Seconds = found.Seconds

    /// The share of the time since the first step that went into measurements, this one included.
    member _.ShareOfTime = found.ShareSpent

    override this.ToString() =
        let show = Numbers.show

        let rate =
            if Double.IsNaN found.Rate then
                ""
            else
                let verdict = if found.Rate > this.LargestLearningRate then "above" else "below"
                $" ({show found.Rate} is {verdict} it)"

        let noise =
            match found.Noise with
            | ValueSome noise -> $", noise scale {Numbers.withError noise.StandardError noise.Value} samples"
            | ValueNone -> ""

        $"step {found.Step}: loss {show found.Loss}, sharpness {show found.Sharpness.Largest} or more, "
        + $"2/sharpness {show this.LargestLearningRate}{rate}, trace {trace.Value.Brief}{noise}; "
        + $"{(100.0 * found.ShareSpent):F1} %% of the time"

    member internal this.Text = this.ToString()
