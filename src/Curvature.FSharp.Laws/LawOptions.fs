namespace Curvature

open System.Diagnostics
open System.Threading

/// How laws are checked. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LawOptions
    private (key: Key, samples: int, falseAlarmRate: float, rounding: float, cancellation: CancellationToken) =
    /// Key 0, 2000 samples, one false alarm in a million checks, differences of 1e-9 taken for rounding.
    static member Default = LawOptions(Key.OfSeed 0L, 2000, 1e-6, 1e-9, CancellationToken.None)

    /// The key of all random numbers: sample i gets this key folded with i. A check repeats itself to the bit under
    /// the same key.
    member _.Key = key

    /// How many times what is checked is drawn.
    member _.Samples = samples

    /// The probability with which a law that holds is called violated.
    member _.FalseAlarmRate = falseAlarmRate

    /// Differences up to this share of the numbers compared are rounding, for laws about expectations.
    member _.Rounding = rounding

    /// Ends a check early, with an OperationCanceledException.
    member _.Cancellation = cancellation

    /// The same options with another key.
    member _.WithKey(key: Key) = LawOptions(key, samples, falseAlarmRate, rounding, cancellation)

    /// The same options with another number of samples. Raises ArgumentRangeException for less than 20.
    member _.WithSamples(count: int) =
        if count < 20 then
            raise (ArgumentRangeException $"WithSamples: at least 20 samples are needed, and {count} were asked for")

        LawOptions(key, count, falseAlarmRate, rounding, cancellation)

    /// The same options with another rate of false alarms. Raises ArgumentRangeException for one outside (0, 0.5].
    member _.WithFalseAlarmRate(rate: float) =
        if not (rate > 0.0 && rate <= 0.5) then
            raise (
                ArgumentRangeException $"WithFalseAlarmRate: a rate above 0 and up to 0.5 is needed, and it is {rate}"
            )

        LawOptions(key, samples, rate, rounding, cancellation)

    /// The same options with another share that is rounding. Raises ArgumentRangeException for one outside [0, 1).
    member _.WithRounding(share: float) =
        if not (share >= 0.0 && share < 1.0) then
            raise (ArgumentRangeException $"WithRounding: a share from 0 to below 1 is needed, and it is {share}")

        LawOptions(key, samples, falseAlarmRate, share, cancellation)

    /// The same options with a token that ends a check early.
    member _.WithCancellation(token: CancellationToken) = LawOptions(key, samples, falseAlarmRate, rounding, token)

    member internal _.Text = $"{samples} samples, a false alarm in {1.0 / falseAlarmRate:N0} checks, {key}"
    override options.ToString() = options.Text
