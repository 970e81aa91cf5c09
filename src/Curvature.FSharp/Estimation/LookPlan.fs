namespace Curvature.FSharp

open System
open MathNet.Numerics.Distributions

/// Numbers of samples at which a rule may act on what it sees, planned before: first·ratioʲ for j = 0, 1, 2, …, rounded up to multiples
/// of a step. Few, so that the price for peeking stays small.
[<Sealed>]
type internal LookPlan(first: int, step: int, ratio: float) =

    /// The samples of look j.
    member _.At(look: int) = step * int (ceil (float first / float step * Math.Pow(ratio, float look)))

    /// The first look after m samples.
    member this.Next(m: int) = Seq.initInfinite id |> Seq.find (fun look -> this.At look > m)

    /// Whether m samples are a look.
    member this.IsLook(m: int) = m > 0 && this.At(this.Next(m - 1)) = m

/// Quantiles of Student's t, and what each look may spend of a risk.
module internal Looks =

    /// For independent samples, whose error falls slowly.
    let sampling = LookPlan(16, 16, 1.5)

    /// Products of estimators that keep their vectors, whose error may fall fast: then a late look costs more than another one.
    let growing = LookPlan(16, 8, 1.3)

    /// Half the width of an interval, in standard errors, of the mean of m samples that misses the truth with probability delta.
    let quantile (samples: int) (delta: float) = StudentT.InvCDF(0.0, 1.0, float (samples - 1), 1.0 - delta / 2.0)

    /// The share of δ that look j may spend: δ/((j + 1)(j + 2)). Over all looks they add up to δ.
    let share (look: int) (delta: float) = delta / (float (look + 1) * float (look + 2))
