namespace Curvature.FSharp

open Curvature

/// Small language models of the GPT kind (Radford et al. 2019): causal attention, layer normalisation before each part,
/// embeddings that also serve as output weights. Names are those of nanoGPT: `transformer.wte.weight`,
/// `transformer.h.0.attn.c_attn.weight`, ….
[<RequireQualifiedAccess>]
module Transformer =

    let private narrow = Initial.normal 0.02

    let private dense inputs outputs deviation =
        Layer.dense inputs outputs
        |> Layer.initialized (function
            | "weight" -> Some(Initial.normal deviation)
            | _ -> Some(Initial.constant 0.0))

    /// A dense layer to queries, keys and values, attention, and a dense layer.
    let private attention width heads deviation =
        Layer.composed
            $"causal attention of {width} in {heads} heads"
            [ "c_attn", dense width (3 * width) 0.02; "c_proj", dense width width deviation ]
            (fun run x ->
                match run "c_attn" x |> Tensor.split 2 [ width; width; width ] with
                | [ q; k; v ] -> Attention.scaledDotProduct heads true q k v |> run "c_proj"
                | _ -> x)

    let private block width heads deviation =
        Layer.composed
            $"transformer block of {width}"
            [
                "ln_1", Normalization.layer width
                "attn", attention width heads deviation
                "ln_2", Normalization.layer width
                "mlp",
                Layer.named
                    [
                        "c_fc", dense width (4 * width) 0.02
                        "gelu", Layer.gelu
                        "c_proj", dense (4 * width) width deviation
                    ]
            ]
            (fun run x ->
                let attended = x + (x |> run "ln_1" |> run "attn")
                attended + (attended |> run "ln_2" |> run "mlp"))

    /// The largest number of layers: more would only be a wrong argument.
    let private mostLayers = 10_000

    let private layerOf (wrap: Layer -> Layer) (vocabulary, context, layers, heads, width) : Layer =
        if vocabulary < 1 || context < 1 || layers < 1 || heads < 1 || width < 1 || width % heads <> 0 then
            Fail.range (
                "gpt: vocabulary, context, layers and heads are at least 1, and heads divide the width; they are "
                + $"{vocabulary}, {context}, {layers}, {heads} and {width}"
            )

        Count.between 1 mostLayers "gpt: layers" layers

        let blocks =
            block width heads (0.02 / sqrt (2.0 * float layers)) |> wrap |> List.replicate layers |> Layer.sequential

        let name = $"gpt of {layers} layers, {heads} heads and width {width}"

        let parts =
            [
                "wpe",
                Layer.create "positions" [ Layer.parameter "weight" [ context; width ] narrow ] (fun p x ->
                    x + Tensor.slice 0 0 x.Shape[1] p["weight"])
                "h", blocks
                "ln_f", Normalization.layer width
            ]

        // The embedding is used twice, so it stays outside the parts.
        let body = Layer.named parts

        let declarations =
            Layer.parameter "transformer.wte.weight" [ vocabulary; width ] narrow
            :: [ for declaration in body.Declarations -> declaration.Within "transformer" ]

        Layer.create name declarations (fun parameters tokens ->
            if tokens.DType <> DType.Int32 || tokens.Rank <> 2 || tokens.Shape[1] > context then
                Fail.shape (
                    $"{name}: Int32 tokens [batch; length] with at most {context} places are needed, and they are "
                    + $"{tokens.DType} of shape {Shape.show tokens.Shape}"
                )

            let embedding = parameters["transformer.wte.weight"]
            let encoded = body.Forward(parameters.Scope "transformer", Tensor.take 0 tokens embedding)
            Tensor.einsum "btf,vf->btv" encoded embedding)

    /// The layer of a GPT: Int32 tokens [batch; length], with a length of at most `context`, to logits of the next
    /// token [batch; length; vocabulary]. Weights are normal with deviation 0.02 at first, those into the residual
    /// stream with 0.02/√(2·layers). Raises ArgumentRangeException where heads do not divide the width, for a count
    /// below 1, or for more than 10000 layers.
    let gptLayer (vocabulary: int) (context: int) (layers: int) (heads: int) (width: int) : Layer =
        layerOf id (vocabulary, context, layers, heads, width)

    /// A GPT: Int32 tokens [batch; length] to logits of the next token [batch; length; vocabulary], as in
    /// `gpt 65 32 2 4 64`: 65 tokens, 32 places, 2 layers, 4 heads, width 64.
    /// Raises ArgumentRangeException where heads do not divide the width, for a count below 1,
    /// or for more than 10000 layers.
    let gpt (vocabulary: int) (context: int) (layers: int) (heads: int) (width: int) : Network =
        Network.ofLayer (gptLayer vocabulary context layers heads width)

    /// The network of `gpt` with a checkpoint around each block (`Layer.checkpointed`): less memory, more time.
    let gptCheckpointed (vocabulary: int) (context: int) (layers: int) (heads: int) (width: int) : Network =
        layerOf Layer.checkpointed (vocabulary, context, layers, heads, width) |> Network.ofLayer
