namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// A transformer that predicts the next of 256 tokens: 4 layers of width 256 with 4 heads, queries, keys and values
/// from one matrix, GELU by erf, output weights tied to the embedding; sequences of 64 tokens.
module Gpt =

    let private width = 256
    let private layers = 4
    let private heads = 4
    let private length = 64
    let private vocabulary = 256

    /// The shapes of a layer's tensors, in their order in θ, with the spread of their initial values; 0 for a bias.
    let private layerShapes =
        let spread = 1.0 / sqrt (float width)

        [
            [ width ], -1.0
            [ width ], 0.0
            [ width; 3 * width ], spread
            [ 3 * width ], 0.0
            [ width; width ], spread
            [ width ], 0.0
            [ width ], -1.0
            [ width ], 0.0
            [ width; 4 * width ], spread
            [ 4 * width ], 0.0
            [ 4 * width; width ], spread / 2.0
            [ width ], 0.0
        ]

    let private shapes =
        let embeddings = [ [ vocabulary; width ], 0.02; [ length; width ], 0.02 ]
        embeddings @ List.concat (List.replicate layers layerShapes) @ [ [ width ], -1.0; [ width ], 0.0 ]

    let private sizes = shapes |> List.map (fst >> List.fold (*) 1)

    /// Scales are 1 (marked by a spread below 0), biases 0, and weights normal.
    let private initial (key: Key) : Tensor =
        shapes
        |> List.mapi (fun i (_, spread) ->
            if spread < 0.0 then Tensor.ones DType.Float32 [ sizes[i] ]
            elif spread = 0.0 then Tensor.zeros DType.Float32 [ sizes[i] ]
            else Tensor.normal (key.FoldIn(uint32 i)) DType.Float32 [ sizes[i] ] * spread)
        |> Tensor.concat 0

    let private normalize (x: Tensor) (scale: Tensor) (shift: Tensor) : Tensor =
        let over (t: Tensor) = Tensor.unsqueeze (t.Rank) t
        let axis = [ x.Rank - 1 ]
        let centered = x - over (Tensor.meanAxes axis x)
        let variance = over (Tensor.meanAxes axis (Tensor.square centered))
        centered * Tensor.rsqrt (variance + 1e-5) * scale + shift

    let private linear (x: Tensor) (weight: Tensor) (bias: Tensor) = Tensor.einsum "bsi,io->bso" x weight + bias

    let private layer (h: Tensor) (parts: Tensor[]) : Tensor =
        let projected = linear (normalize h parts[0] parts[1]) parts[2] parts[3]
        let third i = Tensor.slice 2 (i * width) width projected
        let attended = Attention.scaledDotProduct heads true (third 0) (third 1) (third 2)
        let h = h + linear attended parts[4] parts[5]
        h + linear (Tensor.gelu (linear (normalize h parts[6] parts[7]) parts[8] parts[9])) parts[10] parts[11]

    /// θ ↦ logits [batch·length; vocabulary].
    let private forward batch (tokens: Tensor) (theta: Tensor) : Tensor =
        let parts =
            List.map2 (fun (shape, _) piece -> Tensor.reshape shape piece) shapes (Tensor.split 0 sizes theta)
            |> Array.ofList

        let embedded = Tensor.take 0 tokens parts[0] |> Tensor.reshape [ batch; length; width ]
        let each = layerShapes.Length

        let h =
            (embedded + parts[1], [ 0 .. layers - 1 ])
            ||> List.fold (fun h i -> layer h parts[2 + i * each .. 1 + (i + 1) * each])

        let last = normalize h parts[parts.Length - 2] parts[parts.Length - 1]
        Tensor.einsum "bsi,vi->bsv" last parts[0] |> Tensor.reshape [ batch * length; vocabulary ]

    /// Multiplications and additions of one forward pass: the dense layers, scores and sums of attention, the output.
    let private flops batch =
        let tokens = float (batch * length)
        let dense = float (layers * 12 * width * width) + float (vocabulary * width)
        2.0 * tokens * (dense + float (layers * 2 * length * width))

    let private make batch : NetworkWithData =
        let key = (Key.OfSeed 0L).Split 3
        let count = batch * length

        let draw (key: Key) =
            Tensor.uniform key DType.Float64 [ count ] * float vocabulary |> Tensor.convert DType.Int32

        {
            Theta = initial key[0]
            Model = forward batch (draw key[1])
            Targets = draw key[2]
        }

    let workload (batch: int) : Workload =
        {
            Name = $"gpt-{layers}x{width}-s{length}/b{batch}"
            DType = DType.Float32
            ForwardFlops = flops batch
            Network = lazy make batch
        }
