namespace Curvature

open System
open System.Diagnostics

/// What a run is expected to take in all; NaN for what cannot be told.
[<NoEquality; NoComparison>]
type internal RunForecast =
    {
        Samples: float
        Matvecs: float
        Bytes: float
    }

    /// A product or a quadratic form a sample.
    static member OfSamples(expected: float) = { Samples = expected; Matvecs = expected; Bytes = nan }

/// How far a run is.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SamplingProgress
    internal
    (samples: int, value: float, standardError: float, seconds: float, forecast: RunForecast, width: IntervalWidth) =
    let expected = forecast.Samples

    /// How many products or quadratic forms were taken so far; for spectra, how many random vectors are complete.
    member _.Samples = samples

    /// The first quantity measured, or its norm; NaN where nothing is known yet.
    member _.Value = value

    /// Its standard error; infinite for fewer than two samples.
    member _.StandardError = standardError

    /// Where the first quantity lies with this confidence, as `Estimate.Interval` would say were this the end. Raises
    /// ArgumentRangeException where there is only one sample, or for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        if samples < 2 then
            Fail.range $"an error bar needs two samples at least, and there are {samples}"

        IntervalWidth.requireConfidence confidence
        let struct (below, above) = width.Reach confidence
        let error reach = if Double.IsInfinity reach then infinity else reach * standardError
        Interval(value - error below, value + error above, confidence, width.IsSequential)

    /// Time spent so far.
    member _.Seconds = seconds

    /// How many samples the run is expected to take in all, as far as the stopping rule and what was seen let that be
    /// told; NaN where they do not.
    member _.ExpectedSamples = expected

    /// How many seconds that is expected to take in all; NaN before the first product.
    member _.ExpectedSeconds = if samples = 0 then nan else seconds * expected / float samples

    /// How many products or quadratic forms the run is expected to take in all; NaN where that cannot be told.
    member _.ForecastMatvecs = forecast.Matvecs

    /// How many bytes it is expected to hold at the most; NaN where that cannot be told.
    member _.ForecastBytes = forecast.Bytes

    /// How much of the way is done, from 0 to 1, as far as that can be told. It is 1 only in the last report.
    member _.Completed =
        if Double.IsNaN expected then 0.0
        elif expected <= float samples then 1.0
        else float samples / expected

    override this.ToString() =
        let found =
            if Double.IsNaN value then
                "nothing yet"
            else
                FSharp.Numbers.withError standardError value

        let samples = FSharp.Describe.count samples "sample"
        $"{this.Completed:P0}: {found} ({samples}, {FSharp.Describe.seconds seconds})"

    member internal this.Text = this.ToString()
