namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// Where a method stands with one right-hand side.
[<RequireQualifiedAccess; NoComparison>]
type internal RowState =
    | AtWork
    /// By its recursion, the residual is small enough.
    | Done
    | BrokenDown

/// A method for one right-hand side, which asks for one product after the other. It begins at x = 0.
[<AbstractClass>]
type internal SolverRow() =
    /// The vector to be multiplied next.
    abstract Next: Tensor

    /// Whether it is to be multiplied by the transpose.
    abstract TakesTranspose: bool

    /// Takes the product of the operator with the vector that is next.
    abstract Accept: product: Tensor -> unit

    abstract State: RowState

    /// The iterate that was reached.
    abstract X: Tensor

    /// About ‖A‖, and no more, as far as it was seen.
    abstract Scale: float

    default _.TakesTranspose = false

/// How the rows of a block are solved side by side.
[<NoEquality; NoComparison>]
type internal RowMethod =
    {
        /// The method for a right-hand side, until its residual is no longer than a number.
        Start: float -> Tensor -> SolverRow
        /// Products that are one iteration.
        ProductsPerIteration: int
        /// How often rows begin again from their true residual, where rounding has led the recursion away from it.
        MostRestarts: int
    }

/// A run on all rows of a block in lockstep: one block product, and rows that are done leave it.
[<Sealed>]
type internal RowRun(method: RowMethod, options: SolverOptions, a: LinearOperator, b: Tensor) =
    let tolerance = options.ToleranceFor a.DType
    let norms = (Tensor.rowNorms b).ToArray()
    let zero = Tensor.zeros a.DType [ a.Columns ] |> Tensor.toDevice a.Device
    let solutions = Array.create norms.Length zero
    let scales = Array.zeroCreate norms.Length
    let brokenDown = HashSet<int>()
    let mutable rounds = 0
    let mutable matvecs = 0

    let multiply (operator: LinearOperator) (block: Tensor) =
        matvecs <- matvecs + Rows.count block
        operator.Apply block

    let mayGoOn () =
        rounds < options.MaxIterations * method.ProductsPerIteration
        && not options.Cancellation.IsCancellationRequested

    let isAtWork (row: SolverRow) = (row.State = RowState.AtWork)

    /// Gives rows that wait for the same kind of product theirs.
    let feed (operator: LinearOperator) (rows: SolverRow[]) =
        if rows.Length > 0 then
            let products = rows |> Array.map _.Next |> List.ofArray |> Tensor.stack 0 |> multiply operator
            rows |> Array.iteri (fun i row -> row.Accept(Tensor.item 0 i products))

    let advance (rows: SolverRow[]) =
        let transposed, straight = rows |> Array.filter isAtWork |> Array.partition _.TakesTranspose
        if transposed.Length > 0 then feed a.Transposed transposed
        feed a straight
        rounds <- rounds + 1

    /// Adds to the solutions of some rows what belongs to their residuals.
    let descend (numbers: int[]) (residuals: Tensor) =
        let start i number = method.Start (tolerance * norms[number]) (Tensor.item 0 i residuals)
        let rows = numbers |> Array.mapi start

        while Array.exists isAtWork rows && mayGoOn () do
            advance rows

        Array.iter2
            (fun number (row: SolverRow) ->
                solutions[number] <- solutions[number] + row.X
                scales[number] <- row.Scale
                if row.State = RowState.BrokenDown then brokenDown.Add number |> ignore)
            numbers
            rows

    let rowsOf (t: Tensor) (numbers: int[]) = Rows.choose (List.ofArray numbers) t
    let stacked () = Tensor.stack 0 (List.ofArray solutions)

    /// Rows that the recursion called done and that, by its drift, are not.
    let unfinished (r: Tensor) =
        Residuals.relative r b
        |> Array.indexed
        |> Array.filter (fun (row, residual) -> residual > tolerance && not (brokenDown.Contains row))
        |> Array.map fst

    /// About ‖A‖ as each row saw it.
    member _.Scales = scales

    /// The products of a block with an operator, which count.
    member _.Multiply(operator: LinearOperator, block: Tensor) = multiply operator block

    /// x and b − Ax for all rows.
    member _.Solve() : struct (Tensor * Tensor) =
        let nonzero = Array.indexed norms |> Array.filter (fun (_, norm) -> norm > 0.0) |> Array.map fst
        if nonzero.Length > 0 then descend nonzero (rowsOf b nonzero)
        let mutable r = b - multiply a (stacked ())
        let mutable restarts = 0

        while restarts < method.MostRestarts && mayGoOn () && (unfinished r).Length > 0 do
            restarts <- restarts + 1
            let rows = unfinished r
            descend rows (rowsOf r rows)
            r <- b - multiply a (stacked ())

        stacked (), r

    /// What is to be said of the run.
    member _.Report(x: Tensor, r: Tensor, normalResiduals: float[]) : SolverRun =
        let perIteration = method.ProductsPerIteration

        {
            X = x
            Residuals = Residuals.relative r b
            NormalResiduals = normalResiduals
            Iterations = (rounds + perIteration - 1) / perIteration
            Matvecs = matvecs
            BrokenDown = Seq.toArray brokenDown
            NegativeCurvature = [||]
        }

    /// A run of a method for square systems.
    static member Square(start: LinearOperator -> float -> Tensor -> SolverRow) =
        fun (options: SolverOptions) (a: LinearOperator) (b: Tensor) ->
            let method = { Start = start a; ProductsPerIteration = 1; MostRestarts = 3 }
            let run = RowRun(method, options, a, b)
            let struct (x, r) = run.Solve()
            run.Report(x, r, [||])
