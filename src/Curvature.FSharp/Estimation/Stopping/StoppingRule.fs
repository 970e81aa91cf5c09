namespace Curvature


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
[<RequireQualifiedAccess; NoComparison; StructuredFormatDisplay("{Text}")>]
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
        let percent share = $"{FSharp.Numbers.show (100.0 * share)} %%"

        match rule with
        | Matvecs n -> $"{n} matvecs"
        | Seconds s -> $"{s} s"
        | RelativeError(error, confidence) -> $"relative error {error} with {percent confidence} confidence"
        | AbsoluteError(error, confidence) -> $"absolute error {error} with {percent confidence} confidence"
        | PyHessian tolerance -> $"PyHessian's rule at {tolerance}"
        | Ceiling n -> $"{n} samples at most"
        | OrElse(a, b) -> $"({a} or {b})"
        | AndAlso(a, b) -> $"({a} and {b})"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// When an estimator has done enough. Rules on errors are asked only at interim analyses, and the interval at the end
/// is wide enough that it still holds the truth as often as it says.
[<RequireQualifiedAccess>]
module StoppingRule =

    /// Where a rule has no limit, sampling ends after this many samples.
    let ceiling = 100_000

    /// After n products (or quadratic forms). Raises ArgumentRangeException for less than one.
    let matvecs (n: int) : StoppingRule =
        if n < 1 then
            Fail.range $"StoppingRule.matvecs: at least one product is needed, and the number is {n}"

        StoppingRule.Matvecs n

    /// After the first block of products that ends later than this many seconds. Raises ArgumentRangeException for a
    /// time that is negative or not finite.
    let seconds (time: float) : StoppingRule =
        if not (Double.IsFinite time) || time < 0.0 then
            Fail.range $"StoppingRule.seconds: a time cannot be negative, and it is {time}"

        StoppingRule.Seconds time

    let private checkError what (error: float) (confidence: float) =
        if not (error > 0.0 && Double.IsFinite error) then
            Fail.range $"StoppingRule.{what}: an error above 0 is needed, and it is {error}"

        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"StoppingRule.{what}: a confidence between 0 and 1 is needed, and it is {confidence}"

    /// When half the width of the interval at this confidence is at most `error` times the value, for every quantity
    /// watched: for a vector, Euclidean norms. A value near 0 never reaches that: combine the rule with absoluteError
    /// or a limit.
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

    /// PyHessian's rule: when one more sample moves the mean by less than the tolerance (there 1e-3), relatively.
    /// That is no error estimate: the mean moves by little whenever a sample happens to lie near it. At 1e-3 it is
    /// typically off by 3 to 18 %. For comparison only.
    let pyHessian (tolerance: float) : StoppingRule =
        checkError "pyHessian" tolerance 0.5
        StoppingRule.PyHessian tolerance

    /// When either rule says so.
    let orElse (second: StoppingRule) (first: StoppingRule) : StoppingRule = StoppingRule.OrElse(first, second)

    /// When both rules say so at the same time.
    let andAlso (second: StoppingRule) (first: StoppingRule) : StoppingRule = StoppingRule.AndAlso(first, second)
