namespace Curvature

open System.Diagnostics
open System.Collections.Generic
open System.Globalization
open Curvature.FSharp

/// How the solution of Ax = b ended. Solution.Advice says what to try.
type SolveStatus =
    /// The residual is within the tolerance.
    | Solved = 0
    /// The iterations that were allowed are used up.
    | Budget = 1
    /// The method calls the system solved and the true residual is above the tolerance: rounding keeps it there.
    | Stagnated = 2
    /// The method does not fit the system: conjugate gradients met a direction of negative curvature, a series
    /// diverged, restarts made no progress, or no x solves it.
    | Breakdown = 3
    /// A token was cancelled on the way.
    | Cancelled = 4

/// A direction along which an operator does not curve upward: it is not positive definite.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NegativeCurvature internal (direction: Tensor, curvature: float, row: int) =
    /// p [n], of length 1.
    member _.Direction = direction

    /// pᵀAp, which is negative, or 0 up to rounding.
    member _.Curvature = curvature

    /// The number of the right-hand side that led there.
    member _.Row = row

    override _.ToString() =
        $"pᵀAp = {Numbers.show curvature} for a unit vector p of {direction.Size} elements, from right-hand side {row}"

    member internal this.Text = this.ToString()

/// What a solver says of its run.
[<NoEquality; NoComparison>]
type internal SolverRun =
    {
        /// The last iterates, [k; n].
        X: Tensor
        /// ‖bᵢ − Axᵢ‖/‖bᵢ‖, from a product with x.
        Residuals: float[]
        /// What is small at a least-squares solution, from a product with the transpose; empty for other solvers.
        NormalResiduals: float[]
        Iterations: int
        Matvecs: int
        /// The right-hand sides where the method broke down.
        BrokenDown: int[]
        NegativeCurvature: IReadOnlyList<NegativeCurvature>
    }

/// What it means that a solver breaks down.
[<NoEquality; NoComparison>]
type internal SolverBreakdown =
    {
        /// In a word or two, such as `diverged`.
        What: string
        /// What to try, in sentences.
        Advice: string
    }

/// The solution of Ax = b, for one right-hand side or a block of them, and how it went.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Solution
    internal
    (
        value: Tensor,
        run: SolverRun,
        statuses: SolveStatus[],
        tolerance: float,
        seconds: float,
        breakdown: SolverBreakdown
    ) =

    let status = if statuses.Length = 0 then SolveStatus.Solved else Array.max statuses

    let condition = "make the system better conditioned: precondition it, or damp the operator"

    let advice =
        match status with
        | SolveStatus.Solved -> ""
        | SolveStatus.Budget -> $"Allow more iterations or a larger tolerance, or {condition}."
        | SolveStatus.Stagnated -> $"Allow a larger tolerance, use Float64, or {condition}."
        | SolveStatus.Breakdown -> breakdown.Advice
        | _ -> "Solve again without cancelling; the value is what was reached until then."

    /// x, in the shape of b. Where the status is not Solved, the last iterate.
    member _.Value = value

    /// How it ended; for a block, the worst of its right-hand sides, in the order of SolveStatus.
    member _.Status = status

    /// How it ended for each right-hand side.
    member _.Statuses = Array.copy statuses

    /// What to try, in a sentence or two; empty where the system is solved.
    member _.Advice: string = advice

    /// Whether every residual, or normal residual, is within the tolerance.
    member _.IsConverged = (status = SolveStatus.Solved)

    /// Whether it was cancelled before it had converged.
    member _.IsCancelled = (status = SolveStatus.Cancelled)

    /// ‖b − Ax‖/‖b‖ for each right-hand side, from a product with the solution; 0 where b is 0.
    member _.Residuals = Array.copy run.Residuals

    /// ‖Aᵀr − λ²x‖/(‖A‖·‖(r, λx)‖) for the residual r = b − Ax of each right-hand side and the damping λ, from products
    /// with the solution: small where x is a least-squares solution, of solvers that look for one; empty for others.
    member _.NormalResiduals = Array.copy run.NormalResiduals

    /// The tolerance that was asked for.
    member _.Tolerance = tolerance

    /// How often a block was multiplied on the way.
    member _.Iterations = run.Iterations

    /// How many products were taken: one for each right-hand side that was still at work, and those that gave the
    /// residuals.
    member _.Matvecs = run.Matvecs

    /// Time spent, in seconds.
    member _.Seconds: float = seconds

    /// Directions of curvature that is not positive, one for each right-hand side at which conjugate gradients met one
    /// and stopped. There is none where A is positive definite, and other solvers look for none.
    member _.NegativeCurvature = run.NegativeCurvature

    override _.ToString() =
        let show = Numbers.error
        let worst = if run.Residuals.Length = 0 then 0.0 else Array.max run.Residuals
        let iterations, products = Describe.count run.Iterations "iteration", Describe.count run.Matvecs "product"
        let reached = $"residual {show worst} after {iterations}, {products}"

        match status with
        | SolveStatus.Solved when worst > tolerance && run.NormalResiduals.Length > 0 ->
            $"solved in the sense of least squares: {reached}"
        | SolveStatus.Solved -> $"solved: {reached}"
        | SolveStatus.Budget -> $"not solved to {Numbers.show tolerance} in the iterations allowed: {reached}"
        | SolveStatus.Stagnated -> $"stagnated above {Numbers.show tolerance}: {reached}"
        | SolveStatus.Breakdown when run.NegativeCurvature.Count > 0 ->
            $"not positive definite (pᵀAp = {show run.NegativeCurvature[0].Curvature} for a unit vector p): {reached}"
        | SolveStatus.Breakdown -> $"{breakdown.What}: {reached}"
        | _ -> $"cancelled: {reached}"

    member internal this.Text = this.ToString()
