/// Sorting, and what is read off it.
module Curvature.Tests.Unit.Tensors.TensorSortingTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private columns (t: Tensor) = [ for column in Tensor.transpose t -> column.ToArray() ]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorSortingTests" [
        test "an axis is sorted as an array is" {
            let t = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 7; 4 ]

            for x in [ t; Tensor.reverse 0 t; t[1..5] ] do
                let sorted = columns x |> List.map Array.sort
                Expect.equal "columns (Tensor.sort 0 x)" sorted (columns (Tensor.sort 0 x))

                Expect.equal "[ for row in Tensor.sort 1 (Ten…" sorted [
                    for row in Tensor.sort 1 (Tensor.transpose x) -> row.ToArray()
                ]

                Expect.equal "[ for row in Tensor.sort -1 (Te…" sorted [
                    for row in Tensor.sort -1 (Tensor.transpose x) -> row.ToArray()
                ]

                // The positions lead to the sorted elements.
                let positions = Tensor.argSort 0 x
                Expect.equal "positions.DType" DType.Int32 positions.DType

                for column, index, expected in List.zip3 (columns x) (columns positions) sorted do
                    Expect.equal
                        "index |> Array.map (fun i -> co…"
                        expected
                        (index |> Array.map (fun i -> column[int i]))
        }

        test "every element type is sorted, equal elements keep their order, and NaN comes last" {
            Expect.tensor 0.0 [ 4 ] [ 3.0; 1.0; 0.0; 2.0 ] (Tensor.argSort 0 (tensor [ 5; -1; 5; Int32.MinValue ]))

            Expect.tensor
                0.0
                [ 4 ]
                [ float Int32.MinValue; -1.0; 5.0; 5.0 ]
                (Tensor.sort 0 (tensor [ 5; -1; 5; Int32.MinValue ]))

            Expect.tensor 0.0 [ 5 ] [ 2.0; 1.0; 3.0; 0.0; 4.0 ] (Tensor.argSort 0 (tensor [ nan; 2.0; 1.0; 2.0; nan ]))
            Expect.tensor 0.0 [ 3 ] [ 0.0; 1.0; 2.0 ] (Tensor.argSort 0 (tensor [ 0.0f; -0.0f; 0.0f ]))
            Expect.tensor 0.0 [ 3 ] [ -infinity; 1.0; infinity ] (Tensor.sort 0 (tensor [ infinity; -infinity; 1.0 ]))

            let values, positions = Tensor.topK 3 (tensor [ 2.0; nan; 7.0; 7.0; -1.0 ])
            Expect.tensor 0.0 [ 3 ] [ 7.0; 7.0; 2.0 ] values
            Expect.tensor 0.0 [ 3 ] [ 2.0; 3.0; 0.0 ] positions
            let whole, _ = Tensor.topK 2 (tensor [ Int32.MinValue; 3; Int32.MaxValue ])
            Expect.tensor 0.0 [ 2 ] [ float Int32.MaxValue; 3.0 ] whole
        }

        test "an axis may be empty or have one element" {
            Expect.tensor 0.0 [ 2; 0 ] [] (Tensor.sort 1 (Tensor.zeros DType.Float64 [ 2; 0 ]))
            Expect.tensor 0.0 [ 0; 2 ] [] (Tensor.argSort 1 (Tensor.zeros DType.Float64 [ 0; 2 ]))
            Expect.tensor 0.0 [ 1 ] [ 4.0 ] (Tensor.sort 0 (tensor [ 4.0 ]))
            let values, positions = Tensor.topK 0 (tensor [ 4.0 ])
            Expect.tensor 0.0 [ 0 ] [] values
            Expect.tensor 0.0 [ 0 ] [] positions
        }

        test "derivatives follow the elements" {
            let weights = tensor [ 1.0; 10.0; 100.0 ]

            Expect.tensor
                0.0
                [ 3 ]
                [ 100.0; 1.0; 10.0 ]
                (grad (Tensor.sort 0 >> Tensor.dot weights) (tensor [ 9.0; 2.0; 5.0 ]))

            Expect.tensor 0.0 [ 4 ] [ 0.0; 0.5; 0.5; 0.0 ] (grad Tensor.median (tensor [ 9.0; 2.0; 5.0; 1.0 ]))

            for point in points |> List.filter (fun point -> point.Rank > 0) do
                differentiates "sort" (Tensor.sort 0) point
                differentiates "cube of sort" (fun x -> let sorted = Tensor.sort -1 x in sorted * sorted * sorted) point
                differentiates "topK" (fun x -> Tensor.square (fst (Tensor.topK 2 x))) point
                differentiates "product with the median" (fun x -> x * Tensor.median x) point
        }

        test "wrong axes and counts are named" {
            let vector = tensor [ 1.0; 2.0 ]
            Expect.raises<ShapeException> [ "sort"; "axis 1" ] (fun () -> Tensor.sort 1 vector)
            Expect.raises<ShapeException> [ "argSort"; "axis 0" ] (fun () -> Tensor.argSort 0 (tensor 1.0))
            Expect.raises<ArgumentRangeException> [ "topK"; "count"; "3"; "2" ] (fun () -> fst (Tensor.topK 3 vector))
            Expect.raises<ArgumentRangeException> [ "topK"; "count"; "-1" ] (fun () -> fst (Tensor.topK -1 vector))
            Expect.raises<ShapeException> [ "topK"; "scalar" ] (fun () -> fst (Tensor.topK 1 (tensor 1.0)))
        }
    ]
