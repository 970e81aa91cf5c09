/// Indices, slices and loops over tensors.
module Curvature.Tests.Unit.Tensors.TensorIndexingTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private cube = Tensor.arange DType.Float64 24 |> Tensor.reshape [ 2; 3; 4 ]
let private array3 = Array3D.init 2 3 4 (fun i j k -> float (12 * i + 4 * j + k))
let private flat1 (a: float[]) = List.ofArray a
let private flat2 (a: float[,]) = a |> Seq.cast<float> |> List.ofSeq
let private flat3 (a: float[,,]) = a |> Seq.cast<float> |> List.ofSeq

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorIndexingTests" [
        test "indices and slices mean what they mean for arrays" {
            Expect.tensor 0.0 [] [ array3[1, 2, 3] ] cube[1, 2, 3]
            Expect.tensor 0.0 [ 4 ] (flat1 array3[1, 2, *]) cube[1, 2, *]
            Expect.tensor 0.0 [ 4 ] (flat1 array3[1, 2, *]) cube[1, 2]
            Expect.tensor 0.0 [ 3; 4 ] (flat2 array3[1, *, *]) cube[1]
            Expect.tensor 0.0 [ 1; 3; 4 ] (flat3 array3[1..1, *, *]) cube[1..1]
            Expect.tensor 0.0 [ 1; 3; 4 ] (flat3 array3[1.., *, *]) cube[1..]
            Expect.tensor 0.0 [ 1; 3; 4 ] (flat3 array3[..0, *, *]) cube[..0]
            Expect.tensor 0.0 [ 2; 4 ] (flat2 array3[*, 1, *]) cube[*, 1]
            Expect.tensor 0.0 [ 2; 2; 4 ] (flat3 array3[*, 1.., *]) cube[*, 1..]
            Expect.tensor 0.0 [ 2; 2 ] (flat2 array3[*, 1, 2..3]) cube[*, 1, 2..3]
            Expect.tensor 0.0 [ 3; 2 ] (flat2 array3[0, *, ..1]) cube[0, *, ..1]
            Expect.tensor 0.0 [ 2 ] (flat1 array3[*, 0, 3]) cube[*, 0, 3]
            Expect.tensor 0.0 [ 2; 1; 2 ] (flat3 array3[0..1, 2..2, 1..2]) cube[0..1, 2..2, 1..2]
            Expect.tensor 0.0 [ 2; 3; 4 ] (flat3 array3) cube[*, *, *]
        }

        test "four axes are sliced in every combination of indices and ranges" {
            let t = Tensor.arange DType.Float64 120 |> Tensor.reshape [ 2; 3; 4; 5 ]

            let check shape (is: int list, js, ks, ls) part =
                let entries =
                    [
                        for i in is do
                            for j in js do
                                for k in ks do
                                    for l in ls -> float (60 * i + 20 * j + 5 * k + l)
                    ]

                Expect.tensor 0.0 shape entries part

            check [] ([ 1 ], [ 2 ], [ 3 ], [ 4 ]) t[1, 2, 3, 4]
            check [ 2; 2; 2; 2 ] ([ 0..1 ], [ 1..2 ], [ 2..3 ], [ 0..1 ]) t[*, 1.., 2..3, ..1]
            check [ 2; 3 ] ([ 0..1 ], [ 0..2 ], [ 1 ], [ 2 ]) t[*, *, 1, 2]
            check [ 3; 5 ] ([ 1 ], [ 0..2 ], [ 2 ], [ 0..4 ]) t[1, *, 2, *]
            check [ 2; 2 ] ([ 0..1 ], [ 2 ], [ 1 ], [ 3..4 ]) t[*, 2, 1, 3..4]
            check [ 2 ] ([ 0..1 ], [ 2 ], [ 1 ], [ 3 ]) t[*, 2, 1, 3]
            check [ 3 ] ([ 0 ], [ 0..2 ], [ 1 ], [ 3 ]) t[0, 0.., 1, 3]
            check [ 2 ] ([ 0 ], [ 1 ], [ 2..3 ], [ 4 ]) t[0, 1, 2..3, 4]
            check [ 4 ] ([ 0 ], [ 1 ], [ 2 ], [ 1..4 ]) t[0, 1, 2, 1..]
            check [ 3; 4; 5 ] ([ 1 ], [ 0..2 ], [ 0..3 ], [ 0..4 ]) t[1, *, *, *]
            check [ 2; 4; 5 ] ([ 0..1 ], [ 1 ], [ 0..3 ], [ 0..4 ]) t[*, 1, *, *]
            check [ 2; 3; 5 ] ([ 0..1 ], [ 0..2 ], [ 1 ], [ 0..4 ]) t[*, *, 1, *]
            check [ 2; 3; 4 ] ([ 0..1 ], [ 0..2 ], [ 0..3 ], [ 1 ]) t[*, *, *, 1]
            check [ 4; 5 ] ([ 1 ], [ 1 ], [ 0..3 ], [ 0..4 ]) t[1, 1, *, *]
            check [ 3; 4 ] ([ 1 ], [ 0..2 ], [ 0..3 ], [ 1 ]) t[1, *, *, 1]
            check [ 2; 4 ] ([ 0..1 ], [ 1 ], [ 0..3 ], [ 1 ]) t[*, 1, *, 1]
            check [ 2; 5 ] ([ 0..1 ], [ 1 ], [ 1 ], [ 0..4 ]) t[*, 1, 1, *]
        }

        test "ranges of one axis run from first to last, and may be empty" {
            let t = tensor [ 5; 6; 7; 8 ]
            Expect.tensor 0.0 [ 2 ] [ 6.0; 7.0 ] t[1..2]
            Expect.tensor 0.0 [ 0 ] [] t[2..1]
            Expect.tensor 0.0 [ 0 ] [] t[4..]
            Expect.tensor 0.0 [ 0 ] [] t[.. -1]
            Expect.equal "t[0].DType" DType.Int32 t[0].DType
            // Nothing is left of nothing.
            let empty = Tensor.zeros DType.Float32 [ 0 ]
            Expect.tensor 0.0 [ 0 ] [] empty[0..]
        }

        test "a slice is a view of the same memory" {
            let view (t: Tensor) = t.Storage.Memory
            let transposed = Tensor.transpose cube

            for part in [ cube[1]; cube[*, 1..]; cube[1, 2, 3]; cube[*, 1, 2..3]; transposed[0, 1] ] do
                Expect.isTrue "another memory" (obj.ReferenceEquals(view cube, view part))

            Expect.isTrue "another tensor" (obj.ReferenceEquals(cube, cube[0..]))
        }

        test "slices of views, and of values on another element type" {
            let transposed = Tensor.transpose (Tensor.reshape [ 6; 4 ] cube)
            Expect.tensor 0.0 [ 2 ] [ 5.0; 9.0 ] transposed[1, 1..2]
            Expect.tensor 0.0 [ 4 ] [ 20.0; 21.0; 22.0; 23.0 ] transposed[*, 5]
            let single, filled = Tensor.convert DType.Float32 cube, Tensor.full DType.Float64 [ 4; 3 ] 9.0
            Expect.equal "single[0, 1..].DType" DType.Float32 single[0, 1..].DType
            Expect.tensor 0.0 [ 2; 2 ] [ 9.0; 9.0; 9.0; 9.0 ] filled[..1, 1..]
        }

        test "slices have all derivatives" {
            for point in points |> List.filter (fun point -> point.Rank = 2) do
                for name, f in
                    [
                        "an entry", (fun (x: Tensor) -> x[1, 1])
                        "a row", (fun x -> x[0])
                        "a column", (fun x -> x[*, 1])
                        "rows", (fun x -> x[1..])
                        "a block", (fun x -> x[0..1, 1..])
                        "nothing", (fun x -> x[2..1] + 0.0)
                        "rows in a loop", (fun x -> Seq.reduce (fun (a: Tensor) b -> a * b) x)
                    ] do
                    differentiates name (fun x -> Tensor.sin (f x) * 2.0) point
        }

        test "a loop runs over the first axis" {
            let rows = [ for row in cube -> row ]
            Expect.equal "rows.Length" 2 rows.Length
            List.iteri (fun i row -> Expect.sameBits cube[i] row) rows
            Expect.equal "Seq.length (Tensor.zeros DType.…" 0 (Seq.length (Tensor.zeros DType.Float64 [ 0; 3 ]))
            Expect.equal "[ for x in tensor [ 3.0; 4.0 ]…" [ 3.0; 4.0 ] [ for x in tensor [ 3.0; 4.0 ] -> float x ]
            Expect.error<ShapeException> [ "scalar" ] (fun () -> Seq.iter ignore (tensor 1.0))
            // A tensor among numbers is not taken for a sequence of them.
            Expect.raises<DTypeException> [ "tensor"; "Tensor" ] (fun () -> tensor [ tensor 1.0 ])
        }

        test "indices outside their axis are named with the axis and its length" {
            let refuses (fragments: string list) f = Expect.raises<ArgumentRangeException> fragments f
            refuses [ "index 2"; "axis 0"; "length 2" ] (fun () -> cube[2])
            refuses [ "index -1"; "axis 0"; "length 2" ] (fun () -> cube[-1])
            refuses [ "index 3"; "axis 1"; "length 3" ] (fun () -> cube[0, 3])
            refuses [ "index 4"; "axis 2"; "length 4" ] (fun () -> cube[*, 1, 4])
            refuses [ "index -2"; "axis 1"; "length 3" ] (fun () -> cube[0, -2 .. 1])
            refuses [ "index 0"; "4"; "axis 1"; "length 3" ] (fun () -> cube[0, ..3])
            refuses [ "index 4"; "axis 1"; "length 3" ] (fun () -> cube[0, 4..])
            refuses [ "index 2"; "axis 1"; "length 3" ] (fun () -> cube[0, 2..0])
            refuses [ "axis 0"; "length 2" ] (fun () -> cube[0 .. Int32.MaxValue])
            refuses [ "axis 0"; "length 2" ] (fun () -> cube[.. Int32.MinValue])

            refuses [ "index 0"; "axis 0"; "length 0" ] (fun () ->
                let empty = Tensor.zeros DType.Float64 [ 0 ] in empty[0])
        }

        test "more indices than axes are counted" {
            Expect.raises<ShapeException> [ "2 indices"; "1 axes"; "[3]" ] (fun () ->
                let t = tensor [ 1; 2; 3 ] in t[0, 0])

            Expect.raises<ShapeException> [ "1 indices"; "0 axes" ] (fun () -> let t = tensor 1.0 in t[0])
        }
    ]
