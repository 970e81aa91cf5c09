module Curvature.Tests.Unit.MatrixMarketTests

open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private withFile (lines: string list) (f: string -> unit) =
    let path = Path.GetTempFileName()

    try
        File.WriteAllLines(path, lines)
        f path
    finally
        File.Delete path

let private read (lines: string list) : Tensor =
    let mutable result = null
    withFile lines (fun path -> result <- MatrixMarket.readDense path)
    result

[<Tests>]
let tests =
    testList "Unit.MatrixMarketTests" [
        for name, n, trace, squares in
            [
                "karate", 34, 0.0, 156.0
                "nos5", 468, 86377765.065, -1.0
                "662_bus", 662, 74426.00656899992, -1.0
            ] do
            test $"published matrices have their traces and norms ({name}, {n}, {trace}, {squares})" {
                let path = SharedData.path $"data/mtx/{name}.mtx"
                let operator, matrix = MatrixMarket.read path, MatrixMarket.readDense path
                Expect.isTrue "symmetric" (operator.IsSymmetric && operator.Columns = n && operator.Name = name)
                Expect.close 1e-14 [| trace |] [| (Exact.trace operator).Value |]
                Expect.tensorsClose 1e-15 matrix (LinearOperator.dense operator)

                if squares > 0.0 then
                    Expect.close 1e-14 [| squares |] [| Matrices.squaredNorm matrix |]
            }

        test "every layout, field and symmetry gives the matrix that it describes" {
            let coordinate kind entries =
                read ($"%%%%MatrixMarket matrix coordinate {kind}" :: "% a comment" :: "" :: "2 2 2" :: entries)

            Expect.tensor 0.0 [ 2; 2 ] [ 0.0; 1.5; -2e3; 0.0 ] (coordinate "real general" [ "1 2 1.5"; "2 1 -2e3" ])
            Expect.tensor 0.0 [ 2; 2 ] [ 7.0; 4.0; 4.0; 0.0 ] (coordinate "integer symmetric" [ "1 1 7"; "2 1 4" ])
            Expect.tensor 0.0 [ 2; 2 ] [ 0.0; 1.0; 1.0; 1.0 ] (coordinate "pattern symmetric" [ "2 1"; "2 2" ])

            Expect.tensor
                0.0
                [ 2; 2 ]
                [ 0.0; -3.0; 3.0; 0.0 ]
                (read [ "%%MatrixMarket matrix coordinate real skew-symmetric"; "2 2 1"; "2 1 3" ])

            Expect.tensor
                0.0
                [ 2; 3 ]
                [ 1.0; 3.0; 5.0; 2.0; 4.0; 6.0 ]
                (read [ "%%MatrixMarket matrix array real general"; "2 3"; "1"; "2"; "3"; "4"; "5"; "6" ])

            Expect.tensor
                0.0
                [ 2; 2 ]
                [ 1.0; 2.0; 2.0; 3.0 ]
                (read [ "%%MatrixMarket matrix array integer symmetric"; "2 2"; "1"; "2"; "3" ])
        }

        test "a stream is read like a file, and names the operator" {
            let text = "%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n"
            use stream = new MemoryStream(System.Text.Encoding.ASCII.GetBytes text)
            let operator = MatrixMarket.readStream ReadLimits.Default "turn" stream
            Expect.equal "operator.Name" "turn" operator.Name
            let expected = [ 0.0; -1.0; -2.0; 1.0; 0.0; -3.0; 2.0; 3.0; 0.0 ]
            Expect.tensor 0.0 [ 3; 3 ] expected (LinearOperator.dense operator)
        }

        test "the operator of an asymmetric file has a transpose and claims nothing" {
            withFile [ "%%MatrixMarket matrix coordinate real general"; "2 3 2"; "1 3 4"; "2 1 5" ] (fun path ->
                let operator = MatrixMarket.read path
                Expect.isTrue "nothing is claimed" (operator.Properties = OperatorProperties.None)
                Expect.tensor 0.0 [ 2; 3 ] [ 0.0; 0.0; 4.0; 5.0; 0.0; 0.0 ] (LinearOperator.dense operator)
                Expect.tensor 0.0 [ 3; 2 ] [ 0.0; 5.0; 0.0; 0.0; 4.0; 0.0 ] (LinearOperator.dense operator.Transposed))
        }

        test "malformed files are errors that name the line" {
            let refused fragments lines = Expect.error<DataException> fragments (fun () -> read lines |> ignore)
            let general = "%%MatrixMarket matrix coordinate real general"
            refused [ "line 1" ] []
            refused [ "line 1"; "complex" ] [ "%%MatrixMarket matrix coordinate complex general" ]
            refused [ "line 1"; "hermitian" ] [ "%%MatrixMarket matrix coordinate real hermitian" ]
            refused [ "line 1"; "pattern" ] [ "%%MatrixMarket matrix array pattern general" ]
            refused [ "sizes" ] [ general ]
            refused [ "line 2" ] [ general; "2 2" ]
            refused [ "line 2"; "-2" ] [ general; "-2 2 1" ]
            refused [ "line 3"; "(3, 1)" ] [ general; "2 2 1"; "3 1 5" ]
            refused [ "line 3"; "(0, 1)" ] [ general; "2 2 1"; "0 1 5" ]
            refused [ "line 3"; "x" ] [ general; "2 2 1"; "1 1 x" ]
            refused [ "line 3"; "nan" ] [ general; "2 2 1"; "1 1 nan" ]
            refused [ "line 4"; "twice" ] [ general; "2 2 2"; "1 1 5"; "1 1 6" ]
            refused [ "2 entries"; "1" ] [ general; "2 2 2"; "1 1 5" ]
            refused [ "square" ] [ "%%MatrixMarket matrix coordinate real symmetric"; "2 3 0" ]
            refused [ "line 3"; "above" ] [ "%%MatrixMarket matrix coordinate real symmetric"; "2 2 1"; "1 2 5" ]
            refused [ "4 entries"; "3" ] [ "%%MatrixMarket matrix array real general"; "2 2"; "1"; "2"; "3" ]
            let huge = "%%MatrixMarket matrix array real general"
            refused [ "4611686014132420609 entries"; "1 are there" ] [ huge; "2147483647 2147483647"; "5" ]
            refused [ "line 3"; "more than 0" ] [ huge; "0 2147483647"; "5" ]
            refused [ "3 entries are needed"; "2" ] [ "%%MatrixMarket matrix array real symmetric"; "2 2"; "1"; "2" ]

            refused [ "3 entries are needed"; "2" ] [
                "%%MatrixMarket matrix array real skew-symmetric"
                "3 3"
                "1"
                "2"
            ]

            refused [ "more than 1" ] [ "%%MatrixMarket matrix array real general"; "1 1"; "1"; "2" ]
            Expect.error<DataException> [ "does not exist" ] (fun () -> MatrixMarket.read "no-such.mtx" |> ignore)
        }
    ]
