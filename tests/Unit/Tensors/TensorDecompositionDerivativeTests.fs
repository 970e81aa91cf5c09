/// Derivatives of the functions of dense linear algebra.
module Curvature.Tests.Unit.Tensors.TensorDecompositionDerivativeTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private normal (seed: int64) shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
let private t = Tensor.transpose
let private mul = Tensor.matmul
let private spread n = Tensor.diag (Tensor.linspace DType.Float64 1.0 (float n) n)

/// Not symmetric, with eigenvalues and singular values apart, and a positive definite symmetric part.
let private square = 0.2 * normal 1L [ 3; 3 ] + spread 3

let private tall = normal 2L [ 4; 2 ]
let private wide = normal 3L [ 2; 4 ]
let private mix (seed: int64) (a: Tensor) : Tensor = Tensor.dot (normal seed (List.ofArray a.Shape)) a

/// The columns of a factor beside weights, without their signs.
let private gaugeFree (seed: int64) (vectors: Tensor) : Tensor =
    let weights = normal seed [ vectors.Shape[1]; vectors.Shape[0] ]
    Tensor.square (Tensor.diagonal (mul weights vectors))

/// A function that mixes all results, whatever the signs of eigenvectors and singular vectors are.
let private cases: (string * Tensor * (Tensor -> Tensor)) list =
    [
        let b, stack = normal 4L [ 3; 2 ], Tensor.stack 0 [ square; square + 0.1 ]
        "solve for constant sides", square, (fun a -> Tensor.solve a b)
        "solve with a constant matrix", b, Tensor.solve square
        "solve for a vector", normal 5L [ 3 ], (fun b -> Tensor.solve square b)
        "solve for sides that depend on the matrix", square, (fun a -> Tensor.solve a (Tensor.sin a))
        "solve of a stack", stack, (fun a -> Tensor.solve a b)
        "inverse", square, Tensor.inverse
        "cholesky", square, Tensor.cholesky
        "cholesky of a stack", stack, Tensor.cholesky
        "eigenvalues", square, Tensor.eigh >> fst

        "eigenpairs",
        square,
        fun a ->
            let values, v = Tensor.eigh a
            Tensor.exp values * gaugeFree 6L v

        "an entire function of a symmetric matrix",
        square,
        fun a ->
            let values, v = Tensor.eigh a
            mul (v * Tensor.exp (0.3 * values)) (t v)

        for name, a in [ "square", square; "tall", tall; "wide", wide ] do
            $"singular values of a {name} matrix", a, (fun a -> let _, s, _ = Tensor.svd a in s)

            $"singular triplets of a {name} matrix",
            a,
            fun a ->
                let u, s, v = Tensor.svd a
                let left, right = normal 9L [ s.Size; a.Shape[0] ], normal 10L [ a.Shape[1]; s.Size ]
                s * gaugeFree 7L u + gaugeFree 8L v + Tensor.diagonal (mul (mul left u) (mul (t v) right))

            $"qr of a {name} matrix",
            a,
            fun a ->
                let q, r = Tensor.qr a
                mix 11L q * mix 12L r + Tensor.sum (Tensor.sin q)

        "det", square, Tensor.det
        "det of a negative one", Tensor.reverse 0 square, Tensor.det
        "logdet", square, Tensor.logdet
        "slogdet", Tensor.reverse 0 square, (fun a -> let sign, logarithm = Tensor.slogdet a in sign * logarithm)

        "a Gaussian log-likelihood",
        square,
        fun a ->
            let l = Tensor.cholesky a
            let z = Tensor.solve l (tensor [ 1.0; -1.0; 0.5 ])
            -0.5 * Tensor.dot z z - Tensor.sum (Tensor.log (Tensor.diagonal l))

        "a matrix of one element",
        tensor [ [ 1.7 ] ],
        (fun a -> Tensor.cholesky a * Tensor.inverse a * Tensor.det a + fst (Tensor.eigh a))
    ]

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorDecompositionDerivativeTests" [
        for name, point, f in cases do
            test $"derivatives of {name} are those of differences, in every mode, batched and compiled" {
                differentiates name f point
            }

        test "the gradient of logdet is the inverse transposed, and its Hessian follows" {
            for a in [ square; Tensor.reverse 0 square ] do
                let inverse = Tensor.inverse a
                Expect.tensorsClose 1e-13 (t inverse) (grad Tensor.logdet a)
                let v = normal 20L [ 3; 3 ]
                Expect.tensorsClose 1e-12 (-(t (mul (mul inverse v) inverse))) (hessianv Tensor.logdet a v)
                Expect.tensorsClose 1e-12 (Tensor.det a * t inverse) (grad Tensor.det a)
        }

        test "gradients of cholesky and eigh are symmetric" {
            for f in [ Tensor.cholesky >> mix 21L; Tensor.eigh >> fst >> mix 22L ] do
                let gradient = grad f square
                Expect.tensorsClose 1e-14 (t gradient) gradient
        }

        test "third derivatives of the logarithm of one number are 2/x³" {
            let logarithm x = Tensor.logdet (Tensor.reshape [ 1; 1 ] x)
            Expect.scalar 1e-13 (2.0 / 8.0) (diffn 3 logarithm (tensor 2.0))
            let half x = Tensor.sum (Tensor.cholesky (Tensor.reshape [ 1; 1 ] x))
            Expect.scalar 1e-13 (0.375 * 2.0 ** -2.5) (diffn 3 half (tensor 2.0))
            let reciprocal x = Tensor.sum (Tensor.inverse (Tensor.reshape [ 1; 1 ] x))
            Expect.scalar 1e-13 (-6.0 / 16.0) (diffn 3 reciprocal (tensor 2.0))
        }

        test "both operands of solve are differentiated together" {
            let joined = Tensor.concat 1 [ square; normal 23L [ 3; 2 ] ]
            let f x = Tensor.solve (Tensor.slice 1 0 3 x) (Tensor.slice 1 3 2 x)
            differentiates "solve" f joined
        }

        test "many right-hand sides are batched over one matrix, with the bits of a loop" {
            let sides = normal 24L [ 4; 3; 2 ]
            let stack = Tensor.stack 0 [ square; square + 0.1 ]
            let loop f = Tensor.stack 0 [ for b in sides -> f b ]
            Expect.sameBits (loop (Tensor.solve square)) (vmap (Tensor.solve square) sides)
            Expect.sameBits (loop (Tensor.solve stack)) (vmap (Tensor.solve stack) sides)
        }

        test "Float32 has derivatives near those of Float64" {
            let functions: (Tensor -> Tensor) list =
                [
                    Tensor.inverse
                    Tensor.cholesky
                    Tensor.eigh >> fst
                    (fun a -> let _, s, _ = Tensor.svd a in s)
                    Tensor.qr >> snd
                    Tensor.det
                    Tensor.logdet
                    (fun a -> Tensor.solve a a[0])
                ]

            for f in functions do
                let gradient (x: Tensor) = grad (f >> Tensor.sum) x
                let narrow = gradient (Tensor.convert DType.Float32 square)
                Expect.equal "narrow.DType" DType.Float32 narrow.DType
                Expect.tensorsClose 1e-5 (gradient square) (Tensor.convert DType.Float64 narrow)
        }
    ]
