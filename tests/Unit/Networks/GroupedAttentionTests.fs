module Curvature.Tests.Unit.GroupedAttentionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

/// Attention of one head of queries to one of keys and values, [length][width], one number after the other.
let private attend causal (q: float[][]) (k: float[][]) (v: float[][]) =
    let width = float q[0].Length

    q
    |> Array.mapi (fun t query ->
        let seen = if causal then t + 1 else k.Length

        let weights =
            [|
                for s in 0 .. seen - 1 -> exp (Array.map2 (*) query k[s] |> Array.sum |> fun x -> x / sqrt width)
            |]

        let total = Array.sum weights

        [|
            for f in 0 .. v[0].Length - 1 -> Seq.sum (seq { for s in 0 .. seen - 1 -> weights[s] / total * v[s][f] })
        |])

/// Head h of width w of sample b.
let private head b w h (x: Tensor) =
    let rows = (Tensor.item 0 b x).ToArray() |> Array.chunkBySize x.Shape[2]
    rows |> Array.map (fun row -> row[h * w .. h * w + w - 1])

let private grouped heads groups causal (q: Tensor) (k: Tensor) (v: Tensor) =
    let w = q.Shape[2] / heads

    [|
        for b in 0 .. q.Shape[0] - 1 do
            let found =
                [|
                    for h in 0 .. heads - 1 ->
                        let g = h / (heads / groups)
                        attend causal (head b w h q) (head b w g k) (head b w g v)
                |]

            for t in 0 .. q.Shape[1] - 1 do
                for h in 0 .. heads - 1 do
                    yield! found[h][t]
    |]

/// Pairs turned as complex numbers.
let private turned theta heads (x: Tensor) =
    let length, features = x.Shape[1], x.Shape[2]
    let width = features / heads
    let values = x.ToArray()

    values
    |> Array.mapi (fun i _ ->
        let feature = i % features % width
        let place = i / features % length
        let angle = float place * theta ** (-float(feature / 2 * 2) / float width)
        let even = i - feature % 2

        let turned =
            System.Numerics.Complex(values[even], values[even + 1])
            * System.Numerics.Complex.FromPolarCoordinates(1.0, angle)

        if feature % 2 = 0 then turned.Real else turned.Imaginary)

let private layers =
    [
        Attention.groupedQuery 8 4 2 true
        Attention.rotaryGroupedQuery 100.0 8 2 1 false
        Layer.swiGlu 8 5
        Normalization.rms 8
        Normalization.rmsWith 0.1 8
        Layer.leakyRelu 0.1
        Layer.elu 0.7
    ]

/// A scalar function of parameters and inputs of a layer, in one point.
let private valueOf (layer: Layer) dtype (point: Tensor) =
    let network = Network.ofLayer layer
    let weights = Tensor.convert dtype (random 7L [ 2; 3; 8 ])

    match Tensor.split 0 [ 48; network.ParameterCount ] point with
    | [ x; theta ] -> Tensor.sum (weights * Tensor.tanh (Network.forward network theta (Tensor.reshape [ 2; 3; 8 ] x)))
    | _ -> failtest "two parts"

let private pointOf layer = 0.5 * random 8L [ 48 + (Network.ofLayer layer).ParameterCount ]

