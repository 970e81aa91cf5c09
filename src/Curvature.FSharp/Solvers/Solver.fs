namespace Curvature

open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// What every solver is told. Immutable; `Default` and the methods With… make others.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SolverOptions private (tolerance: float, maxIterations: int, cancellation: CancellationToken) =
    /// Residuals of 1e-8 (Float64) or 1e-4 (Float32), at most 1000 iterations.
    static member Default = SolverOptions(Tolerance.Automatic, 1000, CancellationToken.None)

    /// The residual, relative to the right-hand side, that is small enough; Tolerance.Automatic for the default of the
    /// element type.
    member _.Tolerance = tolerance

    /// The largest number of iterations.
    member _.MaxIterations = maxIterations

    /// Ends the iterations early. What was reached until then is returned; cancelled before the first iteration, a
    /// solver raises OperationCanceledException, and so do products with an inverse.
    member _.Cancellation = cancellation

    /// The same options with another tolerance. Raises ArgumentRangeException for one that is not between 0 and 1.
    member _.WithTolerance(value: float) =
        if not (value > 0.0 && value < 1.0) then
            Fail.range $"WithTolerance: a tolerance between 0 and 1 is needed, and it is {value}"

        SolverOptions(value, maxIterations, cancellation)

    /// The same options with another limit. Raises ArgumentRangeException for less than one iteration.
    member _.WithMaxIterations(count: int) =
        if count < 1 then
            Fail.range $"WithMaxIterations: one iteration at least is needed, and the limit is {count}"

        SolverOptions(tolerance, count, cancellation)

    /// The same options with a token that ends the iterations early.
    member _.WithCancellation(token: CancellationToken) = SolverOptions(tolerance, maxIterations, token)

    member internal _.ToleranceFor(dtype: DType) = Tolerance.Resolve(tolerance, dtype, 1e-8, 1e-4)

    override _.ToString() = $"""{Tolerance.Describe tolerance}, at most {Describe.count maxIterations "iteration"}"""

    member internal this.Text = this.ToString()

/// How a solver works. A new solver is one of these, in a file with its name.
[<NoEquality; NoComparison>]
type internal SolverDefinition =
    {
        Name: string
        Breakdown: SolverBreakdown
        /// Whether it takes operators that are not square too, for least-squares solutions.
        IsLeastSquares: bool
        /// Raises where an operator is not what it needs.
        Check: LinearOperator -> unit
        /// Solves for the rows of a block that is not empty, of which the largest element of each is 1, or all are 0.
        Run: SolverOptions -> LinearOperator -> Tensor -> SolverRun
    }

/// A way to solve Ax = b, or to minimise ‖b − Ax‖: a value, made by the modules of the methods and run by
/// `Solver.solve`.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Solver internal (definition: SolverDefinition) =
    /// What the method is called.
    member _.Name = definition.Name

    member internal _.Definition = definition

    override _.ToString() = definition.Name

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// Residuals of systems Ax = b, whose right-hand sides are rows of a block.
module internal Residuals =

    /// ‖rᵢ‖/‖bᵢ‖ for the rows of two blocks; 0 where b is 0.
    let relative (r: Tensor) (b: Tensor) : float[] =
        let norms (t: Tensor) = (Tensor.rowNorms t).ToArray()
        Array.map2 (fun r b -> if b > 0.0 then r / b else 0.0) (norms r) (norms b)

