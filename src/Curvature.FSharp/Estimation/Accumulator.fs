namespace Curvature

open Curvature.FSharp

/// Random vectors and what the operator made of them.
[<Sealed>]
type internal SampleBlock(vectors: Tensor, product: Tensor voption, forms: Tensor voption) =
    let weighted = lazy (vectors * product.Value)

    let formValues =
        lazy
            (match forms with
             | ValueSome forms -> forms.ToArray()
             | ValueNone -> (Tensor.sumAxes [ 1 ] weighted.Value).ToArray())

    member _.Vectors = vectors
    member _.Product = product.Value

    /// z∘Az, a row for each vector.
    member _.Weighted = weighted.Value

    /// zᵀAz for each vector.
    member _.Forms = formValues.Value

    /// ‖Az‖² for each vector, in Float64: squares of Float32 numbers may not exist in Float32.
    member _.SquaredLengths =
        Array.init product.Value.Signature.Shape[0] (fun row ->
            let own = Tensor.convert DType.Float64 (Tensor.item 0 row product.Value)
            (Tensor.sum (Tensor.square own)).ToScalar())

    /// A number by which the first vector's product can be recognised.
    member _.Mark: float =
        match product with
        | ValueSome product -> (Tensor.norm (Tensor.item 0 0 product)).ToScalar()
        | ValueNone -> formValues.Value[0]

/// What a measurement has seen so far.
[<AbstractClass>]
type internal Accumulator<'T>() =
    abstract Add: SampleBlock -> unit

    /// Of each quantity, and whether a stopping rule watches it.
    abstract Summaries: struct (Summary * bool)[]

    abstract Finish: Ledger -> 'T

    /// All that was seen, so that a run can go on from it.
    abstract State: ISavable list
