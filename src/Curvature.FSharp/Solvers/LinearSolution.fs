namespace Curvature

open System.Collections.Generic
open System.Globalization
open System.Threading
open Curvature.FSharp

/// A direction along which an operator does not curve upward: it is not positive definite.
[<Sealed; NoEquality; NoComparison>]
type NegativeCurvature internal (direction: Tensor, curvature: float, row: int) =
    /// p [n], of length 1.
    member _.Direction = direction

    /// pᵀAp, which is negative, or 0 up to rounding.
    member _.Curvature = curvature

    /// The number of the right-hand side that led there.
    member _.Row = row

/// The solution of Ax = b, for one right-hand side or a block of them, and how it went.
[<Sealed; NoEquality; NoComparison>]
type LinearSolution
    internal
    (
        solution: Tensor,
        residuals: float[],
        tolerance: float,
        iterations: int,
        matvecs: int,
        seconds: float,
        negative: IReadOnlyList<NegativeCurvature>,
        isCancelled: bool
    ) =
    let isConverged = residuals |> Array.forall (fun residual -> residual <= tolerance)

    /// x, in the shape of b. Where IsConverged is false, the best that was reached.
    member _.Solution = solution

    /// ‖b − Ax‖/‖b‖ for each right-hand side, from a product with the solution; 0 where b is 0.
    member _.Residuals = Array.copy residuals

    /// Whether every residual is within the tolerance.
    member _.IsConverged = isConverged

    /// The tolerance that was asked for.
    member _.Tolerance = tolerance

    /// How often a block was multiplied on the way.
    member _.Iterations = iterations

    /// How many products were taken: one for each right-hand side that was still at work, and those that gave the residuals.
    member _.Matvecs = matvecs

    /// Time spent, in seconds.
    member _.Seconds = seconds

    /// Directions of curvature that is not positive, one for each right-hand side that met one and stopped there; none where A is positive
    /// definite.
    member _.NegativeCurvature = negative

    /// Whether it was cancelled before it had converged.
    member _.IsCancelled: bool = isCancelled && not isConverged

    member private _.WithSolution(other: Tensor) =
        LinearSolution(other, residuals, tolerance, iterations, matvecs, seconds, negative, isCancelled)

    /// The same for right-hand sides that are larger by a factor.
    member internal this.Scaled(factors: Tensor) = this.WithSolution(solution * factors)

    /// The same for a right-hand side that is a vector and not a block of one.
    member internal this.Single() = this.WithSolution(Tensor.squeeze 0 solution)

    override this.ToString() =
        let show (x: float) = x.ToString("g3", CultureInfo.InvariantCulture)
        let worst = if residuals.Length = 0 then 0.0 else Array.max residuals
        let reached = $"residual {show worst} after {iterations} iterations, {matvecs} products"

        if isConverged then
            $"converged: {reached}"
        elif negative.Count > 0 then
            $"not positive definite (pᵀAp = {show negative[0].Curvature} for a unit vector p): {reached}"
        elif isCancelled then
            $"cancelled: {reached}"
        else
            $"not converged to {show tolerance}: {reached}"

