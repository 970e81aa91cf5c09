module Curvature.Tests.Unit.SplitTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 5L

[<Tests>]
let tests =
    testList "Unit.SplitTests" [
        test "each row is in one part, and the share is kept" {
            for rows, share, expected in [ 10, 0.2, 2; 11, 0.5, 6; 150, 0.1, 15; 2, 0.5, 1 ] do
                let train, test = Split.trainTest share key rows
                Expect.equal "for testing" expected test.Length
                Expect.equal "all" [| 0 .. rows - 1 |] (Array.sort (Array.append train test))
                Expect.isTrue "in order" (Array.sort train = train && Array.sort test = test)

            Expect.equal "the same key" (Split.trainTest 0.3 key 50) (Split.trainTest 0.3 key 50)
            Expect.notEqual "another key" (Split.trainTest 0.3 key 50) (Split.trainTest 0.3 (key.FoldIn 1u) 50)
        }

        test "every row is equally likely to be for testing" {
            let draws, rows, share = 2000, 10, 0.3
            let counts = Array.zeroCreate<int> rows

            for draw in 1..draws do
                let _, test = Split.trainTest share (key.FoldIn(uint32 draw)) rows

                for row in test do
                    counts[row] <- counts[row] + 1

            // 5 standard errors of a binomial count.
            let error = 5.0 * sqrt (float draws * share * (1.0 - share))

            for row in 0 .. rows - 1 do
                Expect.within $"row {row} for key {key}" error (share * float draws) (float counts[row])
        }

        test "a stratified split keeps the share within each class" {
            let labels =
                Array.init 90 (fun row ->
                    if row < 50 then 0
                    elif row < 80 then 1
                    else 2)

            let train, test = Split.stratified 0.2 key (Tensor.ofIndices [ 90 ] labels)
            let counts = test |> Array.countBy (Array.get labels) |> Array.sort
            Expect.equal "of each class" [| 0, 10; 1, 6; 2, 2 |] counts
            Expect.equal "all" [| 0..89 |] (Array.sort (Array.append train test))
        }

        test "rows of data sets are those of their tensors" {
            let x = Tensor.arange DType.Float64 8 |> Tensor.reshape [ 4; 2 ]
            let labelled = LabelledData.create x (tensor [ 0; 1; 2; 1 ]) |> LabelledData.rows [| 3; 0 |]
            Expect.tensor 0.0 [ 2; 2 ] [ 6.0; 7.0; 0.0; 1.0 ] labelled.Inputs
            Expect.tensor 0.0 [ 2 ] [ 1.0; 0.0 ] labelled.Labels
            let data = RegressionData.create x (10.0 * Tensor.slice 1 0 1 x) |> RegressionData.rows [| 1; 2 |]
            Expect.tensor 0.0 [ 2; 2 ] [ 2.0; 3.0; 4.0; 5.0 ] data.Inputs
            Expect.tensor 0.0 [ 2; 1 ] [ 20.0; 40.0 ] data.Targets
            Expect.equal "counts" (2, 2) (data.Rows, data.Features)
        }

        test "what cannot be split is refused" {
            let range fragments f = Expect.error<ArgumentRangeException> fragments (f >> ignore)
            range [ "share"; "1" ] (fun () -> Split.trainTest 1.0 key 10)
            range [ "share"; "NaN" ] (fun () -> Split.trainTest nan key 10)
            range [ "empty"; "0 would" ] (fun () -> Split.trainTest 0.1 key 3)
            range [ "empty" ] (fun () -> Split.trainTest 0.5 key 0)
            range [ "count" ] (fun () -> Split.trainTest 0.5 key -1)
            range [ "stratified"; "empty" ] (fun () -> Split.stratified 0.1 key (tensor [ 0; 1; 2 ]))
            Expect.error<DTypeException> [ "Int32" ] (fun () -> Split.stratified 0.5 key (tensor [ 0.0 ]) |> ignore)
            Expect.error<ShapeException> [ "[1; 1]" ] (fun () -> Split.stratified 0.5 key (tensor [ [ 0 ] ]) |> ignore)
            let x = Tensor.ones DType.Float64 [ 2; 1 ]
            Expect.error<ShapeException> [ "[2]" ] (fun () -> RegressionData.create x (tensor [ 1.0; 2.0 ]) |> ignore)

            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                RegressionData.create x (tensor [ [ 1 ]; [ 2 ] ]) |> ignore)

            range [ "5" ] (fun () -> LabelledData.rows [| 5 |] (LabelledData.create x (tensor [ 0; 1 ])))
        }
    ]
