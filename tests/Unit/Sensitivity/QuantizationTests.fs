namespace Curvature.Tests.Unit

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

module QuantizationTests =

    [<Tests>]
    let tests =
        testList "Unit.QuantizationTests" [
            test "two bits are the levels −1, 0 and 1 of the largest weight, with halves to the even level" {
                Expect.tensor
                    1e-15
                    [ 5 ]
                    [ -2.0; 0.0; 0.0; 2.0; 2.0 ]
                    (Quantization.perTensor 2 (tensor [ -1.2; 0.4; 1.0; 1.3; 2.0 ]))
                // A largest weight of 7 has the whole numbers as levels of 4 bits.
                let weights = tensor [ 7.0; -0.4; 2.5; 3.5; -6.6 ]
                Expect.tensor 1e-15 [ 5 ] [ 7.0; 0.0; 2.0; 4.0; -7.0 ] (Quantization.perTensor 4 weights)
            }

            test "rows have steps of their own" {
                let weights = tensor [ [ 3.0; 1.0 ]; [ 30.0; 10.0 ]; [ 0.0; 0.0 ] ]
                Expect.tensor 1e-14 [ 3; 2 ] [ 3.0; 1.0; 30.0; 10.0; 0.0; 0.0 ] (Quantization.perRow 3 weights)
                Expect.tensor 1e-14 [ 3; 2 ] [ 0.0; 0.0; 30.0; 10.0; 0.0; 0.0 ] (Quantization.perTensor 3 weights)
            }

            test "element type and shape stay, zeros stay zeros, and a scalar is one weight" {
                let zeros = Quantization.perTensor 2 (Tensor.zeros DType.Float32 [ 2; 0; 3 ])
                Expect.equal "zeros.DType, zeros.Shape" (DType.Float32, [| 2; 0; 3 |]) (zeros.DType, zeros.Shape)
                Expect.tensor 0.0 [ 2 ] [ 0.0; 0.0 ] (Quantization.perTensor 8 (Tensor.zeros DType.Float64 [ 2 ]))
                Expect.scalar 1e-15 -3.0 (Quantization.perRow 2 (Tensor.scalar DType.Float64 -3.0))
            }

            test "bits that do not exist and weights that are not numbers are errors" {
                let weights = tensor [ 1.0; 2.0 ]
                let bits = raises<ArgumentRangeException>(fun () -> Quantization.perTensor 1 weights)
                Expect.isTrue bits.Message (bits.Message.Contains "1 were asked for")
                raises<ArgumentRangeException>(fun () -> Quantization.perRow 33 weights) |> ignore
                raises<NonFiniteException>(fun () -> Quantization.perTensor 4 (tensor [ 1.0; Double.NaN ])) |> ignore
                raises<DTypeException>(fun () -> Quantization.perTensor 4 (Tensor.ofIndices [ 1 ] [| 1 |])) |> ignore
            }
        ]

