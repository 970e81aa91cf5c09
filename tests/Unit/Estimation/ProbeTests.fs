module Curvature.Tests.Unit.ProbeTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 20L

let private all =
    [
        Probe.rademacher
        Probe.gaussian
        Probe.sphere
        Probe.sparse 0.25
        Probe.fixedSparse 3
        Probe.basis
    ]

[<Tests>]
let tests =
    testList "Unit.ProbeTests" [
        test "a vector does not depend on the block that it is drawn in" {
            for probe in all do
                for dtype in [ DType.Float32; DType.Float64 ] do
                    let whole = Probe.draw probe key 17 (0, 12) dtype

                    let pieces =
                        [
                            Probe.draw probe key 17 (0, 5) dtype
                            Probe.draw probe key 17 (5, 1) dtype
                            Probe.draw probe key 17 (6, 6) dtype
                        ]

                    Expect.sameBits whole (Tensor.concat 0 pieces)
        }

        test "different vectors and different keys differ" {
            for probe in [ Probe.rademacher; Probe.gaussian; Probe.sphere; Probe.sparse 0.5 ] do
                let rows (block: Tensor) = [ for row in 0..3 -> Tensor.item 0 row block |> _.ToArray() ]

                let vectors =
                    rows (Probe.draw probe key 40 (0, 4) DType.Float64)
                    @ rows (Probe.draw probe (Key.OfSeed 21L) 40 (0, 4) DType.Float64)

                Expect.equal $"{probe}" 8 (List.distinct vectors).Length
        }

        test "vectors have the lengths that their distribution gives them" {
            let squares probe =
                Tensor.sumAxes [ 1 ] (Tensor.square (Probe.draw probe key 30 (0, 8) DType.Float64)) |> _.ToArray()

            for probe in [ Probe.rademacher; Probe.sphere; Probe.fixedSparse 4; Probe.basis ] do
                Expect.close 1e-13 (Array.create 8 30.0) (squares probe)
        }

        test "a sparse vector has entries 0 and ±1/√q, in the right proportion" {
            let q, n = 0.1, 100_000
            let values = (Probe.draw (Probe.sparse q) key n (0, 1) DType.Float64).ToArray()
            let size = 1.0 / sqrt q

            Expect.isTrue
                "values |> Array.forall (fun v -…"
                (values |> Array.forall (fun v -> v = 0.0 || abs (abs v - size) < 1e-12))

            let count = values |> Array.filter (fun v -> v <> 0.0) |> Array.length |> float
            let positive = values |> Array.filter (fun v -> v > 0.0) |> Array.length |> float
            // Binomial counts at 5 standard deviations.
            Expect.isLessThan $"{key}" (abs (count - q * float n), 5.0 * sqrt (q * (1.0 - q) * float n))
            Expect.isLessThan $"{key}" (abs (positive - count / 2.0), 5.0 * sqrt (count / 4.0))
        }

        test "a vector of fixed sparsity has that many entries, everywhere equally often" {
            let n, s, k = 10, 3, 4000
            let values = (Probe.draw (Probe.fixedSparse s) key n (0, k) DType.Float64).ToArray() |> Array.chunkBySize n
            let nonzero (row: float[]) = row |> Array.filter (fun v -> v <> 0.0) |> Array.length
            Expect.isTrue "values |> Array.forall (fun row…" (values |> Array.forall (fun row -> nonzero row = s))
            let p = float s / float n

            for i in 0 .. n - 1 do
                let count = values |> Array.filter (fun row -> row[i] <> 0.0) |> Array.length |> float

                Expect.isLessThan
                    $"place {i} with {key}"
                    (abs (count - p * float k), 5.0 * sqrt (p * (1.0 - p) * float k))
        }

        test "arguments outside their range are refused" {
            let refused f = Expect.error<ArgumentRangeException> [ "Probe" ] (fun () -> f () |> ignore)
            refused (fun () -> Probe.sparse 0.0)
            refused (fun () -> Probe.sparse 1.5)
            refused (fun () -> Probe.sparse nan)
            refused (fun () -> Probe.fixedSparse 0)

            Expect.error<ArgumentRangeException> [ "-1" ] (fun () ->
                Probe.draw Probe.gaussian key 3 (0, -1) DType.Float64 |> ignore)

            Expect.error<ArgumentRangeException> [ "4 entries"; "3" ] (fun () ->
                Probe.draw (Probe.fixedSparse 4) key 3 (0, 1) DType.Float64 |> ignore)

            Expect.error<DTypeException> [ "Int32" ] (fun () ->
                Probe.draw Probe.gaussian key 3 (0, 1) DType.Int32 |> ignore)

            Expect.error<ArgumentRangeException> [ "infinitely many" ] (fun () ->
                Probe.outcomes Probe.gaussian 3 |> ignore)

            Expect.error<ShapeException> [ "[2; 3]" ] (fun () ->
                Probe.varianceOfForm Probe.gaussian (Matrices.random 1 2 3) |> ignore)
        }

        test "the counting matrix of size 4 has trace 34, and variance 1984 under signs" {
            let a = Matrices.counting 4

            let forms =
                Probe.outcomes Probe.rademacher 4
                |> Seq.map (fun (p, z) ->
                    let z = Tensor.ofArray [ 4 ] z in p, (Tensor.dot z (Tensor.matmul a z)).ToScalar())
                |> Seq.toList

            let mean = forms |> List.sumBy (fun (p, t) -> p * t)
            Expect.equal "mean" 34.0 mean

            Expect.equal
                "forms |> List.sumBy (fun (p, t)…"
                1984.0
                (forms |> List.sumBy (fun (p, t) -> p * (t - mean) ** 2.0))

            Expect.equal "Probe.varianceOfForm Probe.rade…" 1984.0 (Probe.varianceOfForm Probe.rademacher a)
        }

        test "every sign sample of the quartic's form is one of 168, 200, 296, 456, with standard deviation 112" {
            let hessian =
                Hessian.at (fun x -> Tensor.square (Tensor.dot x x)) (Tensor.ofArray [ 3 ] [| 1.0; 2.0; 3.0 |])

            let block = Probe.outcomes Probe.rademacher 3 |> Seq.collect snd |> Seq.toArray |> Tensor.ofArray [ 8; 3 ]
            let forms = (hessian.QuadraticForms.Value block).ToArray() |> Array.sort
            Expect.close 1e-13 [| 168.0; 168.0; 200.0; 200.0; 296.0; 296.0; 456.0; 456.0 |] forms

            Expect.within
                "sqrt (Probe.varianceOfForm Prob…"
                1e-10
                112.0
                (sqrt (Probe.varianceOfForm Probe.rademacher (LinearOperator.dense hessian)))
        }

        for dtype in [ DType.Float64; DType.Float32 ] do
            test $"means and variances of drawn forms are those of the formulas ({dtype})" {
                let n, k = 6, 20_000
                let matrix = Matrices.random 22 n n
                let a = Tensor.convert dtype matrix

                for probe in all do
                    let z = Probe.draw probe key n (0, k) dtype
                    let forms = Tensor.sumAxes [ 1 ] (z * Tensor.matmul z a) |> _.ToArray()
                    let mean, expected = Array.average forms, Probe.varianceOfForm probe matrix
                    let squares = forms |> Array.map (fun t -> (t - Matrices.trace matrix) ** 2.0)
                    let variance = Array.average squares
                    let spread = sqrt ((squares |> Array.averageBy (fun s -> (s - variance) ** 2.0)) / float k)
                    let message = $"{probe}, {dtype}, {key}"

                    Expect.isLessThanOrEqual
                        message
                        (abs (mean - Matrices.trace matrix), 5.0 * sqrt (expected / float k))

                    Expect.isLessThanOrEqual message (abs (variance - expected), 5.0 * spread + 1e-5 * expected)
            }
    ]
