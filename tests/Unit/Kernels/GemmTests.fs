namespace Curvature.Tests.Unit.Kernels

open System
open NUnit.Framework
open Curvature
open Curvature.Kernels

[<TestFixture>]
type GemmTests() =

    let numbers seed count = ContractionCases.wholeNumbers (Random seed) count

    let multiply transposeA transposeB m n k alpha (a: float[]) lda (b: float[]) ldb beta (c: float[]) ldc =
        Gemm.Multiply(
            transposeA,
            transposeB,
            m,
            n,
            k,
            alpha,
            ReadOnlySpan a,
            lda,
            ReadOnlySpan b,
            ldb,
            beta,
            Span c,
            ldc
        )

    [<Test>]
    member _.``C becomes αAB + βC, for each transposition, with rows that are further apart than they are long``() =
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
                        Assert.That((c = expected), $"{(transposeA, transposeB, m, n, k, alpha, beta)}")

    [<Test>]
    member _.``at β = 0 the old C is not read, and at α = 0 neither are A and B``() =
        let c = Array.create 4 nan
        multiply false false 2 2 2 1.0 [| 1.0; 0.0; 0.0; 1.0 |] 2 [| 1.0; 2.0; 3.0; 4.0 |] 2 0.0 c 2
        Assert.That((c = [| 1.0; 2.0; 3.0; 4.0 |]))
        multiply false false 2 2 2 0.0 (Array.create 4 nan) 2 (Array.create 4 nan) 2 2.0 c 2
        Assert.That((c = [| 2.0; 4.0; 6.0; 8.0 |]))

    [<Test>]
    member _.``empty matrices are allowed``() =
        let c = [| 5.0 |]
        multiply false false 0 1 1 1.0 [||] 1 [| 1.0 |] 1 0.0 c 1
        Assert.That(c[0], Is.EqualTo 5.0)
        multiply false false 1 1 0 1.0 [||] 1 [||] 1 1.0 c 1
        Assert.That(c[0], Is.EqualTo 5.0)
        multiply false false 1 1 0 1.0 [||] 1 [||] 1 0.0 c 1
        Assert.That(c[0], Is.Zero)

    [<Test>]
    member _.``wrong arguments are named``() =
        let a, b, c = Array.zeroCreate 6, Array.zeroCreate 12, Array.zeroCreate 8

        let parameter (action: unit -> unit) = Assert.Catch<DescriptionException>(Action action).Argument

        let ok m n k lda ldb ldc () = multiply false false m n k 1.0 a lda b ldb 0.0 c ldc
        Assert.DoesNotThrow(Action(ok 2 4 3 3 4 4))
        Assert.That(parameter (ok -1 4 3 3 4 4), Is.EqualTo "m")
        Assert.That(parameter (ok 2 -4 3 3 4 4), Is.EqualTo "n")
        Assert.That(parameter (ok 2 4 -3 3 4 4), Is.EqualTo "k")
        Assert.That(parameter (ok 2 4 3 2 4 4), Is.EqualTo "lda")
        Assert.That(parameter (ok 2 4 3 3 3 4), Is.EqualTo "ldb")
        Assert.That(parameter (ok 2 4 3 3 4 3), Is.EqualTo "ldc")
        Assert.That(parameter (ok 3 2 3 3 4 4), Is.EqualTo "a")
        Assert.That(parameter (ok 1 4 4 4 4 4), Is.EqualTo "b")
        Assert.That(parameter (ok 2 4 3 3 4 5), Is.EqualTo "c")
        Assert.That(parameter (fun () -> multiply false false 2 2 2 1.0 c 2 b 2 0.0 c 2), Is.EqualTo "c")

    [<Test>]
    member _.``only float and double have products``() =
        let half: Half[] = Array.zeroCreate 1

        let multiply () =
            let span = ReadOnlySpan half
            Gemm.Multiply(false, false, 1, 1, 1, Half.One, span, 1, span, 1, Half.Zero, Span half, 1)

        Assert.Throws<DTypeException>(Action multiply) |> ignore
