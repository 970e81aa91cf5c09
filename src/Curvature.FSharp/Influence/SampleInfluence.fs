namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// What the removal of each training sample is expected to change a loss by.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SampleInfluence internal (what: string, values: float[], bounds: float[], solution: Solution | null) =

    /// The expected change for each training sample, in the order of the data: positive for a sample that lowers the
    /// loss by being there.
    member _.Values = Array.copy values

    /// Bounds on what the solve's residual makes Values wrong by: |gᵢ|·|r|/(smallest eigenvalue), of which the damping
    /// is a lower bound for a Gauss–Newton matrix of a convex criterion. Infinite where no such bound is known, as for
    /// a Hessian or without damping; 0 for baselines, which solve nothing.
    member _.Bounds = Array.copy bounds

    /// How the system was solved; null for baselines, which solve nothing.
    member _.Solution = solution

    /// The samples in the order of influence, from the most helpful one, whose removal raises the loss most, on.
    member _.Order = Array.init values.Length id |> Array.sortBy (fun i -> -values[i])

    override this.ToString() =
        let samples = Describe.count values.Length "sample"

        let range =
            if values.Length = 0 then
                ""
            else
                $" from {Numbers.show (Array.min values)} to {Numbers.show (Array.max values)}"

        let largest = Array.fold max 0.0 bounds

        let error =
            match solution with
            | null -> ""
            | solution when Double.IsFinite largest -> $", wrong by {Numbers.error largest} at most ({solution})"
            | solution -> $", error unknown ({solution})"

        $"{what} of {samples}:{range}{error}"

    member internal this.Text = this.ToString()

/// Predicted changes of a loss beside those of models that were trained without the samples.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type RetrainingCheck internal (samples: int[], predicted: float[], actual: float[]) =
    let ranks (values: float[]) =
        // Equal values share the mean of their places.
        let below x =
            values
            |> Array.sumBy (fun y ->
                if y < x then 1.0
                elif y = x then 0.5
                else 0.0)

        Array.map below values

    let correlation (a: float[]) (b: float[]) =
        let centered (x: float[]) =
            let mean = Array.average x
            x |> Array.map (fun value -> value - mean)

        let dot (x: float[]) (y: float[]) = Array.map2 (*) x y |> Array.sum
        let a, b = centered a, centered b
        dot a b / sqrt (dot a a * dot b b)

    /// The numbers of the samples that were left out.
    member _.Samples = Array.copy samples

    /// The changes of the loss that were predicted.
    member _.Predicted = Array.copy predicted

    /// The changes of the loss of models that were trained without each sample.
    member _.Actual = Array.copy actual

    /// Pearson's correlation of the two. NaN where one of them does not vary.
    member _.Correlation = correlation predicted actual

    /// The interval of the correlation by Fisher's transformation, for samples that were chosen at random. Raises
    /// ArgumentRangeException for a confidence outside (0, 1).
    member this.CorrelationInterval(confidence: float) : Interval<float> =
        IntervalWidth.requireConfidence confidence

        let reach =
            if samples.Length > 3 then
                IntervalWidth.ofRounding.Factor confidence / sqrt (float (samples.Length - 3))
            else
                infinity

        let z = Math.Atanh this.Correlation
        Interval(tanh (z - reach), tanh (z + reach), confidence)

    /// Spearman's correlation of ranks.
    member _.RankCorrelation = correlation (ranks predicted) (ranks actual)

    override this.ToString() =
        let show (x: float) = x.ToString("F3", Globalization.CultureInfo.InvariantCulture)

        let samples = Describe.count samples.Length "sample"

        $"{samples} left out one at a time: correlation {show this.Correlation} with retraining, of ranks "
        + show this.RankCorrelation

    member internal this.Text = this.ToString()
