/// Ranks that need not be whole numbers.
module Curvature.Tests.Unit.RankTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private diagonal (values: float[]) = LinearOperator.ofDiagonal (Tensor.ofArray [ values.Length ] values)

let private semidefinite values = diagonal values |> LinearOperator.claim OperatorProperties.PositiveSemidefinite

let private effectiveRank (values: float[]) =
    let total = Array.sum values
    values |> Array.sumBy (fun x -> if x > 0.0 then -(x / total) * log (x / total) else 0.0) |> exp

let private falling = Array.init 400 (fun i -> Math.Pow(float (i + 1), -1.0))

[<Tests>]
let tests =
    testList "Unit.RankTests" [
        test "the effective rank is n for equal eigenvalues and 1 for a single one" {
            let ofValues values = Rank.effective (Spectrum.exact (diagonal values))
            Expect.within "(ofValues (Array.create 20 3.0)…" 1e-9 20.0 (ofValues (Array.create 20 3.0)).Value

            Expect.within
                "(ofValues (Array.init 20 (fun i…"
                1e-9
                1.0
                (ofValues (Array.init 20 (fun i -> if i = 7 then 5.0 else 0.0))).Value

            let exact = ofValues falling
            Expect.within "exact.Value" 1e-9 (effectiveRank falling) exact.Value
            Expect.isTrue (string exact) (exact.IsExact && exact.StandardError < 1e-9)
        }

        test "the normalised effective rank is a share of n" {
            let sample = StochasticLanczos.sample 4 20 (Key.OfSeed 1L) (semidefinite falling)
            let rank, share = Rank.effective sample, Rank.normalisedEffective sample
            Expect.within "share.Value" 1e-12 (rank.Value / 400.0) share.Value
            Expect.within "share.StandardError" 1e-12 (rank.StandardError / 400.0) share.StandardError

            Expect.within
                "(share.Interval 0.95).High"
                1e-12
                ((rank.Interval 0.95).High / 400.0)
                (share.Interval 0.95).High
        }

        // Of 60 intervals of 95 % that hold as often as they say, fewer than 45 hold by chance with probability 1e-7.
        test "intervals of the effective rank hold the truth as often as they say" {
            // Turned, so that signs see more than the diagonal.
            let q = Curvature.Tests.Matrices.orthogonal 5 100
            let values = Array.init 100 (fun i -> Math.Pow(float (i + 1), -1.0))
            let scaled = Tensor.reshape [ 100; 1 ] (Tensor.ofArray [ 100 ] values) * q
            let matrix = Tensor.matmul (Tensor.transpose q) scaled
            let symmetric = LinearOperator.ofSymmetricMatrix (0.5 * (matrix + Tensor.transpose matrix))
            let operator = symmetric |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
            let truth = effectiveRank values

            let intervals =
                [
                    for seed in 1L .. 60L ->
                        (Rank.effective (StochasticLanczos.sample 8 30 (Key.OfSeed seed) operator)).Interval 0.95
                ]

            let held = intervals |> List.filter (fun i -> i.Low <= truth && truth <= i.High) |> List.length
            let widths = intervals |> List.averageBy (fun i -> i.High - i.Low)
            Expect.isGreaterThanOrEqual $"{held} of 60 hold {truth}; keys 1 to 60" (held, 45)
            Expect.isLessThan $"width {widths}" (widths, 1.2 * truth)
        }

        test "an effective rank needs eigenvalues that are not negative, and not all 0" {
            let refuses values =
                raises<OperatorException>(fun () -> Rank.effective (Spectrum.exact (diagonal values))) |> ignore

            refuses [| 1.0; -0.5 |]
            refuses [| 0.0; 0.0 |]
        }

        test "the stable rank lies in its interval, for any shape" {
            let key, rule = Key.OfSeed 2L, StoppingRule.matvecs 200

            let check (operator: LinearOperator) truth =
                let found = Rank.stable 0.01 rule key operator
                let interval = found.Interval 0.999999
                Expect.isTrue (string found) (interval.Low <= truth * 1.0000001 && truth <= interval.High * 1.0000001)
                Expect.withinPercent (string found) 25 truth found.Value

            check (diagonal (Array.create 300 2.0)) 300.0
            check (diagonal (Array.init 300 (fun i -> if i = 0 then 3.0 else 0.0))) 1.0
            check (diagonal falling) (falling |> Array.sumBy (fun x -> x * x))
            let wide = Curvature.Tests.Matrices.random 4 40 90
            let singular = (Exact.eigenvalues (LinearOperator.gram (LinearOperator.ofMatrix wide))).Value.ToArray()
            check (LinearOperator.ofMatrix wide) (Array.sum singular / Array.max singular)
        }

        test "the interval of a stable rank stays between 1 and the smaller side" {
            let few = Rank.stable 0.5 (StoppingRule.matvecs 2) (Key.OfSeed 3L) (diagonal falling)
            let interval = few.Interval 0.99
            Expect.isGreaterThanOrEqual "interval.Low" (interval.Low, 1.0)
            Expect.isLessThanOrEqual "interval.High" (interval.High, 400.0)
            let zero = diagonal (Array.zeroCreate 5)

            raises<OperatorException>(fun () -> Rank.stable 0.1 (StoppingRule.matvecs 4) (Key.OfSeed 1L) zero) |> ignore
        }
    ]
