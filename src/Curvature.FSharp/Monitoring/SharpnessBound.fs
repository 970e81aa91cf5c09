namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.Distributions

/// What a run of Lanczos says of the largest eigenvalue.
[<NoEquality; NoComparison>]
type internal SharpnessFound =
    {
        /// The largest Ritz value, which the largest eigenvalue is not below.
        Largest: float
        /// The least Ritz value.
        Least: float
        /// ‖Ay − θy‖ of the largest: an eigenvalue lies so near.
        Residual: float
        Steps: int
        Dimension: int
        /// The length of the random part of the start vector, whose whole length is 1.
        RandomShare: float
        /// Whether the Krylov space became invariant: it has every eigenvalue, almost surely.
        IsInvariant: bool
        /// Of products.
        Rounding: float
        Seconds: float
    }

module internal SharpnessBound =

    /// The ε with (λ₁ − θ₁)/(λ₁ − λₙ) ≤ ε but for a probability δ: 1.648·√n·exp(−√ε(2m − 1)) = δ for m steps from a
    /// uniformly random start vector (Kuczyński & Woźniakowski 1992, theorem 4.2). The bound rests on the part of the
    /// start along the eigenvector alone. A vector that is added to a random one of length w makes a small part no more
    /// probable (Anderson 1955), so that √n becomes √n/w.
    let private relative (found: SharpnessFound) (delta: float) : float =
        let scale = 1.648 * sqrt (float found.Dimension) / (found.RandomShare * delta)
        let root = log scale / float (2 * found.Steps - 1)
        root * root

    /// How far the largest eigenvalue may lie above the largest Ritz value, but for a probability δ, half of which is
    /// for the other end of the spectrum. Infinite where the steps are too few to say.
    let excess (found: SharpnessFound) (delta: float) : float =
        if found.IsInvariant || found.Steps >= found.Dimension then
            found.Residual + found.Rounding
        else
            let epsilon = relative found (0.5 * delta)

            if epsilon >= 0.5 then
                infinity
            else
                epsilon * (found.Largest - found.Least) / (1.0 - 2.0 * epsilon) + found.Rounding

    /// An interval from the largest Ritz value up. Its standard error is what holds with the confidence of one standard
    /// error.
    let estimate (found: SharpnessFound) : Estimate<float> =
        let ends t =
            let delta = 2.0 * Normal.CDF(0.0, 1.0, -t)
            struct (found.Largest - found.Rounding, found.Largest + excess found delta)

        let struct (_, upper) = ends 1.0
        let error = upper - found.Largest
        let cost = Cost.products found.Steps

        let ledger = Ledger(1, cost, found.Seconds, StopReason.MatvecsSpent, IntervalWidth.ofRounding, nan)

        Estimate(found.Largest, error, ends, ledger, Double.IsFinite error)
