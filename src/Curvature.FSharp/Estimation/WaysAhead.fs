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

    /// A spectrum may hide a fall behind a plateau, and a sketch can be left later, but not taken up again. So it is left
    /// only where it has cost this share of what another way will.
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

    /// What each way takes under a rule, by the forecasts that a run makes of itself.
    let forecast (rule: StoppingRule) (outlook: SketchOutlook) : WaysAhead =
        let latest, spent = List.last outlook.History, float outlook.Spent
        let left (ofTarget: StoppingRule -> float) = Stopping.expected ofTarget outlook.Spent 0.0 rule - spent

        let grown simple =
            let samples = SequentialDesign.forecast (target false simple) outlook.History
            spent + float outlook.CostOfVector * (samples - float latest.Independent)

        let sampled spread =
            left (fun simple -> spent + SequentialDesign.forecast (target true simple) [ imagined latest spread ])

        let columns = float outlook.Columns

        {
            Growing = left grown
            Outside = outlook.Price * sampled outlook.Spread
            Plain = outlook.Price * sampled outlook.PlainSpread
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

    /// How many eigenvalues of one size have the trace and the squared Frobenius norm of a semidefinite operator, from a
    /// trace and the standard deviation of forms of vectors of one length: no more than its rank.
    let effectiveRank (columns: int) (trace: float) (plainSpread: float) : float =
        let squares = 0.5 * plainSpread * plainSpread + trace * trace / float columns
        if squares > 0.0 then trace * trace / squares else 0.0

    /// Whether samples are better than a sketch from a number of products. A sketch finds whatever decays, and without
    /// decay its error is that of samples but for two factors: 2 where a vector costs two products, and (n + k)/(n − k)
    /// for k vectors, in variance; see LeaveOneOutError. So it is left only where these are large, near n, and where the
    /// operator has more eigenvalues of one size than there will be vectors.
    let isFlat (limit: int) (rank: float) (outlook: SketchOutlook) : bool =
        let n, vectors = float outlook.Columns, float limit / float outlook.CostOfVector
        let factor = float outlook.CostOfVector * (n + vectors) / max 1.0 (n - vectors)
        factor > 2.5 && rank > max (0.5 * n) vectors

    /// What is expected of a way, in words.
    let describe (work: float) =
        if Double.IsInfinity work then
            "not to get there"
        else
            $"to cost the work of {work:F0} products more"
