namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO.Enumeration

/// How a model is read: how large it may be, and which of its tensors are parameters. Immutable; begin with Default.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type OnnxOptions private (limits: ReadLimits, parameters: string list voption, constants: string list) =

    static let patterns (name: string) (patterns: string seq) : string list =
        ArgumentNullException.ThrowIfNull(patterns, name)
        let patterns = List.ofSeq patterns

        for pattern in patterns do
            ArgumentNullException.ThrowIfNull(pattern, name)
            if pattern = "" then Fail.range $"{name}: a pattern is empty"

        patterns

    static let matches (name: string) (patterns: string list) =
        patterns |> List.exists (fun pattern -> FileSystemName.MatchesSimpleExpression(pattern, name, false))

    /// The default limits of readers. Parameters are all tensors of floating point with an axis at least that nodes
    /// compute with, but for statistics of batch normalisation and for numbers that say how to compute, such as the
    /// bounds of Clip.
    static member Default = OnnxOptions(ReadLimits.Default, ValueNone, [])

    /// How many bytes the file, and the tensors that it holds, may have. Results of the model have the same limit.
    member _.Limits = limits

    /// The same options with other limits.
    member _.WithLimits(limits: ReadLimits) =
        ArgumentNullException.ThrowIfNull(limits, nameof limits)
        OnnxOptions(limits, parameters, constants)

    /// The same options with these parameters alone: the tensors of floating point whose names match a pattern, in
    /// which `*` stands for any characters and `?` for one. Raises ArgumentRangeException for an empty pattern.
    member _.WithParameters(names: string seq) =
        OnnxOptions(limits, ValueSome(patterns (nameof names) names), constants)

    /// The same options without the parameters whose names match a pattern: these stay as the file has them. Raises
    /// ArgumentRangeException for an empty pattern.
    member _.WithConstants(names: string seq) =
        OnnxOptions(limits, parameters, constants @ patterns (nameof names) names)

    /// Whether a tensor is a parameter, given what it is by default.
    member internal _.IsParameter(name: string, byDefault: bool) : bool =
        let isChosen =
            match parameters with
            | ValueSome patterns -> matches name patterns
            | ValueNone -> byDefault

        isChosen && not (matches name constants)

    /// Raises DataException for a pattern that no tensor has: a name that was misspelt.
    member internal _.RequireMatches(file: string, names: string seq) : unit =
        for pattern in ValueOption.defaultValue [] parameters @ constants do
            if not (names |> Seq.exists (fun name -> matches name [ pattern ])) then
                Fail.parameter $"{file}: no tensor of floating point has a name like \"{pattern}\""

    override _.ToString() =
        let chosen =
            match parameters with
            | ValueSome patterns -> String.Join(", ", patterns)
            | ValueNone -> "all that are computed with"

        let without =
            if constants.IsEmpty then
                ""
            else
                $""", but not {String.Join(", ", constants)}"""

        $"parameters: {chosen}{without}; {limits}"

    member internal this.Text = this.ToString()