/// How linear systems are solved. Immutable; `Default` and the methods With… make others.
[<Sealed>]
type SolverOptions
    private (tolerance: float, maxIterations: int, preconditioner: Tensor, cancellation: CancellationToken) =
    /// Residuals of 1e-8 (Float64) or 1e-4 (Float32), at most 1000 iterations, no preconditioner.
    static member Default = SolverOptions(Tolerance.Automatic, 1000, null, CancellationToken.None)

    /// The residual, relative to the right-hand side, that is small enough; Tolerance.Automatic for the
    /// default of the element type.
    member _.Tolerance = tolerance

    /// The largest number of iterations.
    member _.MaxIterations = maxIterations

    /// A positive vector [n] near the diagonal of A; null for none.
    member _.Preconditioner = preconditioner

    /// Ends the iterations early. What was reached until then is returned; cancelled before the first iteration, a solver raises
    /// OperationCanceledException, and so do products with an inverse.
    member _.Cancellation = cancellation

    /// The same options with another tolerance. Raises ArgumentRangeException for one that is not between 0 and 1.
    member _.WithTolerance(value: float) =
        if not (value > 0.0 && value < 1.0) then
            Fail.range $"WithTolerance: a tolerance between 0 and 1 is needed, and it is {value}"

        SolverOptions(value, maxIterations, preconditioner, cancellation)

    /// The same options with another limit. Raises ArgumentRangeException for less than one iteration.
    member _.WithMaxIterations(count: int) =
        if count < 1 then
            Fail.range $"WithMaxIterations: one iteration at least is needed, and the limit is {count}"

        SolverOptions(tolerance, count, preconditioner, cancellation)

    /// The same options with a diagonal preconditioner: a positive vector near the diagonal of A, such as an estimate of it plus damping.
    /// Raises ShapeException for one that is not a vector, NonFiniteException and ArgumentRangeException for one with entries that are
    /// not finite or not positive.
    member _.WithPreconditioner(diagonal: Tensor) =
        OperatorParts.requireVector "WithPreconditioner" diagonal
        Finite.check "WithPreconditioner: the diagonal" diagonal

        match diagonal.ToArray() |> Array.tryFindIndex (fun d -> d <= 0.0) with
        | Some i ->
            Fail.range $"WithPreconditioner: the diagonal must be above 0, and entry {i} is {(diagonal.ToArray())[i]}"
        | None -> SolverOptions(tolerance, maxIterations, diagonal, cancellation)

    /// The same options with a token that ends the iterations early.
    member _.WithCancellation(token: CancellationToken) = SolverOptions(tolerance, maxIterations, preconditioner, token)

    member internal _.ToleranceFor(dtype: DType) = Tolerance.Resolve(tolerance, dtype, 1e-8, 1e-4)

namespace Curvature.FSharp

open Curvature

/// Right-hand sides b of systems Ax = b, as rows of a block.
module internal RightHandSides =

    /// A number for each row of a block, as a factor.
    let factors (like: Tensor) (numbers: float[]) : Tensor =
        Tensor.ofArray [ numbers.Length; 1 ] numbers |> Tensor.convert like.DType |> Tensor.toDevice like.Device

    let check name (a: LinearOperator) (b: Tensor) =
        let shape = b.Signature.Shape

        if b.DType <> a.DType || b.Rank < 1 || b.Rank > 2 || Array.last shape <> a.Rows then
            Fail.shape
                $"{name}: right-hand sides must be {a.DType}[{a.Rows}] or [k; {a.Rows}], and they are {b.DType}{Shape.show shape}"

        Finite.check $"{name}: the right-hand side" b

    /// The largest magnitude in each row.
    let magnitudes (block: Tensor) : float[] = (Tensor.max (Tensor.abs block)).ToArray()

    /// Solves for rows whose largest element is 1, so that squares neither vanish nor overflow, and scales back.
    let solve (options: SolverOptions) name (a: LinearOperator) (b: Tensor) (rows: Tensor -> LinearSolution) =
        check name a b
        options.Cancellation.ThrowIfCancellationRequested()
        let block = if b.Rank = 1 then Tensor.unsqueeze 0 b else b

        let found =
            if block.Size = 0 then
                rows block
            else
                let sizes = magnitudes block |> Array.map (fun size -> if size > 0.0 then size else 1.0)
                let found = rows (block / factors block sizes)
                found.Scaled(factors block sizes)

        if b.Rank = 1 then found.Single() else found

    /// ‖rᵢ‖/‖bᵢ‖ for the rows of two blocks; 0 where b is 0.
    let relative (r: Tensor) (b: Tensor) : float[] =
        let norms (t: Tensor) = (Tensor.rowNorms t).ToArray()
        Array.map2 (fun r b -> if b > 0.0 then r / b else 0.0) (norms r) (norms b)

    /// An operator whose products are solutions; what did not converge is an error.
    let inverse (options: SolverOptions) name (solve: Tensor -> LinearSolution) : Products =
        let product (b: Tensor) =
            let found = solve b
            // Part of a solution is no product.
            if found.IsCancelled then options.Cancellation.ThrowIfCancellationRequested()

            if not found.IsConverged then
                Fail.operator $"{name}: {found}; allow more iterations, damp the operator or precondition"

            found.Solution

        { Matvec = product; Matmat = product }
