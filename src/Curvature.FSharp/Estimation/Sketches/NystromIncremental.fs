namespace Curvature.FSharp

open Curvature

/// An estimator that extends a Nyström approximation, with one product for each random vector.
[<AbstractClass>]
type internal NystromIncremental<'T>(sketch: NystromSketch) =
    inherit SketchIncremental<'T>()
    let mutable factors: NystromFactors voption = ValueNone
    let mutable isZero = false

    /// Computes the estimate from the factors of the approximation.
    abstract OfFactors: NystromFactors -> Found<'T>

    /// The estimate for an operator whose products are all zero.
    abstract OfZero: Found<'T>

    /// The factors at the latest analysis.
    member _.Factors: NystromFactors = factors.Value

    override _.Samples = max 1 sketch.Spent
    override _.Spent = Cost.products sketch.Spent
    override _.IsExact = isZero
    override _.Extend count = sketch.Grow count

    override this.Analyse() =
        factors <- sketch.Factorize()
        isZero <- factors.IsNone

        match factors with
        | ValueSome factors -> this.OfFactors factors
        | ValueNone -> this.OfZero
