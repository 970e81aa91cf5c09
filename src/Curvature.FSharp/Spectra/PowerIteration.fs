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
open Curvature

/// When one eigenpair of the power iteration is good enough.
[<RequireQualifiedAccess>]
module PowerStop =

    let private check what (tolerance: float) =
        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            raise (ArgumentRangeException $"PowerStop.{what}: a tolerance above 0 is needed, and it is {tolerance}")

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

    /// One pair, orthogonal to those found; `multiply` counts.
    let private one stop limit (multiply: Tensor -> Tensor) (outside: Tensor -> Tensor) start =
        let mutable vector = let struct (v, _) = unit (outside (outside start)) in v
        let mutable before, result, step = nan, ValueNone, 0

        while result.IsNone do
            let product = multiply vector
            step <- step + 1
            let value = Vectors.dot vector product
            let residual = Vectors.norm (product - value * vector)
            // The part along the pairs found before is their residual, which no step here can lessen.
            let own = Vectors.norm (outside product - value * vector)
            let finished = isDone stop value before own

            if finished || step >= limit then
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

    /// The `count` eigenpairs of largest magnitude, each by at most `limit` products, with their residuals. Pairs that the limit leaves unfinished
    /// are returned as not converged. Raises OperatorException for an operator that is not square or does not claim to be symmetric,
    /// ArgumentRangeException for less than one pair or more than n, and NonFiniteException for products that are NaN or infinite.
    let find (stop: PowerStop) (limit: int) (count: int) (key: Key) (operator: LinearOperator) : EigenPairs =
        EigenOrder.checkCount "PowerIteration" count operator
        Krylov.checkPositive "PowerIteration" "the limit of products" limit
        let watch = Stopwatch.StartNew()
        let mutable products = 0

        let multiply (v: Tensor) =
            products <- products + 1
            operator.Multiply(v, (fun _ -> $"the vector of product {products}"))

        let pairs =
            ((ResizeArray<Pair>()), [ 0 .. count - 1 ])
            ||> List.fold (fun found i ->
                let outside (v: Tensor) =
                    if found.Count = 0 then
                        v
                    else
                        Vectors.without (found |> Seq.map _.Vector |> List.ofSeq |> Tensor.stack 0) v

                found.Add(one stop limit multiply outside (EigenOrder.randomVector key i operator))
                found)
            |> Seq.toArray

        EigenPairs(
            pairs |> Array.map _.Value,
            pairs |> Array.map _.Vector |> List.ofArray |> Tensor.stack 0,
            pairs |> Array.map _.Residual,
            pairs |> Array.map _.Good,
            products,
            watch.Elapsed.TotalSeconds,
            false
        )
