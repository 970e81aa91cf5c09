namespace Curvature.FSharp

open MathNet.Numerics
open MathNet.Numerics.Distributions

/// Quantiles of the distance of a mean from the truth.
module internal ErrorQuantile =

    /// Math.NET looks for quantiles of Student's t up to 800 only, and 1 − p/2 has few digits of a small p.
    let private leastProbability (freedom: float) = if freedom < 2.0 then 1e-3 else 1e-5

    /// What Student's t exceeds in magnitude with a small probability: P(|T| > t) = I_x(ν/2, ½) for x = ν/(ν + t²),
    /// and x is found by its logarithm.
    let private tail (freedom: float) (probability: float) =
        let rec narrow low high steps =
            let middle = 0.5 * (low + high)

            if steps = 0 then
                middle
            elif SpecialFunctions.BetaRegularized(0.5 * freedom, 0.5, exp middle) < probability then
                narrow middle high (steps - 1)
            else
                narrow low middle (steps - 1)

        let x = exp (narrow -700.0 0.0 64)
        sqrt (freedom * (1.0 - x) / x)

    /// What Student's t exceeds in magnitude with a probability; `below` is 1 − probability/2.
    let private twoSided (freedom: float) (probability: float) (below: float) =
        if probability < leastProbability freedom then
            tail freedom probability
        else
            StudentT.InvCDF(0.0, 1.0, freedom, below)

    /// Half the width of an interval, in standard errors, of the mean of samples that misses the truth with this
    /// probability: a quantile of Student's t.
    let student (samples: int) (probability: float) =
        twoSided (float (samples - 1)) probability (1.0 - probability / 2.0)

    /// Where a function that rises from 0 to 1 on (0, 1) takes the value p.
    let private bisect (p: float) (f: float -> float) =
        let rec narrow low high steps =
            let middle = 0.5 * (low + high)

            if steps = 0 then middle
            elif f middle < p then narrow middle high (steps - 1)
            else narrow low middle (steps - 1)

        narrow 0.0 1.0 60

    /// F with many degrees of freedom (Paulson 1942): its cube root is about normal, by Wilson and Hilferty. The
    /// equation ((1 − b) w − (1 − a))² = z² (b w² + a), a = 2/(9 d₁), b = 2/(9 d₂), is solved for w, the root of the
    /// quantile.
    let private paulson (d1: float) (d2: float) (p: float) =
        let z, a, b = Normal.InvCDF(0.0, 1.0, p), 2.0 / (9.0 * d1), 2.0 / (9.0 * d2)
        let square = (1.0 - b) ** 2.0 - z * z * b
        let half = (1.0 - a) * (1.0 - b)
        let root = sqrt (max 0.0 (half * half - square * ((1.0 - a) ** 2.0 - z * z * a)))
        ((half + (if z < 0.0 then -root else root)) / square) ** 3.0

    /// The p quantile of the ratio of two mean squares of d₁ and d₂ degrees of freedom, which need not be whole.
    let fisher (d1: float) (d2: float) (p: float) : float =
        if d1 > 200.0 && d2 > 200.0 then
            paulson d1 d2 p
        elif d2 > 1e5 then
            // A χ² over its degrees of freedom, but for the little that the divisor varies.
            let share = bisect p (fun y -> SpecialFunctions.GammaLowerRegularized(0.5 * d1, 0.5 * d1 * y / (1.0 - y)))
            share / (1.0 - share)
        else
            let share = bisect p (fun y -> SpecialFunctions.BetaRegularized(0.5 * d1, 0.5 * d2, y))
            d2 * share / (d1 * (1.0 - share))

    /// The squared length of the error of a mean of m samples, in squared standard errors, is exceeded with
    /// probability 1 − confidence. For a number that is the square of Student's t. For a vector whose error lies in ν
    /// directions it is F(ν, ν (m − 1)): Satterthwaite's χ²_ν/ν for the error (Box 1954), over that of the variance,
    /// which m samples show.
    let squared (dimension: float) (samples: int) (confidence: float) : float =
        let freedom = float (max 1 (samples - 1))

        if dimension <= 1.0 then
            twoSided freedom (1.0 - confidence) (0.5 + 0.5 * confidence) ** 2.0
        else
            fisher dimension (dimension * freedom) confidence
