namespace Curvature.FSharp

open Curvature

/// The recursion of LSMR in the letters of Fong & Saunders 2011, "LSMR: an iterative algorithm for sparse least-squares
/// problems", sections 2.8 and 5.2: `bar`, `hat`, `tilde`, `dot` and `check` for the marks above them.
[<Sealed>]
type internal LsmrRow(goal: LeastSquaresGoal, columns: Tensor, b: Tensor) =
    inherit BidiagonalRow(b)
    let lambda = goal.Damping
    let mutable x, h, hBar = columns, columns, columns
    let mutable alphaBar, zetaBar, zeta = 0.0, 0.0, 0.0
    let mutable rho, rhoBar = 1.0, 1.0
    let mutable cBar, sBar = 1.0, 0.0
    // For ‖r‖.
    let mutable betaDotDot, betaDot = 0.0, 0.0
    let mutable rhoDot, tauTilde, thetaTilde = 1.0, 0.0, 0.0
    let mutable checkSquares = 0.0

    let length x y = sqrt (x * x + y * y)

    /// ‖r‖ of the damped problem, from the rotations c, s that made ρ and ĉ, ŝ that took λ in.
    let residual (cHat, sHat) (c, s) thetaBar oldZeta =
        let betaAcute, betaCheck = cHat * betaDotDot, -sHat * betaDotDot
        let betaHat = c * betaAcute
        betaDotDot <- -s * betaAcute
        let oldThetaTilde = thetaTilde
        let rhoTilde = length rhoDot thetaBar
        let cTilde, sTilde = rhoDot / rhoTilde, thetaBar / rhoTilde
        thetaTilde <- sTilde * rhoBar
        rhoDot <- cTilde * rhoBar
        betaDot <- -sTilde * betaDot + cTilde * betaHat
        tauTilde <- (oldZeta - oldThetaTilde * tauTilde) / rhoTilde
        let tauDot = (zeta - thetaTilde * tauTilde) / rhoDot
        checkSquares <- checkSquares + betaCheck * betaCheck
        sqrt (checkSquares + (betaDot - tauDot) * (betaDot - tauDot) + betaDotDot * betaDotDot)

    override _.X = x

    override row.Begin(alpha, beta, v) =
        h <- v
        alphaBar <- alpha
        zetaBar <- alpha * beta
        betaDotDot <- beta
        goal.IsReached(row.Scale, beta, alpha * beta)

    override row.Step(alpha, beta, v) =
        let alphaHat = length alphaBar lambda
        let cHat, sHat = alphaBar / alphaHat, lambda / alphaHat
        let oldRho, oldRhoBar, oldZeta = rho, rhoBar, zeta
        rho <- length alphaHat beta
        let c, s = alphaHat / rho, beta / rho
        let theta = s * alpha
        alphaBar <- c * alpha
        let thetaBar, rhoTemp = sBar * rho, cBar * rho
        rhoBar <- length rhoTemp theta
        cBar <- rhoTemp / rhoBar
        sBar <- theta / rhoBar
        zeta <- cBar * zetaBar
        zetaBar <- -sBar * zetaBar
        hBar <- h - (thetaBar * rho / (oldRho * oldRhoBar)) * hBar
        x <- x + (zeta / (rho * rhoBar)) * hBar
        h <- v - (theta / rho) * h
        let residual = residual (cHat, sHat) (c, s) thetaBar oldZeta
        goal.IsReached(row.Scale, residual, abs zetaBar)

/// Least squares by LSMR: MINRES on AᵀAx = Aᵀb in a form that does not square the condition number.
[<RequireQualifiedAccess>]
module Lsmr =

    /// min ‖b − Ax‖² + λ²‖x‖² for any A with a transpose, square or not, and a damping λ ≥ 0 (Fong & Saunders 2011). As
    /// Lsqr.solver, with ‖Aᵀr‖ that never grows from one iteration to the next, so that it may be ended early; the
    /// memory of one more vector. Raises ArgumentRangeException for a damping that is negative or not finite; where it
    /// is used, OperatorException for an operator without a transpose.
    let solver (damping: float) : Solver =
        LeastSquares.checkDamping "LSMR" damping

        LeastSquares.solver "LSMR" damping (fun a goal b -> LsmrRow(goal, LeastSquares.zero a, b))

    /// Least squares by LSMR; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (damping: float) (a: LinearOperator) (b: Tensor) : Solution =
        Solver.solve options (solver damping) a b
