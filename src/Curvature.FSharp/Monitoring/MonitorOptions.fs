namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// What a monitor of training measures, and how often. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type MonitorOptions =
    internal
        {
            Share: float
            FirstSteps: int
            LaterSteps: int
            Vectors: int
            ProbeCount: int
            HasNoise: bool
            Samples: SampleOptions
            Seed: Key
            Time: TimeProvider
        }

    /// 5 % of the time; 20 Lanczos steps in the first measurement and 10 in those after it, which begin with the 4 last
    /// eigenvectors; 8 quadratic forms for the trace; the noise scale of gradients, where the risk has data.
    static member Default =
        {
            Share = 0.05
            FirstSteps = 20
            LaterSteps = 10
            Vectors = 4
            ProbeCount = 8
            HasNoise = true
            Samples = SampleOptions.Default
            Seed = Key.OfSeed 0L
            Time = TimeProvider.System
        }

    /// The share of the time that measurements may take.
    member options.TimeShare = options.Share

    /// The Lanczos steps of a measurement that knows no eigenvectors.
    member options.FirstLanczosSteps = options.FirstSteps

    /// The Lanczos steps of a measurement that begins with the last eigenvectors.
    member options.LaterLanczosSteps = options.LaterSteps

    /// How many eigenvectors are kept for the next measurement.
    member options.Eigenvectors = options.Vectors

    /// The quadratic forms behind a trace.
    member options.Probes = options.ProbeCount

    /// Whether the noise scale of gradients is measured.
    member options.MeasuresNoise = options.HasNoise

    /// Another share of the time. Raises ArgumentRangeException outside (0, 1).
    member options.WithTimeShare(share: float) =
        if not (share > 0.0 && share < 1.0) then
            Fail.range $"monitor: the share of the time must lie between 0 and 1, and is {share}"

        { options with Share = share }

    /// Other numbers of Lanczos steps, each of which is a product. Raises ArgumentRangeException for less than 2.
    member options.WithLanczosSteps(first: int, later: int) =
        if first < 2 || later < 2 then
            Fail.range $"monitor: Lanczos takes at least 2 steps, and {first} and {later} were asked for"

        { options with FirstSteps = first; LaterSteps = later }

    /// Another number of eigenvectors that are kept; 0 begins every measurement at random. Raises
    /// ArgumentRangeException for a negative number.
    member options.WithEigenvectors(count: int) =
        if count < 0 then
            Fail.range $"monitor: a count of eigenvectors cannot be negative, and this one is {count}"

        { options with Vectors = count }

    /// Another number of quadratic forms behind a trace. Its error is known from 3 on. Raises ArgumentRangeException
    /// for less than 1.
    member options.WithProbes(count: int) =
        if count < 1 then
            Fail.range $"monitor: a trace needs at least 1 quadratic form, and {count} were asked for"

        { options with ProbeCount = count }

    /// The same options without the noise scale, which takes two passes of gradients of single samples.
    member options.WithoutNoise() = { options with HasNoise = false }

    /// How much memory gradients of single samples may take.
    member options.WithSampleOptions(samples: SampleOptions) =
        ArgumentNullException.ThrowIfNull(samples, nameof samples)
        { options with Samples = samples }

    /// The key of random vectors; measurement number i draws from its fold with i.
    member options.WithKey(key: Key) = { options with Seed = key }

    /// Another clock, for tests.
    member options.WithClock(clock: TimeProvider) =
        ArgumentNullException.ThrowIfNull(clock, nameof clock)
        { options with Time = clock }

    /// What the first measurement costs, in gradients: products are taken as two, forms as one, and the noise scale as
    /// three.
    member internal options.FirstInGradients =
        let noise = if options.HasNoise then 3.0 else 0.0
        2.0 * float options.FirstSteps + float options.ProbeCount + noise

    override options.ToString() =
        $"{Numbers.show (100.0 * options.Share)} %% of the time, {options.FirstSteps} and {options.LaterSteps} Lanczos "
        + $"""steps, {Describe.count options.ProbeCount "form"}"""

    member internal this.Text = this.ToString()
