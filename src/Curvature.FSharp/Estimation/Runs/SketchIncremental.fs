namespace Curvature.FSharp

open Curvature

/// What the random vectors say that were kept until now.
[<NoEquality; NoComparison>]
type internal Found<'T> = { Summary: Summary; Finish: Ledger -> 'T }

/// An estimator that keeps the vectors that it has multiplied: more of them sharpen the same estimate. The estimate is
/// computed where somebody asks for it.
[<AbstractClass>]
type internal SketchIncremental<'T>() =
    inherit Incremental<'T>()
    let mutable found: Found<'T> voption = ValueNone

    /// Multiplies this many more random vectors.
    abstract Extend: count: int -> unit

    /// Computes the estimate.
    abstract Analyse: unit -> Found<'T>

    // ---- what a choice between more vectors and samples needs to know, once the estimate was computed

    /// The standard deviation of one sample of what the vectors have missed. For a vector, here and below, the length
    /// of the standard deviations of its elements.
    abstract SpreadOutside: float

    /// The standard deviation of one sample of the whole.
    abstract SpreadOfSamples: float

    /// An operator, and a measurement of which each sample is an independent estimate of the whole: what the vectors
    /// tell, and a sample of what they have missed.
    abstract Outside: unit -> struct (LinearOperator * Measurement<'T>)

    /// The vectors and their products, where they serve as samples of the whole too.
    abstract AsSamples: SampleBlock seq

    default _.AsSamples = Seq.empty

    /// How many large eigenvalues the operator has at least, as far as the vectors show; 0 where they do not.
    abstract Rank: float

    default _.Rank = 0.0

    // ---- to the loop

    member private this.Found: Found<'T> =
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
