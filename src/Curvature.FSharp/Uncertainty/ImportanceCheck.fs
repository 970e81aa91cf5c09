namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// How far a Laplace approximation q is from the posterior p, from samples of q weighted by p/q.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ImportanceCheck internal (parameters: Tensor, logWeights: float[], laplaceEvidence: float) =
    let draws = logWeights.Length
    let largest = Array.max logWeights
    let scaled = logWeights |> Array.map (fun w -> exp (w - largest))
    let mean = Array.average scaled
    let relative = scaled |> Array.map (fun w -> w / mean)
    let effective = float draws * float draws / (relative |> Array.sumBy (fun w -> w * w))

    /// The standard error of the mean of numbers, where the weights let it be known.
    let error (values: float[]) =
        if effective < ImportanceCheck.LeastEffectiveDraws then
            infinity
        else
            let middle = Array.average values
            let squares = values |> Array.sumBy (fun x -> (x - middle) * (x - middle))
            sqrt (squares / float (draws - 1) / float draws)

    let distances = relative |> Array.map (fun w -> 0.5 * abs (w - 1.0))

    /// The mean weight is an estimate too: to first order, an excess e of it changes the distance by −½·mean(sign(w −
    /// 1)·w)·e, which each draw adds to.
    let linearized =
        let slope = 0.5 * (relative |> Array.averageBy (fun w -> float (Math.Sign(w - 1.0)) * w))
        Array.map2 (fun distance w -> distance - slope * (w - 1.0)) distances relative

    /// With fewer effective draws, errors are not known: the samples miss where the posterior is.
    static member internal LeastEffectiveDraws = 30.0

    /// The number of draws.
    member _.Draws = draws

    /// (Σw)²/Σw²: as many samples of the posterior itself would be as good (Kong 1992).
    member _.EffectiveDraws = effective

    /// The samples of the Laplace approximation, Float64 [draws; n].
    member _.Parameters = parameters

    /// p/q at each sample, with a sum of 1: Σ wᵢ h(θᵢ) is the posterior mean of h.
    member _.Weights = relative |> Array.map (fun w -> w / float draws)

    /// ln p(targets) by importance sampling: the logarithm of an unbiased estimate.
    member _.LogEvidence = largest + log mean

    /// The standard error of LogEvidence; infinite where there are fewer than 30 effective draws.
    member _.LogEvidenceError = error relative

    /// The log evidence of the Laplace approximation.
    member _.LaplaceLogEvidence = laplaceEvidence

    /// ½∫|p − q|, from 0 to 1: no probability of an event is wrong by more.
    member _.TotalVariation = Array.average distances

    /// The standard error of TotalVariation; infinite where there are fewer than 30 effective draws.
    member _.TotalVariationError = error linearized

    override this.ToString() =
        $"total variation {Numbers.withError this.TotalVariationError this.TotalVariation}; log evidence "
        + $"{Numbers.withError this.LogEvidenceError this.LogEvidence}, by Laplace {Numbers.show laplaceEvidence}; "
        + $"""{effective.ToString("F0", Globalization.CultureInfo.InvariantCulture)} effective of """
        + Describe.count draws "draw"

    member internal this.Text = this.ToString()
