namespace Curvature

open System

/// When one eigenpair of the power iteration is good enough. Made by the functions of the module PowerStop.
[<RequireQualifiedAccess; NoComparison; StructuredFormatDisplay("{Text}")>]
type PowerStop =
    internal
    | Residual of float
    | PyHessian of float

    override stop.ToString() =
        match stop with
        | Residual tolerance -> $"residual {FSharp.Numbers.show tolerance}"
        | PyHessian tolerance -> $"PyHessian's rule at {FSharp.Numbers.show tolerance}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.Diagnostics
open System.Threading
open Curvature

/// When one eigenpair of the power iteration is good enough.
[<RequireQualifiedAccess>]
module PowerStop =

    let private check what (tolerance: float) =
        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            Fail.range $"PowerStop.{what}: a tolerance above 0 is needed, and it is {tolerance}"

    /// When ‖Av − λv‖ ≤ tolerance·|λ|, not counting the part along the pairs found before.
    let residual (tolerance: float) : PowerStop =
        check "residual" tolerance
        PowerStop.Residual tolerance

    /// PyHessian's rule: when one more step moves λ by less than the tolerance (there 1e-3), relatively. It does not
    /// bound the error where eigenvalues lie close together, and a pair ±λ meets it with λ = 0; the residual shows
    /// both.
    let pyHessian (tolerance: float) : PowerStop =
        check "pyHessian" tolerance
        PowerStop.PyHessian tolerance

/// Eigenpairs of largest magnitude by repeated products (von Mises & Pollaczek-Geiringer 1929), each outside of those
/// found before, as PyHessian does it. The error falls by |λ₂/λ₁| a step, and not at all for a pair ±λ:
/// ThickRestartLanczos needs far fewer products.
[<RequireQualifiedAccess>]
module PowerIteration =

    /// v/‖v‖ and ‖v‖
    let private unit (v: Tensor) =
        let length = Vectors.norm v
        struct ((if length > 0.0 then v * (1.0 / length) else v), length)

    let private isDone stop (lambda: float) (before: float) residual =
        match stop with
        | PowerStop.Residual tolerance -> residual <= tolerance * abs lambda
        | PowerStop.PyHessian tolerance -> abs (lambda - before) / (abs before + 1e-6) < tolerance

    /// What a search has found, and what it may still spend.
    [<Sealed>]
    type private PairSearch(stop, limit: int, cancellation: CancellationToken, key: Key, operator: LinearOperator) =
        let found = ResizeArray<struct (float * Tensor * float * bool)>()
        let mutable products = 0

        let multiply (v: Tensor) =
            products <- products + 1
            operator.Multiply(v, (fun _ -> $"the vector of product {products}"))

        /// uᵀAv and vᵀAu for the last two vectors must be the same, up to rounding of what is known of ‖A‖.
        let checkSymmetry known (last: struct (Tensor * Tensor) voption) (v: Tensor) (av: Tensor) =
            match last with
            | ValueSome(struct (u, au)) ->
                let difference = abs (Vectors.dot u av - Vectors.dot v au)
                let scale = max known (max (Vectors.norm av) (Vectors.norm au))
                let rounding () = ProductRounding.ofRows operator (Tensor.stack 0 [ u; v ])
                SymmetryCheck.require operator.Name operator.DType scale difference rounding
            | ValueNone -> ()

        /// One pair, orthogonal to those found.
        let next known (outside: Tensor -> Tensor) start =
            let mutable v = let struct (v, _) = unit (outside (outside start)) in v
            let mutable before, last, result, step = nan, ValueNone, ValueNone, 0

            while result.IsNone do
                let av = multiply v
                checkSymmetry known last v av
                last <- ValueSome(struct (v, av))
                step <- step + 1
                let lambda = Vectors.dot v av
                let residual = Vectors.norm (av - lambda * v)
                // The part along the pairs found before is their residual, which no step here can lessen.
                let residualOutside = Vectors.norm (outside av - lambda * v)
                let finished = isDone stop lambda before residualOutside

                if finished || step >= limit || cancellation.IsCancellationRequested then
                    result <- ValueSome(struct (lambda, v, residual, finished))
                else
                    before <- lambda
                    let struct (direction, length) = unit (outside av)

                    // A product without length: the vector is an eigenvector of 0, and nothing larger is left.
                    if length = 0.0 then
                        result <- ValueSome(struct (0.0, v, residual, true))
                    else
                        let struct (direction, _) = unit (outside direction)
                        v <- direction

            result.Value

        member _.Count = found.Count
        member _.Products = products

        /// Looks for one more pair.
        member _.Extend() =
            let vectors = [ for struct (_, v, _, _) in found -> v ]
            let outside = if vectors.IsEmpty then id else vectors |> Tensor.stack 0 |> Vectors.without
            let known = found |> Seq.fold (fun most (struct (lambda, _, _, _)) -> max most (abs lambda)) 0.0
            found.Add(next known outside (EigenOrder.randomVector key found.Count operator))

        member _.Pairs: FoundPairs =
            {
                Values = [| for struct (lambda, _, _, _) in found -> lambda |]
                Vectors = Tensor.stack 0 [ for struct (_, v, _, _) in found -> v ]
                Residuals = [| for struct (_, _, residual, _) in found -> residual |]
                IsGood = [| for struct (_, _, _, isGood) in found -> isGood |]
            }

    /// The same as `find`, until a token is cancelled. Then the pairs that were begun are returned, the last one as far
    /// as it came. Cancelled beforehand, it raises OperationCanceledException.
    let findWith
        (cancellation: CancellationToken)
        (stop: PowerStop)
        (limit: int)
        (count: int)
        (key: Key)
        (operator: LinearOperator)
        : EigenPairs =
        EigenOrder.checkCount "PowerIteration" count operator
        Krylov.checkPositive "PowerIteration" "the limit of products" limit
        cancellation.ThrowIfCancellationRequested()
        let watch = Stopwatch.StartNew()
        let search = PairSearch(stop, limit, cancellation, key, operator)

        while search.Count < count && (search.Count = 0 || not cancellation.IsCancellationRequested) do
            search.Extend()

        let pairs = search.Pairs

        let cancelled =
            cancellation.IsCancellationRequested && (search.Count < count || Array.contains false pairs.IsGood)

        EigenPairs(pairs, search.Products, watch.Elapsed.TotalSeconds, cancelled)

    /// The `count` eigenpairs of largest magnitude, each by at most `limit` products, with their residuals. Pairs that
    /// the limit leaves unfinished are returned as not converged. Raises OperatorException for an operator that is not
    /// square, does not claim to be symmetric or turns out not to be, ArgumentRangeException for less than one pair or
    /// more than n, and NonFiniteException for products that are NaN or infinite.
    let find (stop: PowerStop) (limit: int) (count: int) (key: Key) (operator: LinearOperator) : EigenPairs =
        findWith CancellationToken.None stop limit count key operator
