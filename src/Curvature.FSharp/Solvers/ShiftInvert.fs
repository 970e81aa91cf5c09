namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// The smallest eigenvalues of a positive definite operator as the largest of its inverse (Ericsson & Ruhe 1980, "The
/// spectral transformation Lanczos method"), whose products conjugate gradients make. A few eigenvalues near 0 among
/// many large ones lie close together for a Krylov space of A, and far apart for one of A⁻¹.
[<RequireQualifiedAccess>]
module ShiftInvert =

    let private name = "ShiftInvert"

    /// An operator that counts its products.
    [<Sealed>]
    type private CountedProducts(a: LinearOperator) =
        let mutable products = 0

        let multiply (v: Tensor) =
            products <- products + (if v.Rank = 1 then 1 else v.Signature.Shape[0])
            a.Apply v

        let operator =
            LinearOperator.Of
                { a.Definition with
                    Product = { Matvec = multiply; Matmat = multiply }
                    Forms = ValueNone
                    FormsByBatch = ValueNone
                    BlockForms = ValueNone
                }

        member _.Products = products
        member _.Operator = operator

    let private rows (block: Tensor) = Array.init block.Signature.Shape[0] (fun i -> Tensor.item 0 i block)

    let private norms (block: Tensor) = rows block |> Array.map Vectors.norm

    /// vᵢᵀyᵢ and ‖yᵢ − (vᵢᵀyᵢ)vᵢ‖ for unit vectors vᵢ: Rayleigh quotients and residuals where y = Av.
    let private rayleigh (v: Tensor) (y: Tensor) : struct (float[] * float[]) =
        let quotients = Array.map2 Vectors.dot (rows v) (rows y)
        struct (quotients, norms (y - Rows.column v quotients * v))

    /// How far an eigenvalue of A may be from λ where one of (A + σI)⁻¹ is within ρ of μ.
    let private distance (shift: float) (lambda: float) (mu: float) (rho: float) =
        if rho < mu then
            let low, high = 1.0 / (mu + rho) - shift, 1.0 / (mu - rho) - shift
            max (abs (high - lambda)) (abs (lambda - low))
        else
            infinity

    let private checkShift (shift: float) =
        if not (Double.IsFinite shift) then
            Fail.range $"{name}: the shift must be finite, and it is {shift}"

    /// An inverse that is solved more loosely is no symmetric operator for Lanczos.
    let private checkTolerance (dtype: DType) (tolerance: float) =
        let most = SymmetryCheck.tolerance dtype

        if tolerance > most then
            Fail.range (
                $"{name}: systems must be solved to a tolerance of {Numbers.error most} at most in {dtype}, and the "
                + $"solver's is {Numbers.show tolerance}"
            )

    /// Eigenvalues with the nearer of two bounds: the residual of A, and that of the inverse, which is the sharper one
    /// for eigenvalues near −σ.
    let private judge shift tolerance (a: LinearOperator) (inverse: LinearOperator) (v: Tensor) =
        let struct (lambda, residuals) = rayleigh v (a.Apply v)
        let struct (mu, residualsOfInverse) = rayleigh v (inverse.Apply v)
        let largest = Array.max mu

        if Array.min mu <= 0.0 then
            Fail.operator (
                $"{name}: {a.Name} with the shift {shift} is not positive definite; its inverse has a Ritz value of "
                + $"{Numbers.show (Array.min mu)}. Shift by more."
            )

        let bound i =
            // A solution is as far off as its residual lets it be, and the residual by its rounding.
            let rho = residualsOfInverse[i] + 2.0 * tolerance * largest
            min residuals[i] (distance shift lambda[i] mu[i] rho)

        struct (lambda, Array.init lambda.Length bound)

    /// The `count` smallest eigenvalues of A with options of the search, and of the systems that are solved on the way.
    /// The limit of products of the search is one of solutions; its key and token are used, the solver's token is not.
    /// Raises ArgumentRangeException for a solver's tolerance above 1.5e-7 (Float64) or 3.5e-3 (Float32), and what
    /// `smallest` raises.
    let smallestWith
        (search: EigenOptions)
        (solver: SolverOptions)
        (shift: float)
        (count: int)
        (operator: LinearOperator)
        : EigenPairs =
        EigenOrder.checkCount name count operator
        checkShift shift
        let tolerance = solver.ToleranceFor operator.DType
        checkTolerance operator.DType tolerance
        let watch, counted = Stopwatch.StartNew(), CountedProducts operator
        let a = counted.Operator
        let shifted = if shift = 0.0 then a else LinearOperator.shift shift a
        let solving = solver.WithCancellation search.Cancellation
        let inverse = Solver.inverse solving ConjugateGradients.solver shifted
        let found = ThickRestartLanczos.findWith search SpectrumEnd.Largest count inverse
        let struct (lambda, bounds) = judge shift tolerance a inverse found.Vectors
        let order = EigenOrder.rank SpectrumEnd.Smallest lambda
        let pick (values: 'T[]) = order |> Array.map (fun i -> values[i])

        let pairs =
            {
                Values = pick lambda
                Vectors = Rows.choose (List.ofArray order) found.Vectors
                Residuals = pick bounds
                IsGood = pick found.IsConverged
            }

        EigenPairs(pairs, counted.Products, watch.Elapsed.TotalSeconds, found.IsCancelled)

    /// The `count` smallest eigenvalues of a symmetric A for which A + σI is positive definite, from the smallest on,
    /// by Lanczos on (A + σI)⁻¹: a system is solved for each step, to a residual of 1e-8 (Float64) or 1e-4 (Float32),
    /// by about ½√κ·ln(1/residual) products, κ the condition number of A + σI. The residual of a pair is ‖Av − λv‖, or
    /// what follows from that of the inverse where this is less: an eigenvalue lies within that distance of λ. A
    /// singular A needs a shift above 0, and a larger one costs fewer products a system and more systems.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, where A + σI is not positive definite, and where a system is not solved in 1000 iterations, with what to
    /// try; ArgumentRangeException for a shift that is not finite, and for less than one pair or more than n;
    /// NonFiniteException for products that are NaN or infinite; OperationCanceledException where it is cancelled while
    /// a system is being solved.
    let smallest (shift: float) (count: int) (operator: LinearOperator) : EigenPairs =
        smallestWith EigenOptions.Default SolverOptions.Default shift count operator
