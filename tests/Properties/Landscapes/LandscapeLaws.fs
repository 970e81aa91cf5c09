/// Laws of landscapes and directions.
module Curvature.Tests.Properties.LandscapeLaws

open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private vector (seed: int) n = Generators.numbers -1.0 1.0 seed n |> Tensor.ofArray [ n ]

let private layoutOf (shapes: int[] list) =
    ParameterLayout.ofShapes (shapes |> List.mapi (fun i shape -> $"t{i}", List.ofArray shape))

/// Layouts of one to four tensors, none of them empty, with at least one of two axes, and a seed.
let private layouts =
    gen {
        let! first = Generators.fullShape 2 4
        let! others = Gen.choose (0, 3) |> Gen.bind (fun count -> Gen.listOfLength count (Generators.fullShape 0 4))
        let! seed = Generators.seed
        return layoutOf (first :: others), seed
    }

let private quadratic =
    gen {
        let! n = Gen.choose (1, 6)
        let! seed = Generators.seed
        return n, seed
    }

[<Tests>]
let tests =
    testList "Properties.LandscapeLaws" [
        lawOver [] 50 "a quadratic loss is its own model, along any line and over any plane" (fun () ->
            Prop.forAll (Arb.fromGen quadratic) (fun (n, seed) ->
                let a = Matrices.symmetric seed n
                let b, theta = vector (seed + 1) n, vector (seed + 2) n
                let loss (x: Tensor) = 0.5 * Tensor.dot x (Tensor.matmul a x) + Tensor.dot b x

                let first, second =
                    Direction.ofVector "first" (vector (seed + 3) n), Direction.random (Key.OfSeed(int64 seed)) theta

                let plane =
                    Landscape.plane
                        (Risk.ofFunction loss)
                        theta
                        (Landscape.axis (Landscape.grid 2.0 4) first)
                        (Landscape.axis (Landscape.grid 1.0 3) second)

                let flat (table: float[,]) = table |> Seq.cast<float> |> Seq.toArray
                Expect.close 1e-12 (flat plane.ModelLosses) (flat plane.Losses)
                let line = Landscape.line (Risk.ofFunction loss) theta second (Landscape.grid 1.0 3)
                Expect.close 1e-12 line.ModelLosses line.Losses))

        lawOver
            []
            50
            "every row of a filter-normalised direction has the norm of its weights, and points the same way"
            (fun () ->
                Prop.forAll (Arb.fromGen layouts) (fun (layout, seed) ->
                    let theta = vector seed layout.Size
                    let raw = Direction.random (Key.OfSeed(int64 seed)) theta
                    let made = Direction.filterNormalized layout theta raw

                    for tensor in layout.Tensors do
                        let cut (t: Tensor) = (Tensor.slice 0 tensor.Offset tensor.Size t).ToArray()
                        let own = cut made.Vector

                        if tensor.Shape.Length < 2 then
                            Expect.close 0.0 (Array.zeroCreate tensor.Size) own
                        else
                            let rows = Array.chunkBySize (tensor.Size / tensor.Shape[0])
                            let norm (row: float[]) = row |> Array.sumBy (fun x -> x * x) |> sqrt

                            Array.map3 (fun a b c -> a, b, c) (rows own) (rows (cut theta)) (rows (cut raw.Vector))
                            |> Array.iter (fun (row, weights, before) ->
                                Expect.close 1e-12 [| norm weights |] [| norm row |]

                                Expect.close
                                    1e-12
                                    (before |> Array.map (fun x -> x * norm weights / norm before))
                                    row)))

        lawOver
            []
            50
            "filter normalisation undoes any scaling of rows of the direction, and follows that of the weights"
            (fun () ->
                Prop.forAll (Arb.fromGen layouts) (fun (layout, seed) ->
                    let theta = vector seed layout.Size
                    let raw = Direction.random (Key.OfSeed(int64 seed)) theta
                    let normalised theta direction = (Direction.filterNormalized layout theta direction).Vector
                    let expected = (normalised theta raw).ToArray()
                    Expect.close 1e-12 expected ((normalised theta (Direction.scaled 7.0 raw)).ToArray())

                    Expect.close
                        1e-12
                        (expected |> Array.map (fun x -> 3.0 * x))
                        ((normalised (3.0 * theta) raw).ToArray())))
    ]
