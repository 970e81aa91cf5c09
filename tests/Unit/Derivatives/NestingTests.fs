/// Derivatives of functions that take derivatives: the variables of the two must not be confused.
module Curvature.Tests.Unit.NestingTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private number value = Tensor.scalar DType.Float64 value

/// The ways to take the derivative of a function of a number.
let private modes: (string * ((Tensor -> Tensor) -> Tensor -> Tensor)) list =
    [
        "forward", diff
        "reverse", grad
        "linearized", (fun f x -> (snd (linearize f x)).Apply(Tensor.onesLike x))
        "transposed", (fun f x -> (snd (linearize f x)).Transpose().Apply(Tensor.onesLike x))
        "batched", (fun f x -> vmap (diff f) (Tensor.stack 0 [ x; x + 1.0 ]) |> Tensor.item 0 0)
        "batched in the direction", (fun f x -> vmap (jacobianv f x) (tensor [ 3.0; 1.0 ]) |> Tensor.item 0 1)
    ]

let private modePairs =
    seq {
        for outer in 0..5 do
            for inner in 0..5 -> outer, inner
    }

[<Tests>]
let tests =
    testList "Unit.NestingTests" [
        for outer, inner in modePairs do
            test $"d/dx x·(d/dy (x + y)) is 1 ({outer}, {inner})" {
                let outer, inner = snd modes[outer], snd modes[inner]
                let f (x: Tensor) = x * inner (fun y -> x + y) (number 1.0)
                Expect.scalar 1e-15 1.0 (outer f (number 3.0))
            }

        for outer, inner in modePairs do
            test $"x times what does not depend on it has no more slope than that ({outer}, {inner})" {
                let outer, inner = snd modes[outer], snd modes[inner]
                // x·(d/dy x at y = 0) is 0 for all x.
                Expect.scalar 0.0 0.0 (outer (fun x -> x * inner (fun _ -> x) (number 0.0)) (number 5.0))
                // x·(d/dy x·y at y = 3) is x².
                Expect.scalar 1e-15 4.0 (outer (fun x -> x * inner (fun y -> x * y) (number 3.0)) (number 2.0))
            }

        for outer, inner in modePairs do
            test $"the inner point may depend on the outer variable ({outer}, {inner})" {
                let outer, inner = snd modes[outer], snd modes[inner]
                // d/dx of (x² + 2·y at y = x²)… f(x) = d/dy (x·y²) at y = x is 2x², with slope 4x.
                Expect.scalar 1e-15 6.0 (outer (fun x -> inner (fun y -> x * y * y) x) (number 1.5))
                // d/dy sin(x·y) at y = x² is x·cos(x³), with slope cos(x³) − 3x³·sin(x³).
                let x = 0.8
                let cube = x * x * x

                Expect.scalar
                    1e-14
                    (cos cube - 3.0 * cube * sin cube)
                    (outer (fun x -> inner (fun y -> sin (x * y)) (x * x)) (number x))
            }

        test "three levels keep their variables apart in every mix" {
            // d/dx x·d/dy y·d/dz (x·y·z²) at z = x, y = x: the inner one is 2xyz = 2x²y, then d/dy 2x²y² = 4x²y = 4x³,
            // times x.
            for _, outer in modes do
                for _, middle in modes do
                    for _, inner in modes do
                        let f (x: Tensor) = x * middle (fun y -> y * inner (fun z -> x * y * z * z) x) x
                        Expect.scalar 1e-13 (16.0 * 0.9 ** 3.0) (outer f (number 0.9))
        }

        test "a derivative inside a batch inside a derivative" {
            let xs = tensor [ 0.1; 0.2; 0.3 ]
            // Σᵢ d/dy (y·a)² at y = xᵢ is Σ 2a²xᵢ = 1.2a².
            for _, outer in modes do
                for _, inner in modes do
                    let f (a: Tensor) = Tensor.sum (vmap (inner (fun y -> Tensor.square (y * a))) xs)
                    Expect.scalar 1e-14 (2.4 * 0.7) (outer f (number 0.7))
        }

        test "a function may use ordinary control flow on values" {
            let rec power (x: Tensor) n = if n = 0 then Tensor.onesLike x else x * power x (n - 1)
            let f (x: Tensor) = if x.ToScalar() > 1.0 then power x 3 else power x 2

            for name, mode in modes do
                if not (name.StartsWith "batched") then
                    Expect.scalar 1e-14 12.0 (mode f (number 2.0))
                    Expect.scalar 1e-14 1.0 (mode f (number 0.5))
        }

        test "stopGradient is the value without a derivative, in every mode" {
            for _, mode in modes do
                Expect.scalar 1e-15 2.0 (mode (fun x -> x * Tensor.stopGradient x) (number 2.0))
                Expect.scalar 0.0 0.0 (mode (fun x -> Tensor.stopGradient (x * x)) (number 2.0))
        }

        test "an implicit function's derivative by nested Newton steps" {
            // y(x) solves y³ + y = x; y′ = 1/(3y² + 1).
            let residual x (y: Tensor) = y * y * y + y - x

            let solve (x: Tensor) =
                Seq.init 8 ignore
                |> Seq.fold (fun (y: Tensor) () -> y - residual x y / diff (residual x) y) (Tensor.onesLike x)

            for _, mode in modes do
                Expect.scalar 1e-12 (1.0 / 4.0) (mode solve (number 2.0))
        }
    ]
