namespace Curvature.FSharp

open Curvature

/// The recursion of LSQR in the letters of Paige & Saunders 1982, "LSQR: an algorithm for sparse linear equations and
/// sparse least squares", sections 4.1 and 5, with `bar` for a bar.
[<Sealed>]
type internal LsqrRow(goal: LeastSquaresGoal, columns: Tensor, b: Tensor) =
    inherit BidiagonalRow(b)
    let lambda = goal.Damping
    let mutable w = columns
    let mutable x = columns
    let mutable phiBar = 0.0
    let mutable rhoBar = 0.0
    // Σψ², the part of the residual that damping holds.
    let mutable psiSquares = 0.0

    override _.X = x

    override row.Begin(alpha, beta, v) =
        w <- v
        phiBar <- beta
        rhoBar <- alpha
        goal.IsReached(row.Scale, beta, alpha * beta)

    override row.Step(alpha, beta, v) =
        let rhoBar1 = sqrt (rhoBar * rhoBar + lambda * lambda)
        let psi = lambda / rhoBar1 * phiBar
        phiBar <- rhoBar / rhoBar1 * phiBar
        psiSquares <- psiSquares + psi * psi
        let rho = sqrt (rhoBar1 * rhoBar1 + beta * beta)
        let c, s = rhoBar1 / rho, beta / rho
        let theta, phi = s * alpha, c * phiBar
        rhoBar <- -c * alpha
        let tau = s * phi
        phiBar <- s * phiBar
        x <- x + (phi / rho) * w
        w <- v - (theta / rho) * w
        goal.IsReached(row.Scale, sqrt (phiBar * phiBar + psiSquares), alpha * abs tau)

/// Least squares by LSQR: conjugate gradients on AᵀAx = Aᵀb in a form that does not square the condition number.
[<RequireQualifiedAccess>]
module Lsqr =

    /// min ‖b − Ax‖² + λ²‖x‖² for any A with a transpose, square or not, and a damping λ ≥ 0 (Paige & Saunders 1982).
    /// Without damping and started at 0, x is the shortest of all least-squares solutions. Two products an iteration
    /// and right-hand side, the memory of three vectors of each length; about κ iterations for each factor of e, κ the
    /// condition number. It is solved where the residual ‖b − Ax‖/‖b‖ or the normal residual ‖Aᵀr − λ²x‖/(‖A‖‖r‖) is
    /// within the tolerance, both from products with x. Rows of a block are solved in lockstep, and leave it when they
    /// are done. Raises ArgumentRangeException for a damping that is negative or not finite; where it is used,
    /// OperatorException for an operator without a transpose.
    let solver (damping: float) : Solver =
        LeastSquares.checkDamping "LSQR" damping

        LeastSquares.solver "LSQR" damping (fun a goal b -> LsqrRow(goal, LeastSquares.zero a, b))

    /// Least squares by LSQR; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (damping: float) (a: LinearOperator) (b: Tensor) : Solution =
        Solver.solve options (solver damping) a b
