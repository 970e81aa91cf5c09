namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// An estimator that keeps the vectors that it has multiplied, so that more of them sharpen the same estimate.
[<AbstractClass>]
type internal Growing<'T>() =
    /// The most products that one more random vector costs.
    abstract Cost: int

    /// Products taken so far.
    abstract Spent: int

    /// How many numbers the standard error rests on.
    abstract Samples: int

    /// Whether the operator is known completely.
    abstract IsExact: bool

    /// Takes this many more random vectors.
    abstract Grow: count: int -> unit

    /// Computes the estimate from what was seen, where that has not been done: before a summary, and at the end. It may cost a
    /// product that Grow saved, and may find that everything is known.
    abstract Settle: unit -> unit

    /// Value and standard error, or their norms.
    abstract Summary: struct (float * float)

    abstract Finish: Ledger -> 'T

/// What may be asked at a look where a rule is not satisfied: whether another way ends the run better, and then its result.
type internal Diversion<'T> = StoppingRule -> Standing -> 'T voption

/// Ends of growing estimators.
module internal GrowthEnd =

    /// The result of what was found until now.
    let conclude (growing: Growing<'T>) (operator: LinearOperator) reason look seconds : 'T =
        growing.Settle()
        let reason = if growing.IsExact then StopReason.Exact else reason
        let gradients = int64 growing.Spent * int64 operator.Definition.Gradients
        let samples = if growing.IsExact then operator.Columns else growing.Samples
        growing.Finish(Ledger(samples, growing.Spent, 0, gradients, seconds, reason, look))

/// The loop that growing estimators share: draw, multiply, and ask at planned looks whether to stop.
[<Sealed>]
type internal Growth<'T>
    (
        options: SamplingOptions,
        stop: StoppingRule,
        operator: LinearOperator,
        growing: Growing<'T>,
        exact: int -> float -> 'T,
        ?divert: Diversion<'T>
    ) =
    let watch = Stopwatch.StartNew()
    let rule = Stopping.bounded stop
    let limit = Stopping.limit rule
    let size = Sampling.blockSize options operator
    let mutable summary = struct (0.0, infinity)
    let mutable before = 0.0

    let standing samples seen : Standing =
        let struct (value, error) = summary

        {
            Samples = samples
            Independent = growing.Samples
            Seconds = watch.Elapsed.TotalSeconds
            Look =
                if seen && Looks.growing.IsLook samples then
                    ValueSome(Looks.growing.Next samples - 1)
                else
                    ValueNone
            Watched = lazy (if seen then [| struct (value, error) |] else [||])
            Before = if seen then [| before |] else [||]
        }

    let report (standing: Standing) =
        if not (isNull options.Progress) then
            let struct (value, error) = summary
            let completed = Stopping.completed Looks.growing rule standing
            options.Progress.Report(SamplingProgress(growing.Spent, value, error, standing.Seconds, completed))

    let finish reason =
        let look =
            if Stopping.isAdaptive rule && growing.Spent > 0 then
                ValueSome(Looks.growing.Next(growing.Spent - 1))
            else
                ValueNone

        GrowthEnd.conclude growing operator reason look watch.Elapsed.TotalSeconds

    /// Another way to the result; where that is cancelled, what was found before.
    let orCancelled (another: unit -> 'T voption) : 'T voption =
        try
            another ()
        with :? OperationCanceledException when growing.Spent > 0 ->
            ValueSome(finish StopReason.Cancelled)

    let takeAll () = orCancelled (fun () -> ValueSome(exact growing.Spent watch.Elapsed.TotalSeconds))

    /// What another way gives, where it is better.
    let diverted check =
        match divert with
        | Some divert when growing.Spent = check -> orCancelled (fun () -> divert rule (standing check true))
        | _ -> ValueNone

    /// The next number of products at which the estimate is looked at.
    let nextCheck () =
        let check = Stopping.nextCheck Looks.growing rule growing.Spent

        if divert.IsSome then
            min check (Looks.growing.At(Looks.growing.Next growing.Spent))
        else
            check

    /// Asks the rule; it sees the estimate only where it wants to be asked.
    let ask samples seen =
        if seen then
            let struct (value, _) = summary
            before <- value
            growing.Settle()
            summary <- growing.Summary

        let standing = standing samples seen
        report standing
        Stopping.reason rule standing

    /// Takes a block of vectors, and says why to stop after it, if at all.
    let advance check count =
        growing.Grow(max 1 (min size count))

        if growing.IsExact then
            ValueSome StopReason.Exact
        else
            match ask growing.Spent (growing.Spent = check) with
            | ValueNone when options.Cancellation.IsCancellationRequested -> ValueSome StopReason.Cancelled
            | reason -> reason

    let rec loop () =
        let check = nextCheck ()

        if check >= operator.Columns && limit - growing.Spent >= operator.Columns then
            (takeAll ()).Value
        else
            // What is left before the check may be too little for one more vector: then the rule is asked as if it were spent.
            let count = (check - growing.Spent) / growing.Cost

            match if count = 0 && growing.Spent > 0 then ask check true else ValueNone with
            | ValueSome reason -> finish reason
            | ValueNone ->
                match advance check count with
                | ValueSome reason -> finish reason
                | ValueNone ->
                    match diverted check with
                    | ValueSome result -> result
                    | ValueNone -> loop ()

    /// Grows until the rule, or the caller, says stop. Where as many products as there are columns would not be enough, and are
    /// allowed, `exact` takes them instead, told what products and time were spent before.
    member _.Run() : 'T =
        options.Cancellation.ThrowIfCancellationRequested()
        loop ()

/// Ends of growing estimators.
module internal Growth =

    let private afterwards (ledger: Ledger) spent (operator: LinearOperator) seconds =
        ledger.After(spent, int64 spent * int64 operator.Definition.Gradients, seconds)

    /// The trace from all columns, after some products and some time.
    let exactTrace (options: SamplingOptions) (operator: LinearOperator) spent seconds : Estimate<float> =
        let trace = Exact.traceWith options operator
        Estimates.scalar trace.Value trace.RawStandardError (afterwards trace.Ledger spent operator seconds)

    /// The diagonal from all columns, after some products and some time.
    let exactDiagonal (options: SamplingOptions) (operator: LinearOperator) spent seconds : Estimate<Tensor> =
        let diagonal = Exact.diagonalWith options operator
        Estimates.vector diagonal.Value diagonal.StandardError (afterwards diagonal.Ledger spent operator seconds)

    /// Raises ArgumentRangeException for a rule that allows fewer products than an estimator needs.
    let requireProducts what least (stop: StoppingRule) =
        if Stopping.limit stop < least then
            raise (
                ArgumentRangeException
                    $"{what}: {least} products at least are needed, and {Stopping.limit stop} are allowed"
            )
