namespace Curvature.FSharp

open Curvature

/// Layers for sequences [batch; length; features]. Names, shapes and order of parameters are PyTorch's.
[<RequireQualifiedAccess>]
module Attention =

    /// A row of `weight` [count; features] for each Int32 index, as torch.nn.Embedding: [batch; …] to [batch; …;
    /// features]. Rows are standard normal at first. Raises DTypeException for an input that is not Int32.
    let embedding (count: int) (features: int) : Layer =
        if count < 1 || features < 1 then
            Fail.range $"embedding: at least one row and one feature are needed, and they are {count} and {features}"

        let name = $"embedding of {count} in {features}"

        Layer.create name [ Layer.parameter "weight" [ count; features ] (Initial.normal 1.0) ] (fun parameters x ->
            if x.DType <> DType.Int32 then
                Fail.dtype $"layer {parameters.Path} ({name}): the input is Int32 indices, and this one is {x.DType}"

            Tensor.take 0 x parameters["weight"])

    /// softmax(q·kᵀ/√d)·v for each of the heads into which the features of queries, keys and values [batch; length;
    /// features] fall. Causal attention looks at the same and earlier places only. (Vaswani et al. 2017, eq. 1.)
    let scaledDotProduct (heads: int) (causal: bool) (q: Tensor) (k: Tensor) (v: Tensor) : Tensor =
        let shape = q.Shape

        if q.Rank <> 3 || k.Shape <> shape || v.Shape <> shape then
            Fail.shape (
                "attention: queries, keys and values [batch; length; features] of one shape are needed, and they "
                + $"have {Shape.show shape}, {Shape.show k.Shape} and {Shape.show v.Shape}"
            )

        if heads < 1 || shape[2] % heads <> 0 then
            Fail.range $"attention: the number of heads must divide the {shape[2]} features, and it is {heads}"

        let length, width = shape[1], shape[2] / heads
        let split (t: Tensor) = Tensor.reshape [ shape[0]; length; heads; width ] t
        let scores = Tensor.einsum "bqhd,bkhd->bhqk" (split q) (split k) / sqrt (float width)

        let seen =
            if causal then
                let place = Tensor.arange scores.DType length |> Tensor.toDevice scores.Device
                let earlier = Tensor.greaterOrEqual (Tensor.unsqueeze 1 place) place
                // Its exponential is 0 in every element type. It is finite, because 0·∞ is not a number.
                Tensor.where earlier scores (Tensor.fullLike scores -1e30)
            else
                scores

        Tensor.einsum "bhqk,bkhd->bqhd" (Tensor.softmax seen) (split v) |> Tensor.reshape (List.ofArray shape)

    let private project (x: Tensor) (weight: Tensor) (bias: Tensor) : Tensor =
        Tensor.einsum "bti,oi->bto" x weight + bias

    /// Attention of a sequence to itself, as torch.nn.MultiheadAttention with batch_first: `in_proj_weight`
    /// [3·features; features], `in_proj_bias`, `out_proj.weight` [features; features] and `out_proj.bias`. [batch;
    /// length; features] to the same shape.
    let multiHead (features: int) (heads: int) (causal: bool) : Layer =
        if features < 1 || heads < 1 || features % heads <> 0 then
            Fail.range (
                $"multi-head attention: the number of heads must divide the features, and they are {heads} and "
                + $"{features}"
            )

        let name = $"attention of {features} in {heads} heads"

        Layer.create
            name
            [
                Layer.parameter "in_proj_weight" [ 3 * features; features ] Initial.glorot
                Layer.parameter "in_proj_bias" [ 3 * features ] (Initial.constant 0.0)
                Layer.parameter "out_proj.weight" [ features; features ] Initial.fanIn
                Layer.parameter "out_proj.bias" [ features ] (Initial.constant 0.0)
            ]
            (fun parameters x ->
                if x.Rank <> 3 || x.Shape[2] <> features then
                    Fail.shape (
                        $"layer {parameters.Path} ({name}): an input [batch; length; {features}] is needed, and the "
                        + $"shape is {Shape.show x.Shape}"
                    )

                match
                    project x parameters["in_proj_weight"] parameters["in_proj_bias"]
                    |> Tensor.split 2 [ features; features; features ]
                with
                | [ q; k; v ] ->
                    let attended = scaledDotProduct heads causal q k v
                    project attended parameters["out_proj.weight"] parameters["out_proj.bias"]
                | _ -> x)
