namespace Curvature.FSharp

open System
open Curvature

/// What A-Hutch++ knows of an operator so far. It extends the sketch vector by vector, until the expected cost of
/// sketch and samples has risen twice in a row.
[<Sealed>]
type internal AdaptiveIncremental(goal: PromisedError, operator: LinearOperator, key: Key, sketch: RangeSketch) =
    inherit SketchAndSamples<Estimate<float>>(sketch)
    /// ‖AQ‖²_F and ‖H‖²_F.
    let mutable squaresOfImages, squaresOfH = 0.0, 0.0
    let mutable last = infinity
    let mutable increases = 0

    override _.IsSketching = increases < 2 && not sketch.IsSaturated && sketch.Spent + 2 < operator.Columns

    override _.Extend _ =
        let image = sketch.Grow 1

        if not sketch.IsSaturated then
            // q is the new vector of the basis, and QᵀAq its column of H = QᵀAQ, which is its row too.
            let qTAq = (Rows.productsWith sketch.Basis image).Column 0
            let corner = qTAq[qTAq.Count - 1]
            squaresOfImages <- squaresOfImages + (Rows.products image image)[0, 0]
            squaresOfH <- squaresOfH + 2.0 * (qTAq * qTAq) - corner * corner
            // ‖(I − QQᵀ)A(I − QQᵀ)‖²_F = ‖A‖²_F + ‖H‖²_F − 2‖AQ‖²_F, where the first is the same at every step.
            let cost = float sketch.Spent + goal.Price * (squaresOfH - 2.0 * squaresOfImages)
            increases <- if cost > last then increases + 1 else 0
            last <- cost

    override _.Outside() = PromisedSamples(goal, sketch, Deflation.symmetric sketch.Basis operator, key)

    override _.Inside() = XTraceIncremental(operator, sketch)

    override _.Complete ledger =
        let struct (value, error) = sketch.TraceInside sketch.Projected
        Estimates.scalar value error ledger

    /// At least a vector of the sketch and a sample.
    override this.Expected = max 3.0 (float sketch.Spent + this.ExpectedOfSamples)

    /// A power of two near products whose squares vanish.
    member _.Unit = sketch.Unit

/// A-Hutch++ of an operator that is divided by a power of two, where squares overflow or vanish: near the error that
/// is asked for, and then near the products.
[<Sealed>]
type internal ScaledAdaptiveIncremental(first: float, start: float -> AdaptiveIncremental) =
    inherit Incremental<Estimate<float>>()
    let mutable unit = first
    let mutable current = start first
    let mutable before = Cost.none

    override _.CostOfVector = current.CostOfVector
    override _.Spent = Cost.sum [ before; current.Spent ]
    override _.TakesForms = current.TakesForms
    override _.Samples = current.Samples
    override _.IsExact = current.IsExact
    override _.IsDone = current.IsDone
    override _.Expected = float before.Total + current.Expected

    override _.Advance count =
        current.Advance count

        match current.Unit with
        | ValueSome size ->
            before <- Cost.sum [ before; current.Spent ]
            unit <- unit * size
            current <- start unit
        | ValueNone -> ()

    override _.Summaries =
        let scaled (summary: Summary) =
            { summary with
                Value = unit * summary.Value
                StandardError = unit * summary.StandardError
                Spread = unit * summary.Spread
            }

        current.Summaries |> Array.map (fun struct (summary, isWatched) -> struct (scaled summary, isWatched))

    override _.Finish ledger = current.Finish ledger |> Estimates.scaled unit

/// A-Hutch++ (Persson, Cortinovis & Kressner 2022, "Improved variants of the Hutch++ algorithm for trace estimation",
/// algorithm 3): spends on the sketch as many products as pay, and outside it as many as an absolute error needs.
[<RequireQualifiedAccess>]
module AdaptiveHutchPlusPlus =

    /// A-Hutch++ for an absolute error, which it misses with a probability of at most twice the risk. It stops by
    /// itself; a rule may end it before. Raises ArgumentRangeException for an error or a risk outside its range.
    let estimator (absoluteError: float) (risk: float) : Estimator<Estimate<float>> =
        if not (absoluteError > 0.0 && Double.IsFinite absoluteError) then
            Fail.range $"A-Hutch++: an error above 0 is needed, and it is {absoluteError}"

        if not (risk > 0.0 && risk < 1.0) then
            Fail.range $"A-Hutch++: a risk between 0 and 1 is needed, and it is {risk}"

        let first =
            if absoluteError > 1e-100 && absoluteError < 1e100 then
                1.0
            else
                Math.ScaleB(1.0, max -1000 (Math.ILogB absoluteError))

        Procedure.Plan(fun _ key operator ->
            let keys = key.Split 2

            let start unit =
                let operator = if unit = 1.0 then operator else (1.0 / unit) * operator
                let price = 4.0 * log (2.0 / risk) * Math.Pow(unit / absoluteError, 2.0)
                let sketch = RangeSketch("A-Hutch++", operator, operator, Probe.Sphere, keys[0])
                AdaptiveIncremental({ Price = price; Risk = risk }, operator, keys[1], sketch)

            ScaledAdaptiveIncremental(first, start))
        |> Estimator.make "A-Hutch++" OperatorNeed.Symmetric 3 Measurement.trace.Exact

    /// The trace of a symmetric operator to within an absolute error, which it misses with a probability of at most
    /// twice `risk`. The products are divided between sketch and samples as the spectrum demands; where that would
    /// take more than all columns, these are taken and the result is exact. The guarantee is a bound, so that the
    /// standard error of the result is mostly smaller than what was asked for.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not,
    /// ArgumentRangeException for an error or a risk outside its range. Cancelled before the first sample, it returns
    /// what XTrace makes of the sketch; before the first product it raises OperationCanceledException.
    let estimate (absoluteError: float) (risk: float) key (operator: LinearOperator) : Estimate<float> =
        Estimate.run (estimator absoluteError risk) (StoppingRule.matvecs Int32.MaxValue) key operator
