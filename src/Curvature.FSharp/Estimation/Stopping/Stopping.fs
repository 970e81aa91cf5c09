namespace Curvature.FSharp

open System
open Curvature

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

/// What a rule says of a run. Each case is a line of a fold.
module internal Stopping =

    /// The target of a rule on errors; nothing for other rules.
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

    /// The number of products that a target, a count and a time give; infinite where there is none. For two rules at
    /// the same time it is the later one, as far as both have one.
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

    /// The products at which the rule wants to be asked next, where so many are taken and each target is analysed
    /// next at a number of them. Time is asked after every block.
    let nextCheck (ofTarget: StoppingRule -> float) spent (rule: StoppingRule) : float =
        products ofTarget (fun n -> if n > spent then float n else infinity) (fun _ -> infinity) rule

    /// The products at which the rule is expected to end, where so many took some time and each target is expected to
    /// need a number of them.
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

    /// The rule, with the ceiling where it has no other end.
    let bounded (rule: StoppingRule) : StoppingRule =
        if isBounded rule then
            rule
        else
            StoppingRule.OrElse(rule, StoppingRule.Ceiling StoppingRule.ceiling)

    /// Whether the rule has an error to reach.
    let hasTarget (rule: StoppingRule) = any (fun simple -> (target true simple).IsSome) rule

    /// Whether the rule compares means one sample apart.
    let comparesMeans (rule: StoppingRule) = any _.IsPyHessian rule
