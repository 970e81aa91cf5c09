namespace Curvature.FSharp

open System
open Curvature

/// How far a sketch is that random vectors extend, and what they have shown.
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
        /// What was found at each look, the newest last.
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
        Growing: float
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

    /// Samples of this standard deviation about a value, as so many of them would show them.
    let private imagined (latest: Summary) spread : Summary =
        let count = 16

        { latest with
            StandardError = spread / sqrt (float count)
            Independent = count
            Spread = spread
            Skewness = 0.0
            Dimension = 1.0
        }

    /// Before it was seen at three looks, the error of a sketch is taken to fall like 1/m², as for eigenvalues 1, 1/4,
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
            // What fell before says nothing of a flat rest.
            outlook.History |> List.skip (max 0 (outlook.History.Length - 3))

    /// What each way takes under a rule, by the forecasts that a run makes of itself.
    let forecast (rule: StoppingRule) (outlook: SketchOutlook) : WaysAhead =
        let latest, spent = List.last outlook.History, float outlook.Spent
        let left (ofTarget: StoppingRule -> float) = Stopping.expected ofTarget outlook.Spent 0.0 rule - spent

        let grown simple =
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
            Growing = left grown
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

    /// Whether samples are expected to reach a target with less work than more vectors. All columns are for the run to
    /// choose.
    let isLeft (outlook: SketchOutlook) (ways: WaysAhead) : bool =
        let samples = min ways.Outside ways.Plain
        let isDue = float outlook.Spent >= patience * min samples ways.Columns
        isDue && samples < ways.Growing && samples <= ways.Columns

    /// Whether samples are better than a sketch from a number of products, where its vectors cost more than one: an
    /// operator with more large eigenvalues than there will be vectors leaves it nothing to find. Not where a vector
    /// costs one product, since the vectors are samples too, and the better of both is taken at the end.
    let isFlat (limit: int) (outlook: SketchOutlook) : bool =
        outlook.CostOfVector > 1
        && outlook.Rank * float outlook.CostOfVector > 1.5 * float limit
        && outlook.Spent < limit / 2

    /// What is expected of a way, in words.
    let describe (work: float) =
        if Double.IsInfinity work then
            "not to get there"
        else
            $"to cost the work of {work:F0} products more"