/// Linear systems Ax = b and inverses, by any solver.
[<RequireQualifiedAccess>]
module Solver =

    let private check (solver: Solver) (a: LinearOperator) (b: Tensor) =
        let shape = b.Signature.Shape

        if b.DType <> a.DType || b.Rank < 1 || b.Rank > 2 || Array.last shape <> a.Rows then
            Fail.shape (
                $"{solver.Name}: right-hand sides must be {a.DType}[{a.Rows}] or [k; {a.Rows}], "
                + $"and they are {b.DType}{Shape.show shape}"
            )

        Finite.check $"{solver.Name}: the right-hand side" b

    /// Solves for rows whose largest element is 1, so that squares neither vanish nor overflow, and scales back.
    let private runScaled options (solver: Solver) a (block: Tensor) : SolverRun =
        let largest = (Tensor.max (Tensor.abs block)).ToArray()
        let sizes = largest |> Array.map (fun size -> if size > 0.0 then size else 1.0) |> Rows.column block
        let run = solver.Definition.Run options a (block / sizes)
        { run with X = run.X * sizes }

    /// The run for no right-hand sides, or for those without elements.
    let private empty (solver: Solver) (a: LinearOperator) (block: Tensor) : SolverRun =
        let count = Rows.count block

        {
            X = Tensor.zeros a.DType [ count; a.Columns ] |> Tensor.toDevice a.Device
            Residuals = Array.zeroCreate count
            NormalResiduals = if solver.Definition.IsLeastSquares then Array.zeroCreate count else [||]
            Iterations = 0
            Matvecs = 0
            BrokenDown = [||]
            NegativeCurvature = [||]
        }

    let private statuses (options: SolverOptions) tolerance (run: SolverRun) : SolveStatus[] =
        run.Residuals
        |> Array.mapi (fun row residual ->
            let isLeastSquares = run.NormalResiduals.Length > 0 && run.NormalResiduals[row] <= tolerance

            if residual <= tolerance || isLeastSquares then SolveStatus.Solved
            elif Array.contains row run.BrokenDown then SolveStatus.Breakdown
            elif options.Cancellation.IsCancellationRequested then SolveStatus.Cancelled
            elif run.Iterations >= options.MaxIterations then SolveStatus.Budget
            else SolveStatus.Stagnated)

    let private requireShape (solver: Solver) (a: LinearOperator) =
        if not solver.Definition.IsLeastSquares then
            OperatorParts.requireSquare solver.Name a

    /// Solves Ax = b for one vector b [rows] or a block [k; rows] by a solver. How it ended is the status of the
    /// solution, and never an exception.
    /// Raises OperatorException for an operator that is not square or not what the solver needs; ShapeException and
    /// NonFiniteException for right-hand sides that do not fit or are not finite; NonFiniteException for products that
    /// are not finite; OperationCanceledException where it was cancelled before the first iteration.
    let solve (options: SolverOptions) (solver: Solver) (a: LinearOperator) (b: Tensor) : Solution =
        let watch = Stopwatch.StartNew()
        requireShape solver a
        solver.Definition.Check a
        check solver a b
        options.Cancellation.ThrowIfCancellationRequested()
        let block = if b.Rank = 1 then Tensor.unsqueeze 0 b else b

        let run =
            if block.Size = 0 then
                empty solver a block
            else
                runScaled options solver a block

        let value = if b.Rank = 1 then Tensor.squeeze 0 run.X else run.X
        let tolerance = options.ToleranceFor a.DType
        let seconds = watch.Elapsed.TotalSeconds
        Solution(value, run, statuses options tolerance run, tolerance, seconds, solver.Definition.Breakdown)

    /// A⁻¹ as an operator: every product solves a system, to the tolerance of the options. It has the claims of A, and
    /// a transpose where A's is known. By a solver of least squares it is the pseudoinverse, [columns; rows]. Raises
    /// OperatorException for an operator that is not square or not what the solver needs. Its products raise
    /// OperatorException where a system is not solved, with the residual that was reached and what to try, and
    /// OperationCanceledException where they are cancelled.
    let inverse (options: SolverOptions) (solver: Solver) (a: LinearOperator) : LinearOperator =
        requireShape solver a
        solver.Definition.Check a
        let name = $"inverse of {a.Name}"

        let products (a: LinearOperator) : Products =
            let product (b: Tensor) =
                let found = solve options solver a b
                // Part of a solution is no product.
                if found.IsCancelled then options.Cancellation.ThrowIfCancellationRequested()

                if not found.IsConverged then
                    Fail.operator $"{name} by {solver}: {found}. {found.Advice}"

                found.Value

            { Matvec = product; Matmat = product }

        LinearOperator.Of
            { OperatorParts.define name a.DType a.Columns a.Rows (products a) with
                Device = a.Device
                Properties = a.Properties
                Warnings = a.Definition.Warnings
                Adjoint =
                    if a.IsSymmetric then
                        ValueNone
                    else
                        a.Definition.Adjoint |> ValueOption.map (fun _ -> products a.Transposed)
            }
