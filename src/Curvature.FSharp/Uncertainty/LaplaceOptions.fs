namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// What is kept of the curvature in a Laplace approximation. Made by the static members.
[<RequireQualifiedAccess; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LaplaceStructure =
    internal
    | FullMatrix
    | DiagonalMatrix
    | TopPairs of rank: int * EigenOptions
    | KroneckerBlocks of ParameterLayout * KfacOptions

    /// The whole matrix [n; n], of at most LinearOperator.denseLimit entries: n products and O(n³) operations.
    static member Full = FullMatrix

    /// The exact diagonal: C backward passes for each sample with C outputs.
    static member Diagonal = DiagonalMatrix

    /// The largest eigenpairs, as many as the rank, by thick-restart Lanczos; all other eigenvalues count as 0. Raises
    /// ArgumentRangeException for a rank below 1.
    static member LowRank(rank: int) : LaplaceStructure = LaplaceStructure.LowRank(rank, EigenOptions.Default)

    /// The same with options of the search.
    static member LowRank(rank: int, options: EigenOptions) : LaplaceStructure =
        ArgumentNullException.ThrowIfNull(options, nameof options)

        if rank < 1 then
            Fail.range $"LaplaceStructure.LowRank: a rank of 1 at least is needed, and it is {rank}"

        TopPairs(rank, options)

    /// A block for each layer by K-FAC, for parameters that are named by a layout, with the exact Fisher matrix of the
    /// likelihood: a pass over the data, with C backward passes for C outputs of a sample.
    static member Kronecker(layout: ParameterLayout) : LaplaceStructure =
        LaplaceStructure.Kronecker(layout, KfacOptions.Default)

    /// The same with options, of which corrected eigenvalues make EK-FAC. Their kind is Gauss–Newton's, which is that
    /// of the exact Fisher matrix here, or one of an exact or drawn Fisher matrix; the likelihood of the posterior
    /// takes the place of the kind's. Raises ArgumentRangeException for another kind, which is no curvature of a
    /// posterior.
    static member Kronecker(layout: ParameterLayout, options: KfacOptions) : LaplaceStructure =
        ArgumentNullException.ThrowIfNull(layout, nameof layout)
        ArgumentNullException.ThrowIfNull(options, nameof options)

        match options.Kind with
        | KfacKind.GaussNewton
        | KfacKind.Fisher(FisherKind.Exact _)
        | KfacKind.Fisher(FisherKind.MonteCarlo _) -> KroneckerBlocks(layout, options)
        | kind ->
            Fail.range (
                $"LaplaceStructure.Kronecker: the precision of a posterior needs the Gauss-Newton matrix or a Fisher "
                + $"matrix, exact or by draws, and the kind is {kind}"
            )

    override structure.ToString() =
        match structure with
        | FullMatrix -> "full"
        | DiagonalMatrix -> "diagonal"
        | TopPairs(rank, _) -> $"rank {rank}"
        | KroneckerBlocks(_, options) -> if options.CorrectsEigenvalues then "EK-FAC" else "K-FAC"

    member internal this.Text = this.ToString()

/// How a Laplace approximation is made. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LaplaceOptions private (structure: LaplaceStructure, precision: float, samples: SampleOptions) =
    /// The full matrix, a prior precision of 1, and SampleOptions.Default.
    static member Default = LaplaceOptions(LaplaceStructure.Full, 1.0, SampleOptions.Default)

    /// What is kept of the curvature.
    member _.Structure = structure

    /// The precision δ of the prior N(0, I/δ) of the parameters.
    member _.PriorPrecision = precision

    /// The memory that quantities of single samples may take, and cancellation.
    member _.Samples = samples

    /// The same options with another structure.
    member _.WithStructure(other: LaplaceStructure) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        LaplaceOptions(other, precision, samples)

    /// The same options with another prior precision. Raises ArgumentRangeException for one that is not above 0 and
    /// finite.
    member _.WithPriorPrecision(other: float) =
        LaplaceOptions.CheckPositive("WithPriorPrecision", other)
        LaplaceOptions(structure, other, samples)

    /// The same options with another limit of memory.
    member _.WithSamples(other: SampleOptions) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        LaplaceOptions(structure, precision, other)

    static member internal CheckPositive(name: string, x: float) =
        if not (x > 0.0 && Double.IsFinite x) then
            Fail.range $"{name}: a number above 0 is needed, and it is {x}"

    override _.ToString() = $"structure {structure}, prior precision {Numbers.show precision}"

    member internal this.Text = this.ToString()
