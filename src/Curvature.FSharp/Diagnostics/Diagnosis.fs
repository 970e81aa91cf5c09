namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
open System.Globalization
open System.Threading

/// How a check ended.
type CheckOutcome =
    /// As it should be, to the accuracy of the element type.
    | Passed = 0
    /// Not as it should be.
    | Failed = 1
    /// Not checked; the explanation says why.
    | Skipped = 2

/// One thing that was checked.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type OperatorCheck internal (name: string, outcome: CheckOutcome, error: float, tolerance: float, explanation: string) =
    /// What was checked.
    member _.Name = name

    /// How it ended.
    member _.Outcome = outcome

    /// How far off it was, relative to the numbers compared; NaN where that was not measured.
    member _.Error = error

    /// How far off it may be; NaN where that was not measured.
    member _.Tolerance = tolerance

    /// What was compared with what, and what came out.
    member _.Explanation = explanation

    override _.ToString() =
        let number = FSharp.Numbers.error

        let measured =
            if Double.IsNaN error then ""
            elif Double.IsNaN tolerance then $"off by {number error}; "
            else $"off by {number error}, allowed {FSharp.Numbers.show tolerance}; "

        $"{string(outcome).ToLowerInvariant(), -8}{name, -20}{measured}{explanation}"

    member internal this.Text = this.ToString()

/// What the checks of an operator cost, and whether they were ended early.
[<NoEquality; NoComparison>]
type internal DiagnosisRun = { Matvecs: int; Seconds: float; IsCancelled: bool }

/// What was checked of an operator, and how far off it was.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Diagnosis
    internal
    (
        operator: string,
        checks: OperatorCheck list,
        traceUncertainty: TraceUncertainty,
        warnings: string list,
        run: DiagnosisRun
    ) =
    let find name = checks |> List.find (fun check -> check.Name = name)

    /// The operator's name, shape and element type.
    member _.Operator = operator

    /// Whether it was cancelled before all checks were made; those that are missing are skipped.
    member _.IsCancelled: bool = run.IsCancelled

    /// Whether all checks could be made, none failed and there is nothing to warn of.
    member _.IsHealthy =
        not run.IsCancelled
        && warnings.IsEmpty
        && checks |> List.forall (fun check -> check.Outcome <> CheckOutcome.Failed)

    /// All checks, in the order in which they were made.
    member _.Checks: IReadOnlyList<OperatorCheck> = checks

    /// The checks that failed.
    member _.Failures: IReadOnlyList<OperatorCheck> =
        List.filter (fun check -> check.Outcome = CheckOutcome.Failed) checks

    /// Products can be taken and are finite numbers.
    member _.Products = find "products"

    /// The same product twice has the same bits: a function with dropout or data in a new order at every pass fails.
    member _.Determinism = find "determinism"

    /// A(2u − 3v) = 2Au − 3Av.
    member _.Linearity = find "linearity"

    /// The product of a vector is the same alone and in a block.
    member _.Blocks = find "blocks"

    /// ⟨u, Av⟩ = ⟨Au, v⟩; the error estimates ‖A − Aᵀ‖_F/‖A‖_F.
    member _.Symmetry = find "symmetry"

    /// ⟨u, Av⟩ = ⟨Aᵀu, v⟩ for the products of the transpose.
    member _.Transpose = find "transpose"

    /// Quadratic forms that are taken without the product are vᵀ(Av).
    member _.QuadraticForms = find "quadratic forms"

    /// An operator that is claimed to be semidefinite has no Rayleigh quotient or Ritz value below 0; the error is the
    /// lowest, as a share of the largest in magnitude.
    member _.Definiteness = find "definiteness"

    /// Products are differences of the gradient, to the accuracy that these have.
    member _.FiniteDifferences = find "finite differences"

    /// How much of the trace's uncertainty comes from probes and how much from data, for operators over two batches or
    /// more; null for others.
    member _.TraceUncertainty = traceUncertainty

    /// What the operator warns of.
    member _.Warnings: IReadOnlyList<string> = warnings

    /// How many products with vectors were taken, those of the transpose and quadratic forms included.
    member _.Matvecs = run.Matvecs

    /// Time spent, in seconds.
    member _.Seconds = run.Seconds

    /// A line for each check.
    override this.ToString() =
        let time = run.Seconds.ToString("0.0##", CultureInfo.InvariantCulture)

        let failed = FSharp.Describe.count this.Failures.Count "check"
        let warned = FSharp.Describe.count warnings.Length "warning"

        let verdict =
            if this.IsHealthy then "nothing found"
            elif run.IsCancelled then $"cancelled; {failed} failed until then, {warned}"
            else $"{failed} failed, {warned}"

        String.Join(
            "\n",
            [
                yield $"{operator}: {verdict} ({run.Matvecs} matvecs, {time} s)"
                for check in checks -> $"  {check}"
                for warning in warnings -> $"  warning {warning}"
                if not (isNull traceUncertainty) then yield $"  {traceUncertainty}"
            ]
        )

    member internal this.Text = this.ToString()

