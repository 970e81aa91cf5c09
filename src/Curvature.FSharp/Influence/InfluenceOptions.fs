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
    private (matrix: InfluenceMatrix, damping: float, solver: Solver, solving: SolverOptions, samples: SampleOptions) =
    /// The Gauss–Newton matrix with a damping of 1e-3, conjugate gradients, and the defaults of both other options.
    static member Default =
        InfluenceOptions(
            InfluenceMatrix.GaussNewton,
            1e-3,
            ConjugateGradients.solver,
            SolverOptions.Default,
            SampleOptions.Default
        )

    /// The matrix.
    member _.Matrix = matrix

    /// What is added to each eigenvalue of the matrix.
    member _.Damping = damping

    /// What solves systems with the damped matrix.
    member _.Solver = solver

    /// The solver's tolerance and limit of iterations.
    member _.Solving = solving

    /// The memory that gradients of single samples may take.
    member _.Samples = samples

    /// The same options with another matrix. Raises ArgumentRangeException for one that does not exist.
    member _.WithMatrix(other: InfluenceMatrix) =
        if other <> InfluenceMatrix.GaussNewton && other <> InfluenceMatrix.Hessian then
            Fail.range $"WithMatrix: the matrix is GaussNewton or Hessian, and this one is {int other}"

        InfluenceOptions(other, damping, solver, solving, samples)

    /// The same options with another damping. Raises ArgumentRangeException for one that is negative or not finite.
    member _.WithDamping(other: float) =
        if not (other >= 0.0 && Double.IsFinite other) then
            Fail.range $"WithDamping: a damping of at least 0 is needed, and it is {other}"

        InfluenceOptions(matrix, other, solver, solving, samples)

    /// The same options with another solver, such as a Neumann series (Koh & Liang 2017, section 3).
    member _.WithSolver(other: Solver) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, other, solving, samples)

    /// The same options with another tolerance and limit of iterations.
    member _.WithSolving(other: SolverOptions) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, solver, other, samples)

    /// The same options with another limit of memory.
    member _.WithSamples(other: SampleOptions) =
        ArgumentNullException.ThrowIfNull(other, nameof other)
        InfluenceOptions(matrix, damping, solver, solving, other)

    override _.ToString() =
        let matrix = if matrix = InfluenceMatrix.Hessian then "Hessian" else "Gauss-Newton"
        $"{matrix}, damping {Numbers.show damping}, by {solver}, {solving}"

    member internal this.Text = this.ToString()
