namespace Curvature

open System
open MathNet.Numerics.Distributions

/// Why an estimator stopped.
type StopReason =
    /// The products that it was allowed are spent.
    | MatvecsSpent = 0
    /// Its time is spent.
    | TimeSpent = 1
    /// The error that was asked for is reached.
    | ErrorReached = 2
    /// PyHessian's rule: two running means agreed. It says nothing about the error.
    | RunningMeanSettled = 3
    /// No error was small enough within StoppingRule.ceiling samples, and there was no other limit.
    | CeilingReached = 4
    /// It was cancelled; what it had found until then is returned.
    | Cancelled = 5
    /// Nothing was left to estimate: the result is exact.
    | Exact = 6

/// When an estimator has done enough. Made and combined by the functions of the module StoppingRule.
[<RequireQualifiedAccess; NoComparison>]
type StoppingRule =
    internal
    | Matvecs of int
    | Seconds of float
    | RelativeError of error: float * confidence: float
    | AbsoluteError of error: float * confidence: float
    | PyHessian of tolerance: float
    | Ceiling of int
    | OrElse of StoppingRule * StoppingRule
    | AndAlso of StoppingRule * StoppingRule

    override rule.ToString() =
        match rule with
        | Matvecs n -> $"{n} matvecs"
        | Seconds s -> $"{s} s"
        | RelativeError(error, confidence) -> $"relative error {error} at {confidence}"
        | AbsoluteError(error, confidence) -> $"absolute error {error} at {confidence}"
        | PyHessian tolerance -> $"PyHessian's rule at {tolerance}"
        | Ceiling n -> $"{n} samples at most"
        | OrElse(a, b) -> $"({a} or {b})"
        | AndAlso(a, b) -> $"({a} and {b})"

/// Numbers of samples at which a rule may act on what it sees, planned before: first·ratioʲ for j = 0, 1, 2, …, rounded up to multiples
/// of a step. Few, so that the price for peeking stays small.
[<Sealed>]
type internal LookPlan(first: int, step: int, ratio: float) =

    /// The samples of look j.
    member _.At(look: int) = step * int (ceil (float first / float step * Math.Pow(ratio, float look)))

    /// The first look after m samples.
    member this.Next(m: int) = Seq.initInfinite id |> Seq.find (fun look -> this.At look > m)

    /// Whether m samples are a look.
    member this.IsLook(m: int) = m > 0 && this.At(this.Next(m - 1)) = m

/// Quantiles of Student's t, and what each look may spend of a risk.
module internal Looks =

    /// For independent samples, whose error falls slowly.
    let sampling = LookPlan(16, 16, 1.5)

    /// For estimators that keep their vectors, whose error may fall fast: then a late look costs more than another one.
    let growing = LookPlan(16, 8, 1.3)

    /// Half the width of an interval, in standard errors, of the mean of m samples that misses the truth with probability delta.
    let quantile (samples: int) (delta: float) = StudentT.InvCDF(0.0, 1.0, float (samples - 1), 1.0 - delta / 2.0)

    /// The share of δ that look j may spend: δ/((j + 1)(j + 2)). Over all looks they add up to δ.
    let share (look: int) (delta: float) = delta / (float (look + 1) * float (look + 2))

/// What a rule knows when it is asked.
[<NoEquality; NoComparison>]
type internal Standing =
    {
        Samples: int
        /// How many independent numbers the standard errors rest on.
        Independent: int
        Seconds: float
        /// The number of the planned look that this is; nothing between looks.
        Look: int voption
        /// The values that the rule watches, with their standard errors: made only where a rule wants them.
        Watched: Lazy<struct (float * float)[]>
        /// The same values one sample before, for a rule that compares means.
        Before: float[]
    }

