namespace Curvature.FSharp

open Curvature

/// What random vectors say that were kept until now.
[<NoEquality; NoComparison>]
type internal Found<'T> = { Summary: Summary; Finish: Ledger -> 'T }

/// An estimator that keeps the vectors that it has multiplied, so that more of them sharpen the same estimate. The estimate is computed
/// where somebody asks for it.
[<AbstractClass>]
type internal SketchIncremental<'T>() =
    inherit Incremental<'T>()
    let mutable found: Found<'T> voption = ValueNone

    /// Multiplies this many more random vectors.
    abstract Extend: count: int -> unit

    /// Computes the estimate.
    abstract Analyse: unit -> Found<'T>

    member this.Found: Found<'T> =
        match found with
        | ValueSome found -> found
        | ValueNone ->
            let analysed = this.Analyse()
            found <- ValueSome analysed
            analysed

    override this.Advance count =
        found <- ValueNone
        this.Extend count

    override this.Summaries = [| struct (this.Found.Summary, true) |]
    override this.Finish ledger = this.Found.Finish ledger

module internal Found =

    /// A number.
    let scalar independent isExact (struct (value, error)) : Found<Estimate<float>> =
        {
            Summary = Summaries.ofSketch independent value error isExact
            Finish = Estimates.scalar value error
        }

    /// A diagonal, or sums of it, whose error bar is known from so many vectors on.
    let diagonal (goal: DiagonalGoal<'T>) independent isExact (struct (value: Tensor, error: Tensor)) : Found<'T> =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        let known = if independent < 2 && not isExact then infinity else norm error

        {
            Summary = Summaries.ofSketch independent (norm value) known isExact
            Finish = goal.Finish value error
        }
