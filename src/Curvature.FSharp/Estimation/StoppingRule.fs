namespace Curvature

open System
open Curvature.FSharp

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

/// How far a run is, for a rule that is asked whether it ends here.
[<NoEquality; NoComparison>]
type internal RunStatus =
    {
        /// Products and quadratic forms taken so far.
        Products: int
        Seconds: float
        /// Whether this is an interim analysis at which a target is reached.
        IsReached: Target -> bool
        /// The values that are watched, made only where a rule compares means.
        Values: Lazy<float[]>
        /// The same values one sample before.
        Before: float[]
    }

/// What rules say, each case in one line.
module internal Stopping =

    /// Where a rule has no limit of its own, sampling ends after this many samples.
    let ceiling = 100_000

    /// The target of a rule on errors; none of others.
    let target isIndependent (rule: StoppingRule) : Target voption =
        let make error confidence isRelative =
            ValueSome
                {
                    Error = error
                    IsRelative = isRelative
                    Confidence = confidence
                    IsIndependent = isIndependent
                }

        match rule with
        | StoppingRule.RelativeError(error, confidence) -> make error confidence true
        | StoppingRule.AbsoluteError(error, confidence) -> make error confidence false
        | _ -> ValueNone

    /// Puts together what each simple rule says.
    let rec fold (leaf: StoppingRule -> 'R) (orElse: 'R -> 'R -> 'R) (andAlso: 'R -> 'R -> 'R) (rule: StoppingRule) =
        match rule with
        | StoppingRule.OrElse(a, b) -> orElse (fold leaf orElse andAlso a) (fold leaf orElse andAlso b)
        | StoppingRule.AndAlso(a, b) -> andAlso (fold leaf orElse andAlso a) (fold leaf orElse andAlso b)
        | simple -> leaf simple

    let private settled (status: RunStatus) tolerance =
        let isNear (value: float) (before: float) = abs (value - before) / (abs before + 1e-6) < tolerance

        status.Before.Length > 0 && status.Products > 1 && Array.forall2 isNear status.Values.Value status.Before

    /// Why to stop now, if at all.
    let reason isIndependent (rule: StoppingRule) (status: RunStatus) : StopReason voption =
        let leaf simple =
            let condition, why =
                match simple with
                | StoppingRule.Matvecs n -> status.Products >= n, StopReason.MatvecsSpent
                | StoppingRule.Ceiling n -> status.Products >= n, StopReason.CeilingReached
                | StoppingRule.Seconds s -> status.Seconds >= s, StopReason.TimeSpent
                | StoppingRule.PyHessian tolerance -> settled status tolerance, StopReason.RunningMeanSettled
                | error -> status.IsReached (target isIndependent error).Value, StopReason.ErrorReached

            if condition then ValueSome why else ValueNone

        let orElse a b = ValueOption.orElse b a
        let andAlso a b = a |> ValueOption.bind (fun _ -> b)
        fold leaf orElse andAlso rule

    /// The number of products that a target, a count and a time give; infinite where there is none. For two rules at the same time it is the
    /// later one, as far as both have one.
    let private products ofTarget (ofCount: int -> float) (ofSeconds: float -> float) (rule: StoppingRule) : float =
        let leaf simple =
            match simple with
            | StoppingRule.Matvecs n
            | StoppingRule.Ceiling n -> ofCount n
            | StoppingRule.Seconds s -> ofSeconds s
            | StoppingRule.PyHessian _ -> infinity
            | error -> ofTarget error

        let both a b =
            if Double.IsInfinity a then b
            elif Double.IsInfinity b then a
            else max a b

        fold leaf min both rule

    /// The products at which the rule wants to be asked next, where so many are taken and each target is analysed next at a number of them.
    /// Time is asked after every block.
    let nextCheck (ofTarget: StoppingRule -> float) spent (rule: StoppingRule) : float =
        products ofTarget (fun n -> if n > spent then float n else infinity) (fun _ -> infinity) rule

    /// The products at which the rule is expected to end, where so many took some time and each target is expected to need a number of them.
    let expected (ofTarget: StoppingRule -> float) spent (seconds: float) (rule: StoppingRule) : float =
        let ofSeconds s = if spent = 0 || seconds <= 0.0 then infinity else float spent * s / seconds
        products ofTarget float ofSeconds rule

    let private any (condition: StoppingRule -> bool) (rule: StoppingRule) = fold condition (||) (||) rule

    /// Whether the rule ends by itself, whatever it sees.
    let isBounded (rule: StoppingRule) =
        let leaf simple =
            match simple with
            | StoppingRule.Matvecs _
            | StoppingRule.Ceiling _
            | StoppingRule.Seconds _ -> true
            | _ -> false

        fold leaf (||) (&&) rule

    /// The number of products after which the rule certainly ends.
    let limit (rule: StoppingRule) : int =
        let leaf simple =
            match simple with
            | StoppingRule.Matvecs n
            | StoppingRule.Ceiling n -> n
            | _ -> Int32.MaxValue

        fold leaf min max rule

    /// The time after which the rule certainly ends.
    let seconds (rule: StoppingRule) : float =
        let leaf simple =
            match simple with
            | StoppingRule.Seconds s -> s
            | _ -> infinity

        fold leaf min max rule

    /// Half the width of the interval that ends the rule for a value, and its confidence, where it looks at errors.
    let error (value: float) (rule: StoppingRule) : struct (float * float) voption =
        let leaf simple =
            match simple with
            | StoppingRule.RelativeError(share, confidence) -> ValueSome(struct (share * abs value, confidence))
            | StoppingRule.AbsoluteError(allowed, confidence) -> ValueSome(struct (allowed, confidence))
            | _ -> ValueNone

        let choose isBetter a b =
            match a, b with
            | ValueSome(struct (x: float, _)), ValueSome(struct (y, _)) -> if isBetter x y then a else b
            | ValueNone, found
            | found, ValueNone -> found

        fold leaf (choose (>=)) (choose (<=)) rule

    /// What is left of a rule after some products and some time.
    let after (products: int) (time: float) (rule: StoppingRule) : StoppingRule =
        let leaf simple =
            match simple with
            | StoppingRule.Matvecs n -> StoppingRule.Matvecs(max 1 (n - products))
            | StoppingRule.Ceiling n -> StoppingRule.Ceiling(max 1 (n - products))
            | StoppingRule.Seconds s -> StoppingRule.Seconds(max 0.0 (s - time))
            | other -> other

        fold leaf (fun a b -> StoppingRule.OrElse(a, b)) (fun a b -> StoppingRule.AndAlso(a, b)) rule

    /// The rule, with the ceiling where it has no end of its own.
    let bounded (rule: StoppingRule) : StoppingRule =
        if isBounded rule then
            rule
        else
            StoppingRule.OrElse(rule, StoppingRule.Ceiling ceiling)

    /// Whether the rule has an error to reach.
    let hasTarget (rule: StoppingRule) = any (fun simple -> (target true simple).IsSome) rule

    /// Whether the rule compares means one sample apart.
    let comparesMeans (rule: StoppingRule) = any _.IsPyHessian rule

namespace Curvature.FSharp

open System
open Curvature

/// When an estimator has done enough. Rules that look at the error do so only at interim analyses, which are planned, and each of which
/// spends a part of the risk, so that the interval still holds the truth as often as it says.
[<RequireQualifiedAccess>]
module StoppingRule =

    /// Where a rule has no limit of its own, sampling ends after this many samples.
    let ceiling = Stopping.ceiling

    /// After n products (or quadratic forms). Raises ArgumentRangeException for less than one.
    let matvecs (n: int) : StoppingRule =
        if n < 1 then
            Fail.range $"StoppingRule.matvecs: at least one product is needed, and the number is {n}"

        StoppingRule.Matvecs n

    /// After the first block of products that ends later than this many seconds. Raises ArgumentRangeException for a time that is negative
    /// or not finite.
    let seconds (time: float) : StoppingRule =
        if not (Double.IsFinite time) || time < 0.0 then
            Fail.range $"StoppingRule.seconds: a time cannot be negative, and it is {time}"

        StoppingRule.Seconds time

    let private checkError what (error: float) (confidence: float) =
        if not (error > 0.0 && Double.IsFinite error) then
            Fail.range $"StoppingRule.{what}: an error above 0 is needed, and it is {error}"

        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"StoppingRule.{what}: a confidence between 0 and 1 is needed, and it is {confidence}"

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
