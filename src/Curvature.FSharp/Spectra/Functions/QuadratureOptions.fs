namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// From which random vectors, and how many Lanczos steps, a function of an operator is computed that is to be
/// differentiated. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type QuadratureOptions private (samples: int, steps: int, key: Key) =
    /// 8 sign vectors of the key of seed 0, and 32 steps.
    static member Default = QuadratureOptions(8, 32, Key.OfSeed 0L)

    /// How many random vectors.
    member _.Samples = samples

    /// The most Lanczos steps for each vector.
    member _.Steps = steps

    /// The key that holds the random vectors fixed.
    member _.Key = key

    /// The same options with another number of vectors. Raises ArgumentRangeException for less than one.
    member _.WithSamples(count: int) =
        if count < 1 then
            Fail.range $"WithSamples: one random vector at least is needed, and {count} were asked for"

        QuadratureOptions(count, steps, key)

    /// The same options with another number of steps. Raises ArgumentRangeException for less than one.
    member _.WithSteps(count: int) =
        if count < 1 then
            Fail.range $"WithSteps: one step at least is needed, and {count} were asked for"

        QuadratureOptions(samples, count, key)

    /// The same options with another key.
    member _.WithKey(other: Key) = QuadratureOptions(samples, steps, other)

    override _.ToString() =
        $"""{Describe.count samples "sign vector"} of {key}, {Describe.count steps "Lanczos step"}"""

    member internal this.Text = this.ToString()
