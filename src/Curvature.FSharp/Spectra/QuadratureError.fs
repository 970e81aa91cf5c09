namespace Curvature.FSharp

open System
open Curvature

/// Intervals for the mean of few quadratic forms ωᵀf(A)ω, whose distribution is skewed where few eigenvalues of f(A)
/// outweigh the rest.
module internal Skewness =

    /// No quadratic form of a normal vector is more skewed than one of a single eigenvalue, χ² with one degree of
    /// freedom.
    let private most = sqrt 8.0

    /// The skewness of ωᵀBω for a normal vector ω, from tr B² and tr B³: 8 tr B³/(2 tr B²)^(3/2).
    let ofTraces square cube =
        if square > 0.0 then
            Math.Clamp(8.0 * cube / Math.Pow(2.0 * square, 1.5), -most, most)
        else
            0.0

    /// The same for the projection on a share of n eigenvalues, less its mean.
    let ofShare (n: float) share =
        let variance = n * share * (1.0 - share)
        ofTraces variance (variance * (1.0 - 2.0 * share))

    /// How many standard errors the interval reaches to the long side, where a symmetric one of m numbers takes t:
    /// the inverse of Hall's monotone cubic transformation (1992, "On the removal of skewness by transformation",
    /// equation 4), and no less than t.
    let private long m (skewness: float) (t: float) =
        let root = sqrt (float m)
        let inside = 1.0 - skewness * (t / root + skewness / (6.0 * float m))
        max t (root * 3.0 / skewness * (1.0 - Math.Cbrt inside))

    /// How many standard errors the interval of m numbers reaches below and above their mean.
    let reach m (skewness: float) (t: float) : struct (float * float) =
        if m < 2 || t = 0.0 || abs skewness < 1e-6 then struct (t, t)
        elif skewness > 0.0 then struct (t, long m skewness t)
        else struct (long m -skewness t, t)

/// What is known of the derivatives of a function, which decides on which side of the truth Gauss's rule lies.
[<NoEquality; NoComparison>]
type internal Derivatives =
    | Unknown
    /// Above a number, and from this order on, their signs alternate; those of even order are positive or not.
    | Alternating of above: float * order: float * isEvenPositive: bool

/// The mean of mass·Σ w f(θ) with all that is uncertain of it.
[<NoEquality; NoComparison>]
type internal Integral =
    {
        Value: float
        /// The standard error over random vectors.
        Random: float
        /// A bound of what the quadrature and rounding leave open; infinite where neither is known.
        Bias: float
        /// The ends of an interval, from how many standard errors a symmetric one would reach.
        Ends: float -> struct (float * float)
    }

