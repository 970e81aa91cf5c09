namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// From which random vectors, and how many Lanczos steps, a function of an operator is computed that is to be
/// differentiated. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type QuadratureOptions private (samples: int, steps: int, key: Key, ofValue: bool) =
    /// 8 sign vectors of the key of seed 0, 32 steps, and unbiased gradients.
    static member Default = QuadratureOptions(8, 32, Key.OfSeed 0L, false)

    /// How many random vectors.
    member _.Samples = samples

    /// The most Lanczos steps for each vector.
    member _.Steps = steps

    /// The key that holds the random vectors fixed.
    member _.Key = key

    /// Whether the gradient of a trace is that of its value for the fixed key, as differences of the value show it, and
    /// not the unbiased one of fewer products.
    member _.DifferentiatesValue = ofValue

    /// The same options with another number of vectors. Raises ArgumentRangeException for less than one.
    member _.WithSamples(count: int) =
        if count < 1 then
            Fail.range $"WithSamples: one random vector at least is needed, and {count} were asked for"

        QuadratureOptions(count, steps, key, ofValue)

    /// The same options with another number of steps. Raises ArgumentRangeException for less than one.
    member _.WithSteps(count: int) =
        if count < 1 then
            Fail.range $"WithSteps: one step at least is needed, and {count} were asked for"

        QuadratureOptions(samples, count, key, ofValue)

    /// The same options with another key.
    member _.WithKey(other: Key) = QuadratureOptions(samples, steps, other, ofValue)

    /// The same options with gradients of traces that are those of their values for the fixed key, for a line search or
    /// a check by differences: k products with the operator for each vector, for k steps, in place of one.
    member _.WithDifferentiatedValue(value: bool) = QuadratureOptions(samples, steps, key, value)

    override _.ToString() =
        $"""{Describe.count samples "sign vector"} of {key}, {Describe.count steps "Lanczos step"}"""
        + (if ofValue then ", gradients of the value" else "")

    member internal this.Text = this.ToString()
