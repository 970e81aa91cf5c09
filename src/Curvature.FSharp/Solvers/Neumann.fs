namespace Curvature.FSharp

open System
open Curvature

/// Solving Ax = b by the power series of the inverse (Neumann 1877), for operators near a multiple of the identity or
/// near one whose inverse is known. Needs no symmetry.
[<RequireQualifiedAccess>]
module Neumann =

    /// Terms may grow for a while where I − αA is far from symmetric; growth beyond this factor counts as divergence.
    let private mostGrowth = 1e3

    /// Σ_j (I − MA)ʲMb for rows b. Term j + 1 is M times the residual of the sum of the first j, which tells when to
    /// stop.
    let private run (inverse: Tensor -> Tensor) (options: SolverOptions) (a: LinearOperator) (b: Tensor) : SolverRun =
        let tolerance = options.ToleranceFor b.DType
        let mutable x = Tensor.zerosLike b
        let mutable residual = b
        let mutable residuals = Residuals.relative residual b
        let mutable terms = 0
        // A comparison that NaN fails too.
        let diverges () = not (Array.max residuals <= mostGrowth)

        let mayGoOn () =
            terms < options.MaxIterations && not (diverges ()) && not options.Cancellation.IsCancellationRequested

        while Array.exists (fun r -> r > tolerance) residuals && mayGoOn () do
            let term = inverse residual
            x <- x + term
            residual <- residual - a.Apply term
            residuals <- Residuals.relative residual b
            terms <- terms + 1

        {
            X = x
            // The recursion's residuals drift from the true ones by rounding.
            Residuals = Residuals.relative (b - a.Apply x) b
            NormalResiduals = [||]
            Iterations = terms
            Matvecs = (terms + 1) * Rows.count b
            // The rows share the operator and the scale: where one diverges, the sum ends for all.
            BrokenDown = if diverges () then [| 0 .. Rows.count b - 1 |] else [||]
            NegativeCurvature = [||]
        }

    let private define inverse (scale: string) check : Solver =
        Solver
            {
                Name = "Neumann series"
                Breakdown =
                    {
                        What = "diverged"
                        Advice = $"The series diverges: {scale}, and damp one that is not."
                    }
                IsLeastSquares = false
                Check = check
                Run = run inverse
            }

    /// x = Σ_j α(I − αA)ʲ b with the scale α, term after term until the residual is within the tolerance. The series
    /// converges where every eigenvalue of αA is within 1 of 1: for positive definite A, where 0 < α < 2/λ_max; α =
    /// 1/λ_max takes about κ matvecs for each factor of e. The status is Breakdown where the residual grows to a
    /// thousand times the right-hand side.
    /// Raises ArgumentRangeException for a scale that is 0 or not finite.
    let solver (scale: float) : Solver =
        if scale = 0.0 || not (Double.IsFinite scale) then
            Fail.range $"Neumann series: the scale must be finite and not 0, and it is {scale}"

        let advice = $"choose a smaller scale than {scale}, below 2/λ_max for a positive definite operator"
        define (fun residual -> scale * residual) advice ignore

    /// x = Σ_j (I − MA)ʲMb with an approximation M of A⁻¹, such as `(kfac.Damped 1e-4).Inverse().Operator`: one product
    /// with each for a term, and one more for the residual. The first term alone, by one iteration, is M in place of
    /// A⁻¹ with the residual of the system that is to be solved. The series converges where every eigenvalue of MA is
    /// within 1 of 1. The status is Breakdown as in `solver`. Raises OperatorException where M is not square; where it
    /// is used, ShapeException for one that does not fit the operator.
    let preconditionedBy (inverse: LinearOperator) : Solver =
        OperatorParts.requireSquare "Neumann.preconditionedBy" inverse

        let check (a: LinearOperator) =
            if inverse.DType <> a.DType || inverse.Rows <> a.Rows then
                Fail.shape (
                    $"Neumann series: the approximate inverse must be {a.DType}[{a.Rows}; {a.Rows}], and "
                    + $"{inverse.Name} is {inverse.DType}[{inverse.Rows}; {inverse.Columns}]"
                )

        define inverse.Apply "multiply the approximate inverse by a smaller number" check

    /// Solves Ax = b by the series with a scale; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (scale: float) (a: LinearOperator) (b: Tensor) : Solution =
        Solver.solve options (solver scale) a b