/// What Gauss's rules of k nodes leave open.
module internal QuadratureError =

    let private sum f (rule: struct (float * float)[]) = rule |> Array.sumBy (fun struct (x, w) -> w * f x)

    let private distance (a: float[]) (b: float[]) =
        let gaps = Array.map2 (-) a b
        let spread = if gaps.Length < 2 then 0.0 else Statistics.standardError gaps
        abs (Statistics.mean gaps) + spread

    // ---- from fewer steps

    /// Where the error falls more slowly than this power of the steps, the remaining error is not known.
    let private slowest = 1.0

    /// With fewer steps, a cluster of eigenvalues is one node, and seems resolved before it splits.
    let private fewest = 8

    let private left (ratio: float) p = 1.0 / (Math.Pow(ratio, p) - 1.0)

    /// The power p at which C·(m⁻ᵖ − k⁻ᵖ) for m = half of k is `quotient` times that for three quarters, by
    /// bisection; the quotient grows with p. Nothing where it is less than the slowest.
    let private power half threeQuarters whole quotient =
        let quotientAt p = left (whole / threeQuarters) p / left (whole / half) p

        let rec halve low high rounds =
            let middle = 0.5 * (low + high)

            if rounds = 0 then low
            elif quotientAt middle > quotient then halve low middle (rounds - 1)
            else halve middle high (rounds - 1)

        if quotientAt slowest > quotient then
            ValueNone
        else
            ValueSome(halve slowest 200.0 50)

    /// After how many of k steps a half and three quarters are done.
    let halfAndThreeQuarters k : struct (int * int) = (k + 1) / 2, min (k - 1) ((3 * k + 3) / 4)

    /// What is left after k steps. The largest distances from the value after k steps, of those after half to three
    /// quarters of them and of those from there on, are taken for a power law. That overestimates what is left where
    /// the error falls geometrically, as it does once the spectrum is resolved. Infinite where they do not fall, or the
    /// steps are too few to show it. The function tells the largest distance between two numbers of steps.
    let extrapolated (tiny: float) (k: int) (farthest: int -> int -> float) =
        if k < fewest then
            infinity
        else
            let struct (half, threeQuarters) = halfAndThreeQuarters k
            let early, late = farthest half threeQuarters, farthest threeQuarters k

            if late <= tiny then
                late
            elif not (Double.IsFinite early) then
                infinity
            else
                match power (float half) (float threeQuarters) (float k) (early / late) with
                | ValueSome p -> late * left (float k / float threeQuarters) p
                | ValueNone -> infinity

    /// About four numbers of steps from the first to the one before the last.
    let between first last = [ first .. max 1 ((last - first) / 4) .. last - 1 ]

    /// What is left of the means over some rules; see `extrapolated`.
    let private trend (tiny: float) (f: float -> float) (whole: float[]) (rules: SpectralRule[]) =
        let k = rules |> Seq.map _.Recurrence.Size |> Seq.max

        let after steps (rule: SpectralRule) value =
            if steps >= rule.Recurrence.Size then
                value
            else
                rule.Mass * sum f (rule.Recurrence.Gauss steps)

        let farthest first last =
            between first last
            |> List.map (fun steps -> distance whole (Array.map2 (after steps) rules whole))
            |> List.max

        extrapolated tiny k farthest

    // ---- from the ends of the spectrum

    /// The ends of the spectrum: those that the caller or the operator states, or those that Ritz values and their
    /// residuals show.
    let private seenEnds (rules: SpectralRule[]) : struct (float * float) =
        let ritz = rules |> Array.map _.Recurrence.Residuals
        let low = ritz |> Seq.map (fun pairs -> let struct (x, residual) = pairs[0] in x - residual) |> Seq.min
        let high = ritz |> Seq.map (fun pairs -> let struct (x, residual) = Array.last pairs in x + residual) |> Seq.max
        struct (low, high)

    /// No eigenvalue is less, if the caller or the operator says so.
    let private knownLow (sample: SpectralSample) =
        if sample.IsSemidefinite then max 0.0 sample.Bounds.Low else sample.Bounds.Low

    /// An end outside of all nodes by more than rounding: there is no Gauss–Radau rule with a node between them.
    let private outside (sample: SpectralSample) low high : struct (float * float) =
        let apart = float sample.Steps * sample.Unit
        struct (min low (sample.Least - apart), max high (sample.Largest + apart))

    let private radau f last (rules: SpectralRule[]) whole =
        (rules, whole)
        ||> Array.map2 (fun rule value ->
            if rule.IsExact then value else rule.Mass * sum f (rule.Recurrence.Radau last))

    let private allFinite = Array.forall Double.IsFinite

    /// How far the truth may be from Gauss's rules where no end is known: the trend over the steps, and no less than
    /// the distance to Gauss–Radau's rules at the ends that Ritz values show, where the function is finite there.
    let private estimated tiny f (sample: SpectralSample) (whole: float[]) =
        let rules, known = sample.Rules, knownLow sample
        let struct (low, high) = seenEnds rules
        let high = if Double.IsFinite sample.Bounds.High then sample.Bounds.High else high
        let struct (low, high) = outside sample (max low known) high

        let gap last =
            let other = radau f last rules whole

            if allFinite other then
                abs (Statistics.mean (Array.map2 (-) other whole))
            else
                0.0

        max (trend tiny f whole rules) (max (gap low) (gap high))

    /// Gauss–Radau's rules at a lower end that is known.
    let private atKnownEnd f above (sample: SpectralSample) whole : float[] voption =
        let known = knownLow sample
        let struct (low, _) = outside sample known infinity

        if known < above || Double.IsInfinity known then
            ValueNone
        else
            let other = radau f low sample.Rules whole
            if allFinite other then ValueSome other else ValueNone

    /// Between which numbers ωᵀf(A)ω lies for each random vector (Golub & Meurant 2010, "Matrices, Moments and
    /// Quadrature", chapter 6). Gauss's rule lies on one side of the truth where the derivative of order 2k has one
    /// sign, and Gauss–Radau's at the lower end on the other where the next one has the other.
    let private bracket tiny f derivatives (sample: SpectralSample) (whole: float[]) : struct (float[] * float[]) =
        let rules = sample.Rules
        let shifted by = whole |> Array.map (fun value -> value + by)

        if rules |> Array.forall _.IsExact then
            struct (whole, whole)
        else
            let steps = rules |> Seq.filter (fun rule -> not rule.IsExact) |> Seq.map _.Recurrence.Size |> Seq.min

            match derivatives with
            | Alternating(above, order, isEvenPositive) when
                2.0 * float steps > order && sample.Least >= above - sample.Rounding
                ->
                match atKnownEnd f above sample whole, isEvenPositive with
                | ValueSome other, true -> struct (whole, Array.map2 max whole other)
                | ValueSome other, false -> struct (Array.map2 min whole other, whole)
                | ValueNone, true -> struct (whole, shifted (estimated tiny f sample whole))
                | ValueNone, false -> struct (shifted -(estimated tiny f sample whole), whole)
            | _ ->
                let open' = estimated tiny f sample whole
                struct (shifted -open', shifted open')

    // ---- all together

    /// By how much rounded products may change a value: as though every node were moved by a unit.
    let private rounding unit (f: float -> float) (rule: SpectralRule) =
        let change x =
            let y = f x
            let moved = max (abs (f (x + unit) - y)) (abs (f (x - unit) - y))
            if Double.IsNaN moved then infinity else moved

        if unit = 0.0 then 0.0 else rule.Mass * rule.Integrate change

    let private skewness (f: float -> float) (rules: SpectralRule[]) n value =
        let masses = rules |> Array.map _.Mass
        // Vectors of one length do not see a multiple of the identity.
        let isSphere = Array.max masses - Array.min masses <= 1e-5 * n
        let centre = if isSphere then value / n else 0.0

        let moment p =
            rules |> Array.averageBy (fun rule -> rule.Mass * rule.Integrate(fun x -> Math.Pow(f x - centre, p)))

        Skewness.ofTraces (moment 2.0) (moment 3.0)

    /// Mean and errors of mass·Σ w f(θ) over the rules of a sample; f is finite at their nodes.
    let integral (f: float -> float) (derivatives: Derivatives) (sample: SpectralSample) : Integral =
        let rules, m = sample.Rules, sample.Rules.Length
        let whole = rules |> Array.map (fun rule -> rule.Mass * rule.Integrate f)
        let value = Statistics.mean whole
        let errorOf values = Statistics.standardError values

        let rounded =
            if m = 0 then
                0.0
            else
                rules |> Array.averageBy (fun rule -> rounding (sample.Blur rule) f rule)

        if sample.Ledger.IsExact then
            {
                Value = value
                Random = 0.0
                Bias = rounded
                Ends = fun _ -> struct (value - rounded, value + rounded)
            }
        else
            let tiny =
                max rounded (1e-13 * (rules |> Array.averageBy (fun rule -> rule.Mass * rule.Integrate(f >> abs))))

            let struct (low, high) = bracket tiny f derivatives sample whole
            let gamma = skewness f rules (float sample.Size) value

            let ends t =
                let struct (below, above) = Skewness.reach m gamma t

                struct ((if allFinite low then
                             Statistics.mean low - below * errorOf low - rounded
                         else
                             -infinity),
                        (if allFinite high then
                             Statistics.mean high + above * errorOf high + rounded
                         else
                             infinity))

            let least, most = Statistics.mean low, Statistics.mean high
            let bias = max (value - least) (most - value) + rounded
            { Value = value; Random = errorOf whole; Bias = bias; Ends = ends }
