namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How much of a landscape is done.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LandscapeProgress internal (evaluations: int, total: int, seconds: float) =
    /// Losses of batches evaluated so far.
    member _.Evaluations = evaluations

    /// Losses of batches to be evaluated, including those of a term without data. Equal to Evaluations only in the last
    /// report; 0 while the number of batches is not known.
    member _.Total = total

    /// Time spent so far.
    member _.Seconds = seconds

    override _.ToString() =
        let all = if total > 0 then $" of {total:N0}" else ""
        $"{evaluations:N0}{all} losses, {Describe.seconds seconds}"

    member internal this.Text = this.ToString()

/// How landscapes are made. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LandscapeOptions
    private
    (
        cancellation: CancellationToken,
        progress: IProgress<LandscapeProgress> | null,
        rate: ProgressRate,
        keepsNonFinite: bool,
        usesForms: bool
    ) =
    /// No cancellation and no progress; a loss that is not finite is an error; the model's curvature is that of the
    /// eigenvalues where all directions have one, and quadratic forms otherwise.
    static member Default = LandscapeOptions(CancellationToken.None, null, ProgressRate.Default, false, false)

    /// Ends the work with an OperationCanceledException.
    member _.Cancellation = cancellation

    /// The listener, told after every few points and at the end; null for none.
    member _.Progress = progress

    /// Whether losses that are not finite are kept, and listed in the result.
    member _.KeepsNonFinite = keepsNonFinite

    /// Whether the model's curvature is always made of quadratic forms.
    member _.UsesQuadraticForms = usesForms

    /// The same options with a token that ends the work with an OperationCanceledException: there is no partial
    /// landscape.
    member _.WithCancellation(token: CancellationToken) =
        LandscapeOptions(token, progress, rate, keepsNonFinite, usesForms)

    /// The same options with a listener, told after every few points, ten times a second at most, and at the end.
    member _.WithProgress(listener: IProgress<LandscapeProgress> | null) =
        LandscapeOptions(cancellation, listener, rate, keepsNonFinite, usesForms)

    /// The same options with other seconds between two reports at least: 0 for every report, 0.1 at first. Raises
    /// ArgumentRangeException for a time that is negative or NaN.
    member this.WithProgressInterval(seconds: float) = this.WithRate(rate.WithSeconds "WithProgressInterval" seconds)

    member internal _.Rate = rate

    member internal _.WithRate(rate: ProgressRate) =
        LandscapeOptions(cancellation, progress, rate, keepsNonFinite, usesForms)

    /// The same options, where losses that are NaN or infinite, far from the point, are kept and listed in the result
    /// instead of being an error.
    member _.WithNonFinite() = LandscapeOptions(cancellation, progress, rate, true, usesForms)

    /// The same options, where the model's curvature is made of quadratic forms even along eigenvectors.
    member _.WithQuadraticForms() = LandscapeOptions(cancellation, progress, rate, keepsNonFinite, true)

    override _.ToString() =
        let losses =
            if keepsNonFinite then
                "losses that are not finite are kept"
            else
                "losses must be finite"

        let model = if usesForms then "quadratic forms" else "eigenvalues where they are known"
        $"{losses}; the model's curvature from {model}"

    member internal this.Text = this.ToString()
