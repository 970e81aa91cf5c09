namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// Which matrix influence is measured by.
type InfluenceMatrix =
    /// The Gauss–Newton matrix, with the Hessian of a term without data.
    | GaussNewton = 0
    /// The Hessian.
    | Hessian = 1

/// How influence is computed. Immutable; `Default` and the methods With… make others.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type InfluenceOptions
    private
    (
        matrix: InfluenceMatrix,
        damping: float,
        solving: struct (Solver * SolverOptions),
        approximation: KroneckerOperator voption,
        samples: SampleOptions
    ) =
    let struct (solver, limits) = solving

    /// The Gauss–Newton matrix with a damping of 1e-3, conjugate gradients, and the defaults of both other options.
    static member Default =
        InfluenceOptions(
            InfluenceMatrix.GaussNewton,
            1e-3,
            struct (ConjugateGradients.solver, SolverOptions.Default),
            ValueNone,
            SampleOptions.Default
        )

    /// The matrix.
    member _.Matrix = matrix

    /// What is added to each eigenvalue of the matrix.
    member _.Damping = damping

    /// What solves systems with the damped matrix.
    member _.Solver = solver

    /// The solver's tolerance and limit of iterations.
    member _.Solving = limits

    /// Whether an approximation takes the place of solving.
    member _.IsApproximate = approximation.IsSome

    member internal _.Approximation = approximation

    /// The memory that gradients of single samples may take.
    member _.Samples = samples

    /// The same options with another matrix. Raises ArgumentRangeException for one that does not exist.
    member _.WithMatrix(other: InfluenceMatrix) =
        if other <> InfluenceMatrix.GaussNewton && other <> InfluenceMatrix.Hessian then
            Fail.range $"WithMatrix: the matrix is GaussNewton or Hessian, and this one is {int other}"

        InfluenceOptions(other, damping, solving, approximation, samples)

    /// The same options with another damping. Raises ArgumentRangeException for one that is negative or not finite.
    member _.WithDamping(other: float) =
        if not (other >= 0.0 && Double.IsFinite other) then
            Fail.range $"WithDamping: a damping of at least 0 is needed, and it is {other}"

        InfluenceOptions(matrix, other, solving, approximation, samples)

    /// The same options with another solver, in place of an approximation too, such as a Neumann series (Koh & Liang
    /// 2017, section 3).
    member _.WithSolver(other: Solver) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, struct (other, limits), ValueNone, samples)

    /// The same options with the inverse of a damped K-FAC or EK-FAC approximation of the training risk's matrix in
    /// place of solving (Grosse et al. 2023), where solving costs too much. It is damped by the damping,
    /// and by the mean curvature of a term without data, which is exact for weight decay of all parameters. One product
    /// with the matrix itself tells how wrong the system is solved, and the bounds say so.
    member _.WithApproximation(other: KroneckerOperator) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, solving, ValueSome other, samples)

    /// The same options with another tolerance and limit of iterations.
    member _.WithSolving(other: SolverOptions) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, struct (solver, other), approximation, samples)

    /// The same options with another limit of memory.
    member _.WithSamples(other: SampleOptions) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, solving, approximation, other)

    override _.ToString() =
        let matrix = if matrix = InfluenceMatrix.Hessian then "Hessian" else "Gauss-Newton"

        let way =
            match approximation with
            | ValueSome approximation -> $"by the inverse of {approximation.Name}"
            | ValueNone -> $"by {solver}, {limits}"

        $"{matrix}, damping {Numbers.show damping}, {way}"

    member internal this.Text = this.ToString()
