module Curvature.Tests.Unit.AttentionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

let private names (network: Network) =
    [ for tensor in network.Layout.Tensors -> tensor.Name, List.ofArray tensor.Shape ]

/// Attention, one number after the other.
let private attended heads causal (q: Tensor) (k: Tensor) (v: Tensor) =
    let batch, length, features = q.Shape[0], q.Shape[1], q.Shape[2]
    let width = features / heads
    let qs, ks, vs = q.ToArray(), k.ToArray(), v.ToArray()

    [|
        for b in 0 .. batch - 1 do
            for t in 0 .. length - 1 do
                for f in 0 .. features - 1 do
                    let head = f / width * width
                    let at place feature = (b * length + place) * features + feature

                    let score place =
                        Seq.sum (seq { for i in 0 .. width - 1 -> qs[at t (head + i)] * ks[at place (head + i)] })

                    let places = if causal then [ 0..t ] else [ 0 .. length - 1 ]
                    let weights = places |> List.map (fun place -> exp (score place / sqrt (float width)))
                    let values = places |> List.map (fun place -> vs[at place f])
                    List.sum (List.map2 (*) weights values) / List.sum weights
    |]

[<Tests>]
let tests =
    testList "Unit.AttentionTests" [
        test "attention agrees with its definition" {
            for heads, causal in [ 1, false; 2, false; 3, true; 6, true ] do
                let q, k, v = random 1L [ 2; 5; 6 ], random 2L [ 2; 5; 6 ], random 3L [ 2; 5; 6 ]
                let actual = Attention.scaledDotProduct heads causal q k v
                Expect.tensor 1e-13 [ 2; 5; 6 ] (attended heads causal q k v) actual
        }

        test "multi-head attention projects with PyTorch's parameters" {
            let network = Network.ofLayer (Attention.multiHead 6 2 false)

            let expected =
                [
                    "in_proj_weight", [ 18; 6 ]
                    "in_proj_bias", [ 18 ]
                    "out_proj.weight", [ 6; 6 ]
                    "out_proj.bias", [ 6 ]
                ]

            Expect.isTrue $"{names network}" (names network = expected)
            let theta = random 4L [ network.ParameterCount ]
            let p = network.Layout.Split theta
            let x = random 5L [ 2; 4; 6 ]

            let projected part =
                let rows = Tensor.slice 0 (6 * part) 6
                Tensor.einsum "bti,oi->bto" x (rows p["in_proj_weight"]) + rows p["in_proj_bias"]

            let inner = Tensor.ofArray [ 2; 4; 6 ] (attended 2 false (projected 0) (projected 1) (projected 2))

            let expected = Tensor.einsum "bti,oi->bto" inner p["out_proj.weight"] + p["out_proj.bias"]
            Expect.tensorsClose 1e-13 expected (Network.forward network theta x)
        }

        test "an embedding gives a row for each index, and a gradient to rows that are used" {
            let network = Network.ofLayer (Attention.embedding 4 3)
            let theta = random 6L [ 12 ]
            let index = Tensor.ofIndices [ 2; 2 ] [| 3; 0; 3; 2 |]
            let rows = Tensor.reshape [ 4; 3 ] theta

            let expected =
                Tensor.stack 0 [ for i in [ 3; 0; 3; 2 ] -> Tensor.item 0 i rows ] |> Tensor.reshape [ 2; 2; 3 ]

            Expect.sameBits expected (Network.forward network theta index)
            let gradient = grad (fun theta -> Tensor.sum (Network.forward network theta index)) theta
            Expect.tensor 0.0 [ 12 ] [ 1; 1; 1; 0; 0; 0; 1; 1; 1; 2; 2; 2 ] gradient
        }

        test "a GPT has nanoGPT's names, and looks at no later token" {
            let network = Transformer.gpt 7 5 2 2 4
            let listed = names network |> List.map fst

            let expected =
                [
                    yield! [ "transformer.wte.weight"; "transformer.wpe.weight" ]
                    for h in 0..1 do
                        for part in [ "ln_1"; "attn.c_attn"; "attn.c_proj"; "ln_2"; "mlp.c_fc"; "mlp.c_proj" ] do
                            yield! [ for name in [ "weight"; "bias" ] -> $"transformer.h.{h}.{part}.{name}" ]
                    yield! [ "transformer.ln_f.weight"; "transformer.ln_f.bias" ]
                ]

            Expect.isTrue $"{listed}" (listed = expected)
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network * 10.0
            let forward tokens = Network.forward network theta (Tensor.ofIndices [ 1; 4 ] tokens)
            let one, other = forward [| 1; 2; 3; 4 |], forward [| 1; 2; 6; 0 |]
            Expect.isTrue $"%A{one.Shape}" (one.Shape = [| 1; 4; 7 |])
            Expect.sameBits (Tensor.slice 1 0 2 one) (Tensor.slice 1 0 2 other)
            Expect.isTrue "later ones differ" (one.ToArray() <> other.ToArray())

            let f theta =
                Loss.softmaxCrossEntropy
                    Reduction.Mean
                    (Tensor.ofIndices [ 1; 4 ] [| 2; 3; 4; 5 |])
                    (Network.forward network theta (Tensor.ofIndices [ 1; 4 ] [| 1; 2; 3; 4 |]))

            let v = Tensor.rademacher (Key.OfSeed 2L) DType.Float64 [ theta.Size ]
            let step = 1e-5
            let difference = (grad f (theta + step * v) - grad f (theta - step * v)) / (2.0 * step)
            Expect.tensorsClose 1e-6 difference (hessianv f theta v)
        }

        test "what does not fit is refused by name" {
            let x = random 1L [ 2; 3; 6 ]

            Expect.error<ArgumentRangeException> [ "heads"; "4" ] (fun () ->
                Attention.scaledDotProduct 4 false x x x |> ignore)

            Expect.error<ShapeException> [ "queries"; "[2; 3; 5]" ] (fun () ->
                Attention.scaledDotProduct 1 false x (random 1L [ 2; 3; 5 ]) x |> ignore)

            Expect.error<ArgumentRangeException> [ "heads" ] (fun () -> Attention.multiHead 6 4 true |> ignore)

            let embedding = Network.ofLayer (Attention.embedding 4 3)

            Expect.error<DTypeException> [ "Int32"; "Float64" ] (fun () ->
                Network.forward embedding (random 1L [ 12 ]) (random 2L [ 2 ]) |> ignore)

            let gpt = Transformer.gpt 7 5 1 2 4
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 gpt

            Expect.error<ShapeException> [ "at most 5"; "[1; 6]" ] (fun () ->
                Network.forward gpt theta (Tensor.ofIndices [ 1; 6 ] [| 1; 2; 3; 4; 5; 6 |]) |> ignore)
        }
    ]
