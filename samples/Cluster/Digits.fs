/// Digits of 8×8 points, and a network over them: what every process of the cluster makes for itself.
module Digits

open System
open System.IO
open Curvature
open Curvature.FSharp

/// Batches in a group, and images in a batch.
let private inGroup, inBatch = 4, 50

/// Strokes of the ten digits on a grid of 8×8, row by row, as bits.
let private shapes: uint64[] =
    [|
        0x3C66666666663C00UL
        0x1838181818187E00UL
        0x3C66060C18307E00UL
        0x3C66061C06663C00UL
        0x0C1C3C6C7E0C0C00UL
        0x7E607C0606663C00UL
        0x3C60607C66663C00UL
        0x7E060C1818181800UL
        0x3C66663C66663C00UL
        0x3C66663E06063C00UL
    |]

let private stroke (digit: int) (point: int) = if (shapes[digit] >>> (63 - point)) &&& 1UL = 1UL then 1.0 else 0.0

/// Images drawn from a key: a shape, with strokes of different strength, and noise.
let private drawn (group: int) : Batch seq =
    let batch number =
        let key = Key.OfSeed(int64 (1000 + group * inGroup + number))
        let labels = Array.init inBatch (fun row -> (row * 7 + number) % 10)

        let clean =
            Tensor.ofArray
                [ inBatch; 64 ]
                [|
                    for row in labels do
                        for point in 0..63 -> stroke row point
                |]

        let noise = 0.3 * Tensor.normal key DType.Float64 [ inBatch; 64 ]
        Batch(Tensor.convert DType.Float32 (clean + noise), Tensor.ofIndices [ inBatch ] labels)

    Seq.init inGroup batch

/// Lines of 64 numbers up to 16, and a digit.
let private fromFile (path: string) : int * (int -> Batch seq) =
    let rows = File.ReadAllLines path |> Array.map (fun line -> line.Split ',' |> Array.map float)

    let batches =
        rows
        |> Array.chunkBySize inBatch
        |> Array.map (fun rows ->
            let inputs = rows |> Array.collect (fun row -> row[..63] |> Array.map (fun x -> x / 16.0))
            let labels = rows |> Array.map (fun row -> int row[64])
            let inputs = Tensor.ofArray [ rows.Length; 64 ] inputs |> Tensor.convert DType.Float32
            Batch(inputs, Tensor.ofIndices [ rows.Length ] labels))
        |> Array.chunkBySize inGroup

    batches.Length, (fun group -> batches[group])

let private network = Network.mlp Layer.tanh [ 64; 32; 10 ]

let private loss (batch: Batch) (theta: Tensor) =
    Network.forward network theta batch.Inputs |> Loss.softmaxCrossEntropy Reduction.Mean batch.Targets

/// θ, the same everywhere.
let theta = Network.initialize (Key.OfSeed 1L) DType.Float32 network

/// The names of the tensors of θ.
let layout = network.Layout

/// The risk named digits: images of the file that the variable CURVATURE_DIGITS names, or drawn from a key.
let shards =
    let groups, batchesOf =
        match Environment.GetEnvironmentVariable "CURVATURE_DIGITS" |> Option.ofObj with
        | Some path -> fromFile path
        | None -> 12, drawn

    Shards.empty |> Shards.register "digits" groups batchesOf loss
