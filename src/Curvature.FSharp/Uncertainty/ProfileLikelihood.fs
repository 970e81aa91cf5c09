namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// The values of one parameter that a likelihood does not rule out.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ProfileInterval internal (name: string, estimate: float, interval: Interval<float>, minimizations: int) =
    /// The name of the parameter.
    member _.Name = name

    /// The fitted value.
    member _.Estimate = estimate

    /// The values at which the profile deviance is at most the quantile of χ² with one degree of freedom. An end is
    /// infinite where the deviance does not reach the quantile within 2²⁰ standard errors.
    member _.Interval = interval

    /// How often the other parameters were fitted.
    member _.Minimizations = minimizations

    override _.ToString() = $"{name} = {Numbers.show estimate}, profile likelihood {interval}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.RootFinding

/// Intervals of single parameters from the likelihood itself, without a quadratic model of it (Venzon & Moolgavkar
/// 1988).
[<RequireQualifiedAccess>]
module ProfileLikelihood =

    let private name = "ProfileLikelihood"

    let private mostSteps = 200

    /// Minimises the loss over all parameters but one by Newton's method, from a point where that one has its value.
    /// Where the Hessian is not definite its eigenvalues count by their absolute values.
    let private minimizeOthers (family: Tensor -> LossPoint) (fixedOne: int) (start: Tensor) : struct (Tensor * float) =
        let n = start.Size

        let others =
            [|
                for i in 0 .. n - 1 do
                    if i <> fixedOne then i
            |]

        let evaluate (theta: Tensor) : struct (float * float[] * Matrix<float>) voption =
            try
                let point = family theta
                use hessian = point.Hessian
                let matrix = (LinearOperator.dense hessian).ToArray()
                let gradient = point.Gradient.ToArray()
                let h = Matrix<float>.Build.Dense(n - 1, n - 1, (fun i j -> matrix[others[i] * n + others[j]]))
                ValueSome(struct (point.Loss, others |> Array.map (fun i -> gradient[i]), h))
            with :? NonFiniteException ->
                ValueNone

        let step (gradient: float[]) (h: Matrix<float>) : float[] =
            let eigen = SmallEigen.of' (h.ToArray())
            let v = Matrix<float>.Build.DenseOfArray eigen.Vectors
            let floor = 1e-12 * (eigen.Values |> Array.fold (fun most x -> max most (abs x)) 1e-300)
            let along = v.TransposeThisAndMultiply(Vector<float>.Build.DenseOfArray gradient)
            (v * along.MapIndexed(fun i x -> -x / max floor (abs eigen.Values[i]))).ToArray()

        let moved (theta: Tensor) (length: float) (direction: float[]) =
            let values = theta.ToArray()
            Array.iter2 (fun i d -> values[i] <- values[i] + length * d) others direction
            Tensor.ofArray [ n ] values

        let rec shorten theta loss slope direction length =
            let next = moved theta length direction

            match evaluate next with
            | ValueSome(struct (value, _, _) as found) when value <= loss + 1e-4 * length * slope ->
                ValueSome(struct (next, found))
            | _ when length < 1e-12 -> ValueNone
            | _ -> shorten theta loss slope direction (0.5 * length)

        let rec descend steps (theta: Tensor) (struct (loss, gradient, h)) =
            let direction = step gradient h
            let slope = Array.fold2 (fun sum g d -> sum + g * d) 0.0 gradient direction

            // The loss has no more digits to gain.
            if -slope <= 1e-16 * (1.0 + abs loss) || steps = mostSteps then
                struct (theta, loss)
            else
                match shorten theta loss slope direction 1.0 with
                | ValueSome(struct (next, found)) -> descend (steps + 1) next found
                | ValueNone -> struct (theta, loss)

        match evaluate start with
        | ValueSome found when n > 1 -> descend 0 start found
        | ValueSome(struct (loss, _, _)) -> struct (start, loss)
        | ValueNone -> struct (start, infinity)

    /// One end of the interval: where the signed root of the deviance, which is almost a line, reaches the bound.
    let private findEnd (rootDeviance: float -> float) (bound: float) (estimate: float) (scale: float) : float =
        // First beyond the bound, then between.
        let mutable inside, outside = 0.0, 1.0

        while rootDeviance (estimate + outside * scale) < bound && outside < 1048576.0 do
            inside <- outside
            outside <- 2.0 * outside

        if outside >= 1048576.0 then
            Math.CopySign(infinity, scale)
        else
            let excess t = rootDeviance (estimate + t * scale) - bound

            match Brent.TryFindRoot(excess, inside, outside, 1e-9 * outside, 200) with
            | true, root -> estimate + scale * root
            | _ -> Fail.operator $"{name}: the deviance does not grow steadily away from the estimate {estimate}"

    /// The interval of one parameter, by its name, such as `weight[0, 2]`, in which twice the growth of the whole
    /// negative log-likelihood, minimised over all other parameters, is at most the quantile of χ² with one degree of
    /// freedom at the confidence. θ must be fitted. The loss of each sample is its negative log-likelihood; for a mean
    /// it is taken N times. Each of some ten values of the parameter costs a minimisation by Newton's method, with n
    /// products a step. Raises ParameterException for an unknown name, ArgumentRangeException for a confidence outside
    /// (0, 1), DTypeException for a θ that is not Float64, and OperatorException where the Hessian at θ is not positive
    /// definite, or θ is not a minimum; otherwise as `CoefficientTable`.
    let interval
        (confidence: float)
        (parameter: string)
        (layout: ParameterLayout)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        : ProfileInterval =
        IntervalWidth.requireConfidence confidence

        if theta.DType <> DType.Float64 then
            Fail.dtype $"{name}: minimising needs the digits of Float64, and θ is {theta.DType}"

        let table = CoefficientTable.inverseHessian layout risk theta
        let row = table[parameter]
        let place = table.Rows |> Seq.findIndex (fun other -> other.Name = parameter)
        let weight = CoefficientTable.weight risk theta

        if table.DistanceFromMinimum > 1e-2 then
            Fail.operator (
                $"{name}: θ is not fitted: the negative log-likelihood should fall by about "
                + $"{Numbers.show table.DistanceFromMinimum} from there"
            )

        let family = Hessian.family risk
        let estimate, bound = row.Estimate, IntervalWidth.ofRounding.Factor confidence
        let struct (best, least) = minimizeOthers family place theta
        let minimizations, last = ref 1, ref best

        let rootDeviance (value: float) =
            minimizations.Value <- minimizations.Value + 1
            let start = last.Value.ToArray()
            start[place] <- value
            let struct (found, loss) = minimizeOthers family place (Tensor.ofArray [ start.Length ] start)
            if loss < infinity then last.Value <- found
            min 1e6 (sqrt (max 0.0 (2.0 * weight * (loss - least))))

        let low = findEnd rootDeviance bound estimate (-bound * row.StandardError)
        last.Value <- best
        let high = findEnd rootDeviance bound estimate (bound * row.StandardError)
        ProfileInterval(parameter, estimate, Interval(low, high, confidence), minimizations.Value)