module internal Stopping =

    /// Where a rule has no limit of its own, sampling ends after this many samples.
    let ceiling = 100_000

    let private isFew (standing: Standing) = standing.Independent < 2

    /// Whether every watched value is known to within what its value allows.
    let private precise (standing: Standing) confidence (allowed: float -> float) =
        match standing.Look with
        | ValueSome look when not (isFew standing) && standing.Watched.Value.Length > 0 ->
            let factor = Looks.quantile standing.Independent (Looks.share look (1.0 - confidence))
            standing.Watched.Value |> Array.forall (fun struct (value, error) -> factor * error <= allowed value)
        | _ -> false

    let private settled (standing: Standing) tolerance =
        standing.Samples > 1
        && standing.Watched.Value.Length > 0
        && Array.forall2
            (fun struct (value: float, _) (before: float) -> abs (value - before) / (abs before + 1e-6) < tolerance)
            standing.Watched.Value
            standing.Before

    /// Why to stop now, if at all.
    let rec reason (rule: StoppingRule) (standing: Standing) : StopReason voption =
        let when' condition why = if condition then ValueSome why else ValueNone

        match rule with
        | StoppingRule.Matvecs n -> when' (standing.Samples >= n) StopReason.MatvecsSpent
        | StoppingRule.Ceiling n -> when' (standing.Samples >= n) StopReason.CeilingReached
        | StoppingRule.Seconds s -> when' (standing.Seconds >= s) StopReason.TimeSpent
        | StoppingRule.RelativeError(error, confidence) ->
            when' (precise standing confidence (fun value -> error * abs value)) StopReason.ErrorReached
        | StoppingRule.AbsoluteError(error, confidence) ->
            when' (precise standing confidence (fun _ -> error)) StopReason.ErrorReached
        | StoppingRule.PyHessian tolerance -> when' (settled standing tolerance) StopReason.RunningMeanSettled
        | StoppingRule.OrElse(a, b) -> reason a standing |> ValueOption.orElseWith (fun () -> reason b standing)
        | StoppingRule.AndAlso(a, b) -> reason a standing |> ValueOption.bind (fun _ -> reason b standing)

    /// The next number of samples, above m, at which the rule wants to be asked. Time is asked after every block.
    let rec nextCheck (plan: LookPlan) (rule: StoppingRule) (m: int) : int =
        match rule with
        | StoppingRule.Matvecs n
        | StoppingRule.Ceiling n -> if n > m then n else Int32.MaxValue
        | StoppingRule.Seconds _ -> Int32.MaxValue
        | StoppingRule.RelativeError _
        | StoppingRule.AbsoluteError _ -> plan.At(plan.Next m)
        | StoppingRule.PyHessian _ -> m + 1
        | StoppingRule.OrElse(a, b)
        | StoppingRule.AndAlso(a, b) -> min (nextCheck plan a m) (nextCheck plan b m)

    /// Whether the rule ends by itself, whatever it sees.
    let rec isBounded (rule: StoppingRule) =
        match rule with
        | StoppingRule.Matvecs _
        | StoppingRule.Ceiling _
        | StoppingRule.Seconds _ -> true
        | StoppingRule.OrElse(a, b) -> isBounded a || isBounded b
        | StoppingRule.AndAlso(a, b) -> isBounded a && isBounded b
        | _ -> false

    /// The number of products after which the rule certainly ends.
    let rec limit (rule: StoppingRule) : int =
        match rule with
        | StoppingRule.Matvecs n
        | StoppingRule.Ceiling n -> n
        | StoppingRule.OrElse(a, b) -> min (limit a) (limit b)
        | StoppingRule.AndAlso(a, b) -> max (limit a) (limit b)
        | _ -> Int32.MaxValue

    /// The time after which the rule certainly ends.
    let rec seconds (rule: StoppingRule) : float =
        match rule with
        | StoppingRule.Seconds s -> s
        | StoppingRule.OrElse(a, b) -> min (seconds a) (seconds b)
        | StoppingRule.AndAlso(a, b) -> max (seconds a) (seconds b)
        | _ -> infinity

    /// Half the width of the interval that ends the rule for a value, and its confidence, where it looks at errors.
    let rec error (value: float) (rule: StoppingRule) : struct (float * float) voption =
        let choose isBetter a b =
            match error value a, error value b with
            | ValueSome(struct (x, _) as first), ValueSome(struct (y, _) as second) ->
                ValueSome(if isBetter x y then first else second)
            | ValueNone, found
            | found, ValueNone -> found

        match rule with
        | StoppingRule.RelativeError(share, confidence) -> ValueSome(struct (share * abs value, confidence))
        | StoppingRule.AbsoluteError(allowed, confidence) -> ValueSome(struct (allowed, confidence))
        | StoppingRule.OrElse(a, b) -> choose (>=) a b
        | StoppingRule.AndAlso(a, b) -> choose (<=) a b
        | _ -> ValueNone

    /// What is left of a rule after some products and some time.
    let rec after (products: int) (time: float) (rule: StoppingRule) : StoppingRule =
        match rule with
        | StoppingRule.Matvecs n -> StoppingRule.Matvecs(max 1 (n - products))
        | StoppingRule.Ceiling n -> StoppingRule.Ceiling(max 1 (n - products))
        | StoppingRule.Seconds s -> StoppingRule.Seconds(max 0.0 (s - time))
        | StoppingRule.OrElse(a, b) -> StoppingRule.OrElse(after products time a, after products time b)
        | StoppingRule.AndAlso(a, b) -> StoppingRule.AndAlso(after products time a, after products time b)
        | other -> other

    /// The rule, with the ceiling where it has no end of its own.
    let bounded (rule: StoppingRule) : StoppingRule =
        if isBounded rule then
            rule
        else
            StoppingRule.OrElse(rule, StoppingRule.Ceiling ceiling)

    /// Whether what the rule sees of the estimates decides when it stops: then intervals must pay for each look.
    let rec isAdaptive (rule: StoppingRule) =
        match rule with
        | StoppingRule.RelativeError _
        | StoppingRule.AbsoluteError _
        | StoppingRule.PyHessian _ -> true
        | StoppingRule.OrElse(a, b)
        | StoppingRule.AndAlso(a, b) -> isAdaptive a || isAdaptive b
        | _ -> false

    /// Whether the rule compares means one sample apart.
    let rec comparesMeans (rule: StoppingRule) =
        match rule with
        | StoppingRule.PyHessian _ -> true
        | StoppingRule.OrElse(a, b)
        | StoppingRule.AndAlso(a, b) -> comparesMeans a || comparesMeans b
        | _ -> false

    /// How much of the way is done, from 0 to 1, as far as can be told.
    let rec completed (plan: LookPlan) (rule: StoppingRule) (standing: Standing) : float =
        let share (part: float) whole = if whole > 0.0 then min 1.0 (part / whole) else 1.0

        // An error falls with the root of the number of samples.
        let error confidence (allowed: float -> float) =
            if isFew standing || standing.Watched.Value.Length = 0 then
                0.0
            else
                let factor =
                    Looks.quantile standing.Independent (Looks.share (plan.Next standing.Samples) (1.0 - confidence))

                standing.Watched.Value
                |> Array.map (fun struct (value, error) -> Math.Pow(share (allowed value) (factor * error), 2.0))
                |> Array.min

        match rule with
        | StoppingRule.Matvecs n -> share (float standing.Samples) (float n)
        | StoppingRule.Seconds s -> share standing.Seconds s
        | StoppingRule.RelativeError(e, confidence) -> error confidence (fun value -> e * abs value)
        | StoppingRule.AbsoluteError(e, confidence) -> error confidence (fun _ -> e)
        | StoppingRule.Ceiling _
        | StoppingRule.PyHessian _ -> 0.0
        | StoppingRule.OrElse(a, b) -> max (completed plan a standing) (completed plan b standing)
        | StoppingRule.AndAlso(a, b) -> min (completed plan a standing) (completed plan b standing)

