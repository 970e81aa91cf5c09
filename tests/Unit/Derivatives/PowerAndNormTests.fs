/// Powers at 0, and Euclidean norms at 0 and at both ends of the range of numbers.
module Curvature.Tests.Unit.Derivatives.PowerAndNormTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private dtypes = [ DType.Float32; DType.Float64 ]
let private vector dtype (values: float list) = tensor values |> Tensor.convert dtype
let private ones x = Tensor.onesLike x

/// The derivative of order n of every element, by each mode, for an elementwise function.
let private derivatives (n: int) (f: Tensor -> Tensor) (x: Tensor) : (string * Tensor) list =
    let forward (g: Tensor -> Tensor) (x: Tensor) = jacobianv g x (ones x)
    let reverse (g: Tensor -> Tensor) (x: Tensor) = grad (g >> Tensor.sum) x
    let repeated step = List.foldBack (fun step g -> step g) (List.replicate n step) f
    let last outer inner = outer (List.foldBack (fun step g -> step g) (List.replicate (n - 1) inner) f)

    [
        "forward", repeated forward x
        "reverse", repeated reverse x
        "forward over reverse", last forward reverse x
        "reverse over forward", last reverse forward x
        "vmap", vmap (repeated reverse) (Tensor.unsqueeze 0 x) |> Tensor.squeeze 0
        "vmap of forward", vmap (repeated forward) (Tensor.unsqueeze 0 x) |> Tensor.squeeze 0
        "compiled", Compile.func (repeated reverse) x

        if n >= 2 then
            let inner = List.foldBack (fun step g -> step g) (List.replicate (n - 2) forward) f
            let form direction = quadraticForm (inner >> Tensor.sum) x direction
            let basis i = Tensor.equal (Tensor.arange x.DType x.Size) (Tensor.fullLike x (float i))
            "quadratic forms", List.init x.Size (basis >> form) |> Tensor.stack 0
    ]

let private everyMode n f (x: Tensor) (expected: float list) =
    for mode, actual in derivatives n f x do
        try
            Expect.close 1e-6 (List.toArray expected) (actual.ToArray())
        with error ->
            failtest $"{x.DType}, order {n}, {mode}: {error.Message}"