/// How operators are checked. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type DiagnoseOptions
    private (key: Key, probes: int, lanczosSteps: int, tolerance: float, cancellation: CancellationToken) =
    /// 8 probes, 20 Lanczos steps, tolerances of 1e-8 (Float64) or 1e-3 (Float32).
    static member Default = DiagnoseOptions(Key.OfSeed 0L, 8, 20, Tolerance.Automatic, CancellationToken.None)

    /// The key of the random vectors.
    member _.Key = key

    /// The number of random vectors whose products are compared.
    member _.Probes = probes

    /// The number of Lanczos steps that look for negative eigenvalues.
    member _.LanczosSteps = lanczosSteps

    /// The largest relative error that passes as rounding; Tolerance.Automatic for the default of the element type.
    member _.Tolerance = tolerance

    /// Ends the checks early. Those that were made until then are the result, and the others are skipped. Cancelled
    /// before the first product, the call raises OperationCanceledException.
    member _.Cancellation = cancellation

    /// The same options with a token that ends the checks early.
    member _.WithCancellation(token: CancellationToken) = DiagnoseOptions(key, probes, lanczosSteps, tolerance, token)

    /// The same options with another key.
    member _.WithKey(key: Key) = DiagnoseOptions(key, probes, lanczosSteps, tolerance, cancellation)

    /// The same options with another number of probes. Raises ArgumentRangeException for less than 2.
    member _.WithProbes(count: int) =
        if count < 2 then
            Fail.range $"WithProbes: two probes at least are compared, and {count} were asked for"

        DiagnoseOptions(key, count, lanczosSteps, tolerance, cancellation)

    /// The same options with another number of Lanczos steps. Raises ArgumentRangeException for less than 1.
    member _.WithLanczosSteps(count: int) =
        if count < 1 then
            Fail.range $"WithLanczosSteps: at least one step is needed, and {count} were asked for"

        DiagnoseOptions(key, probes, count, tolerance, cancellation)

    /// The same options with another tolerance. Raises ArgumentRangeException for one that is not between 0 and 1.
    member _.WithTolerance(value: float) =
        if not (value > 0.0 && value < 1.0) then
            Fail.range $"WithTolerance: a tolerance between 0 and 1 is needed, and it is {value}"

        DiagnoseOptions(key, probes, lanczosSteps, value, cancellation)

    member internal _.ToleranceFor(dtype: DType) = Tolerance.Resolve(tolerance, dtype, 1e-8, 1e-3)

    override _.ToString() =
        let steps = FSharp.Describe.count lanczosSteps "Lanczos step"
        $"""{FSharp.Describe.count probes "probe"} of {key}, {steps}, {Tolerance.Describe tolerance}"""

    member internal this.Text = this.ToString()
