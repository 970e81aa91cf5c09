/// What the scripts among the samples do, in less time.
module Curvature.Tests.Unit.ScriptTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open global.Samples

let private keys = (Key.OfSeed 5L).Split 3

[<Tests>]
let tests =
    testList "Unit.ScriptTests" [
        test "a flow trained with estimated divergence is a density, and likelier than a normal one" {
            let points, _ = TwoMoons.draw keys[0] 0.1 512
            let held, _ = TwoMoons.draw keys[1] 0.1 512
            let flow = Flow.create 16 4
            let theta = Flow.train flow keys[2] 120 64 points
            let own, normal = Flow.logLikelihood flow theta held, Flow.gaussianLogLikelihood points held
            Expect.isTrue $"{own} against {normal} with {keys[2]}" (own > normal + 0.1)

            // The density sums to 1 over a grid that reaches far beyond the points.
            let step = 0.1

            let grid =
                [|
                    for x in -4.0 .. step .. 5.0 do
                        for y in -4.0 .. step .. 4.5 do
                            yield! [| x; y |]
                |]

            let density =
                Flow.logDensity flow.Steps (Flow.exact flow theta) (Tensor.ofArray [ grid.Length / 2; 2 ] grid)

            let mass = step * step * (Tensor.sum (Tensor.exp density)).ToScalar()
            Expect.isTrue $"mass {mass}" (abs (mass - 1.0) < 0.02)
        }

        test "the normal fit of normal points has their entropy as its likelihood" {
            let points = Tensor.normal keys[0] DType.Float64 [ 20_000; 2 ] * tensor [ 2.0; 0.5 ] + tensor [ 1.0; -3.0 ]
            // −ln 2π − 1 for a covariance of determinant 1; the standard error is 1/√20000.
            Expect.isTrue
                "entropy"
                (abs (Flow.gaussianLogLikelihood points points + log (2.0 * Math.PI) + 1.0) < 5.0 / sqrt 20_000.0)
        }

        test "a penalty on the trace makes it fall at little loss of accuracy" {
            let draw key : TracePenalty.Data =
                let points, labels = TwoMoons.draw key 0.2 400
                { Inputs = points; Labels = labels }

            let data, held = draw keys[0], draw keys[1]
            let network = Network.mlp Layer.tanh [ 2; 16; 16; 2 ]
            let train penalty = TracePenalty.train network keys[2] penalty 300 data
            let plain, flat = train 0.0, train 0.003
            let before, after = TracePenalty.trace network data plain, TracePenalty.trace network data flat

            Expect.isTrue
                $"the trace went from {before} to {after} with {keys[2]}"
                (0.0 < after && after < 0.6 * before)

            let lost = TracePenalty.accuracy network held plain - TracePenalty.accuracy network held flat
            Expect.isTrue $"{lost} of accuracy was lost" (lost < 0.05)
        }
    ]
