module Curvature.Tests.Unit.ParameterTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private layout = ParameterLayout.ofShapes [ "first", [ 2; 3 ]; "second", []; "third", [ 0 ]; "fourth", [ 4 ] ]

let private theta = Tensor.linspace DType.Float64 1.0 11.0 11

[<Tests>]
let tests =
    testList "Unit.ParameterTests" [
        test "tensors lie one behind the other, row-major" {
            let parts = ParameterLayout.split theta layout
            Expect.tensor 0.0 [ 2; 3 ] [ 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 ] parts["first"]
            Expect.tensor 0.0 [] [ 7.0 ] parts["second"]
            Expect.tensor 0.0 [ 0 ] [] parts["third"]
            Expect.tensor 0.0 [ 4 ] [ 8.0; 9.0; 10.0; 11.0 ] parts["fourth"]
            let places = [ for tensor in layout.Tensors -> tensor.Name, tensor.Offset, tensor.Size ]
            Expect.isTrue $"{places}" (places = [ "first", 0, 6; "second", 6, 1; "third", 7, 0; "fourth", 7, 4 ])
            Expect.isTrue $"{layout.Size}" (layout.Size = 11)
        }

        test "joining what was split gives the vector back" {
            let parts = ParameterLayout.split theta layout
            let named = [ for block in ParameterLayout.blocks layout -> block.Name, parts[block.Name] ]
            Expect.sameBits theta (ParameterLayout.join (List.rev named) layout)
        }

        test "the gradient flows through the cut to every tensor" {
            let f theta =
                let parts = ParameterLayout.split theta layout
                Tensor.sum (Tensor.square parts["first"]) + 3.0 * parts["second"] + Tensor.sum parts["fourth"]

            Expect.tensor 1e-15 [ 11 ] [ 2.0; 4.0; 6.0; 8.0; 10.0; 12.0; 3.0; 1.0; 1.0; 1.0; 1.0 ] (grad f theta)
        }

        test "the blocks of the parameters have their names, places and sizes" {
            let blocks = [ for block in ParameterLayout.blocks layout -> block.Name, block.Offset, block.Size ]
            Expect.isTrue $"{blocks}" (blocks = [ "first", 0, 6; "second", 6, 1; "third", 7, 0; "fourth", 7, 4 ])
        }

        test "a vector of the wrong length is refused" {
            Expect.error<ShapeException> [ "theta"; "[11]"; "[10]" ] (fun () ->
                ParameterLayout.split (Tensor.zeros DType.Float64 [ 10 ]) layout |> ignore)
        }

        test "two parameters of the same name are refused" {
            Expect.error<ParameterException> [ "\"weight\"" ] (fun () ->
                ParameterLayout.ofShapes [ "weight", [ 1 ]; "bias", [ 1 ]; "weight", [ 2 ] ] |> ignore)
        }

        test "a name that is not there is told with those that are" {
            let parts = ParameterLayout.split theta layout
            Expect.error<ParameterException> [ "\"fifth\""; "first, second" ] (fun () -> parts["fifth"] |> ignore)
            Expect.error<ParameterException> [ "\"fifth\""; "first, second" ] (fun () -> layout["fifth"] |> ignore)
        }

        test "joining says which tensors are missing, unknown or of the wrong shape" {
            let layout = ParameterLayout.ofShapes [ "weight", [ 2 ]; "bias", [ 1 ] ]
            let zeros shape = Tensor.zeros DType.Float64 shape

            Expect.error<ParameterException> [ "missing"; "bias" ] (fun () ->
                ParameterLayout.join [ "weight", zeros [ 2 ] ] layout |> ignore)

            Expect.error<ParameterException> [ "\"scale\"" ] (fun () ->
                ParameterLayout.join [ "weight", zeros [ 2 ]; "bias", zeros [ 1 ]; "scale", zeros [ 1 ] ] layout
                |> ignore)

            Expect.error<ShapeException> [ "bias"; "[1]"; "[3]" ] (fun () ->
                ParameterLayout.join [ "weight", zeros [ 2 ]; "bias", zeros [ 3 ] ] layout |> ignore)
        }
    ]