[<Tests>]
let tests =
    testList "Unit.Derivatives.PowerAndNormTests" [
        test "powers with tensors as exponents have the derivatives of polynomials at 0" {
            for dtype in dtypes do
                let t = vector dtype [ 0.0; 1.0; 2.0; 3.0 ]
                let x = Tensor.zerosLike t
                let power (x: Tensor) = Tensor.Pow(x, t)
                everyMode 1 power x [ 0.0; 1.0; 0.0; 0.0 ]
                everyMode 2 power x [ 0.0; 0.0; 2.0; 0.0 ]
                everyMode 3 power x [ 0.0; 0.0; 0.0; 6.0 ]
                everyMode 4 power x [ 0.0; 0.0; 0.0; 0.0 ]
        }

        test "powers with numbers as exponents have the derivatives of polynomials at 0" {
            for dtype in dtypes do
                let x = vector dtype [ 0.0 ]

                for power in 0..6 do
                    for order in 1..4 do
                        let expected = if order = power then Seq.fold (*) 1.0 (seq { 1.0 .. float power }) else 0.0

                        everyMode order (fun x -> x ** float power) x [ expected ]
        }

        test "0 to a power has no derivative in a positive exponent, of any order" {
            for dtype in dtypes do
                let t = vector dtype [ 0.5; 1.0; 2.0 ]

                for order in 1..3 do
                    everyMode order (fun t -> Tensor.Pow(Tensor.zerosLike t, t)) t [ 0.0; 0.0; 0.0 ]
        }

        test "powers beside 0 keep their derivatives in base and exponent together" {
            // ∂²(xᵗ)/∂x∂t = xᵗ⁻¹(1 + t ln x), at t = 0 too.
            for t in [ 0.0; 1.0; 2.5; -1.5 ] do
                let x = 1.7
                let expected = x ** (t - 1.0) * (1.0 + t * log x)
                let at = tensor [ x; t ]
                let power (p: Tensor) : Tensor = Tensor.Pow(Tensor.item 0 0 p, (Tensor.item 0 1 p: Tensor))
                Expect.close 1e-13 [| expected; expected |] ((hessian power at).ToArray()[1..2])

                Expect.scalar
                    1e-13
                    (2.0 * expected)
                    (quadraticForm power at (tensor [ 1.0; 1.0 ])
                     - quadraticForm power at (tensor [ 1.0; 0.0 ])
                     - quadraticForm power at (tensor [ 0.0; 1.0 ]))
        }

        test "derivatives that do not exist at 0 are infinite or NaN" {
            let at order (power: float) =
                (diffn order (fun x -> x ** power) (Tensor.scalar DType.Float64 0.0)).ToScalar()

            Expect.equal "at 1 0.5" infinity (at 1 0.5)
            Expect.equal "at 2 1.5" infinity (at 2 1.5)
            Expect.equal "at 3 2.5" infinity (at 3 2.5)
            Expect.isZero "at 2 2.5" (at 2 2.5)
            Expect.equal "at 1 -1.0" (-infinity) (at 1 -1.0)
            Expect.equal "at 1 -0.5" (-infinity) (at 1 -0.5)
            let inExponent = grad (fun t -> Tensor.sum (Tensor.Pow(Tensor.zerosLike t, t))) (tensor [ -1.0 ])
            Expect.isTrue "inExponent.ToArray()[0]" (Double.IsNaN(inExponent.ToArray()[0]))
        }

        test "the norm has all derivatives 0 at 0" {
            for dtype in dtypes do
                let zero, v = vector dtype [ 0.0; 0.0; 0.0 ], vector dtype [ 1.0; 2.0; 3.0 ]
                let norm = Tensor.norm
                Expect.scalar 0.0 0.0 (norm zero)

                for name, gradient in
                    [
                        "grad", grad norm
                        "compiled", Compile.func (grad norm)
                        "vmap", (fun x -> vmap (grad norm) (Tensor.unsqueeze 0 x) |> Tensor.squeeze 0)
                        "hessianv", (fun x -> hessianv norm x v)
                    ] do
                    try
                        Expect.close 0.0 [| 0.0; 0.0; 0.0 |] ((gradient zero).ToArray())
                    with error ->
                        failtest $"{name}: {error.Message}"

                Expect.scalar 0.0 0.0 (gradv norm zero v)
                Expect.scalar 0.0 0.0 (quadraticForm norm zero v)
                Expect.close 0.0 [| 1.0; 1.0; 1.0 |] ((grad (fun x -> Tensor.norm x + Tensor.sum x) zero).ToArray())
        }

        test "the norm and its derivatives of order 1 and 2 neither overflow nor underflow" {
            for dtype, sizes, tolerance in
                [
                    DType.Float32, [ 1e-30; 1e-12; 1.0; 1e16; 1e30 ], 1e-6
                    DType.Float64, [ 1e-300; 1e-150; 1.0; 1e150; 1e300 ], 1e-14
                ] do
                for size in sizes do
                    let scaled (values: float list) = vector dtype (values |> List.map (fun x -> x * size))
                    let x, v = scaled [ 2.0; -3.0; 6.0 ], vector dtype [ 1.0; 1.0; 1.0 ]
                    // u = x/7, and the second derivative is (1 − uuᵀ)/‖x‖.
                    let u = [| 2.0 / 7.0; -3.0 / 7.0; 6.0 / 7.0 |]
                    let along = Array.sum u
                    let product = u |> Array.map (fun u -> (1.0 - u * along) / 7.0)
                    let relative (unit: float) (t: Tensor) = t.ToArray() |> Array.map (fun x -> x / unit)
                    Expect.close tolerance [| 7.0 |] (relative size (Tensor.norm x))
                    Expect.close tolerance u ((grad Tensor.norm x).ToArray())
                    Expect.close tolerance [| along |] ((gradv Tensor.norm x v).ToArray())
                    Expect.close tolerance product (relative (1.0 / size) (hessianv Tensor.norm x v))

                    Expect.close
                        tolerance
                        product
                        (relative (1.0 / size) (Compile.func (fun x -> hessianv Tensor.norm x v) x))

                    Expect.close
                        tolerance
                        [| Array.sum product |]
                        (relative (1.0 / size) (quadraticForm Tensor.norm x v))

                    Expect.close tolerance [| 7.0 |] (relative size (Compile.func Tensor.norm x))
        }

        test "norms of infinities and NaN are infinite and NaN" {
            Expect.equal
                "Tensor.norm (tensor [ 1.0; -inf…"
                infinity
                ((Tensor.norm (tensor [ 1.0; -infinity ])).ToScalar())

            Expect.isTrue
                "Tensor.norm (tensor [ 1.0; nan…"
                (Double.IsNaN((Tensor.norm (tensor [ 1.0; nan ])).ToScalar()))

            Expect.isZero
                "Tensor.norm (Tensor.zeros DType…"
                ((Tensor.norm (Tensor.zeros DType.Float64 [ 0 ])).ToScalar())
        }

        test "matrices beyond the limit of dense are refused, and the message says what to use" {
            let x = Tensor.zeros DType.Float64 [ 8193 ]
            let loss (x: Tensor) = Tensor.sum (x * x)

            let refused what f =
                Expect.error<ArgumentRangeException> [ what; "8193"; string LinearOperator.denseLimit ] (f >> ignore)

            refused "Hessian.at" (fun () -> hessian loss x)
            refused "Hessian.at" (fun () -> fst (fhessian loss x))
            refused "Hessian.at" (fun () -> fst (gradhessian loss x))
            refused "Jacobian.at" (fun () -> jacobian (fun x -> x * x) x)
            refused "Jacobian.at" (fun () -> fst (fjacobian (fun x -> x * x) x))

            Expect.error<ArgumentRangeException> [ "8193" ] (fun () ->
                LinearOperator.identity DType.Float64 8193 |> LinearOperator.dense |> ignore)

            let wide = Tensor.zeros DType.Float64 [ 20000 ]
            Expect.tensor 0.0 [ 20000 ] (Seq.replicate 20000 1.0) (jacobian Tensor.sum wide)
        }
    ]
