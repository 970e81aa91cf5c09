namespace Curvature

open System

/// When one eigenpair of the power iteration is good enough. Made by the functions of the module PowerStop.
[<RequireQualifiedAccess; NoComparison>]
type PowerStop =
    internal
    | Residual of float
    | PyHessian of float

    override stop.ToString() =
        match stop with
        | Residual tolerance -> $"residual {tolerance}"
        | PyHessian tolerance -> $"PyHessian's rule at {tolerance}"

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

    /// PyHessian's rule: when one more step moves λ by less than the tolerance (there 1e-3), relatively. It says nothing about the error where
    /// eigenvalues lie close together, and is met by λ = 0 for a pair ±λ: the residual tells.
    let pyHessian (tolerance: float) : PowerStop =
        check "pyHessian" tolerance
        PowerStop.PyHessian tolerance

/// Eigenpairs of largest magnitude by repeated products (von Mises & Pollaczek-Geiringer 1929), each outside of those found before, as
/// PyHessian does it. The error falls by |λ₂/λ₁| a step, and not at all for a pair ±λ: ThickRestartLanczos needs far fewer products.
[<RequireQualifiedAccess>]
module PowerIteration =

    [<NoEquality; NoComparison>]
    type private Pair = { Value: float; Vector: Tensor; Residual: float; Good: bool }

    let private unit (v: Tensor) =
        let length = Vectors.norm v
        struct ((if length > 0.0 then v * (1.0 / length) else v), length)

    let private isDone stop (value: float) (before: float) residual =
        match stop with
        | PowerStop.Residual tolerance -> residual <= tolerance * abs value
        | PowerStop.PyHessian tolerance -> abs (value - before) / (abs before + 1e-6) < tolerance

    /// uᵀAv and vᵀAu for the last two vectors must be the same, up to rounding of what is known of ‖A‖.
    let private checkSymmetry
        operator
        known
        (last: struct (Tensor * Tensor) voption)
        (vector: Tensor)
        (product: Tensor)
        =
        match last with
        | ValueSome(struct (lastVector, lastProduct)) ->
            let difference = abs (Vectors.dot lastVector product - Vectors.dot vector lastProduct)
            Symmetry.check operator difference (max known (max (Vectors.norm product) (Vectors.norm lastProduct)))
        | ValueNone -> ()

    /// One pair, orthogonal to those found; `multiply` counts, and `goOn` says whether it may be called again.
    let private one
        operator
        known
        stop
        (goOn: int -> bool)
        (multiply: Tensor -> Tensor)
        (outside: Tensor -> Tensor)
        start
        =
        let mutable vector = let struct (v, _) = unit (outside (outside start)) in v
        let mutable before, last, result, step = nan, ValueNone, ValueNone, 0

        while result.IsNone do
            let product = multiply vector
            checkSymmetry operator known last vector product
            last <- ValueSome(struct (vector, product))
            step <- step + 1
            let value = Vectors.dot vector product
            let residual = Vectors.norm (product - value * vector)
            // The part along the pairs found before is their residual, which no step here can lessen.
            let own = Vectors.norm (outside product - value * vector)
            let finished = isDone stop value before own

            if finished || not (goOn step) then
                result <- ValueSome { Value = value; Vector = vector; Residual = residual; Good = finished }
            else
                before <- value
                let struct (next, length) = unit (outside product)

                // A product without length: the vector is an eigenvector of 0, and nothing larger is left.
                if length = 0.0 then
                    result <- ValueSome { Value = 0.0; Vector = vector; Residual = residual; Good = true }
                else
                    let struct (next, _) = unit (outside next)
                    vector <- next

        result.Value

    /// The pairs found before, and one more.
    let private extend stop goOn multiply key (operator: LinearOperator) (found: Pair list) : Pair list =
        let outside =
            match found with
            | [] -> id
            | _ -> found |> List.map _.Vector |> Tensor.stack 0 |> Vectors.without

        let known = found |> List.fold (fun most pair -> max most (abs pair.Value)) 0.0
        let start = EigenOrder.randomVector key found.Length operator
        found @ [ one operator known stop goOn multiply outside start ]

    /// The same as `find`, until a token is cancelled: then the pairs that were begun are returned, the last one as far as it came. Cancelled
    /// beforehand, it raises OperationCanceledException.
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
        let mutable products, pairs = 0, []

        let multiply (v: Tensor) =
            products <- products + 1
            operator.Multiply(v, (fun _ -> $"the vector of product {products}"))

        let goOn step = step < limit && not cancellation.IsCancellationRequested

        while pairs.Length < count && (pairs.IsEmpty || not cancellation.IsCancellationRequested) do
            pairs <- extend stop goOn multiply key operator pairs

        let found = List.toArray pairs

        EigenPairs(
            found |> Array.map _.Value,
            pairs |> List.map _.Vector |> Tensor.stack 0,
            found |> Array.map _.Residual,
            found |> Array.map _.Good,
            products,
            watch.Elapsed.TotalSeconds,
            cancellation.IsCancellationRequested
            && (found.Length < count || found |> Array.exists (fun pair -> not pair.Good))
        )

    /// The `count` eigenpairs of largest magnitude, each by at most `limit` products, with their residuals. Pairs that the limit leaves unfinished
    /// are returned as not converged. Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to be,
    /// ArgumentRangeException for less than one pair or more than n, and NonFiniteException for products that are NaN or infinite.
    let find (stop: PowerStop) (limit: int) (count: int) (key: Key) (operator: LinearOperator) : EigenPairs =
        findWith CancellationToken.None stop limit count key operator