[<Tests>]
let tests =
    testList "Unit.GroupedAttentionTests" [
        test "grouped-query attention agrees with its definition" {
            for heads, groups, causal in [ 4, 2, false; 4, 1, true; 6, 3, true; 2, 2, false ] do
                let q = random 1L [ 2; 5; heads * 3 ]
                let k, v = random 2L [ 2; 5; groups * 3 ], random 3L [ 2; 5; groups * 3 ]
                let actual = Attention.groupedScaledDotProduct heads groups causal q k v
                Expect.tensor 1e-13 [ 2; 5; heads * 3 ] (grouped heads groups causal q k v) actual
        }

        test "with a group for each head it is multi-head attention" {
            let q, k, v = random 1L [ 2; 5; 6 ], random 2L [ 2; 5; 6 ], random 3L [ 2; 5; 6 ]

            for causal in [ false; true ] do
                Attention.groupedScaledDotProduct 3 3 causal q k v
                |> Expect.tensorsClose 1e-14 (Attention.scaledDotProduct 3 causal q k v)

            let multiHead = Network.ofLayer (Attention.multiHead 6 3 true)
            let groupedQuery = Network.ofLayer (Attention.groupedQuery 6 3 3 true)
            let theta = random 4L [ groupedQuery.ParameterCount ]
            let p = groupedQuery.Layout.Split theta
            let projections = Tensor.concat 0 [ for part in [ "q"; "k"; "v" ] -> p[part + "_proj.weight"] ]

            let same =
                multiHead.Layout
                |> ParameterLayout.join [
                    "in_proj_weight", projections
                    "in_proj_bias", Tensor.zeros DType.Float64 [ 18 ]
                    "out_proj.weight", p["o_proj.weight"]
                    "out_proj.bias", Tensor.zeros DType.Float64 [ 6 ]
                ]

            Expect.tensorsClose 1e-13 (Network.forward multiHead same q) (Network.forward groupedQuery theta q)
        }

        test "layers of grouped queries and gates have Llama's names" {
            let shapes layer = [ for t in (Network.ofLayer layer).Layout.Tensors -> t.Name, List.ofArray t.Shape ]

            let expected =
                [
                    "q_proj.weight", [ 8; 8 ]
                    "k_proj.weight", [ 4; 8 ]
                    "v_proj.weight", [ 4; 8 ]
                    "o_proj.weight", [ 8; 8 ]
                ]

            Expect.equal "attention" expected (shapes (Attention.groupedQuery 8 4 2 true))
            Expect.equal "rotary" expected (shapes (Attention.rotaryGroupedQuery 10000.0 8 4 2 true))
            let gates = [ "gate_proj.weight", [ 5; 8 ]; "up_proj.weight", [ 5; 8 ]; "down_proj.weight", [ 8; 5 ] ]
            Expect.equal "swiglu" gates (shapes (Layer.swiGlu 8 5))
            Expect.equal "rms norm" [ "weight", [ 8 ] ] (shapes (Normalization.rms 8))
        }

        test "a rotary embedding turns pairs by the angle of their place" {
            for heads in [ 1; 2; 3 ] do
                let x = random 1L [ 2; 4; 12 ]
                Expect.tensor 1e-14 [ 2; 4; 12 ] (turned 10000.0 heads x) (Attention.rotary 10000.0 heads x)

            let single = Attention.rotary 10000.0 2 (Tensor.convert DType.Float32 (random 1L [ 2; 4; 12 ]))
            Expect.tensor 1e-6 [ 2; 4; 12 ] (turned 10000.0 2 (random 1L [ 2; 4; 12 ])) single
        }

        test "products of turned queries and keys depend on the distance of their places" {
            let same seed = Tensor.broadcastTo [ 1; 6; 4 ] (random seed [ 1; 1; 4 ])
            let q, k = Attention.rotary 10000.0 1 (same 1L), Attention.rotary 10000.0 1 (same 2L)
            let products = Tensor.einsum "btd,bsd->ts" q k
            let at t s = (Tensor.item 0 t products |> Tensor.item 0 s).ToScalar()

            for t in 1..5 do
                for s in 1..5 do
                    Expect.within $"{t}, {s}" 1e-13 (at (t - 1) (s - 1)) (at t s)
        }

        test "rotary attention is attention of turned queries and keys" {
            let network = Network.ofLayer (Attention.rotaryGroupedQuery 100.0 8 2 1 true)
            let theta, x = random 4L [ network.ParameterCount ], random 5L [ 2; 3; 8 ]
            let p = network.Layout.Split theta
            let project name x = Tensor.einsum "bti,oi->bto" x p[name + "_proj.weight"]
            let q, k = Attention.rotary 100.0 2 (project "q" x), Attention.rotary 100.0 1 (project "k" x)
            let inner = Tensor.ofArray [ 2; 3; 8 ] (grouped 2 1 true q k (project "v" x))
            Expect.tensorsClose 1e-13 (project "o" inner) (Network.forward network theta x)
        }

        test "RMS normalisation, gates and activations agree with plain loops" {
            let x = random 1L [ 2; 3; 4 ] * 3.0
            let weight = [| 1.0; 2.0; -1.0; 0.5 |]

            let normed epsilon =
                x.ToArray()
                |> Array.chunkBySize 4
                |> Array.collect (fun row ->
                    let scale = sqrt (Array.averageBy (fun x -> x * x) row + epsilon)
                    Array.map2 (fun x w -> x / scale * w) row weight)

            let forward layer theta (x: Tensor) = Network.forward (Network.ofLayer layer) theta x
            Expect.tensor 1e-14 [ 2; 3; 4 ] (normed 0.1) (forward (Normalization.rmsWith 0.1 4) (tensor weight) x)
            Expect.tensor 1e-14 [ 2; 3; 4 ] (normed 0.0) (forward (Normalization.rms 4) (tensor weight) x)
            // PyTorch's ε for Float32 shows where the numbers are as small as its root.
            let small = Tensor.full DType.Float32 [ 1; 4 ] (2.0 ** -12.0)
            let expected = 2.0 ** -12.0 / sqrt (2.0 ** -24.0 + 2.0 ** -23.0)
            let ones = Tensor.ones DType.Float32 [ 4 ]
            Expect.tensor 1e-6 [ 1; 4 ] [ for _ in 1..4 -> expected ] (forward (Normalization.rms 4) ones small)

            let network = Network.ofLayer (Layer.swiGlu 4 3)
            let theta = random 2L [ network.ParameterCount ]

            let matrix start rows columns =
                (Tensor.slice 0 start (rows * columns) theta).ToArray() |> Array.chunkBySize columns

            let times (m: float[][]) (v: float[]) = m |> Array.map (fun row -> Array.map2 (*) row v |> Array.sum)
            let silu y = y / (1.0 + exp -y)

            let gated =
                x.ToArray()
                |> Array.chunkBySize 4
                |> Array.collect (fun row ->
                    let gate, up = times (matrix 0 3 4) row, times (matrix 12 3 4) row
                    times (matrix 24 4 3) (Array.map2 (fun g u -> silu g * u) gate up))

            Expect.tensor 1e-13 [ 2; 3; 4 ] gated (Network.forward network theta x)
            let none, y = Tensor.zeros DType.Float64 [ 0 ], tensor [ -2.0; -0.5; 0.0; 1.5; 1000.0 ]
            Expect.tensor 1e-15 [ 5 ] [ -0.2; -0.05; 0.0; 1.5; 1000.0 ] (forward (Layer.leakyRelu 0.1) none y)
            let elu = [ 0.7 * (exp -2.0 - 1.0); 0.7 * (exp -0.5 - 1.0); 0.0; 1.5; 1000.0 ]
            Expect.tensor 1e-15 [ 5 ] elu (forward (Layer.elu 0.7) none y)
            let slopes layer = grad (fun y -> Tensor.sum (forward layer none y)) y
            Expect.tensor 1e-15 [ 5 ] [ 0.1; 0.1; 0.1; 1.0; 1.0 ] (slopes (Layer.leakyRelu 0.1))
            Expect.tensor 1e-15 [ 5 ] [ 0.7 * exp -2.0; 0.7 * exp -0.5; 0.7; 1.0; 1.0 ] (slopes (Layer.elu 0.7))
        }

        test "Hessian products of each layer agree with differences of gradients" {
            for layer in layers do
                let f, point = valueOf layer DType.Float64, pointOf layer
                let v = Tensor.rademacher (Key.OfSeed 2L) DType.Float64 [ point.Size ]
                let step = 1e-5
                let difference = (grad f (point + step * v) - grad f (point - step * v)) / (2.0 * step)
                let product = hessianv f point v
                Expect.tensorsClose 1e-7 difference product
                Expect.tensorsClose 1e-11 (Tensor.dot v product) (quadraticForm f point v)
        }

        test "each layer is the same in Float32, compiled, and over a stack" {
            for layer in layers do
                let f, point = valueOf layer DType.Float64, pointOf layer
                let single = Tensor.convert DType.Float32 point
                let inSingle = valueOf layer DType.Float32
                Expect.scalar 1e-4 ((f point).ToScalar()) (inSingle single)
                let slope = Tensor.convert DType.Float64 (grad inSingle single)
                Expect.tensorsClose 1e-4 (grad f point) slope
                Expect.tensorsClose 1e-13 (f point) (Compile.func f point)
                Expect.tensorsClose 1e-12 (grad f point) (Compile.func (grad f) point)
                let other = 0.3 * point
                let stacked = vmap f (Tensor.stack 0 [ point; other ])
                Expect.tensorsClose 1e-13 (Tensor.stack 0 [ f point; f other ]) stacked
        }

        test "what does not fit is refused by name" {
            let x = random 1L [ 2; 3; 6 ]
            let range fragments f = Expect.error<ArgumentRangeException> fragments f
            range [ "groups"; "2 and 3" ] (fun () -> Attention.groupedQuery 6 3 2 true |> ignore)
            range [ "groups"; "0" ] (fun () -> Attention.groupedScaledDotProduct 2 0 true x x x |> ignore)
            range [ "heads"; "4" ] (fun () -> Attention.groupedQuery 6 4 2 true |> ignore)
            range [ "theta"; "NaN" ] (fun () -> Attention.rotary nan 1 x |> ignore)
            range [ "even width"; "2" ] (fun () -> Attention.rotary 100.0 2 x |> ignore)
            range [ "even width"; "3" ] (fun () -> Attention.rotaryGroupedQuery 100.0 6 2 1 true |> ignore)
            range [ "epsilon" ] (fun () -> Normalization.rmsWith -1.0 6 |> ignore)
            range [ "feature" ] (fun () -> Normalization.rms 0 |> ignore)
            range [ "slope" ] (fun () -> Layer.leakyRelu nan |> ignore)
            range [ "alpha" ] (fun () -> Layer.elu infinity |> ignore)
            range [ "dense" ] (fun () -> Layer.swiGlu 0 1 |> ignore)

            Expect.raises<ShapeException> [ "grouped-query"; "[2; 3; 6]" ] (fun () ->
                Attention.groupedScaledDotProduct 2 1 true x x x)

            Expect.raises<ShapeException> [ "rotary"; "[2]" ] (fun () -> Attention.rotary 100.0 1 (random 1L [ 2 ]))

            Expect.raises<ShapeException> [ "rms norm 3"; "[2; 4]" ] (fun () ->
                Network.forward (Network.ofLayer (Normalization.rms 3)) (random 1L [ 3 ]) (random 2L [ 2; 4 ]))
        }
    ]
