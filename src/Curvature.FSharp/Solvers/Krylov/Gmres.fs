namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.LinearAlgebra

/// One right-hand side b by GMRES with restarts: Arnoldi's basis V with every vector orthogonalised twice, and the
/// least-squares problem min ‖βe₁ − H̄y‖ by rotations (Saad & Schultz 1986).
[<Sealed>]
type internal GmresRow(dtype: DType, restart: int, target: float, b: Tensor) =
    inherit SolverRow()
    let n = b.Size
    let epsilon = SmallMatrices.epsilon dtype

    /// A cycle that leaves more than this share of the residual makes no progress.
    let mostLeft = 1.0 - 1e-4

    let mutable x = Tensor.zerosLike b
    let mutable scale = 0.0
    let mutable state = RowState.AtWork

    // The cycle at hand: the basis, the columns of R, the rotations, and the right-hand side that they turn.
    let mutable basis = Panels n
    let mutable next = b
    let mutable first = 0.0
    let r: float[,] = Array2D.zeroCreate (restart + 1) restart
    let cosines: float[] = Array.zeroCreate restart
    let sines: float[] = Array.zeroCreate restart
    let g: float[] = Array.zeroCreate (restart + 1)

    let row (v: Tensor) = Tensor.unsqueeze 0 v

    let beginCycle (residual: Tensor) =
        let length = Vectors.norm residual
        basis <- Panels n
        Array.Clear g
        g[0] <- length
        first <- length
        state <- if length <= target then RowState.Done else RowState.AtWork
        if length > 0.0 then next <- residual * (1.0 / length)

    do beginCycle b

    /// Column j of H̄, turned by the rotations so far; its last entry, and what is left of the product.
    let column j (product: Tensor) =
        let w = row product
        let h = Rows.productsWith basis w
        let w = w - Rows.combineAll (h.Transpose()) basis
        let correction = Rows.productsWith basis w
        let w = w - Rows.combineAll (correction.Transpose()) basis

        for i in 0..j do
            r[i, j] <- h[i, 0] + correction[i, 0]

        let length = Rows.norm w
        let size = sqrt (length * length + Seq.sum (seq { for i in 0..j -> r[i, j] * r[i, j] }))
        scale <- max scale size

        for i in 0 .. j - 1 do
            let above, below = r[i, j], r[i + 1, j]
            r[i, j] <- cosines[i] * above + sines[i] * below
            r[i + 1, j] <- cosines[i] * below - sines[i] * above

        struct (length, Tensor.item 0 0 w)

    let rotate j length =
        let rho = sqrt (r[j, j] * r[j, j] + length * length)
        cosines[j] <- if rho = 0.0 then 1.0 else r[j, j] / rho
        sines[j] <- if rho = 0.0 then 0.0 else length / rho
        r[j, j] <- rho
        g[j + 1] <- -sines[j] * g[j]
        g[j] <- cosines[j] * g[j]

    /// y with Ry = g for the first columns; 0 where R is singular.
    let solve count =
        let y = Array.zeroCreate count

        for i in count - 1 .. -1 .. 0 do
            let rest = g[i] - Seq.sum (seq { for k in i + 1 .. count - 1 -> r[i, k] * y[k] })
            y[i] <- if r[i, i] <= epsilon * scale then 0.0 else rest / r[i, i]

        y

    let combination (c: float[]) =
        Rows.combineAll (Matrix<float>.Build.DenseOfRowArrays [| c |]) basis |> Tensor.item 0 0

    /// The residual after all columns: Vᵀ-coordinates are those of gₘ₊₁eₘ₊₁ before it was turned.
    let residualOfCycle count =
        let c = Array.zeroCreate (count + 1)
        c[count] <- g[count]

        for i in count - 1 .. -1 .. 0 do
            let turned = c[i + 1]
            c[i] <- -sines[i] * turned
            c[i + 1] <- cosines[i] * turned

        combination c

    let current () =
        let count = basis.Count - 1

        if state <> RowState.AtWork || count < 1 then
            x
        else
            x + combination (Array.append (solve count) [| 0.0 |])

    override _.Next = next
    override _.State = state
    override _.Scale = scale

    /// Between restarts, x is made of the basis when it is asked for.
    override _.X = current ()

    override _.Accept(product: Tensor) =
        let j = basis.Count - (if basis.Count > 0 then 1 else 0)
        if basis.Count = 0 then basis.Add(row next)
        let struct (length, rest) = column j product
        let isInvariant = length <= 10.0 * epsilon * scale || j + 1 >= n
        rotate j (if isInvariant then 0.0 else length)
        let left = abs g[j + 1]

        if not isInvariant then
            next <- rest * (1.0 / length)
            basis.Add(row next)

        if isInvariant || left <= target || j + 1 = restart then
            let y = solve (j + 1)
            x <- x + combination (if isInvariant then y else Array.append y [| 0.0 |])

            if left <= target then
                state <- (if r[j, j] <= epsilon * scale then RowState.BrokenDown else RowState.Done)
            elif isInvariant || left > mostLeft * first then
                state <- RowState.BrokenDown
            else
                beginCycle (residualOfCycle (j + 1))

/// Solving Ax = b for any square A by generalised minimal residuals (Saad & Schultz 1986).
[<RequireQualifiedAccess>]
module Gmres =

    let private start (restart: int) (a: LinearOperator) target (b: Tensor) : SolverRow =
        GmresRow(a.DType, min restart a.Columns, target, b)

    /// GMRES, restarted after so many steps. Needs no claims and no transpose. One product an iteration and right-hand
    /// side, the memory of `restart` + 1 vectors each, 8n·restart operations a step; without a restart, the residual is
    /// the least in the Krylov space. Rows of a block are solved in lockstep, and leave it when they are done. The
    /// status is Breakdown where a whole cycle makes no progress, or where A is singular and b is out of reach.
    /// Raises ArgumentRangeException for less than one step.
    let solver (restart: int) : Solver =
        if restart < 1 then
            Fail.range $"GMRES: one step at least is needed between restarts, and {restart} were asked for"

        Solver
            {
                Name = $"GMRES({restart})"
                Breakdown =
                    {
                        What = "no progress"
                        Advice =
                            $"A cycle of {restart} steps made no progress: take a longer one, or damp an operator that "
                            + "is singular."
                    }
                IsLeastSquares = false
                Check = ignore
                Run = RowRun.Square(start restart)
            }

    /// Solves Ax = b by GMRES; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (restart: int) (a: LinearOperator) (b: Tensor) : Solution =
        Solver.solve options (solver restart) a b
