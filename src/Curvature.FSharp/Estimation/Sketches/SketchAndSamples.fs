namespace Curvature.FSharp

open Curvature

/// A sketch of the range from two products a vector, and then independent samples of what is outside it, as in
/// Hutch++. The basis is made from vectors of the sphere: an operator with few nonzero rows gives the same image for
/// many vectors of signs.
[<AbstractClass>]
type internal SketchAndSamples<'T>(sketch: RangeSketch) =
    inherit Incremental<'T>()
    let mutable samples: Incremental<'T> voption = ValueNone
    let mutable inside: Incremental<'T> voption = ValueNone

    member private this.OfSamples: Incremental<'T> =
        match samples with
        | ValueSome samples -> samples
        | ValueNone ->
            let started = this.Outside()
            samples <- ValueSome started
            started

    /// Whether the next products go into the sketch.
    abstract IsSketching: bool

    /// Extends the sketch by this many vectors, or fewer.
    abstract Extend: count: int -> unit

    /// Samples of the whole, given the sketch.
    abstract Outside: unit -> Incremental<'T>

    /// What the vectors of the sketch tell when each in turn is left out.
    abstract Inside: unit -> Incremental<'T>

    /// The result where the sketch is all that was needed.
    abstract Complete: Ledger -> 'T

    member private this.Current: Incremental<'T> =
        match samples with
        | ValueSome samples when samples.Samples > 0 -> samples
        | _ ->
            if inside.IsNone then inside <- ValueSome(this.Inside())
            inside.Value

    override this.CostOfVector = if this.IsSketching then 2 else 1

    override _.Spent =
        Cost.sum [ Cost.products sketch.Spent; yield! samples |> ValueOption.map _.Spent |> ValueOption.toList ]

    /// How many products the samples expect to take; 0 where there are none yet, and NaN where the rule decides.
    member _.ExpectedOfSamples = samples |> ValueOption.map _.Expected |> ValueOption.defaultValue 0.0

    override _.IsDone = samples |> ValueOption.exists _.IsDone
    override _.TakesForms = samples |> ValueOption.exists _.TakesForms
    override this.Samples = this.Current.Samples
    override _.IsExact = sketch.IsComplete

    override this.Advance count =
        if this.IsSketching then
            inside <- ValueNone
            this.Extend count
        else
            this.OfSamples.Advance count

    override this.Summaries = this.Current.Summaries

    override this.Finish ledger = if sketch.IsComplete then this.Complete ledger else this.Current.Finish ledger

/// A sketch and samples, with a third of the products for the sketch's vectors, a third for their images, and a third
/// outside.
[<AbstractClass>]
type internal ThreeParts<'T>(sketch: RangeSketch, limit: int) =
    inherit SketchAndSamples<'T>(sketch)
    let mutable left = limit / 3

    override _.IsSketching = left > 0 && not sketch.IsSaturated

    override _.Extend count =
        let count = min count left
        left <- left - count
        sketch.Grow count |> ignore
