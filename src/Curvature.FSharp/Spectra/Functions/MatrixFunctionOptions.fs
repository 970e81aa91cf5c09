namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How far products with a function of an operator are computed, and what is known of the spectrum. Immutable;
/// `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type MatrixFunctionOptions
    private (tolerance: float, matvecs: int, bounds: SpectrumBounds, cancellation: CancellationToken) =
    /// Errors of 1e-6 (Float64) or 1e-3 (Float32) of the result, at most 200 products for each vector, and nothing
    /// known of the spectrum.
    static member Default =
        MatrixFunctionOptions(Tolerance.Automatic, 200, SpectrumBounds.Unknown, CancellationToken.None)

    /// The error, relative to the length of f(A)v, that is small enough; Tolerance.Automatic for the default of the
    /// element type.
    member _.Tolerance = tolerance

    /// The most products for one vector. Lanczos keeps as many vectors.
    member _.MaximumMatvecs = matvecs

    /// Between which numbers all eigenvalues are known to lie. With the end that matters, errors of named functions are
    /// bounds: the lower one for log, sqrt, inverse sqrt and inverse, the upper one for exp.
    member _.Bounds = bounds

    /// Ends the work early; what was reached until then is returned.
    member _.Cancellation = cancellation

    /// The same options with another tolerance. Raises ArgumentRangeException for one that is not between 0 and 1.
    member _.WithTolerance(value: float) =
        if not (value > 0.0 && value < 1.0) then
            Fail.range $"WithTolerance: a tolerance between 0 and 1 is needed, and it is {value}"

        MatrixFunctionOptions(value, matvecs, bounds, cancellation)

    /// The same options with another limit of products. Raises ArgumentRangeException for less than one.
    member _.WithMaximumMatvecs(count: int) =
        if count < 1 then
            Fail.range $"WithMaximumMatvecs: at least one product is needed, and the limit is {count}"

        MatrixFunctionOptions(tolerance, count, bounds, cancellation)

    /// The same options with bounds that the caller knows for all eigenvalues.
    member _.WithBounds(known: SpectrumBounds) =
        ArgumentNullException.ThrowIfNull(known, nameof known)
        MatrixFunctionOptions(tolerance, matvecs, known, cancellation)

    /// The same options with a token that ends the work early.
    member _.WithCancellation(token: CancellationToken) = MatrixFunctionOptions(tolerance, matvecs, bounds, token)

    member internal _.ToleranceFor(dtype: DType) = Tolerance.Resolve(tolerance, dtype, 1e-6, 1e-3)

    override _.ToString() =
        $"""{Tolerance.Describe tolerance}, at most {Describe.count matvecs "product"} for each vector, {bounds}"""

    member internal this.Text = this.ToString()
