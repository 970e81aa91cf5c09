module Curvature.Tests.Unit.NormalizationTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private random (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
let private epsilon = 1e-5

/// Scale and shift for a number of features.
let private parameters features = Tensor.concat 0 [ random 8L [ features ] * 0.3 + 1.0; random 9L [ features ] ]

/// (x − mean)/√(variance + ε) of some numbers.
let private standard (xs: float[]) =
    let mean = Array.average xs
    let variance = xs |> Array.averageBy (fun x -> (x - mean) * (x - mean))
    xs |> Array.map (fun x -> (x - mean) / sqrt (variance + epsilon))

/// Numbers that belong together, of those with the same key, after standard, scale and shift.
let private expected (x: Tensor) (theta: Tensor) (key: int -> 'Key) =
    let values, features = x.ToArray(), Array.last x.Shape
    let numbers = theta.ToArray()
    let result = Array.copy values

    for _, places in Array.groupBy key [| 0 .. values.Length - 1 |] do
        Array.iter2 (fun place y -> result[place] <- y) places (standard (Array.map (Array.get values) places))

    result |> Array.mapi (fun i y -> y * numbers[i % features] + numbers[features + i % features])

let private agrees layer (x: Tensor) key =
    let theta = parameters (Array.last x.Shape)
    let network = Network.forTraining (Network.ofLayer layer)
    Expect.close 1e-12 (expected x theta key) ((Network.forward network theta x).ToArray())

[<Tests>]
let tests =
    testList "Unit.NormalizationTests" [
        test "batch norm in training makes each feature standard over the batch" {
            for x in [ random 1L [ 7; 3 ] * 4.0 + 2.0; random 2L [ 2; 3; 4; 5 ]; random 3L [ 1; 2; 1; 3 ] ] do
                let features = Array.last x.Shape
                agrees (Normalization.batch features) x (fun i -> i % features)
        }

        test "batch norm in evaluation uses its statistics, sample by sample" {
            let network = Network.ofLayer (Normalization.batch 3)
            let mean, variance = tensor [ 1.0; -2.0; 0.5 ], tensor [ 4.0; 0.25; 1.0 ]

            let theta, network =
                network
                |> Network.load DType.Float64 [
                    "weight", tensor [ 2.0; 3.0; -1.0 ]
                    "bias", tensor [ 0.0; 1.0; 5.0 ]
                    "running_mean", mean
                    "running_var", variance
                ]

            let x = random 4L [ 6; 2; 2; 3 ]
            let weight, bias = tensor [ 2.0; 3.0; -1.0 ], tensor [ 0.0; 1.0; 5.0 ]
            let expected = (x - mean) / Tensor.sqrt (variance + epsilon) * weight + bias
            let y = Network.forward network theta x
            Expect.tensorsClose 1e-14 expected y
            let single = Network.forward network theta (Tensor.slice 0 2 1 x)
            Expect.sameBits (Tensor.slice 0 2 1 y) single
            Expect.isTrue "evaluation keeps samples apart" (not network.CouplesSamples)
            Expect.isTrue "training does not" (Network.forTraining network).CouplesSamples

            Expect.isTrue
                "a dense layer does"
                (not (Network.forTraining (Network.mlp Layer.tanh [ 2; 1 ])).CouplesSamples)

            Expect.sameBits y (Network.forward (Network.forEvaluation (Network.forTraining network)) theta x)
        }

        test "statistics are measured as the mean over batches, with the variance of the population" {
            let network = Network.sequential [ Layer.denseWithoutBias 2 2; Normalization.batch 2 ]
            let theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let batches = [ random 5L [ 8; 2 ]; random 6L [ 8; 2 ] ]
            let measured = Network.measureStatistics theta batches network
            let w = network.Layout.Split(theta)["0.weight"]

            let column j (x: Tensor) = (Tensor.einsum "bi,oi->ob" x w |> Tensor.item 0 j).ToArray()

            let statistic (f: float[] -> float) =
                [| for j in 0..1 -> batches |> List.averageBy (fun x -> f (column j x)) |]

            let variance (xs: float[]) =
                let mean = Array.average xs
                Array.sumBy (fun x -> (x - mean) * (x - mean)) xs / float (xs.Length - 1)

            Expect.close 1e-13 (statistic Array.average) (measured.Statistics["1.running_mean"].ToArray())
            Expect.close 1e-13 (statistic variance) (measured.Statistics["1.running_var"].ToArray())
            Expect.error<DataException> [ "batch" ] (fun () -> Network.measureStatistics theta [] network |> ignore)
        }

        test "layer norm makes each row standard" {
            let x = random 1L [ 4; 3; 5 ] * 3.0 - 1.0
            agrees (Normalization.layer 5) x (fun i -> i / 5)
        }

        test "group norm makes each sample's groups of channels standard" {
            for groups in [ 1; 2; 6 ] do
                let x = random 1L [ 3; 2; 4; 6 ]
                agrees (Normalization.group groups 6) x (fun i -> i / 48, i % 6 / (6 / groups))
                let flat = random 2L [ 3; 6 ]
                agrees (Normalization.group groups 6) flat (fun i -> i / 6, i % 6 / (6 / groups))
        }

        test "instance norm makes each channel of a sample standard" {
            agrees (Normalization.instance 5) (random 1L [ 3; 2; 4; 5 ]) (fun i -> i / 40, i % 5)
            agrees (Normalization.instance 2) (random 2L [ 3; 7; 2 ]) (fun i -> i / 14, i % 2)
        }

        test "functions normalise over any axes and over groups of channels" {
            let x = random 1L [ 3; 4; 2; 5 ] * 2.0 + 1.0
            let places = [| 0 .. x.Size - 1 |]
            let values = x.ToArray()

            let by (rule: float[] -> float[]) (key: int -> 'Key) =
                let result = Array.zeroCreate x.Size

                for _, places in Array.groupBy key places do
                    Array.iter2 (fun place y -> result[place] <- y) places (rule (Array.map (Array.get values) places))

                result

            let rms epsilon (xs: float[]) =
                let square = xs |> Array.averageBy (fun x -> x * x)
                xs |> Array.map (fun x -> x / sqrt (square + epsilon))

            let gives expected (actual: Tensor) = Expect.close 1e-13 expected (actual.ToArray())
            gives (by standard (fun i -> i / 10)) (Normalization.overAxes epsilon [ -2; 3 ] x)
            gives (by standard (fun i -> i % 40)) (Normalization.overAxes epsilon [ 0 ] x)
            gives (by standard (fun i -> i / 20)) (Normalization.overGroups epsilon 2 1 x)
            gives (by standard (fun i -> i / 40, i % 5)) (Normalization.overGroups epsilon 5 -1 x)
            gives (by (rms 0.1) (fun i -> i / 10)) (Normalization.rmsOverAxes 0.1 [ 2; 3 ] x)
            let single = Normalization.overGroups epsilon 2 1 (Tensor.convert DType.Float32 x)
            Expect.equal "type" DType.Float32 single.DType
            Expect.close 1e-6 (by standard (fun i -> i / 20)) (single.ToArray())
        }

        test "second derivatives of normalisations agree with differences of gradients" {
            for layer in
                [ Normalization.batch 4; Normalization.layer 4; Normalization.group 2 4; Normalization.instance 4 ] do
                let network = Network.forTraining (Network.ofLayer layer)
                let weights = random 7L [ 3; 2; 2; 4 ]

                let f (point: Tensor) =
                    match Tensor.split 0 [ 48; 8 ] point with
                    | [ x; theta ] ->
                        let y = Network.forward network theta (Tensor.reshape [ 3; 2; 2; 4 ] x)
                        Tensor.sum (weights * Tensor.tanh y)
                    | _ -> point

                let point = Tensor.concat 0 [ random 1L [ 48 ]; parameters 4 ]
                let v = Tensor.rademacher (Key.OfSeed 2L) DType.Float64 [ 56 ]
                let step = 1e-5
                let difference = (grad f (point + step * v) - grad f (point - step * v)) / (2.0 * step)
                let product = hessianv f point v
                Expect.tensorsClose 1e-7 difference product
                Expect.tensorsClose 1e-11 (Tensor.dot v product) (quadraticForm f point v)
        }

        test "what cannot be normalised is refused by name" {
            let run layer shape () =
                let network = Network.forTraining (Network.ofLayer layer)
                Network.forward network (parameters 3) (random 1L shape) |> ignore

            Expect.error<ShapeException> [ "batch norm 3"; "more than one" ] (run (Normalization.batch 3) [ 1; 3 ])
            Expect.error<ShapeException> [ "batch norm 3"; "[2; 4]" ] (run (Normalization.batch 3) [ 2; 4 ])
            Expect.error<ShapeException> [ "layer norm 3"; "[3]" ] (run (Normalization.layer 3) [ 3 ])
            Expect.error<ShapeException> [ "instance norm 3"; "[2; 3]" ] (run (Normalization.instance 3) [ 2; 3 ])
            Expect.error<ArgumentRangeException> [ "group"; "2" ] (fun () -> Normalization.group 2 3 |> ignore)
            let x = random 1L [ 2; 4; 3 ]
            let over axes () = Normalization.overAxes 1e-5 axes x
            Expect.raises<ShapeException> [ "axis 3" ] (over [ 3 ])
            let groups count axis () = Normalization.overGroups 1e-5 count axis x
            Expect.raises<ArgumentRangeException> [ "group norm"; "4 channels"; "3" ] (groups 3 1)
            Expect.raises<ShapeException> [ "group norm"; "batch" ] (groups 1 0)
            Expect.raises<ArgumentRangeException> [ "epsilon" ] (fun () -> Normalization.overAxes -1.0 [ 1 ] x)
            Expect.error<ArgumentRangeException> [ "feature" ] (fun () -> Normalization.batch 0 |> ignore)
        }
    ]
