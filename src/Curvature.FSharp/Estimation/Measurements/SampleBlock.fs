namespace Curvature

open Curvature.FSharp

/// Random vectors z, and their products Az or their forms zᵀAz.
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

    /// ‖Az‖² for each vector, in Float64: squares of Float32 numbers may overflow in Float32.
    member _.SquaredLengths =
        Array.init product.Value.Signature.Shape[0] (fun row ->
            let image = Tensor.convert DType.Float64 (Tensor.item 0 row product.Value)
            (Tensor.sum (Tensor.square image)).ToScalar())

    /// A number by which the first vector's product can be recognised.
    member _.Mark: float =
        match product with
        | ValueSome product -> (Tensor.norm (Tensor.item 0 0 product)).ToScalar()
        | ValueNone -> formValues.Value[0]
