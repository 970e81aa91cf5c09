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

    /// Scores [batch; …; queries; keys] with those of later places so low that softmax gives them 0.
    let private withoutLater (scores: Tensor) : Tensor =
        let shape = scores.Shape
        let place length = Tensor.arange scores.DType length |> Tensor.toDevice scores.Device
        let rank = shape.Length
        let earlier = Tensor.greaterOrEqual (Tensor.unsqueeze 1 (place shape[rank - 2])) (place shape[rank - 1])
        // Its exponential is 0 in every element type. It is finite, because 0·∞ is not a number.
        Tensor.where earlier scores (Tensor.fullLike scores -1e30)

    let private weights causal (scores: Tensor) = Tensor.softmax (if causal then withoutLater scores else scores)

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
        Tensor.einsum "bhqk,bkhd->bqhd" (weights causal scores) (split v) |> Tensor.reshape (List.ofArray shape)

    let private checkGroups heads groups =
        if groups < 1 || heads < 1 || heads % groups <> 0 then
            Fail.range (
                "grouped-query attention: the number of groups must divide the number of heads, and they are "
                + $"{groups} and {heads}"
            )

    /// Attention in which several heads of queries [batch; length; heads·width] share a head of keys and values
    /// [batch; length; groups·width] (Ainslie et al. 2023), as torch.nn.functional.scaled_dot_product_attention with
    /// enable_gqa: head h of the queries looks at head h·groups/heads of the keys, rounded down. With as many groups as
    /// heads it is `scaledDotProduct`, with one it is multi-query attention.
    /// Raises ArgumentRangeException where groups do not divide the heads, and ShapeException where shapes do not fit.
    let groupedScaledDotProduct (heads: int) (groups: int) (causal: bool) (q: Tensor) (k: Tensor) (v: Tensor) : Tensor =
        checkGroups heads groups
        let shape = q.Shape

        if
            q.Rank <> 3
            || shape[2] % heads <> 0
            || k.Shape <> [| shape[0]; shape[1]; shape[2] / heads * groups |]
            || v.Shape <> k.Shape
        then
            Fail.shape (
                $"grouped-query attention: queries [batch; length; {heads}·width] and keys and values "
                + $"[batch; length; {groups}·width] are needed, and they have {Shape.show shape}, "
                + $"{Shape.show k.Shape} and {Shape.show v.Shape}"
            )

        let batch, length, width = shape[0], shape[1], shape[2] / heads
        let queries = Tensor.reshape [ batch; length; groups; heads / groups; width ] q
        let split (t: Tensor) = Tensor.reshape [ batch; length; groups; width ] t
        let scores = Tensor.einsum "bqgrd,bkgd->bgrqk" queries (split k) / sqrt (float width)

        Tensor.einsum "bgrqk,bkgd->bqgrd" (weights causal scores) (split v) |> Tensor.reshape (List.ofArray shape)

    let private checkTheta (theta: float) =
        if not (theta > 0.0 && theta < infinity) then
            Fail.range $"rotary embedding: theta must be positive and finite, and is {theta}"

    /// Turns each pair of features 2i and 2i + 1 of a head by the angle t·θ^(−2i/width) at place t, so that products of
    /// queries and keys depend on the distance of their places (Su et al. 2021, eq. 34, where θ is 10000). The first
    /// token has place `first`, which is not 0 where earlier calls read tokens before it. [batch; length; heads·width]
    /// to the same shape.
    /// Raises ArgumentRangeException unless θ is positive and finite, for a negative place, and where heads of even
    /// width do not divide the features.
    let rotaryFrom (first: int) (theta: float) (heads: int) (x: Tensor) : Tensor =
        checkTheta theta

        if first < 0 then
            Fail.range $"rotary embedding: the place of the first token cannot be negative, and is {first}"

        if x.Rank <> 3 then
            Fail.shape (
                "rotary embedding: an input [batch; length; features] is needed, and the shape is "
                + $"{Shape.show x.Shape}"
            )

        let batch, length, features = x.Shape[0], x.Shape[1], x.Shape[2]

        if heads < 1 || features % (max heads 1) <> 0 || features / heads % 2 <> 0 then
            Fail.range (
                $"rotary embedding: the number of heads must divide the {features} features into heads of even "
                + $"width, and it is {heads}"
            )

        let pairs = features / heads / 2
        let rate pair = theta ** (-float pair / float (max pairs 1))

        let turning (f: float -> float) =
            [|
                for t in 0 .. length - 1 do
                    for pair in 0 .. pairs - 1 -> f ((float first + float t) * rate pair)
            |]
            |> Tensor.ofArray [ length; 1; pairs ]
            |> Tensor.convert x.DType
            |> Tensor.toDevice x.Device

        let cosine, sine = turning System.Math.Cos, turning System.Math.Sin
        let split = Tensor.reshape [ batch; length; heads; pairs; 2 ] x
        let even, odd = Tensor.item 4 0 split, Tensor.item 4 1 split

        Tensor.stack 4 [ even * cosine - odd * sine; even * sine + odd * cosine ]
        |> Tensor.reshape [ batch; length; features ]

    /// `rotaryFrom` place 0.
    let rotary (theta: float) (heads: int) (x: Tensor) : Tensor = rotaryFrom 0 theta heads x

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

    let private groupedLayer (turn: Tensor -> int -> Tensor) features heads groups causal : Layer =
        checkGroups heads groups

        if features < 1 || features % heads <> 0 then
            Fail.range (
                $"grouped-query attention: the number of heads must divide the features, and they are {heads} and "
                + $"{features}"
            )

        let shared = features / heads * groups

        Layer.composed
            $"attention of {features} in {heads} heads and {groups} groups"
            [
                "q_proj", Layer.denseWithoutBias features features
                "k_proj", Layer.denseWithoutBias features shared
                "v_proj", Layer.denseWithoutBias features shared
                "o_proj", Layer.denseWithoutBias features features
            ]
            (fun run x ->
                let q, k = turn (run "q_proj" x) heads, turn (run "k_proj" x) groups
                groupedScaledDotProduct heads groups causal q k (run "v_proj" x) |> run "o_proj")

    /// Grouped-query attention of a sequence to itself, without biases: `q_proj.weight` and `o_proj.weight` [features;
    /// features], `k_proj.weight` and `v_proj.weight` [groups·width; features] for heads of width features / heads, the
    /// names of Llama's models in Hugging Face's library. [batch; length; features] to the same shape.
    /// Raises ArgumentRangeException where heads do not divide the features, or groups the heads.
    let groupedQuery (features: int) (heads: int) (groups: int) (causal: bool) : Layer =
        groupedLayer (fun x _ -> x) features heads groups causal

    /// The same with a rotary embedding of queries and keys (`rotary`), for θ such as 10000.
    /// Raises ArgumentRangeException also unless θ is positive and finite, and for heads of odd width.
    let rotaryGroupedQuery (theta: float) (features: int) (heads: int) (groups: int) (causal: bool) : Layer =
        checkTheta theta

        if heads > 0 && features / heads % 2 <> 0 then
            Fail.range $"rotary embedding: heads have an even width, and it is {features / heads}"

        groupedLayer (fun x heads -> rotary theta heads x) features heads groups causal
