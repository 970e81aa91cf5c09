namespace Curvature.FSharp

open Curvature

/// An estimator that extends a range sketch, with two products for each random vector.
[<AbstractClass>]
type internal RangeIncremental<'T>(sketch: RangeSketch) =
    inherit SketchIncremental<'T>()

    /// Computes the estimate of a sketch that has a vector to leave out, or one outside the basis, or is complete.
    abstract AnalyseSketch: unit -> Found<'T>

    override _.CostOfVector = 2
    override _.Spent = Cost.products sketch.Spent
    override _.IsExact = sketch.IsComplete
    override _.Extend count = sketch.Grow count |> ignore

    override this.Analyse() =
        if sketch.Live = 0 && not sketch.IsComplete then sketch.DrawOutsider()
        this.AnalyseSketch()
