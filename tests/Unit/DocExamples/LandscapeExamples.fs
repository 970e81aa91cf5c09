/// The F# of docs/landscapes.md.
module DocExamples.LandscapeExamples

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network = Network.mlp Layer.tanh [ 8; 6; 3 ]
let private inputs = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 30; 8 ]
let private labels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun row -> row % 3))

let private risk =
    Risk.ofFunction (fun theta ->
        Network.forward network theta inputs |> Loss.softmaxCrossEntropy Reduction.Mean labels)

let private theta = Network.initialize (Key.OfSeed 2L) DType.Float64 network

[<Tests>]
let tests =
    testList "DocExamples.LandscapeExamples" [
        test "along a line" {
            let point = Hessian.evaluate risk theta
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 2 point.Hessian

            let line = Landscape.line risk theta (Direction.eigenvector 0 pairs) (Landscape.grid 4.0 41)
            let departure = line.Departure 0.1 // by more than a tenth

            for t, value, model in Array.zip3 line.Positions line.Losses line.ModelLosses do
                printfn $"{t:f2}: {value:f4}, and {model:f4} by the eigenvalue"

            printfn $"the model holds from {departure.Below} to {departure.Above}"

            let descent = Landscape.line risk theta (Direction.gradient point.Gradient) (Landscape.grid 1.0 41)

            Expect.close 1e-12 [| pairs.Values[0] |] [| line.Model.Curvatures[0, 0] |]
            Expect.isTrue "uphill" (descent.Losses[21] > descent.Losses[20])
        }

        test "over a plane" {
            let axis seed =
                Direction.random (Key.OfSeed seed) theta
                |> Direction.filterNormalized network.Layout theta
                |> Landscape.axis (Landscape.grid 1.0 21)

            let plane = Landscape.plane risk theta (axis 1L) (axis 2L)

            printfn $"{plane.Losses[10, 10]} in the middle, {plane.Losses[0, 0]} in a corner"

            let weightsAlone (tensor: ParameterTensor) = not (tensor.Name.EndsWith "weight")

            let other =
                Direction.random (Key.OfSeed 3L) theta
                |> Direction.filterNormalizedExcept weightsAlone network.Layout theta

            Expect.equal "[| plane.Losses.GetLength 0; pl…" [| 21; 21 |] [|
                plane.Losses.GetLength 0
                plane.Losses.GetLength 1
            |]

            Expect.isTrue "a direction" (other.Length > 0.0)
        }

        test "over a data set" {
            let direction = Direction.random (Key.OfSeed 5L) theta
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = network |> Network.risk Reduction.Mean criterion (Batches.split 8 inputs labels)
            let line = Landscape.line risk theta direction (Landscape.grid 1.0 41)

            Expect.equal "line.Evaluations" (4 * 41) line.Evaluations
        }

        test "with options" {
            let tell = Progress<LandscapeProgress>(fun p -> printfn $"{p.Evaluations} of {p.Total}")
            let options = LandscapeOptions.Default.WithProgress(tell).WithNonFinite().WithQuadraticForms()

            let direction = Direction.ofVector "towards 0" -theta
            let line = Landscape.lineWith options risk theta direction [ 0.0; 0.5; 1.0 ]
            printfn $"{line.NonFinite.Length} losses are not finite"

            Expect.equal "line.NonFinite.Length" 0 line.NonFinite.Length
        }
    ]
