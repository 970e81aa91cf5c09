namespace Curvature.FSharp

open System

/// Numbers of products after which a run may act on what it sees, planned beforehand: first·ratioʲ for j = 0, 1, 2, …,
/// rounded up to multiples of a step.
[<Sealed>]
type internal AnalysisSchedule(first: int, step: int, ratio: float) =

    /// The products at interim analysis j.
    member _.At(analysis: int) = step * int (ceil (float first / float step * Math.Pow(ratio, float analysis)))

    /// The first interim analysis after so many products.
    member this.Next(products: int) = Seq.initInfinite id |> Seq.find (fun analysis -> this.At analysis > products)

module internal AnalysisSchedule =

    /// For estimators that keep their vectors. Their error may fall fast, and then a late analysis costs more than an
    /// additional one.
    let ofSketch = AnalysisSchedule(16, 8, 1.3)
