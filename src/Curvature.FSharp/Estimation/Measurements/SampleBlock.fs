namespace Curvature

open Curvature.FSharp

/// Random vectors z, and their products Az, their forms zᵀAz, or their forms restricted to ranges.
[<Sealed>]
type internal SampleBlock(vectors: Tensor, product: Tensor voption, forms: Tensor voption, blockForms: Tensor voption) =
    let weighted = lazy (vectors * product.Value)

    let formValues =
        lazy
            (match forms with
             | ValueSome forms -> forms.ToArray()
             | ValueNone -> (Tensor.sumAxes [ 1 ] weighted.Value).ToArray())

    new(vectors, product, forms) = SampleBlock(vectors, product, forms, ValueNone)

    member _.Vectors = vectors
    member _.Product = product.Value

    /// z∘Az, a row for each vector.
    member _.Weighted = weighted.Value

    /// zᵀAz for each vector, restricted to each of the ranges: Float64 [vectors], range by range. Where only these
    /// are known, the ranges must be those that were asked for.
    member _.BlockForms(ranges: struct (int * int)[]) : Tensor[] =
        match blockForms with
        | ValueSome forms -> Array.init ranges.Length (fun range -> Tensor.item 1 range forms)
        | ValueNone ->
            ranges
            |> Array.map (fun (struct (first, count)) ->
                Tensor.slice 1 first count weighted.Value |> Tensor.sumAxes [ 1 ] |> Tensor.convert DType.Float64)

    /// zᵀAz for each vector.
    member _.Forms = formValues.Value

    /// ‖Az‖² for each vector, in Float64: squares of Float32 numbers may overflow in Float32.
    member _.SquaredLengths =
        Array.init product.Value.Signature.Shape[0] (fun row ->
            let image = Tensor.convert DType.Float64 (Tensor.item 0 row product.Value)
            (Tensor.sum (Tensor.square image)).ToScalar())

    /// A number by which the first vector's product can be recognised.
    member _.Mark: float =
        match product, blockForms with
        | ValueSome product, _ -> (Tensor.norm (Tensor.item 0 0 product)).ToScalar()
        | ValueNone, ValueSome forms -> (Tensor.norm (Tensor.item 0 0 forms)).ToScalar()
        | ValueNone, ValueNone -> formValues.Value[0]
