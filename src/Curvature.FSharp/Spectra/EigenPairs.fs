namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// Which eigenvalues are wanted.
type SpectrumEnd =
    /// The largest, from the largest on.
    | Largest = 0
    /// The smallest, from the smallest on.
    | Smallest = 1
    /// The largest in absolute value, from the largest on.
    | LargestMagnitude = 2
    /// From both ends, one after the other, beginning with the largest.
    | BothEnds = 3

/// Pairs that a search found, and which of them are good enough.
[<NoEquality; NoComparison>]
type internal FoundPairs = { Values: float[]; Vectors: Tensor; Residuals: float[]; IsGood: bool[] }

/// Eigenvalues with their eigenvectors, and how good they are.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type EigenPairs internal (pairs: FoundPairs, matvecs: int, seconds: float, cancelled: bool) =
    /// The eigenvalues, in the order that was asked for.
    member _.Values = Array.copy pairs.Values

    /// The eigenvectors, [count; n], orthonormal rows.
    member _.Vectors = pairs.Vectors

    /// ‖Av − λv‖ for each pair, or a bound on it: an eigenvalue lies within that distance of λ.
    member _.Residuals = Array.copy pairs.Residuals

    /// Whether each pair is as good as was asked for.
    member _.IsConverged = Array.copy pairs.IsGood

    /// Whether all pairs are as good as was asked for.
    member _.AllConverged = pairs.IsGood |> Array.forall id

    /// How many products with the operator were taken.
    member _.Matvecs = matvecs

    /// Time spent.
    member _.Seconds = seconds

    /// Whether it was cancelled: the pairs are the best that were found until then, and by power iteration perhaps
    /// fewer than asked for.
    member _.IsCancelled = cancelled

    override this.ToString() =
        let pair i =
            let mark = if pairs.IsGood[i] then "" else " (not converged)"
            Numbers.withError pairs.Residuals[i] pairs.Values[i] + mark

        let shown = Array.truncate 10 (Array.init pairs.Values.Length pair)

        let more =
            if pairs.Values.Length > 10 then
                $", … and {pairs.Values.Length - 10} more"
            else
                ""

        String.Join(", ", shown) + more

    member internal this.Text = this.ToString()

/// How eigenvalues are looked for. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type EigenOptions
    private (tolerance: float, matvecs: int, basis: int, multiple: bool, key: Key, cancellation: CancellationToken) =
    /// The basis size that means twice the number of pairs and ten more.
    static member AutomaticBasisSize = 0

    /// Residuals of 1e-9 (Float64) or 1e-4 (Float32) of the eigenvalue, at most 100,000 products.
    static member Default =
        EigenOptions(
            Tolerance.Automatic,
            100_000,
            EigenOptions.AutomaticBasisSize,
            false,
            Key.OfSeed 0L,
            CancellationToken.None
        )

    /// The residual, as a share of the eigenvalue, at which a pair is good enough; Tolerance.Automatic for
    /// the default of the element type.
    member _.Tolerance = tolerance

    /// The most products that may be spent.
    member _.MaximumMatvecs = matvecs

    /// How many basis vectors are kept; AutomaticBasisSize for twice the number of pairs and ten more.
    member _.BasisSize = basis

    /// Whether a search for further copies of multiple eigenvalues follows.
    member _.FindsMultiplicities = multiple

    /// The key of the random vectors that it starts from.
    member _.Key = key

    /// Ends the search early; the best pairs found until then are returned.
    member _.Cancellation = cancellation

    /// The same options with another tolerance. Raises ArgumentRangeException for one that is not above 0.
    member _.WithTolerance(value: float) =
        if not (value > 0.0 && Double.IsFinite value) then
            Fail.range $"WithTolerance: a tolerance above 0 is needed, and it is {value}"

        EigenOptions(value, matvecs, basis, multiple, key, cancellation)

    /// The same options with another limit of products. Raises ArgumentRangeException for less than one.
    member _.WithMaximumMatvecs(count: int) =
        if count < 1 then
            Fail.range $"WithMaximumMatvecs: at least one product is needed, and the limit is {count}"

        EigenOptions(tolerance, count, basis, multiple, key, cancellation)

    /// The same options with another size of the basis. Raises ArgumentRangeException for less than two.
    member _.WithBasisSize(size: int) =
        if size < 2 then
            Fail.range $"WithBasisSize: a basis has two vectors at least, and {size} were asked for"

        EigenOptions(tolerance, matvecs, size, multiple, key, cancellation)

    /// The same options, where a Krylov search goes on, with what was found locked away, until it finds nothing that
    /// belongs among the wanted: a Krylov space from one vector sees each multiple eigenvalue once, and its copies only
    /// by rounding.
    member _.WithMultiplicities() = EigenOptions(tolerance, matvecs, basis, true, key, cancellation)

    /// The same options with another key.
    member _.WithKey(other: Key) = EigenOptions(tolerance, matvecs, basis, multiple, other, cancellation)

    /// The same options with a token that ends the search early.
    member _.WithCancellation(token: CancellationToken) = EigenOptions(tolerance, matvecs, basis, multiple, key, token)

    member internal _.ToleranceFor(dtype: DType) = Tolerance.Resolve(tolerance, dtype, 1e-9, 1e-4)

    override _.ToString() =
        let size =
            if basis = EigenOptions.AutomaticBasisSize then
                "of automatic size"
            else
                $"of {basis} vectors"

        let copies = if multiple then ", with multiplicities" else ""
        $"{Tolerance.Describe tolerance}, at most {matvecs:N0} products, a basis {size}, {key}{copies}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

module internal EigenOrder =

    /// Positions of values from the most wanted on.
    let rank (wanted: SpectrumEnd) (values: float[]) : int[] =
        let by (key: float -> float) = Array.init values.Length id |> Array.sortBy (fun i -> key values[i])

        match wanted with
        | SpectrumEnd.Largest -> by (fun x -> -x)
        | SpectrumEnd.Smallest -> by id
        | SpectrumEnd.LargestMagnitude -> by (fun x -> -(abs x))
        | SpectrumEnd.BothEnds ->
            let ascending = by id
            let last = values.Length - 1
            Array.init values.Length (fun i -> if i % 2 = 0 then ascending[last - i / 2] else ascending[i / 2])
        | other -> Fail.range $"there is no end of a spectrum called {other}"

    /// The residual that counts as converged: a share of the eigenvalue, and no less than rounding.
    let allowed (options: EigenOptions) (dtype: DType) scale value =
        let epsilon = SmallMatrices.epsilon dtype
        let share = options.ToleranceFor dtype * max (abs value) (Math.Pow(epsilon, 2.0 / 3.0) * scale)
        max share (100.0 * epsilon * scale)

    let checkCount what (count: int) (operator: LinearOperator) =
        Requirements.symmetric what operator

        if count < 1 || count > operator.Columns then
            Fail.range $"{what}: {count} eigenpairs were asked for, and {operator.Name} has {operator.Columns}"

    let randomVector (key: Key) number (operator: LinearOperator) =
        Probe.drawOn operator.Device Probe.gaussian key operator.Columns (number, 1) operator.DType |> Tensor.flatten
