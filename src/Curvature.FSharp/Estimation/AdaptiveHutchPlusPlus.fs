namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics
open MathNet.Numerics.LinearAlgebra

/// A-Hutch++ (Persson, Cortinovis & Kressner 2022, "Improved variants of the Hutch++ algorithm for trace estimation", algorithm 3): spends on
/// the sketch as many products as pay, and outside it as many as an absolute error needs.
[<RequireQualifiedAccess>]
module AdaptiveHutchPlusPlus =

    /// What an absolute error at a risk costs.
    [<NoEquality; NoComparison>]
    type private Goal =
        {
            /// 4 ln(2/δ)/ε²: times the squared Frobenius norm of an operator, the samples of its trace that are needed.
            Price: float
            /// δ
            Risk: float
        }

    /// The largest α with P(χ²ᵢ ≤ iα) ≤ δ: a squared Frobenius norm is at most 1/α times its mean over i samples, but for that risk.
    let private safety (samples: int) (risk: float) : float =
        let half = float samples / 2.0
        // The regularised lower gamma function grows from 0 at 0 to more than ½ at 1.
        let mutable low, high = 0.0, 1.0

        for _ in 1..60 do
            let middle = 0.5 * (low + high)

            if SpecialFunctions.GammaLowerRegularized(half, half * middle) <= risk then
                low <- middle
            else
                high <- middle

        low

    /// Extends the sketch vector by vector, until the samples outside that it saves have cost more twice in a row.
    let private sketch what goal (options: SamplingOptions) key (operator: LinearOperator) : RangeSketch =
        let sketch = RangeSketch(what, operator, operator, Probe.Sphere, key)
        let mutable squares, inside = 0.0, 0.0
        let mutable last = infinity
        let mutable increases = 0

        let isCancelled () = options.Cancellation.IsCancellationRequested
        options.Cancellation.ThrowIfCancellationRequested()

        while increases < 2
              && not sketch.IsSaturated
              && sketch.Spent + 2 < operator.Columns
              && not (sketch.Spent > 0 && isCancelled ()) do
            let image = sketch.Grow 1

            if not sketch.IsSaturated then
                let column = (Rows.productsWith sketch.Basis image).Column 0
                let own = column[column.Count - 1]
                squares <- squares + (Rows.products image image)[0, 0]
                inside <- inside + 2.0 * (column * column) - own * own
                // ‖(I − P)A(I − P)‖²_F = ‖A‖²_F + inside − 2·squares, where the first is the same at every step.
                let cost = float sketch.Spent + goal.Price * (inside - 2.0 * squares)
                increases <- if cost > last then increases + 1 else 0
                last <- cost

        sketch

    /// Samples zᵀBz outside the sketch, with the mean of ‖Bz‖², until as many are taken as that norm asks for.
    [<Sealed>]
    type private Outside(goal: Goal, outside: LinearOperator, key: Key, size: int) =
        let forms = FormMoments()
        let mutable squares = 0.0

        /// The samples that the norm seen so far asks for, when i are taken.
        let needed i = goal.Price * squares / float forms.Count / safety i goal.Risk
        member _.Forms = forms
        member _.IsDone = forms.Count > 1 && float forms.Count >= needed forms.Count

        /// How many more samples are expected to be needed.
        member _.Ahead: float = if forms.Count < 2 then 1.0 else needed forms.Count - float forms.Count

        member this.Take() =
            let count =
                if forms.Count < 2 then
                    min size 8
                else
                    int (min (float size) (max 1.0 (ceil this.Ahead)))

            let first = forms.Count
            let z = Probe.drawOn outside.Device Probe.Gaussian key outside.Columns (first, count) outside.DType
            let y = outside.Multiply(z, (fun row -> $"sample {first + row} of A-Hutch++"))
            forms.Add(z, (Products.rowDots z y).ToArray())
            squares <- squares + (Rows.products y y).Trace()

    let private fromSketch
        goal
        (options: SamplingOptions)
        (keys: Key[])
        (watch: Diagnostics.Stopwatch)
        (sketch: RangeSketch)
        (operator: LinearOperator)
        : Estimate<float> =
        let h = sketch.Projected

        if sketch.IsComplete then
            let struct (value, error) = sketch.TraceInside h
            Estimates.scalar value error (sketch.ExactLedger watch.Elapsed.TotalSeconds)
        else
            let samples =
                Outside(goal, Deflation.symmetric sketch.Basis operator, keys[1], Sampling.blockSize options operator)

            let spent () = sketch.Spent + samples.Forms.Count

            let finish reason =
                let gradients = int64 (spent ()) * int64 operator.Definition.Gradients
                let error = Rounding.hypotenuse samples.Forms.StandardError (sketch.Rounding h)
                let seconds = watch.Elapsed.TotalSeconds
                let ledger = Ledger(samples.Forms.Count, spent (), 0, gradients, seconds, reason, ValueNone)
                Estimates.sampled samples.Forms.Law (h.Trace() + samples.Forms.Mean) error ledger

            let rec loop () =
                if samples.IsDone then
                    finish StopReason.ErrorReached
                elif samples.Ahead >= float operator.Columns then
                    Growth.exactTrace options operator (spent ()) watch.Elapsed.TotalSeconds
                elif options.Cancellation.IsCancellationRequested && samples.Forms.Count > 0 then
                    finish StopReason.Cancelled
                else
                    options.Cancellation.ThrowIfCancellationRequested()
                    samples.Take()
                    loop ()

            ThreeParts.orSketchAlone loop operator (fun () -> XTraceGrowth(operator, sketch)) watch

    /// An operator whose products have no squares, or infinite ones, is divided by a power of two near them.
    let rec private run goal (options: SamplingOptions) (key: Key) (operator: LinearOperator) : Estimate<float> =
        let watch = Diagnostics.Stopwatch.StartNew()
        let keys = key.Split 2
        let sketch = sketch "A-Hutch++" goal options keys[0] operator

        match sketch.Unit with
        | ValueSome unit ->
            let goal = { goal with Price = goal.Price * unit * unit }

            run goal options key ((1.0 / unit) * operator)
            |> Estimates.scaled unit
            |> fun found -> found.After(sketch.Spent, int64 sketch.Spent * int64 operator.Definition.Gradients, 0.0)
        | ValueNone -> fromSketch goal options keys watch sketch operator

    /// A-Hutch++ with options for cancellation and block size.
    let estimateWith
        (options: SamplingOptions)
        (absoluteError: float)
        (risk: float)
        key
        (operator: LinearOperator)
        : Estimate<float> =
        Requirements.symmetric "A-Hutch++" operator

        if not (absoluteError > 0.0 && Double.IsFinite absoluteError) then
            raise (ArgumentRangeException $"A-Hutch++: an error above 0 is needed, and it is {absoluteError}")

        if not (risk > 0.0 && risk < 1.0) then
            raise (ArgumentRangeException $"A-Hutch++: a risk between 0 and 1 is needed, and it is {risk}")

        if operator.Columns <= 3 then
            Exact.traceWith options operator
        else
            // Divided by a power of two near the error, the operator has squares where they count.
            let unit =
                if absoluteError > 1e-100 && absoluteError < 1e100 then
                    1.0
                else
                    Math.ScaleB(1.0, max -1000 (Math.ILogB absoluteError))

            let goal =
                {
                    Price = 4.0 * log (2.0 / risk) * Math.Pow(unit / absoluteError, 2.0)
                    Risk = risk
                }

            let operator = if unit = 1.0 then operator else (1.0 / unit) * operator
            Checkpoint.keeping options operator (fun options -> run goal options key) |> Estimates.scaled unit

    /// The trace of a symmetric operator to within an absolute error, which it misses with a probability of at most twice `risk`. The products are
    /// divided between sketch and samples as the spectrum demands; where that would take more than all columns, these are taken
    /// and the result is exact.
    /// The guarantee is a bound, so that the standard error of the result is mostly smaller than what was asked for.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not, ArgumentRangeException for
    /// an error or a risk outside its range. Cancelled before the first sample, it returns what XTrace makes of the sketch; before the first product
    /// it raises OperationCanceledException.
    let estimate (absoluteError: float) (risk: float) key (operator: LinearOperator) : Estimate<float> =
        estimateWith SamplingOptions.Default absoluteError risk key operator
