namespace Curvature.FSharp

open System
open Curvature

/// The share of a rule's measure at or below x, and how far the truth for that random vector may be from it. Two bounds
/// hold for every spectrum, and the tighter one counts. Chebyshev, Markov and Stieltjes: the measure and the rule
/// differ by at most the weights of the nodes beside x. And by residuals: of the Ritz vector of θ, at most the share
/// r/|x − θ| of its length lies beyond x, so that the root of the share is off by at most Σ √wᵢ min(1, rᵢ/|x − θᵢ|).
module internal RuleBounds =

    let private root nodes (weights: float[]) (residuals: float[]) x =
        let mutable sum = 0.0

        Array.iteri
            (fun i node ->
                let distance: float = abs (x - node)
                let share = if residuals[i] < distance then residuals[i] / distance else 1.0
                sum <- sum + sqrt weights[i] * share)
            nodes

        sum

    /// Lower bound, value and upper bound at x; `inclusive` counts a node at x itself.
    let at (inclusive: bool) (rule: SpectralRule) (x: float) : struct (float * float * float) =
        let nodes, weights = rule.Nodes, rule.Weights
        let isBelow node = if inclusive then node <= x else node < x
        let below = nodes |> Array.filter isBelow |> Array.length
        let share = min 1.0 (Array.sum weights[.. below - 1])

        if rule.IsExact then
            struct (share, share, share)
        else
            let before = if below > 0 then weights[below - 1] else 0.0
            let after = if below < weights.Length then weights[below] else 0.0
            let slack = root nodes weights rule.Residuals x
            let squared y = y * y
            let low = max (share - before) (squared (max 0.0 (sqrt share - slack)))
            let high = min (share + after) (squared (sqrt share + slack))
            struct (max 0.0 low, share, min 1.0 high)

namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// The share of eigenvalues at or below a number, with a band that does not depend on any smoothing. At each number,
/// the weights of each random vector are summed; the band is their mean ± Student's t times its standard error, more
/// on the side to which such weights are skewed, and widened by what the quadrature leaves open.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CumulativeDensity internal (sample: SpectralSample) =
    let rules = sample.Rules

    let shares x pick = rules |> Array.map (fun rule -> pick (RuleBounds.at true rule x))

    let reach share factor = Skewness.reach rules.Length (Skewness.ofShare (float sample.Size) share) factor

    let error values = if sample.Ledger.IsExact then 0.0 else Statistics.standardError values

    /// The share of eigenvalues ≤ x: a step function, from 0 to 1.
    member _.At(x: float) : float = shares x (fun struct (_, share, _) -> share) |> Statistics.mean

    /// The band at x that holds the share with this confidence. Raises ArgumentRangeException for a single random
    /// vector or a confidence outside (0, 1).
    member _.Band(x: float, confidence: float) : Interval<float> =
        sample.Ledger.RequireErrorBar()
        let factor = sample.Ledger.Factor confidence

        // An eigenvalue within rounding of x may lie on either side.
        let bounds =
            rules
            |> Array.map (fun rule ->
                let blur = sample.Blur rule
                let struct (low, _, _) = RuleBounds.at true rule (x - blur)
                let struct (_, _, high) = RuleBounds.at true rule (x + blur)
                struct (low, high))

        let low = bounds |> Array.map (fun struct (low, _) -> low)
        let high = bounds |> Array.map (fun struct (_, high) -> high)
        let struct (below, _) = reach (Statistics.mean low) factor
        let struct (_, above) = reach (Statistics.mean high) factor
        let lower = max 0.0 (Statistics.mean low - below * error low)
        let upper = min 1.0 (Statistics.mean high + above * error high)
        Interval(lower, upper, confidence)

    /// Where the step function rises: all Ritz values, ascending.
    member _.Steps = rules |> Array.collect (fun rule -> rule.Nodes) |> Array.sort

    /// What it cost.
    member _.Ledger = sample.Ledger

    override _.ToString() =
        let low, high = Numbers.show sample.Least, Numbers.show sample.Largest
        $"shares of the eigenvalues of {sample.Name}, seen from {low} to {high}; {sample.Ledger}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Shares and numbers of eigenvalues, without smoothing.
[<RequireQualifiedAccess>]
module CumulativeDensity =

    /// The cumulative density that a sample shows. Raises ArgumentRangeException for an operator without eigenvalues.
    let ofSample (sample: SpectralSample) : CumulativeDensity =
        if sample.Size = 0 then
            Fail.range $"CumulativeDensity: {sample.Name} has no eigenvalues"

        CumulativeDensity sample

    /// The number of eigenvalues in [low, high]. The standard error is that over random vectors together with half of
    /// what the quadrature leaves open; the interval is the mean of the bounds ± t times their standard errors.
    /// Raises ArgumentRangeException for an interval that is empty or not a number.
    let count (low: float, high: float) (sample: SpectralSample) : Estimate<float> =
        if not (low <= high) then
            Fail.range $"CumulativeDensity.count: [{low}, {high}] is not an interval"

        let n, rules, exact = float sample.Size, sample.Rules, sample.Ledger.IsExact

        let bounds =
            rules
            |> Array.map (fun rule ->
                let blur = sample.Blur rule
                let struct (lowBelow, _, _) = RuleBounds.at false rule (low - blur)
                let struct (_, below, _) = RuleBounds.at false rule low
                let struct (_, _, highBelow) = RuleBounds.at false rule (low + blur)
                let struct (lowUpTo, _, _) = RuleBounds.at true rule (high - blur)
                let struct (_, upTo, _) = RuleBounds.at true rule high
                let struct (_, _, highUpTo) = RuleBounds.at true rule (high + blur)
                struct (n * max 0.0 (lowUpTo - highBelow), n * (upTo - below), n * min 1.0 (highUpTo - lowBelow)))

        let column pick = bounds |> Array.map pick
        let least = column (fun struct (least, _, _) -> least)
        let values = column (fun struct (_, value, _) -> value)
        let most = column (fun struct (_, _, most) -> most)
        let error values = if exact then 0.0 else Statistics.standardError values
        let random, truncation = error values, 0.5 * (Statistics.mean most - Statistics.mean least)

        let reach number factor = Skewness.reach rules.Length (Skewness.ofShare n (number / n)) factor

        let ends factor =
            let fewest, largest = Statistics.mean least, Statistics.mean most
            let struct (below, _) = reach fewest factor
            let struct (_, above) = reach largest factor
            struct (max 0.0 (fewest - below * error least), min n (largest + above * error most))

        let value = Statistics.mean values
        let bias = max (value - Statistics.mean least) (Statistics.mean most - value)
        Estimate(value, sqrt (random * random + truncation * truncation), ends, sample.Ledger, bias)
