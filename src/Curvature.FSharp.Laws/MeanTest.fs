namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics
open MathNet.Numerics.Distributions

/// Tests of the mean of independent samples, and of a share of successes.
module internal MeanTest =

    /// The score that samples which obey a law exceed in magnitude at a rate.
    let limit (rate: float) = -Normal.InvCDF(0.0, 1.0, 0.5 * rate)

    /// How far the mean of samples is from the truth, in standard errors, after Hall's transformation (Hall 1992,
    /// "On the removal of skewness by transformation", J. R. Statist. Soc. B 54): t-statistics of skewed samples have
    /// one tail that is far longer than the normal law's, this score has not. A difference within `rounding` counts as
    /// none.
    let score (rounding: float) (truth: float) (values: float[]) : float =
        let n = float values.Length
        let mean = Array.average values
        let difference = mean - truth

        if abs difference <= rounding then
            0.0
        else
            let moment (power: int) = values |> Array.sumBy (fun x -> Math.Pow(x - mean, float power))
            let variance = moment 2 / (n - 1.0)

            if variance = 0.0 then
                Math.CopySign(infinity, difference)
            else
                let t = difference / sqrt (variance / n)
                let skewness = moment 3 / n / Math.Pow(variance, 1.5)
                let a = skewness / sqrt n
                t + a * (t * t / 3.0 + 1.0 / 6.0) + a * a * t * t * t / 27.0

    /// The probability of so few successes, or fewer, among so many trials that succeed with probability p each.
    let atMost (successes: int) (trials: int) (p: float) =
        if successes >= trials then
            1.0
        else
            SpecialFunctions.BetaRegularized(float (trials - successes), float successes + 1.0, 1.0 - p)
