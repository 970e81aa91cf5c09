namespace Curvature

open System
open System.Diagnostics
open System.Threading
open Curvature.FSharp

/// How L-BFGS minimises. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LbfgsOptions =
    internal
        {
            MostIterations: int
            Memory: int
            Tolerance: float
            Conditions: WolfeConditions
            Listener: IProgress<TrainingProgress> | null
            Rate: ProgressRate
            Token: CancellationToken
        }

    /// 100 iterations, 10 pairs of steps, a gradient of at most 1e-7 in each element, c₁ = 1e-4 and c₂ = 0.9.
    static member Default =
        {
            MostIterations = 100
            Memory = 10
            Tolerance = 1e-7
            Conditions = { Decrease = 1e-4; Curvature = 0.9 }
            Listener = null
            Rate = ProgressRate.Default
            Token = CancellationToken.None
        }

    /// The largest number of iterations. Raises ArgumentRangeException for a negative one.
    member options.WithIterations(iterations: int) =
        if iterations < 0 then
            Fail.range $"L-BFGS: a count of iterations cannot be negative, and this one is {iterations}"

        { options with MostIterations = iterations }

    /// How many of the last steps and changes of the gradient make the approximation of the Hessian. Each costs two
    /// vectors. Raises ArgumentRangeException for less than 1.
    member options.WithHistory(pairs: int) =
        if pairs < 1 then
            Fail.range $"L-BFGS: a history of at least 1 pair is needed, and it is {pairs}"

        { options with Memory = pairs }

    /// Stops where every element of the gradient is at most this. Raises ArgumentRangeException for a negative one.
    member options.WithGradientTolerance(largest: float) =
        if not (largest >= 0.0 && largest < infinity) then
            Fail.range $"L-BFGS: the tolerance must be at least 0 and finite, and is {largest}"

        { options with Tolerance = largest }

    /// c₁ and c₂ of the strong Wolfe conditions of the line search: a small c₂ searches almost exactly. Raises
    /// ArgumentRangeException unless 0 < c₁ < c₂ < 1.
    member options.WithWolfe(decrease: float, curvature: float) =
        if not (0.0 < decrease && decrease < curvature && curvature < 1.0) then
            Fail.range $"L-BFGS: 0 < c1 < c2 < 1 is needed, and they are {decrease} and {curvature}"

        { options with Conditions = { Decrease = decrease; Curvature = curvature } }

    /// The same options with a listener, told after each iteration, ten times a second at most, and at the end.
    member options.WithProgress(progress: IProgress<TrainingProgress> | null) = { options with Listener = progress }

    /// The seconds between two reports at least: 0 for every report, 0.1 at first. Raises ArgumentRangeException for a
    /// time that is negative or NaN.
    member options.WithProgressInterval(seconds: float) =
        { options with Rate = options.Rate.WithSeconds "WithProgressInterval" seconds }

    /// Stops between two gradients when cancelled; what the last full iteration found is the result. Before the first
    /// iteration that is nothing, and OperationCanceledException is raised.
    member options.WithCancellation(token: CancellationToken) = { options with Token = token }

    override options.ToString() =
        $"{options.MostIterations} iterations, {options.Memory} pairs, until the gradient's elements are at most "
        + Numbers.show options.Tolerance

    member internal options.Text = options.ToString()

namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Minimising a risk by an approximate Hessian that the last steps give.
[<RequireQualifiedAccess>]
module Lbfgs =

    /// A step s, the change y of the gradient along it, and 1/yᵀs.
    [<NoEquality; NoComparison>]
    type private Pair = { S: Tensor; Y: Tensor; Rho: float }

    let private dot (a: Tensor) (b: Tensor) =
        let flat (t: Tensor) = Tensor.flatten t |> Tensor.convert DType.Float64
        (Tensor.dot (flat a) (flat b)).ToScalar()

    let private largest (t: Tensor) =
        if t.Size = 0 then
            0.0
        else
            (Tensor.max (Tensor.flatten (Tensor.abs t))).ToScalar()

    /// −H·g with the approximation H of the inverse Hessian that the pairs give, the latest first (Nocedal & Wright
    /// 2006, algorithm 7.4). Without pairs it is −g.
    let private direction (pairs: Pair list) (gradient: Tensor) : Tensor =
        /// The vector after the pairs, the latest first, and what the first loop keeps of each.
        let folder (q: Tensor, alphas) pair =
            let alpha = pair.Rho * dot pair.S q
            q - alpha * pair.Y, alpha :: alphas

        let q, alphas = ((gradient, []), pairs) ||> List.fold folder

        let scaled =
            match pairs with
            | latest :: _ -> q / (latest.Rho * dot latest.Y latest.Y)
            | [] -> q

        -((scaled, List.rev pairs, alphas)
          |||> List.fold2 (fun r pair alpha -> r + (alpha - pair.Rho * dot pair.Y r) * pair.S))

    /// The loss at points of a line. A loss that is not finite is infinite: the step was too long.
    let private along evaluate (theta: Tensor) (d: Tensor) (step: float) : LinePoint =
        let moved = theta + step * d

        try
            let point: LossGradient = evaluate moved

            {
                Step = step
                Value = point.Loss
                Slope = dot point.Gradient d
                Theta = moved
                Gradient = point.Gradient
            }
        with :? NonFiniteException ->
            { Step = step; Value = infinity; Slope = nan; Theta = moved; Gradient = d }

    /// The pairs with that of another step, where the curvature along it is positive, so that H stays positive.
    let private remember (options: LbfgsOptions) (before: LinePoint) (after: LinePoint) (pairs: Pair list) =
        let s, y = after.Theta - before.Theta, after.Gradient - before.Gradient
        let curvature = dot y s

        if curvature > 2.0 ** -52.0 * dot y y then
            List.truncate options.Memory ({ S = s; Y = y; Rho = 1.0 / curvature } :: pairs)
        else
            pairs

    /// The next point along the direction that the pairs give; where the line does not descend, along the gradient.
    let rec private next (options: LbfgsOptions) evaluate (pairs: Pair list) (current: LinePoint) =
        let d = direction pairs current.Gradient
        let start = { current with Step = 0.0; Slope = dot current.Gradient d }

        let first =
            if pairs.IsEmpty then
                min 1.0 (1.0 / (Tensor.sum (Tensor.abs current.Gradient)).ToScalar())
            else
                1.0

        match LineSearch.search options.Conditions (along evaluate current.Theta d) start first with
        | ValueSome point -> ValueSome struct (point, remember options current point pairs)
        | ValueNone when pairs.IsEmpty -> ValueNone
        | ValueNone -> next options evaluate [] current

    /// Minimises a risk from θ by L-BFGS with a line search for the strong Wolfe conditions (Liu & Nocedal 1989;
    /// Nocedal & Wright 2006, algorithm 7.5). All data count in each iteration, and nothing is random. The result says
    /// why it stopped, with the loss after each iteration. Cost: one or two gradients of all data an iteration,
    /// compiled, and about 4·history vectors.
    /// Raises DataException for no batches, NonFiniteException where the loss or its gradient at θ are not finite,
    /// DifferentiationException for a loss that differs from call to call, and OperationCanceledException where it was
    /// cancelled before the first iteration was done.
    let minimize (options: LbfgsOptions) (risk: EmpiricalRisk) (theta: Tensor) : TrainingResult =
        if options.MostIterations > 0 then options.Token.ThrowIfCancellationRequested()
        let clock, family = Stopwatch.StartNew(), Gradient.family risk
        let losses, pace = ResizeArray<float>(), ProgressPace options.Rate
        let mutable gradients, told = 0, -1

        let evaluate theta =
            options.Token.ThrowIfCancellationRequested()
            gradients <- gradients + 1
            family theta

        /// A report that would equal the last one is left out.
        let tell isLast (point: LinePoint) =
            if losses.Count > told then
                pace.Report(
                    options.Listener,
                    isLast,
                    fun () ->
                        told <- losses.Count
                        TrainingProgress(losses.Count, options.MostIterations, gradients, point.Value)
                )

        let isCancelled () = losses.Count > 0 && options.Token.IsCancellationRequested

        let iteration pairs current =
            try
                Ok(next options evaluate pairs current)
            with :? OperationCanceledException as error when isCancelled () ->
                Error error

        let rec iterate (pairs: Pair list) (current: LinePoint) =
            if largest current.Gradient <= options.Tolerance then
                struct (current, TrainingEnd.SmallGradient)
            elif losses.Count = options.MostIterations then
                struct (current, TrainingEnd.Completed)
            else
                match iteration pairs current with
                | Ok(ValueSome struct (point, pairs)) ->
                    losses.Add point.Value
                    tell false point
                    iterate pairs point
                | Ok ValueNone -> struct (current, TrainingEnd.NoDescent)
                | Error(_: OperationCanceledException) -> struct (current, TrainingEnd.Cancelled)

        let start = evaluate theta

        let struct (found, ending) =
            iterate
                []
                {
                    Step = 0.0
                    Value = start.Loss
                    Slope = nan
                    Theta = theta
                    Gradient = start.Gradient
                }

        tell true found
        let none = { Losses = [||]; Best = 0 }
        TrainingResult(found.Theta, losses.ToArray(), none, gradients, clock.Elapsed.TotalSeconds, ending)
