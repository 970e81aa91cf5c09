module Curvature.Tests.Unit.Kernels.GemmTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests

let private numbers seed count = ContractionCases.wholeNumbers (Random seed) count

let private matrix (elements: 'T[], rows, columns, leading) = MatrixSpan(ReadOnlySpan elements, rows, columns, leading)

let private product m n k (a: float[]) lda (b: float[]) ldb (c: float[]) ldc =
    Gemm.Multiply(1.0, matrix (a, m, k, lda), matrix (b, k, n, ldb), 0.0, Span c, ldc)

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

                                let left =
                                    if transposeA then
                                        (matrix (a, k, m, lda)).Transpose()
                                    else
                                        matrix (a, m, k, lda)

                                let right =
                                    if transposeB then
                                        (matrix (b, n, k, ldb)).Transpose()
                                    else
                                        matrix (b, k, n, ldb)

                                Gemm.Multiply(alpha, left, right, beta, Span c, ldc)
                                Expect.isTrue $"{(transposeA, transposeB, m, n, k, alpha, beta)}" (c = expected))

        test "at β = 0 the old C is not read, and at α = 0 neither are A and B" {
            let c = Array.create 4 nan
            product 2 2 2 [| 1.0; 0.0; 0.0; 1.0 |] 2 [| 1.0; 2.0; 3.0; 4.0 |] 2 c 2
            Expect.isTrue "c = [| 1.0; 2.0; 3.0; 4.0 |]" (c = [| 1.0; 2.0; 3.0; 4.0 |])
            let nothing = Array.create 4 nan
            Gemm.Multiply(0.0, matrix (nothing, 2, 2, 2), matrix (nothing, 2, 2, 2), 2.0, Span c, 2)
            Expect.isTrue "c = [| 2.0; 4.0; 6.0; 8.0 |]" (c = [| 2.0; 4.0; 6.0; 8.0 |])
        }

        test "empty matrices are allowed" {
            let c = [| 5.0 |]
            product 0 1 1 [||] 1 [| 1.0 |] 1 c 1
            Expect.equal "c[0]" 5.0 c[0]
            Gemm.Multiply(1.0, matrix ([||], 1, 0, 1), matrix ([||], 0, 1, 1), 1.0, Span c, 1)
            Expect.equal "c[0]" 5.0 c[0]
            product 1 1 0 [||] 1 [||] 1 c 1
            Expect.isZero "c[0]" c[0]
        }

        test "wrong arguments are named" {
            let a, b, c = Array.zeroCreate 6, Array.zeroCreate 12, Array.zeroCreate 8

            let parameter (action: unit -> unit) = (Expect.caught<DescriptionException> action).Argument

            let ok m n k lda ldb ldc () = product m n k a lda b ldb c ldc
            ok 2 4 3 3 4 4 ()
            Expect.equal "rows" "rows" (parameter (ok -1 4 3 3 4 4))
            Expect.equal "columns" "columns" (parameter (ok 2 -4 3 3 4 4))
            Expect.equal "leading of A" "leading" (parameter (ok 2 4 3 2 4 4))
            Expect.equal "leading of B" "leading" (parameter (ok 2 4 3 3 3 4))
            Expect.equal "leading of C" "leading" (parameter (ok 2 4 3 3 4 3))
            Expect.equal "elements of A" "elements" (parameter (ok 3 2 3 3 4 4))
            Expect.equal "elements of B" "elements" (parameter (ok 1 4 4 4 4 4))
            Expect.equal "elements of C" "elements" (parameter (ok 2 4 3 3 4 5))

            let apart () = Gemm.Multiply(1.0, matrix (a, 2, 3, 3), matrix (b, 2, 4, 4), 0.0, Span c, 4)

            Expect.equal "inner sizes" "b" (parameter apart)
            Expect.equal "overlap" "c" (parameter (fun () -> product 2 2 2 c 2 b 2 c 2))
        }

        testCase "only float and double have products" (fun () ->
            let half: Half[] = Array.zeroCreate 1

            let multiply () =
                Gemm.Multiply(Half.One, matrix (half, 1, 1, 1), matrix (half, 1, 1, 1), Half.Zero, Span half, 1)

            Expect.thrown<DTypeException> multiply |> ignore)
    ]
