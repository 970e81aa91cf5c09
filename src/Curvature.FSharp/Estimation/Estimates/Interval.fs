namespace Curvature

open System.Diagnostics
open Curvature.FSharp
open MathNet.Numerics.Distributions

/// The width of intervals, in standard errors.
[<NoEquality; NoComparison>]
type internal IntervalWidth =
    {
        /// Half the width at a confidence, in standard errors.
        Factor: float -> float
        /// Whether it is widened for interim analyses, any of which could end the run.
        IsSequential: bool
        /// How many standard errors the interval reaches below and above, at a confidence.
        Reach: float -> struct (float * float)
    }

module internal IntervalWidth =

    /// Raises ArgumentRangeException for a confidence outside (0, 1).
    let requireConfidence (confidence: float) =
        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"a confidence lies between 0 and 1, and this one is {confidence}"

    /// After these interim analyses; none for a number of samples that was fixed beforehand. A single one has no error.
    let ofAnalyses (history: Summary list) (final: Summary) : IntervalWidth =
        let factor confidence =
            if final.Independent < 2 then
                infinity
            elif history.IsEmpty then
                ErrorQuantile.student final.Independent (1.0 - confidence)
            else
                SequentialDesign.factor confidence history final

        {
            Factor = factor
            IsSequential = not history.IsEmpty
            Reach =
                fun confidence ->
                    let t = factor confidence
                    // What interim analyses add covers skewness.
                    if history.IsEmpty then
                        SampleLaw.reach final.Law final.Independent t
                    else
                        struct (t, t)
        }

    /// Of the mean of so many samples: Student's.
    let ofSamples (samples: int) : IntervalWidth = ofAnalyses [] (Summaries.ofMean samples 0.0 1.0)

    /// Of an exact result, whose error is rounding: a quantile of the normal law.
    let ofRounding: IntervalWidth =
        let factor confidence = Normal.InvCDF(0.0, 1.0, 0.5 + 0.5 * confidence)

        {
            Factor = factor
            IsSequential = false
            Reach =
                fun confidence ->
                    let z = factor confidence
                    struct (z, z)
        }

/// Where a quantity lies, with the given confidence.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Interval<'T> internal (low: 'T, high: 'T, confidence: float, ?isSequential: bool) =
    /// The lower end.
    member _.Low = low

    /// The upper end.
    member _.High = high

    /// The probability with which such intervals hold the truth.
    member _.Confidence = confidence

    /// Whether it is wide enough for a run that any interim analysis could end. If not, it holds the truth as often
    /// as it says where the number of samples was fixed beforehand.
    member _.IsSequential = defaultArg isSequential false

    override _.ToString() =
        let one (low: float) (high: float) =
            let write = FSharp.Numbers.within (0.5 * (high - low))
            $"[{write low}, {write high}]"

        let many (low: float[]) (high: float[]) =
            if low.Length <= 6 then
                System.String.Join(", ", Array.map2 one low high)
            else
                let widths = Array.map2 (-) high low
                let narrow, broad = FSharp.Numbers.error (Array.min widths), FSharp.Numbers.error (Array.max widths)
                $"{low.Length:N0} intervals of width {narrow} to {broad}"

        let ends =
            match box low, box high with
            | (:? float as low), (:? float as high) -> one low high
            | (:? Tensor as low), (:? Tensor as high) -> many (low.ToArray()) (high.ToArray())
            | (:? (float[]) as low), (:? (float[]) as high) -> many low high
            | low, high -> $"[{low}, {high}]"

        $"{ends} with {FSharp.Numbers.show (100.0 * confidence)} %% confidence"

    member internal this.Text = this.ToString()
