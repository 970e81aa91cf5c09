namespace Curvature.FSharp

open System.Collections.Generic
open System.Diagnostics
open Curvature

/// Solving Ax = b for symmetric positive definite A by conjugate gradients (Hestenes & Stiefel 1952).
[<RequireQualifiedAccess>]
module ConjugateGradients =

    let private name = "conjugate gradients"

    /// How often rows begin again from their true residual, where rounding has led the recursion away from it.
    let private mostRestarts = 3

    let private dots a b = (Products.rowDots a b).ToArray()

    /// The rows that are still at work: the numbers of their right-hand sides, and the vectors of the recursion.
    [<NoEquality; NoComparison>]
    type private Rows =
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
            let index = Tensor.ofIndices [ places.Length ] places |> Tensor.toDevice rows.X.Device
            let some (t: Tensor) = Tensor.take 0 index t
            let pick (values: 'T[]) = places |> Array.map (fun i -> values[i])

            {
                Numbers = pick rows.Numbers
                X = some rows.X
                R = some rows.R
                P = some rows.P
                Rz = pick rows.Rz
            }

    /// A run on all rows of a block at once, in lockstep; rows that are done leave the block.
    [<Sealed>]
    type private Run(options: SolverOptions, a: LinearOperator, b: Tensor) =
        let watch = Stopwatch.StartNew()
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

        let precondition (r: Tensor) = if isNull options.Preconditioner then r else r / options.Preconditioner

        let mayGoOn () = iterations < options.MaxIterations && not options.Cancellation.IsCancellationRequested

        /// For each row whether A does not curve upward along p. Such directions are kept.
        let bends (rows: Rows) (curvatures: float[]) : bool[] =
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

        let store (rows: Rows) (isDone: bool[]) =
            rows.Numbers |> Array.iteri (fun i number -> if isDone[i] then solutions[number] <- Tensor.item 0 i rows.X)

        /// One step of every row; those that are done are stored, and leave.
        let advance (rows: Rows) : Rows =
            let q = multiply rows.P
            let curvatures = dots rows.P q
            let bends = bends rows curvatures
            let ratio (x: float[]) (y: float[]) = Array.mapi (fun i bent -> if bent then 0.0 else x[i] / y[i]) bends
            let step = RightHandSides.factors b (ratio rows.Rz curvatures)
            let x, r = rows.X + step * rows.P, rows.R - step * q
            iterations <- iterations + 1
            let residuals = dots r r |> Array.mapi (fun i square -> sqrt square / norms[rows.Numbers[i]])
            let isDone = Array.map2 (fun bent residual -> bent || residual <= tolerance) bends residuals
            let z = precondition r
            let rz = dots r z
            let p = z + RightHandSides.factors b (ratio rz rows.Rz) * rows.P
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

        let rowsOf (t: Tensor) (numbers: int[]) =
            Tensor.take 0 (Tensor.ofIndices [ numbers.Length ] numbers |> Tensor.toDevice t.Device) t

        member _.Solve() : LinearSolution =
            let nonzero = Array.indexed norms |> Array.filter (fun (_, norm) -> norm > 0.0) |> Array.map fst
            let start = rowsOf b nonzero
            descend nonzero (Tensor.zerosLike start) start
            let mutable x = Tensor.stack 0 (List.ofArray solutions)
            let mutable r = b - multiply x
            let mutable restarts = 0

            /// Rows that the recursion called done and that, by its drift, are not.
            let unfinished () =
                let bent = HashSet(Seq.map (fun (found: NegativeCurvature) -> found.Row) negative)

                RightHandSides.relative r b
                |> Array.indexed
                |> Array.filter (fun (row, residual) -> residual > tolerance && not (bent.Contains row))
                |> Array.map fst

            while restarts < mostRestarts && mayGoOn () && unfinished().Length > 0 do
                restarts <- restarts + 1
                let rows = unfinished ()
                descend rows (rowsOf x rows) (rowsOf r rows)
                x <- Tensor.stack 0 (List.ofArray solutions)
                r <- b - multiply x

            LinearSolution(
                x,
                RightHandSides.relative r b,
                tolerance,
                iterations,
                matvecs,
                watch.Elapsed.TotalSeconds,
                negative,
                options.Cancellation.IsCancellationRequested
            )

    let private check (options: SolverOptions) (a: LinearOperator) =
        if not a.IsSymmetric then
            Fail.operator $"{name}: a symmetric operator is needed, and {a.Name} is not claimed to be"

        let preconditioner = options.Preconditioner

        if not (isNull preconditioner) && (preconditioner.DType <> a.DType || preconditioner.Size <> a.Rows) then
            Fail.shape
                $"{name}: the preconditioner must be {a.DType}[{a.Rows}], and it is {preconditioner.DType}{Shape.show preconditioner.Signature.Shape}"

    /// Solves Ax = b for one vector b [n] or a block [k; n], whose rows are solved in lockstep and leave the block when they are done. Costs
    /// a matvec an iteration and right-hand side and one more for its residual, and about ½√κ iterations for each factor of e, κ the
    /// condition number of A (of M⁻½AM⁻½ with a preconditioner M). A right-hand side that meets a direction p with pᵀAp ≤ 0 (up to
    /// rounding) stops there; the direction is reported. What did not converge says so: see LinearSolution.IsConverged.
    /// Raises OperatorException for an operator that is not claimed symmetric, ShapeException for right-hand sides or a preconditioner that
    /// do not fit, NonFiniteException for right-hand sides or products that are not finite, and OperationCanceledException where it was
    /// cancelled before the first iteration.
    let solve (options: SolverOptions) (a: LinearOperator) (b: Tensor) : LinearSolution =
        check options a

        RightHandSides.solve options name a b (fun block ->
            if block.Size = 0 then
                let residuals = Array.zeroCreate block.Signature.Shape[0]
                LinearSolution(block, residuals, options.ToleranceFor a.DType, 0, 0, 0.0, [||], false)
            else
                Run(options, a, block).Solve())

    /// A⁻¹ as an operator: every product solves a system, to the tolerance of the options. It is claimed symmetric, and semidefinite where A
    /// is. Raises OperatorException for an operator that is not claimed symmetric; its products raise OperatorException where A turns
    /// out not to be positive definite and where the iterations do not suffice, naming the residual that was reached, and
    /// OperationCanceledException where they are cancelled.
    let inverse (options: SolverOptions) (a: LinearOperator) : LinearOperator =
        check options a
        let name = $"inverse of {a.Name}"

        LinearOperator.Of
            { OperatorParts.define name a.DType a.Rows a.Columns (RightHandSides.inverse options name (solve options a)) with
                Device = a.Device
                Properties = a.Properties
                Warnings = a.Definition.Warnings
            }
