/// Values of the functions of dense linear algebra: what their results are composed to, and wrong use.
module Curvature.Tests.Unit.Tensors.TensorDecompositionTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private normal (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
let private t = Tensor.transpose
let private mul = Tensor.matmul

/// A random matrix whose symmetric part is positive definite; it is not symmetric itself.
let private positive seed n =
    let a = normal seed [ n; n ]
    let b = normal (seed + 1L) [ n; n ]
    mul a (t a) + Tensor.eye DType.Float64 n + (b - t b)

let private symmetricPart (a: Tensor) = 0.5 * (a + t a)
let private isIdentity (a: Tensor) = Expect.tensorsClose 1e-12 (Tensor.eye a.DType a.Shape[1]) a
let private sizes = [ 0; 1; 2; 3; 5; 12; 60 ]
let private shapes = [ 1, 1; 4, 4; 6, 3; 3, 6; 40, 5; 1, 3; 3, 1; 0, 0; 0, 3; 3, 0 ]
let private isSorted (t: Tensor) = Expect.equal "ascending" (Array.sort (t.ToArray())) (t.ToArray())

/// Every function, as one that gives a list of results.
let private functions: (string * (Tensor -> Tensor list)) list =
    let ofPair (a, b) = [ a; b ]

    [
        "solve", (fun a -> [ Tensor.solve a (Tensor.square a) ])
        "inverse", Tensor.inverse >> List.singleton
        "cholesky", Tensor.cholesky >> List.singleton
        "eigh", Tensor.eigh >> ofPair
        "svd", Tensor.svd >> fun (u, s, v) -> [ u; s; v ]
        "qr", Tensor.qr >> ofPair
        "det", Tensor.det >> List.singleton
        "logdet", Tensor.logdet >> List.singleton
        "slogdet", Tensor.slogdet >> ofPair
    ]

/// The determinant by its expansion along the first row.
let rec private expansion (a: float[,]) : float =
    let n = Array2D.length1 a

    if n = 0 then
        1.0
    else
        Seq.sum (
            seq {
                for j in 0 .. n - 1 do
                    let minor = Array2D.init (n - 1) (n - 1) (fun r c -> a[r + 1, (if c < j then c else c + 1)])
                    (if j % 2 = 0 then 1.0 else -1.0) * a[0, j] * expansion minor
            }
        )

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorDecompositionTests" [
        for n in sizes do
            test $"solutions and inverses of size {n} satisfy their equations" {
                let a = normal 1L [ n; n ] + 0.5 * Tensor.eye DType.Float64 n
                let vector, matrix = normal 2L [ n ], normal 3L [ n; 4 ]
                Expect.tensorsClose 1e-12 vector (mul a (Tensor.solve a vector))
                Expect.tensorsClose 1e-12 matrix (mul a (Tensor.solve a matrix))
                isIdentity (mul a (Tensor.inverse a))
                isIdentity (mul (Tensor.inverse a) a)
            }

            test $"a Cholesky factor of size {n} is lower, has a positive diagonal, and gives the symmetric part" {
                let a = positive 4L n
                let l = Tensor.cholesky a
                Expect.tensorsClose 1e-12 (symmetricPart a) (mul l (t l))
                Expect.sameBits (Tensor.tril 0 l) l
                Expect.isTrue "positive" ((Tensor.diagonal l).ToArray() |> Array.forall (fun x -> x > 0.0))
            }

            test $"eigenpairs of size {n} give the symmetric part" {
                let a = normal 5L [ n; n ]
                let values, v = Tensor.eigh a
                Expect.tensorsClose 1e-12 (symmetricPart a) (mul (v * values) (t v))
                isIdentity (mul (t v) v)
                isSorted values

                for column in t v do
                    Expect.isTrue "the largest is positive" (Array.maxBy abs (column.ToArray()) > 0.0)
            }

        for m, n in shapes do
            test $"factors of a matrix {m}×{n} have their shapes and give it again" {
                let a = normal 6L [ m; n ]
                let k = min m n
                let q, r = Tensor.qr a
                Expect.equal "q.Shape" [| m; k |] q.Shape
                Expect.equal "r.Shape" [| k; n |] r.Shape
                Expect.tensorsClose 1e-12 a (mul q r)
                isIdentity (mul (t q) q)
                Expect.sameBits (Tensor.triu 0 r) r
                Expect.isTrue "not negative" ((Tensor.diagonal r).ToArray() |> Array.forall (fun x -> x >= 0.0))

                let u, s, v = Tensor.svd a
                Expect.equal "shapes" [ [| m; k |]; [| k |]; [| n; k |] ] [ u.Shape; s.Shape; v.Shape ]
                Expect.tensorsClose 1e-12 a (mul (u * s) (t v))
                isIdentity (mul (t u) u)
                isIdentity (mul (t v) v)
                isSorted -s
                Expect.isTrue "not negative" (s.ToArray() |> Array.forall (fun x -> x >= 0.0))
            }

        test "determinants are those of the expansion along a row, with sign and logarithm" {
            for n in 0..5 do
                for seed in 10L .. 14L do
                    let a = normal seed [ n; n ]
                    let values = a.ToArray()
                    let expected = expansion (Array2D.init n n (fun i j -> values[i * n + j]))
                    let sign, logarithm = Tensor.slogdet a
                    Expect.scalar 1e-13 expected (Tensor.det a)
                    Expect.scalar 0.0 (float (System.Math.Sign expected)) sign
                    Expect.scalar 1e-12 (log (abs expected)) logarithm
                    Expect.sameBits logarithm (Tensor.logdet a)
        }

        test "a large determinant overflows, and its logarithm does not" {
            let a = 1e10 * Tensor.eye DType.Float64 40
            Expect.scalar 0.0 infinity (Tensor.det a)
            Expect.scalar 1e-13 (400.0 * log 10.0) (Tensor.logdet a)
        }

        test "a singular matrix has determinant 0" {
            let singular = tensor [ [ 1.0; 2.0 ]; [ 2.0; 4.0 ] ]
            Expect.scalar 0.0 0.0 (Tensor.det singular)
            Expect.scalar 0.0 -infinity (Tensor.logdet singular)
            Expect.scalar 0.0 0.0 (fst (Tensor.slogdet singular))
        }

        test "sizes of numbers do not matter" {
            for scale in [ 1e-200; 1e200 ] do
                let a = positive 15L 5
                let values, _ = Tensor.eigh (scale * a)
                Expect.tensorsClose 1e-13 (fst (Tensor.eigh a)) (values / scale)
                let _, s, _ = Tensor.svd (scale * a)
                let _, expected, _ = Tensor.svd a
                Expect.tensorsClose 1e-13 expected (s / scale)
                let b = normal 16L [ 5 ]
                Expect.tensorsClose 1e-13 (Tensor.solve a b) (scale * Tensor.solve (scale * a) b)

            // Rows that differ in scale are no singular matrix.
            let rows = tensor [ [ 1e20; 1e20 ]; [ 1.0; 2.0 ] ]
            Expect.tensor 1e-15 [ 2 ] [ -1.0; 1.0 ] (Tensor.solve rows (tensor [ 0.0; 1.0 ]))
        }

        test "leading axes are stacks, and broadcast in solve" {
            let stack = Tensor.stack 0 [ for seed in 20L .. 25L -> positive seed 3 ] |> Tensor.reshape [ 2; 3; 3; 3 ]

            for name, f in functions do
                let loop = [ for row in stack -> [ for matrix in row -> f matrix ] ]

                f stack
                |> List.iteri (fun k result ->
                    let expected = Tensor.stack 0 [ for row in loop -> Tensor.stack 0 [ for r in row -> r[k] ] ]
                    Expect.equal $"{name}: shape" expected.Shape result.Shape
                    Expect.sameBits expected result)

            let sides = normal 26L [ 3; 3; 2 ]
            let expected = Tensor.stack 0 [ for row in stack -> Tensor.solve row sides ]
            Expect.sameBits expected (Tensor.solve stack sides)
            Expect.equal "a vector" [| 2; 3; 3 |] (Tensor.solve stack (normal 27L [ 3 ])).Shape
            Expect.equal "one matrix" [| 3; 3; 2 |] (Tensor.solve stack[0, 0] sides).Shape
        }

        test "Float32 is computed in Float64 and rounded once" {
            let single = Tensor.convert DType.Float32 (positive 30L 4)

            // The squares in the case of solve are rounded twice.
            for name, f in functions |> List.filter (fun (name, _) -> name <> "solve") do
                for narrow, wide in List.zip (f single) (f (Tensor.convert DType.Float64 single)) do
                    Expect.equal name DType.Float32 narrow.DType
                    Expect.sameBits (Tensor.convert DType.Float32 wide) narrow

            let b = Tensor.convert DType.Float32 (normal 31L [ 4 ])
            let wide = Tensor.solve (Tensor.convert DType.Float64 single) (Tensor.convert DType.Float64 b)
            Expect.sameBits (Tensor.convert DType.Float32 wide) (Tensor.solve single b)
        }

        test "compiled functions, views and other devices give the same bits" {
            let a = positive 32L 4
            let device = CpuDevice(1, InstructionSet.Portable)

            for name, f in functions do
                for k, expected in List.indexed (f a) do
                    Expect.sameBits expected (Compile.func (f >> List.item k) a)
                    let view = a |> t |> Tensor.reverse 0 |> Tensor.reverse 0 |> t
                    Expect.sameBits expected (f view |> List.item k)
                    let there = f (Tensor.toDevice device a) |> List.item k
                    Expect.isTrue $"{name} left the device" (obj.ReferenceEquals(device, there.Device))
                    Expect.sameBits expected (Tensor.toDevice a.Device there)
        }

        test "NaN and infinity give NaN, and leave other matrices of a stack alone" {
            let bad = tensor [ [ 2.0; nan ]; [ 1.0; infinity ] ]
            let good = tensor [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ]

            for name, f in functions do
                for both, alone in List.zip (f (Tensor.stack 0 [ bad; good ])) (f good) do
                    Expect.sameBits alone both[1]
                    Expect.isTrue name (both[0].ToArray() |> Array.forall System.Double.IsNaN)
        }
    ]