namespace Curvature.FSharp

open System
open Curvature

/// When an estimator has done enough. Rules that look at the error act only at looks planned beforehand, after 16·1.5ʲ samples (16·1.3ʲ
/// products for estimators that keep their vectors), and spend the share δ/((j + 1)(j + 2)) of their risk at look j, so that the interval still holds the truth as often as it says.
[<RequireQualifiedAccess>]
module StoppingRule =

    /// Where a rule has no limit of its own, sampling ends after this many samples.
    let ceiling = Stopping.ceiling

    /// After n products (or quadratic forms). Raises ArgumentRangeException for less than one.
    let matvecs (n: int) : StoppingRule =
        if n < 1 then
            raise (
                ArgumentRangeException $"StoppingRule.matvecs: at least one product is needed, and the number is {n}"
            )

        StoppingRule.Matvecs n

    /// After the first block of products that ends later than this many seconds. Raises ArgumentRangeException for a time that is negative
    /// or not finite.
    let seconds (time: float) : StoppingRule =
        if not (Double.IsFinite time) || time < 0.0 then
            raise (ArgumentRangeException $"StoppingRule.seconds: a time cannot be negative, and it is {time}")

        StoppingRule.Seconds time

    let private checkError what (error: float) (confidence: float) =
        if not (error > 0.0 && Double.IsFinite error) then
            raise (ArgumentRangeException $"StoppingRule.{what}: an error above 0 is needed, and it is {error}")

        if not (confidence > 0.0 && confidence < 1.0) then
            raise (
                ArgumentRangeException
                    $"StoppingRule.{what}: a confidence between 0 and 1 is needed, and it is {confidence}"
            )

    /// When half the width of the interval at this confidence is at most `error` times the value, for every quantity watched: for a
    /// vector, Euclidean norms. A value near 0 never gets there: use it together with absoluteError or a limit.
    let relativeErrorAt (confidence: float) (error: float) : StoppingRule =
        checkError "relativeError" error confidence
        StoppingRule.RelativeError(error, confidence)

    /// relativeErrorAt 95 %.
    let relativeError (error: float) : StoppingRule = relativeErrorAt 0.95 error

    /// When half the width of the interval at this confidence is at most `error`, for every quantity watched.
    let absoluteErrorAt (confidence: float) (error: float) : StoppingRule =
        checkError "absoluteError" error confidence
        StoppingRule.AbsoluteError(error, confidence)

    /// absoluteErrorAt 95 %.
    let absoluteError (error: float) : StoppingRule = absoluteErrorAt 0.95 error

    /// PyHessian's rule: when one more sample moves the mean by less than the tolerance (there 1e-3), relatively. This is no error
    /// estimate, because the mean moves by little whenever a sample happens to lie near it: at 1e-3 it is typically off by 3 to 18 %.
    /// For comparison only.
    let pyHessian (tolerance: float) : StoppingRule =
        checkError "pyHessian" tolerance 0.5
        StoppingRule.PyHessian tolerance

    /// When either rule says so.
    let orElse (second: StoppingRule) (first: StoppingRule) : StoppingRule = StoppingRule.OrElse(first, second)

    /// When both rules say so at the same time.
    let andAlso (second: StoppingRule) (first: StoppingRule) : StoppingRule = StoppingRule.AndAlso(first, second)
