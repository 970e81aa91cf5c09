namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Solving Ax = b for symmetric positive definite A by conjugate gradients (Hestenes & Stiefel 1952).
[<RequireQualifiedAccess>]
module ConjugateGradients =

    /// How often rows begin again from their true residual, where rounding has led the recursion away from it.
    let private mostRestarts = 3

    let private dots a b = (Products.rowDots a b).ToArray()

    /// The rows that are still at work: the numbers of their right-hand sides, and the vectors of the recursion.
    [<NoEquality; NoComparison>]
    type private ActiveRows =
        {
            Numbers: int[]
            X: Tensor
            R: Tensor
            P: Tensor
            /// rᵀM⁻¹r
            Rz: float[]
        }

        /// The rows that stay.
        member rows.Keep(stays: bool[]) =
            let places = Array.indexed stays |> Array.filter snd |> Array.map fst
            let some (t: Tensor) = Rows.choose (List.ofArray places) t
            let pick (values: 'T[]) = places |> Array.map (fun i -> values[i])

            {
                Numbers = pick rows.Numbers
                X = some rows.X
                R = some rows.R
                P = some rows.P
                Rz = pick rows.Rz
            }

    /// M, or its inverse.
    [<RequireQualifiedAccess; NoEquality; NoComparison>]
    type private Preconditioner =
        | Identity
        | Diagonal of Tensor
        | Inverse of LinearOperator

    /// A run on all rows of a block at once, in lockstep; rows that are done leave the block.
    [<Sealed>]
    type private Run(preconditioner: Preconditioner, options: SolverOptions, a: LinearOperator, b: Tensor) =
        let tolerance = options.ToleranceFor a.DType
        let norms = dots b b |> Array.map sqrt
        let solutions = Array.init norms.Length (fun row -> Tensor.zerosLike (Tensor.item 0 row b))
        let negative = List<NegativeCurvature>()
        let mutable iterations = 0
        let mutable matvecs = 0
        // The largest pᵀAp/pᵀp so far, which tells what a curvature of 0 looks like after rounding.
        let mutable steepest = 0.0

        let multiply (block: Tensor) =
            matvecs <- matvecs + block.Signature.Shape[0]
            a.Apply block

        /// M⁻¹r
        let precondition (r: Tensor) =
            match preconditioner with
            | Preconditioner.Identity -> r
            | Preconditioner.Diagonal diagonal -> r / diagonal
            | Preconditioner.Inverse inverse -> inverse.Apply r

        let mayGoOn () = iterations < options.MaxIterations && not options.Cancellation.IsCancellationRequested

        /// For each row whether A does not curve upward along p. Such directions are kept.
        let bends (rows: ActiveRows) (curvatures: float[]) : bool[] =
            let squares = dots rows.P rows.P
            let rayleigh = Array.map2 (/) curvatures squares
            steepest <- max steepest (Array.max rayleigh)
            let least = 4.0 * SmallMatrices.epsilon a.DType * steepest

            rayleigh
            |> Array.mapi (fun row curvature ->
                if curvature <= least then
                    let direction = Tensor.item 0 row rows.P / sqrt squares[row]
                    negative.Add(NegativeCurvature(direction, curvature, rows.Numbers[row]))

                curvature <= least)

        let store (rows: ActiveRows) (isDone: bool[]) =
            rows.Numbers |> Array.iteri (fun i number -> if isDone[i] then solutions[number] <- Tensor.item 0 i rows.X)

        /// One step of every row; those that are done are stored, and leave.
        let advance (rows: ActiveRows) : ActiveRows =
            let q = multiply rows.P
            let curvatures = dots rows.P q
            let bends = bends rows curvatures
            let ratio (x: float[]) (y: float[]) = Array.mapi (fun i bent -> if bent then 0.0 else x[i] / y[i]) bends
            let step = Rows.column b (ratio rows.Rz curvatures)
            let x, r = rows.X + step * rows.P, rows.R - step * q
            iterations <- iterations + 1
            let residuals = dots r r |> Array.mapi (fun i square -> sqrt square / norms[rows.Numbers[i]])
            let isDone = Array.map2 (fun bent residual -> bent || residual <= tolerance) bends residuals
            let z = precondition r
            let rz = dots r z
            let p = z + Rows.column b (ratio rz rows.Rz) * rows.P
            let next = { rows with X = x; R = r; P = p; Rz = rz }
            store next isDone
            if Array.contains true isDone then next.Keep(Array.map not isDone) else next

        /// From points whose residuals are known, until the recursion calls every row done.
        let descend (numbers: int[]) (x: Tensor) (r: Tensor) =
            let p = precondition r
            let mutable rows = { Numbers = numbers; X = x; R = r; P = p; Rz = dots r p }

            while rows.Numbers.Length > 0 && mayGoOn () do
                rows <- advance rows

            store rows (Array.create rows.Numbers.Length true)

        let rowsOf (t: Tensor) (numbers: int[]) = Rows.choose (List.ofArray numbers) t

        member _.Solve() : SolverRun =
            let nonzero = Array.indexed norms |> Array.filter (fun (_, norm) -> norm > 0.0) |> Array.map fst
            let start = rowsOf b nonzero
            descend nonzero (Tensor.zerosLike start) start
            let mutable x = Tensor.stack 0 (List.ofArray solutions)
            let mutable r = b - multiply x
            let mutable restarts = 0

            let bent () = [| for found in negative -> found.Row |]

            /// Rows that the recursion called done and that, by its drift, are not.
            let unfinished () =
                let bent = bent ()

                Residuals.relative r b
                |> Array.indexed
                |> Array.filter (fun (row, residual) -> residual > tolerance && not (Array.contains row bent))
                |> Array.map fst

            while restarts < mostRestarts && mayGoOn () && unfinished().Length > 0 do
                restarts <- restarts + 1
                let rows = unfinished ()
                descend rows (rowsOf x rows) (rowsOf r rows)
                x <- Tensor.stack 0 (List.ofArray solutions)
                r <- b - multiply x

            {
                X = x
                Residuals = Residuals.relative r b
                NormalResiduals = [||]
                Iterations = iterations
                Matvecs = matvecs
                BrokenDown = bent ()
                NegativeCurvature = negative
            }

    let private define (preconditioner: Preconditioner) : Solver =
        let name = "conjugate gradients"

        let checkPreconditioner (a: LinearOperator) =
            match preconditioner with
            | Preconditioner.Diagonal diagonal when diagonal.DType <> a.DType || diagonal.Size <> a.Rows ->
                Fail.shape (
                    $"{name}: the preconditioner must be {a.DType}[{a.Rows}], "
                    + $"and it is {diagonal.DType}{Shape.show diagonal.Signature.Shape}"
                )
            | Preconditioner.Inverse inverse when inverse.DType <> a.DType || inverse.Rows <> a.Rows ->
                Fail.shape (
                    $"{name}: the preconditioner must be {a.DType}[{a.Rows}; {a.Rows}], and {inverse.Name} is "
                    + $"{inverse.DType}[{inverse.Rows}; {inverse.Columns}]"
                )
            | _ -> ()

        Solver
            {
                Name = name
                Breakdown =
                    {
                        What = "not positive definite"
                        Advice =
                            "The operator is not positive definite: damp it by more than its most negative curvature, "
                            + "or take one that is, such as Gauss–Newton's matrix. Minres takes indefinite ones."
                    }
                IsLeastSquares = false
                Check =
                    fun a ->
                        Requirements.symmetric name a
                        checkPreconditioner a
                Run = fun options a b -> Run(preconditioner, options, a, b).Solve()
            }

    /// Conjugate gradients without a preconditioner. The operator must claim to be symmetric. The rows of a block are
    /// solved in lockstep, and leave it when they are done. A matvec for each iteration and right-hand side and one
    /// more for its residual; about ½√κ iterations for each factor of e, κ the condition number. A right-hand side that
    /// meets a direction p with pᵀAp ≤ 0 (up to rounding) stops there with the status Breakdown, and the direction is
    /// reported.
    let solver: Solver = define Preconditioner.Identity

    /// Conjugate gradients with a diagonal preconditioner M: a positive vector near the diagonal of A, such as an
    /// estimate of it plus damping. The condition number that counts is that of M⁻½AM⁻½. Raises ShapeException for a
    /// preconditioner that is not a vector, NonFiniteException and ArgumentRangeException for one with entries that are
    /// not finite or not positive; where it is used, ShapeException for one that does not fit the operator.
    let preconditioned (diagonal: Tensor) : Solver =
        let what = "ConjugateGradients.preconditioned"
        OperatorParts.requireVector what diagonal
        Finite.check $"{what}: the diagonal" diagonal
        let entries = diagonal.ToArray()

        match entries |> Array.tryFindIndex (fun d -> d <= 0.0) with
        | Some i -> Fail.range $"{what}: the diagonal must be above 0, and entry {i} is {entries[i]}"
        | None -> define (Preconditioner.Diagonal diagonal)

    /// Conjugate gradients with a preconditioner M that is given by its inverse, a positive definite operator such as
    /// `(kfac.Damped 1e-4).Inverse().Operator`: a product with it for each iteration and right-hand side. The condition
    /// number that counts is that of M⁻½AM⁻½. Raises OperatorException where the inverse is not square or does not
    /// claim to be semidefinite; where it is used, ShapeException for one that does not fit the operator.
    let preconditionedBy (inverse: LinearOperator) : Solver =
        let what = "ConjugateGradients.preconditionedBy"
        OperatorParts.requireSquare what inverse

        if not inverse.IsPositiveSemidefinite then
            Fail.operator $"{what}: {inverse.Name} does not claim to be positive semidefinite"

        define (Preconditioner.Inverse inverse)

    /// Solves Ax = b by conjugate gradients without a preconditioner; see `solver` and Solver.solve.
    let solve (options: SolverOptions) (a: LinearOperator) (b: Tensor) : Solution = Solver.solve options solver a b
