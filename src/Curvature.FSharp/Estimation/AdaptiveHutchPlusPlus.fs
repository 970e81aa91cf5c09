namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics

/// What an absolute error at a risk costs.
[<NoEquality; NoComparison>]
type internal PromisedError =
    {
        /// 4 ln(2/δ)/ε²: times the squared Frobenius norm of an operator, the samples of its trace that are needed.
        Price: float
        /// δ
        Risk: float
    }

module internal PromisedError =

    /// The largest α with P(χ²ᵢ ≤ iα) ≤ δ: a squared Frobenius norm is at most 1/α times its mean over i samples, but for that risk.
    let safety (samples: int) (risk: float) : float =
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

/// Samples zᵀBz outside a sketch, with the mean of ‖Bz‖², until as many are taken as that norm asks for.
[<Sealed>]
type internal PromisedSamples(goal: PromisedError, sketch: RangeSketch, outside: LinearOperator, key: Key) =
    inherit Incremental<Estimate<float>>()
    let h = sketch.Projected
    let forms = FormMoments()
    let mutable squares = 0.0

    /// The samples that the norm seen so far asks for, when i are taken.
    let needed i = goal.Price * squares / float forms.Count / PromisedError.safety i goal.Risk

    let value () = struct (h.Trace() + forms.Mean, Rounding.hypotenuse forms.StandardError (sketch.Rounding h))

    /// How many more samples are expected to be needed.
    let ahead () = if forms.Count < 2 then 1.0 else needed forms.Count - float forms.Count

    override _.Spent = Cost.products forms.Count
    override _.Samples = forms.Count
    override _.IsExact = false
    override _.IsDone = forms.Count > 1 && float forms.Count >= needed forms.Count
    override _.Expected = float forms.Count + ahead ()

    override _.Advance size =
        let wanted = if forms.Count < 2 then 8.0 else max 1.0 (ceil (ahead ()))
        let first, count = forms.Count, int (min (float size) wanted)
        let z = Probe.drawOn outside.Device Probe.Gaussian key outside.Columns (first, count) outside.DType
        let y = outside.Multiply(z, (fun row -> $"sample {first + row} of A-Hutch++"))
        forms.Add(z, (Products.rowDots z y).ToArray())
        squares <- squares + (Rows.products y y).Trace()

    override _.Summaries =
        let struct (value, error) = value ()

        [| struct ({ Summaries.ofForms forms with Value = value; StandardError = error }, true) |]

    override _.Finish ledger =
        let struct (value, error) = value ()
        Estimates.sampled forms.Law value error ledger

/// What A-Hutch++ knows of an operator so far: it extends the sketch vector by vector, until the samples outside that it saves have cost
/// more twice in a row.
[<Sealed>]
type internal AdaptiveIncremental(goal: PromisedError, operator: LinearOperator, key: Key, sketch: RangeSketch) =
    inherit SketchAndSamples<Estimate<float>>(sketch)
    let mutable squares, inside = 0.0, 0.0
    let mutable last = infinity
    let mutable increases = 0

    override _.IsSketching = increases < 2 && not sketch.IsSaturated && sketch.Spent + 2 < operator.Columns

    override _.Extend _ =
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

    override _.Outside() = PromisedSamples(goal, sketch, Deflation.symmetric sketch.Basis operator, key)

    override _.Inside() = XTraceIncremental(operator, sketch)

    override _.Complete ledger =
        let struct (value, error) = sketch.TraceInside sketch.Projected
        Estimates.scalar value error ledger

    /// At least a vector of the sketch and a sample.
    override this.Expected = max 3.0 (float sketch.Spent + this.ExpectedOfSamples)

    /// A power of two near products that have no squares.
    member _.Unit = sketch.Unit

/// A-Hutch++ of an operator that is divided by a power of two: near the error that is asked for, where squares of that
/// do not exist, and near the products, where these have none.
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

/// A-Hutch++ (Persson, Cortinovis & Kressner 2022, "Improved variants of the Hutch++ algorithm for trace estimation", algorithm 3): spends on
/// the sketch as many products as pay, and outside it as many as an absolute error needs.
[<RequireQualifiedAccess>]
module AdaptiveHutchPlusPlus =

    /// A-Hutch++ for an absolute error, which it misses with a probability of at most twice the risk. It stops by itself; a rule may end
    /// it before. Raises ArgumentRangeException for an error or a risk outside its range.
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

        Estimator.keepingVectors "A-Hutch++" OperatorNeed.Symmetric 3 Measurement.trace.Exact (fun key operator ->
            let keys = key.Split 2

            let start unit =
                let operator = if unit = 1.0 then operator else (1.0 / unit) * operator
                let price = 4.0 * log (2.0 / risk) * Math.Pow(unit / absoluteError, 2.0)
                let sketch = RangeSketch("A-Hutch++", operator, operator, Probe.Sphere, keys[0])
                AdaptiveIncremental({ Price = price; Risk = risk }, operator, keys[1], sketch)

            ScaledAdaptiveIncremental(first, start))

    /// The trace of a symmetric operator to within an absolute error, which it misses with a probability of at most twice `risk`. The products are
    /// divided between sketch and samples as the spectrum demands; where that would take more than all columns, these are taken
    /// and the result is exact.
    /// The guarantee is a bound, so that the standard error of the result is mostly smaller than what was asked for.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not, ArgumentRangeException for
    /// an error or a risk outside its range. Cancelled before the first sample, it returns what XTrace makes of the sketch; before the first product
    /// it raises OperationCanceledException.
    let estimate (absoluteError: float) (risk: float) key (operator: LinearOperator) : Estimate<float> =
        Estimate.run (estimator absoluteError risk) (StoppingRule.matvecs Int32.MaxValue) key operator
