namespace Curvature.FSharp

open System
open Curvature

/// The state of a sketch, from which the work of all ways ahead is forecast.
[<NoEquality; NoComparison>]
type internal SketchOutlook =
    {
        Columns: int
        /// Products until now.
        Spent: int
        /// The products that one more vector costs.
        CostOfVector: int
        /// The work of a sample, in products.
        Price: float
        /// What was found at each interim analysis, the newest last.
        History: Summary list
        /// The standard deviation of one sample of what the vectors have missed.
        Spread: float
        /// The standard deviation of one sample of everything.
        PlainSpread: float
        /// What the vectors so far say as samples of everything, where they are such.
        Plain: Summary voption
        /// How many large eigenvalues the operator has at least, as far as the vectors show; 0 where they do not.
        Rank: float
    }

/// The work, in products, that each way ahead is expected to take until a rule ends; for a rule without a target, all
/// that it allows.
[<NoEquality; NoComparison>]
type internal WaysAhead =
    {
        /// To extend the sketch.
        Sketch: float
        /// To sample what it has missed.
        Outside: float
        /// To sample everything.
        Plain: float
        /// To take all columns.
        Columns: float
    }

module internal WaysAhead =

    /// A quadratic form takes half of the work of a product: a pass forward, and none backward.
    let priceOfForm = 0.5

    /// A spectrum may hide a fall behind a plateau, and a sketch can be left later, but not taken up again. So it is
    /// left only where it has cost this share of what another way will.
    let private patience = 0.25

    let private target isIndependent simple = (Stopping.target isIndependent simple).Value

    /// The summary that samples of this standard deviation would have.
    let private imagined (latest: Summary) spread : Summary =
        let count = 16

        { latest with
            StandardError = spread / sqrt (float count)
            Independent = count
            Spread = spread
            Skewness = 0.0
            Dimension = 1.0
        }

    /// Before three interim analyses, the error of a sketch is taken to fall like 1/m², as for eigenvalues 1, 1/4,
    /// 1/9, …; but not where the operator has many large eigenvalues yet to be found.
    let private optimistic (outlook: SketchOutlook) : Summary list =
        let latest = List.last outlook.History

        if outlook.History.Length < 3 && outlook.Rank < 3.0 * float latest.Independent then
            let earlier =
                { latest with
                    StandardError = 4.0 * latest.StandardError
                    Independent = latest.Independent / 2
                }

            earlier :: outlook.History
        else
            // Older analyses say nothing of what the latest have left.
            outlook.History |> List.skip (max 0 (outlook.History.Length - 3))

    /// The work of each way under a rule, by the same forecasts as those of runs.
    let forecast (rule: StoppingRule) (outlook: SketchOutlook) : WaysAhead =
        let latest, spent = List.last outlook.History, float outlook.Spent
        let left (ofTarget: StoppingRule -> float) = Stopping.expected ofTarget outlook.Spent 0.0 rule - spent

        let extended simple =
            let samples = SequentialDesign.forecast (target false simple) (optimistic outlook)
            spent + float outlook.CostOfVector * (samples - float latest.Independent)

        let sampled spread =
            left (fun simple -> spent + SequentialDesign.forecast (target true simple) [ imagined latest spread ])

        let continued (plain: Summary) =
            left (fun simple ->
                let samples = SequentialDesign.forecast (target true simple) [ plain ]
                spent + max 1.0 (samples - float plain.Independent))

        let columns = float outlook.Columns

        {
            Sketch = left extended
            Outside = outlook.Price * sampled outlook.Spread
            Plain =
                outlook.Price
                * (match outlook.Plain with
                   | ValueSome plain -> continued plain
                   | ValueNone -> sampled outlook.PlainSpread)
            Columns =
                if float (Stopping.limit rule) - spent >= columns then
                    outlook.Price * columns
                else
                    infinity
        }

    /// Whether samples are expected to reach a target with less work than more vectors. The run itself chooses all
    /// columns.
    let isLeft (outlook: SketchOutlook) (ways: WaysAhead) : bool =
        let samples = min ways.Outside ways.Plain
        let isDue = float outlook.Spent >= patience * min samples ways.Columns
        isDue && samples < ways.Sketch && samples <= ways.Columns

    /// For a number of products: whether samples are better than a sketch whose vectors cost two each. They are where
    /// the operator has more large eigenvalues than there will be vectors. Where a vector costs one product, the
    /// sketch goes on: its vectors are samples too, and the better estimate of both is taken at the end.
    let isFlat (limit: int) (outlook: SketchOutlook) : bool =
        outlook.CostOfVector > 1
        && outlook.Rank * float outlook.CostOfVector > 1.5 * float limit
        && outlook.Spent < limit / 2

    /// The work of a way, in words.
    let describe (work: float) =
        if Double.IsInfinity work then
            "not to get there"
        else
            $"to cost the work of {work:F0} products more"
