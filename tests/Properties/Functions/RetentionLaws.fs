/// Plans that compute residuals again against plans that keep them all.
module Curvature.Tests.Properties.RetentionLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Values at points and a map of vectors there, with points and vector unknown; how many values.
let private record (points: Tensor[]) (vector: Tensor) (f: Tensor[] -> Tensor list * (Tensor -> Tensor)) =
    let mutable count = 0
    let signatures = Array.append points [| vector |] |> Array.map _.Signature

    let program =
        Staging.stage vector.Device signatures (fun inputs ->
            let values, map = f inputs[.. points.Length - 1]
            count <- values.Length
            [| yield! values; yield map inputs[points.Length] |])
        |> Simplify.run (Array.append (Array.create points.Length false) [| true |])

    Partition.cut points.Length count program

let private run (parts: Partition) (points: Tensor[]) (vector: Tensor) : Tensor list =
    let storage (t: Tensor) = t.Storage.Dense t.DType
    let points = points |> Array.map storage
    use slow = new BoundPlan(Plan(parts.Slow, 0), [||], [||], false)
    let results = slow.Run points
    let residuals = results[parts.SlowOutputs ..]
    let plan = Plan(parts.Fast, parts.Fast.Inputs - 1)
    use fast = new BoundPlan(plan, Array.append points residuals, residuals, true)
    let first, again = fast.Run [| storage vector |], fast.Run [| storage vector |]
    let tensors = Array.map Tensor.OfStorage
    Array.iter2 Expect.sameBits (tensors first) (tensors again)
    Array.append results[.. parts.SlowOutputs - 1] first |> tensors |> List.ofArray

let private bytes (parts: Partition) =
    parts.Slow.Outputs[parts.SlowOutputs ..] |> Array.sumBy (fun output -> (parts.Slow.Signature output).Bytes)

/// The same bits from fewer bytes, or as many. Returns the two.
let private check (points: Tensor[]) (vector: Tensor) f : struct (int64 * int64) =
    let all = record points vector f
    let fewer = Retention.reduce 0L all
    List.iter2 Expect.sameBits (run all points vector) (run fewer points vector)
    let before, after = bytes all, bytes fewer
    Expect.isTrue $"{after} bytes in place of {before}" (after <= before)
    struct (before, after)

let private product (loss: Tensor -> Tensor) (points: Tensor[]) =
    let (value, gradient), multiply = Linearized.gradient loss points[0]
    [ value; gradient ], multiply

let private form (loss: Tensor -> Tensor) (points: Tensor[]) =
    let value, form = Linearized.quadraticForm loss points[0]
    [ value ], form

let private law name property = lawOver [ typeof<RandomFunctions> ] 60 name property

[<Tests>]
let tests =
    testList "Properties.RetentionLaws" [
        law "products and forms keep their bits where residuals are computed again" (fun (f: RandomFunction) ->
            check [| f.Point |] (f.Direction 0) (product f.Loss) |> ignore
            check [| f.Point |] (f.Direction 1) (form f.Loss) |> ignore)

        for entry in Entries.all do
            test $"programs keep their bits where residuals are computed again ({entry})" {
                MixedLaws.MixedPrograms.check 2 Generators.floating entry (fun p ->
                    let points, v = [| p.X; p.Theta |], MixedProgram.Direction (p.Seed + 9) p.X
                    check points v (fun points -> [], (fun x -> p.Joined(points[1], x))) |> ignore
                    check points v (fun points -> product (p.Loss points[1]) points) |> ignore
                    check points v (fun points -> form (p.Loss points[1]) points) |> ignore)
            }

        test "many random functions have residuals that are computed again" {
            let reduced =
                [
                    for seed in 1..60 do
                        let f = RandomFunction.make seed 5
                        let struct (before, after) = check [| f.Point |] (f.Direction 0) (product f.Loss)
                        if after < before then seed
                ]

            Expect.isTrue $"{reduced.Length} of 60" (reduced.Length >= 10)
        }
    ]
