namespace Curvature.FSharp

open System
open Curvature

/// One right-hand side b by MINRES: Lanczos on b, and the least-squares problem min ‖βe₁ − T̲y‖ by a QR decomposition
/// of which each step adds a column. The letters are those of Paige & Saunders 1975, "Solution of sparse indefinite
/// systems of linear equations", with `bar` for a bar.
[<Sealed>]
type internal MinresRow(dtype: DType, target: float, b: Tensor) =
    inherit SolverRow()
    let epsilon = SmallMatrices.epsilon dtype

    /// ‖Ar‖/(‖A‖·‖r‖) at which no x has a smaller residual.
    let leastSlope = Math.Pow(epsilon, 2.0 / 3.0)

    let mutable beta = Vectors.norm b
    let mutable oldBeta = 0.0
    let mutable v = b * (1.0 / beta)
    // The last two Lanczos vectors, as long as they were before they were normalised.
    let mutable r1, r2 = b, b
    let mutable w1, w2 = Tensor.zerosLike b, Tensor.zerosLike b
    let mutable x = Tensor.zerosLike b
    let mutable phiBar = beta
    let mutable deltaBar = 0.0
    let mutable epsilonBar = 0.0
    let mutable cs, sn = -1.0, 0.0
    let mutable scale = 0.0
    let mutable state = if phiBar <= target then RowState.Done else RowState.AtWork

    /// α, with the next β and its vector.
    let lanczos (product: Tensor) =
        let isFirst = (oldBeta = 0.0)
        let y = if isFirst then product else product - (beta / oldBeta) * r1
        let alpha = Vectors.dot v y
        let y = y - (alpha / beta) * r2
        r1 <- r2
        r2 <- y
        oldBeta <- beta
        let length = Vectors.norm y
        // The length of b is no entry of T.
        let before = if isFirst then 0.0 else beta
        scale <- max scale (sqrt (alpha * alpha + before * before + length * length))
        beta <- if length <= 10.0 * epsilon * scale then 0.0 else length
        alpha

    /// Turns the new column of T̲ by the last two rotations.
    let rotate alpha =
        let oldEpsilon = epsilonBar
        let delta = cs * deltaBar + sn * alpha
        let gammaBar = sn * deltaBar - cs * alpha
        epsilonBar <- sn * beta
        deltaBar <- -cs * beta
        struct (oldEpsilon, delta, gammaBar)

    let step (oldEpsilon: float) (delta: float) (gammaBar: float) (gamma: float) =
        cs <- gammaBar / gamma
        sn <- beta / gamma
        let w = (v - oldEpsilon * w1 - delta * w2) * (1.0 / gamma)
        x <- x + (cs * phiBar) * w
        phiBar <- abs (sn * phiBar)
        w1 <- w2
        w2 <- w

    override _.Next = v
    override _.State = state
    override _.X = x
    override _.Scale = scale

    override _.Accept(product: Tensor) =
        let alpha = lanczos product
        let struct (oldEpsilon, delta, gammaBar) = rotate alpha
        let gamma = sqrt (gammaBar * gammaBar + beta * beta)
        // ‖Ar‖/‖r‖ for the residual before this step.
        let slope = sqrt (gammaBar * gammaBar + deltaBar * deltaBar)

        if slope <= leastSlope * scale || gamma <= epsilon * scale then
            state <- RowState.BrokenDown
        else
            step oldEpsilon delta gammaBar gamma

            if phiBar <= target then state <- RowState.Done
            elif beta = 0.0 then state <- RowState.BrokenDown
            else v <- r2 * (1.0 / beta)

/// Solving Ax = b for symmetric A, definite or not, by minimal residuals (Paige & Saunders 1975).
[<RequireQualifiedAccess>]
module Minres =

    let private start (a: LinearOperator) target (b: Tensor) : SolverRow = MinresRow(a.DType, target, b)

    /// MINRES. The operator must claim to be symmetric; it may be indefinite, or singular where b is in its range. One
    /// product an iteration and right-hand side, the memory of seven vectors each; residuals never grow. About κ
    /// iterations for each factor of e where A is indefinite with the condition number κ, and ½√κ where it is definite.
    /// Rows of a block are solved in lockstep, and leave it when they are done. The status is Breakdown where b has a
    /// part outside of the range of A: the value is then a least-squares solution.
    let solver: Solver =
        Solver
            {
                Name = "MINRES"
                Breakdown =
                    {
                        What = "no solution"
                        Advice =
                            "The operator is singular, and the right-hand side has a part outside of its range: the "
                            + "value is a least-squares solution. Damp the operator, or take Lsqr if that is what is "
                            + "wanted."
                    }
                IsLeastSquares = false
                Check = Requirements.symmetric "MINRES"
                Run = RowRun.Square start
            }

    /// Solves Ax = b by MINRES; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (a: LinearOperator) (b: Tensor) : Solution = Solver.solve options solver a b