module ResamplingTests =

    let private key = Key.OfSeed 61L

    [<Tests>]
    let tests =
        testList "Unit.ResamplingTests" [
            test "draws have the mean of the samples, and the covariance of means" {
                let m, draws = 12, 40000
                let random = Random 5
                let shared = Array.init m (fun _ -> random.NextDouble())
                let a = shared |> Array.map (fun s -> 3.0 + s)
                let b = shared |> Array.map (fun s -> 1.0 - 2.0 * s + 0.5 * random.NextDouble())
                let mean = Array.average

                let covariance (x: float[]) (y: float[]) =
                    Array.map2 (fun u v -> (u - mean x) * (v - mean y)) x y
                    |> Array.sum
                    |> fun sum -> sum / float (x.Length - 1)

                let found = Resampling.means key draws [| mean a; mean b; 9.0 |] [| a; b; [||] |]
                let column i = found |> Array.map (fun draw -> draw[i])
                Expect.close 0.0 [| 9.0; 9.0 |] [| Array.min (column 2); Array.max (column 2) |]
                // Student's t of 11 degrees of freedom has the variance 11/9.
                let expected x y = covariance x y / float m * 11.0 / 9.0

                for x, i, y, j in [ a, 0, a, 0; a, 0, b, 1; b, 1, b, 1 ] do
                    let value = covariance (column i) (column j)
                    // A variance of t₁₁ has a relative standard error below √(2.9/draws).
                    let error = 5.0 * sqrt (2.9 / float draws) * sqrt (expected x x * expected y y)

                    Expect.isTrue
                        $"{i}, {j}: {value} against {expected x y} with {key}"
                        (abs (value - expected x y) < error)

                let off = mean (column 0) - mean a
                Expect.isTrue $"{off} with {key}" (abs off < 5.0 * sqrt (expected a a / float draws))
            }

            test "intervals of draws are those of Student's t" {
                // Two samples: one degree of freedom, for which 95 % lie within 12.706 standard errors.
                let found = Resampling.means key 20000 [| 0.0 |] [| [| -1.0; 1.0 |] |]
                let inside = found |> Array.averageBy (fun draw -> if abs draw[0] <= 12.706 then 1.0 else 0.0)
                Expect.isTrue $"{inside} with {key}" (abs (inside - 0.95) < 5.0 * sqrt (0.95 * 0.05 / 20000.0))
                raises<ArgumentRangeException>(fun () -> Resampling.means key 10 [| 0.0 |] [| [| 1.0 |] |]) |> ignore
                raises<ArgumentRangeException>(fun () -> Resampling.means key 0 [| 0.0 |] [| [||] |]) |> ignore
            }

            test "Kendall's tau of known rankings" {
                let tau a b = Resampling.kendallTau (List.toArray a) (List.toArray b)
                let values = [ 1.0; 2.0; 3.0; 4.0 ]
                Expect.close 1e-15 [| 1.0; -1.0 |] [| tau values values; tau values (List.rev values) |]
                // One of six pairs in the other order.
                Expect.close 1e-15 [| 4.0 / 6.0 |] [| tau values [ 1.0; 3.0; 2.0; 4.0 ] |]
                Expect.close 1e-15 [| 1.0 |] [| tau [ 1.0; 1.0 ] [ 1.0; 2.0 ] |]
            }

            test "ranks, order probabilities and quantiles of a ranking" {
                let draws = [| [| 3.0; 2.0; 1.0 |]; [| 3.0; 1.0; 2.0 |]; [| 3.0; 2.0; 1.0 |]; [| 5.0; 4.0; 0.0 |] |]
                let found = Resampling.stability [| "a"; "b"; "c" |] [| 3.0; 2.0; 1.0 |] draws

                Expect.close 1e-15 [| 1.0; 0.75; 0.25 |] [|
                    for i, j in [ 0, 1; 1, 2; 2, 1 ] -> found.ProbabilityThatFirstIsLarger(i, j)
                |]

                Expect.close
                    1e-15
                    [| 1.0; 1.0; 1.0; 1.0; 1.0; 0.75; 1.0; 0.75; 1.0 |]
                    (found.OrderProbabilities |> Seq.cast<float> |> Seq.toArray)

                Expect.close 1e-15 [| 1.0 / 3.0; 1.0; 1.0; 1.0 |] found.KendallTaus

                Expect.close 1e-15 [| 5.0 / 6.0; 1.0 / 3.0; 1.0 |] [|
                    found.MeanTau
                    found.TauQuantile 0.0
                    found.TauQuantile 1.0
                |]

                let rank = found.Rank(1, 0.95)
                Expect.equal "rank.Low, rank.High" (2, 3) (rank.Low, rank.High)
                Expect.equal "string (found.Rank(0, 0.5))" "1" (string (found.Rank(0, 0.5)))
                raises<ArgumentRangeException>(fun () -> found.Rank(3, 0.5)) |> ignore
                raises<ArgumentRangeException>(fun () -> found.Rank(0, 1.0)) |> ignore
                raises<ArgumentRangeException>(fun () -> found.TauQuantile 1.5) |> ignore
                raises<ArgumentRangeException>(fun () -> found.ProbabilityThatFirstIsLarger(0, 3)) |> ignore
            }
        ]
