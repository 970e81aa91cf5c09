namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Solving Ax = b by the power series of the inverse (Neumann 1877), for operators near a multiple of the identity. Needs no symmetry.
[<RequireQualifiedAccess>]
module Neumann =

    let private name = "Neumann series"

    /// Terms may grow for a while where I − αA is far from symmetric; by more than this is taken for divergence.
    let private mostGrowth = 1e3

    let private check (scale: float) (a: LinearOperator) =
        OperatorParts.requireSquare name a

        if scale = 0.0 || not (Double.IsFinite scale) then
            Fail.range $"{name}: the scale must be finite and not 0, and it is {scale}"

    /// Σ_j α(I − αA)ʲ b for rows b. Term j + 1 is α times the residual of the sum of the first j, which tells when to stop.
    let private series (options: SolverOptions) (scale: float) name (multiply: Tensor -> Tensor) (b: Tensor) =
        let watch = Stopwatch.StartNew()
        let tolerance = options.ToleranceFor b.DType
        let mutable sum = Tensor.zerosLike b
        let mutable residual = b
        let mutable residuals = RightHandSides.relative residual b
        let mutable terms = 0

        let mayGoOn () = terms < options.MaxIterations && not options.Cancellation.IsCancellationRequested

        while Array.exists (fun r -> r > tolerance) residuals && mayGoOn () do
            let term = scale * residual
            sum <- sum + term
            residual <- residual - multiply term
            residuals <- RightHandSides.relative residual b
            terms <- terms + 1
            let growth = Array.max residuals

            // A comparison that NaN fails too.
            if not (growth <= mostGrowth) then
                Fail.operator
                    $"{name}: the series diverges: after {terms} terms the residual is {growth} times the right-hand side; a smaller scale than {scale} is needed, or the operator is indefinite"

        // The recursion's residuals drift from the true ones by rounding.
        let residuals = if b.Size = 0 then residuals else RightHandSides.relative (b - multiply sum) b
        let matvecs = if b.Size = 0 then 0 else (terms + 1) * b.Signature.Shape[0]
        let cancelled = options.Cancellation.IsCancellationRequested
        LinearSolution(sum, residuals, tolerance, terms, matvecs, watch.Elapsed.TotalSeconds, [||], cancelled)

    /// Solves Ax = b for one vector b [n] or a block [k; n] by x = Σ_j α(I − αA)ʲ b, term after term until the residual is within the
    /// tolerance. The series converges where every eigenvalue of αA is within 1 of 1: for positive definite A, where 0 < α < 2/λ_max;
    /// α = 1/λ_max takes about κ matvecs for each factor of e. The preconditioner of the options is not used. What did not converge in the
    /// iterations allowed says so. Raises OperatorException for an operator that is not square, and where the series diverges;
    /// ArgumentRangeException for a scale α that is 0 or not finite; ShapeException and NonFiniteException for right-hand sides;
    /// OperationCanceledException where it was cancelled before the first term.
    let solve (options: SolverOptions) (scale: float) (a: LinearOperator) (b: Tensor) : LinearSolution =
        check scale a
        RightHandSides.solve options name a b (series options scale name a.Apply)

    /// A⁻¹ as an operator: every product sums a series; see `solve` for when it converges and the errors it raises. Its transpose is known
    /// where A's is. Products raise OperatorException where the series diverges, and where the iterations do not suffice, and
    /// OperationCanceledException where they are cancelled.
    let inverse (options: SolverOptions) (scale: float) (a: LinearOperator) : LinearOperator =
        check scale a
        let name = $"{name} of {a.Name}"
        let products (a: LinearOperator) = RightHandSides.inverse options name (solve options scale a)

        LinearOperator.Of
            { OperatorParts.define name a.DType a.Rows a.Columns (products a) with
                Device = a.Device
                Properties = a.Properties
                Warnings = a.Definition.Warnings
                Adjoint =
                    if a.IsSymmetric then
                        ValueNone
                    else
                        a.Definition.Adjoint |> ValueOption.map (fun _ -> products a.Transposed)
            }
