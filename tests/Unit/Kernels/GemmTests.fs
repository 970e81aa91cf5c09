module Curvature.Tests.Unit.Kernels.GemmTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests

let private numbers seed count = ContractionCases.wholeNumbers (Random seed) count

let private multiply transposeA transposeB m n k alpha (a: float[]) lda (b: float[]) ldb beta (c: float[]) ldc =
    Gemm.Multiply(transposeA, transposeB, m, n, k, alpha, ReadOnlySpan a, lda, ReadOnlySpan b, ldb, beta, Span c, ldc)

[<Tests>]
let tests =
    testList "Unit.Kernels.GemmTests" [
        testCase
            "C becomes αAB + βC, for each transposition, with rows that are further apart than they are long"
            (fun () ->
                for transposeA in [ false; true ] do
                    for transposeB in [ false; true ] do
                        for m, n, k in [ 1, 1, 1; 5, 9, 7; 33, 17, 40; 17, 33, 40; 1, 60, 50; 60, 1, 50 ] do
                            for alpha, beta in [ 1.0, 0.0; 1.0, 1.0; -2.0, 0.5; 0.0, 3.0; 3.0, 0.0 ] do
                                let lda = (if transposeA then m else k) + 3
                                let ldb = (if transposeB then k else n) + 1
                                let ldc = n + 2
                                let a = numbers 1 (max m k * lda)
                                let b = numbers 2 (max n k * ldb)
                                let c = numbers 3 (m * ldc)
                                let expected = Array.copy c

                                for i in 0 .. m - 1 do
                                    for j in 0 .. n - 1 do
                                        let mutable sum = 0.0

                                        for p in 0 .. k - 1 do
                                            let left = if transposeA then a[p * lda + i] else a[i * lda + p]
                                            let right = if transposeB then b[j * ldb + p] else b[p * ldb + j]
                                            sum <- sum + left * right

                                        expected[i * ldc + j] <- alpha * sum + beta * c[i * ldc + j]

                                multiply transposeA transposeB m n k alpha a lda b ldb beta c ldc
                                Expect.isTrue $"{(transposeA, transposeB, m, n, k, alpha, beta)}" (c = expected))

        test "at β = 0 the old C is not read, and at α = 0 neither are A and B" {
            let c = Array.create 4 nan
            multiply false false 2 2 2 1.0 [| 1.0; 0.0; 0.0; 1.0 |] 2 [| 1.0; 2.0; 3.0; 4.0 |] 2 0.0 c 2
            Expect.isTrue "c = [| 1.0; 2.0; 3.0; 4.0 |]" (c = [| 1.0; 2.0; 3.0; 4.0 |])
            multiply false false 2 2 2 0.0 (Array.create 4 nan) 2 (Array.create 4 nan) 2 2.0 c 2
            Expect.isTrue "c = [| 2.0; 4.0; 6.0; 8.0 |]" (c = [| 2.0; 4.0; 6.0; 8.0 |])
        }

        test "empty matrices are allowed" {
            let c = [| 5.0 |]
            multiply false false 0 1 1 1.0 [||] 1 [| 1.0 |] 1 0.0 c 1
            Expect.equal "c[0]" 5.0 c[0]
            multiply false false 1 1 0 1.0 [||] 1 [||] 1 1.0 c 1
            Expect.equal "c[0]" 5.0 c[0]
            multiply false false 1 1 0 1.0 [||] 1 [||] 1 0.0 c 1
            Expect.isZero "c[0]" c[0]
        }

        test "wrong arguments are named" {
            let a, b, c = Array.zeroCreate 6, Array.zeroCreate 12, Array.zeroCreate 8

            let parameter (action: unit -> unit) = (Expect.caught<DescriptionException> action).Argument

            let ok m n k lda ldb ldc () = multiply false false m n k 1.0 a lda b ldb 0.0 c ldc
            ok 2 4 3 3 4 4 ()
            Expect.equal "parameter (ok -1 4 3 3 4 4)" "m" (parameter (ok -1 4 3 3 4 4))
            Expect.equal "parameter (ok 2 -4 3 3 4 4)" "n" (parameter (ok 2 -4 3 3 4 4))
            Expect.equal "parameter (ok 2 4 -3 3 4 4)" "k" (parameter (ok 2 4 -3 3 4 4))
            Expect.equal "parameter (ok 2 4 3 2 4 4)" "lda" (parameter (ok 2 4 3 2 4 4))
            Expect.equal "parameter (ok 2 4 3 3 3 4)" "ldb" (parameter (ok 2 4 3 3 3 4))
            Expect.equal "parameter (ok 2 4 3 3 4 3)" "ldc" (parameter (ok 2 4 3 3 4 3))
            Expect.equal "parameter (ok 3 2 3 3 4 4)" "a" (parameter (ok 3 2 3 3 4 4))
            Expect.equal "parameter (ok 1 4 4 4 4 4)" "b" (parameter (ok 1 4 4 4 4 4))
            Expect.equal "parameter (ok 2 4 3 3 4 5)" "c" (parameter (ok 2 4 3 3 4 5))

            Expect.equal
                "parameter (fun () -> multiply f…"
                "c"
                (parameter (fun () -> multiply false false 2 2 2 1.0 c 2 b 2 0.0 c 2))
        }

        testCase "only float and double have products" (fun () ->
            let half: Half[] = Array.zeroCreate 1

            let multiply () =
                let span = ReadOnlySpan half
                Gemm.Multiply(false, false, 1, 1, 1, Half.One, span, 1, span, 1, Half.Zero, Span half, 1)

            Expect.thrown<DTypeException> multiply |> ignore)
    ]
