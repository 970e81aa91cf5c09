/// Laws of quantisation, bit assignments, rankings and saliencies.
module Curvature.Tests.Properties.SensitivityLaws

open System
open FsCheck
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private numbers lowest highest =
    gen {
        let! count = Gen.choose (lowest, highest)
        let! seed = Generators.seed
        return Generators.numbers -2.0 2.0 seed count
    }

let private items =
    gen {
        let! count = Gen.choose (1, 6)

        return!
            gen {
                let! size = Gen.choose (1, 9)
                let! scores = Gen.listOfLength 3 (Gen.choose (0, 12))

                return
                    {
                        BitAllocation.Costs = [| 2L; 4L; 8L |] |> Array.map (fun bits -> bits * int64 size)
                        BitAllocation.Scores = scores |> List.map (fun s -> float s / 4.0) |> List.toArray
                    }
            }
            |> Gen.arrayOfLength count
    }

let rec private allChoices (items: BitAllocation.Item list) =
    match items with
    | [] -> [ 0L, 0.0 ]
    | item :: rest ->
        [
            for cost, score in allChoices rest do
                for i in 0..2 -> cost + item.Costs[i], score + item.Scores[i]
        ]

[<Tests>]
let tests =
    testList "Properties.SensitivityLaws" [
        law "rounding is odd, moves no weight by more than half a step, and changes nothing when repeated" (fun () ->
            let cases = Gen.zip (Gen.choose (2, 8)) (numbers 1 30)

            Prop.forAll (Arb.fromGen cases) (fun (bits, values) ->
                let weights = Tensor.ofArray [ values.Length ] values
                let rounded = Quantization.perTensor bits weights
                Expect.tensorsClose 1e-15 -rounded (Quantization.perTensor bits -weights)
                Expect.tensorsClose 1e-12 rounded (Quantization.perTensor bits rounded)
                let largest = values |> Array.map abs |> Array.max
                let step = largest / float ((1 <<< (bits - 1)) - 1)

                Array.iter2
                    (fun (w: float) (q: float) ->
                        Expect.isTrue $"{w} to {q} with a step of {step}" (abs (q - w) <= 0.5 * step * (1.0 + 1e-12)))
                    values
                    (rounded.ToArray())))

        lawOver [] 300 "an assignment is within its budget, and none of all others scores less" (fun () ->
            let cases =
                gen {
                    let! items = items

                    let least, most =
                        items |> Array.sumBy (fun i -> i.Costs[0]), items |> Array.sumBy (fun i -> i.Costs[2])

                    let! budget = Gen.choose (int least - 3, int most + 3)
                    return items, int64 budget
                }

            Prop.forAll (Arb.fromGen cases) (fun (items, budget) ->
                let possible = allChoices (List.ofArray items) |> List.filter (fun (cost, _) -> cost <= budget)

                match BitAllocation.solve budget items with
                | None -> Expect.isTrue "nothing fits" possible.IsEmpty
                | Some choices ->
                    let sum (f: BitAllocation.Item -> int -> 'a) = Array.map2 f items choices
                    Expect.isTrue "within the budget" (Array.sum (sum (fun item i -> item.Costs[i])) <= budget)
                    let score = Array.sum (sum (fun item i -> item.Scores[i]))
                    Expect.close 1e-12 [| possible |> List.map snd |> List.min |] [| score |]))

        law "Kendall's tau is that of all pairs, ties included" (fun () ->
            let rankings =
                gen {
                    let! count = Gen.choose (2, 12)
                    let values = Gen.choose (0, 6) |> Gen.map float |> Gen.arrayOfLength count
                    return! Gen.zip values values
                }

            Prop.forAll (Arb.fromGen rankings) (fun (a, b) ->
                let pairs =
                    [
                        for i in 0 .. a.Length - 1 do
                            for j in 0 .. i - 1 -> i, j
                    ]

                let difference = pairs |> List.sumBy (fun (i, j) -> float (sign (a[i] - a[j]) * sign (b[i] - b[j])))
                let untied (x: float[]) = pairs |> List.filter (fun (i, j) -> x[i] <> x[j]) |> List.length |> float
                let scale = sqrt (untied a * untied b)
                let expected = if scale = 0.0 then 1.0 else difference / scale
                Expect.close 1e-12 [| expected |] [| Resampling.kendallTau a b |]))

        lawOver
            []
            30
            "a sum of diagonal entries, weighted by no negative, has at most twice the variance of independent ones"
            (fun () ->
                let cases = Gen.zip (Gen.choose (2, 7)) Generators.seed

                Prop.forAll (Arb.fromGen cases) (fun (n, seed) ->
                    let a = Matrices.symmetric seed n
                    let weights = Generators.numbers 0.0 1.0 seed n
                    let entries = a.ToArray()

                    // z∘Az for all signs z: exact moments.
                    let outcomes =
                        Probe.outcomes Probe.rademacher n
                        |> Seq.map (fun (_, z) ->
                            Array.init n (fun i ->
                                weights[i] * z[i] * (Array.init n (fun j -> entries[i * n + j] * z[j]) |> Array.sum)))
                        |> Seq.toArray

                    let variance (values: float[]) =
                        let mean = Array.average values
                        values |> Array.averageBy (fun v -> (v - mean) * (v - mean))

                    let ofSum = outcomes |> Array.map Array.sum |> variance

                    let separate =
                        Array.init n (fun i -> outcomes |> Array.map (fun o -> o[i]) |> variance) |> Array.sum

                    Expect.isTrue $"{ofSum} against twice {separate}" (ofSum <= 2.0 * separate * (1.0 + 1e-9) + 1e-12)))
    ]
