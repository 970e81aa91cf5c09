/// Derivatives that can be worked out by hand.
module Curvature.Tests.Unit.KnownDerivativeTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// (x·x)²: gradient 4(x·x)x, Hessian 8xxᵀ + 4(x·x)I.
let private quartic (x: Tensor) = let square = Tensor.dot x x in square * square

let private point = tensor [ 1.0; 2.0; 3.0 ]

let private signs count =
    [
        for bits in 0 .. (1 <<< count) - 1 ->
            List.init count (fun i -> if bits &&& (1 <<< i) = 0 then 1.0 else -1.0)
            |> Array.ofList
            |> Tensor.ofArray [ count ]
    ]

let private single = Tensor.convert DType.Float32

[<Tests>]
let tests =
    testList "Unit.KnownDerivativeTests" [
        test "forms, Laplacians and Jacobians have the element type of the value, wherever the function converts" {
            let wide, narrow = tensor [ 1.0; 2.0 ], single (tensor [ 1.0; 2.0 ])
            let toWide = Tensor.convert DType.Float64

            let losses (convert: Tensor -> Tensor) : (float * float * (Tensor -> Tensor)) list =
                [
                    0.0, 0.0, (fun x -> Tensor.sum (convert x))
                    0.0, 0.0, (fun x -> Tensor.sum (convert (Tensor.stopGradient x)))
                    10.0, 4.0, (fun x -> Tensor.sum (Tensor.square (convert x)))
                    10.0, 4.0, (fun x -> Tensor.sum (convert (Tensor.square x)))
                    20.0,
                    8.0,
                    (fun x -> Tensor.sum (convert (Tensor.square x)) + Tensor.sum (Tensor.square (convert x)))
                ]

            for x, convert, dtype in [ wide, single, DType.Float32; narrow, toWide, DType.Float64 ] do
                for form, laplace, loss in losses convert do
                    for number, result in [ form, quadraticForm loss x x; laplace, laplacian loss x ] do
                        Expect.equal "result.DType" dtype result.DType
                        Expect.scalar 0.0 number result

                    let compiled =
                        Compile.family (fun x -> let value, form = Linearized.quadraticForm loss x in [ value ], form)

                    Expect.tensorsClose 0.0 (quadraticForm loss x x) ((compiled x).Apply x)

                // Fewer outputs than inputs, and more: by rows in reverse, and by columns forward.
                for f in
                    [
                        (fun x -> Tensor.unsqueeze 0 (Tensor.sum (convert x)))
                        (fun x -> Tensor.concat 0 [ convert x; convert x ])
                    ] do
                    Expect.equal "(jacobian f x).DType" dtype (jacobian f x).DType
        }

        test "the quartic has gradient (56, 112, 168) and the known Hessian" {
            Expect.scalar 1e-14 196.0 (quartic point)
            Expect.tensor 1e-14 [ 3 ] [ 56.0; 112.0; 168.0 ] (grad quartic point)

            let rows = [ 64.0; 16.0; 24.0; 16.0; 88.0; 48.0; 24.0; 48.0; 128.0 ]
            Expect.tensor 1e-14 [ 3; 3 ] rows (hessian quartic point)
            Expect.tensor 1e-6 [ 3; 3 ] rows (hessian quartic (single point))
            Expect.scalar 1e-14 280.0 (laplacian quartic point)
        }

        test "the quartic's Hessian has eigenvalues 168, 56, 56" {
            let has (eigenvalue: float) (vector: float list) =
                let v = tensor vector
                Expect.tensorsClose 1e-14 (eigenvalue * v) (hessianv quartic point v)

            has 168.0 [ 1.0; 2.0; 3.0 ]
            has 56.0 [ 2.0; -1.0; 0.0 ]
            has 56.0 [ 3.0; 0.0; -1.0 ]
        }

        test "every Rademacher form of the quartic is 168, 200, 296 or 456, with deviation 112" {
            for form in [ quadraticForm quartic point; (fun v -> Tensor.dot v (hessianv quartic point v)) ] do
                let samples = signs 3 |> List.map (fun v -> (form v).ToScalar())
                let known = [ 168.0; 200.0; 296.0; 456.0 ]

                for sample in samples do
                    Expect.isTrue $"{sample}" (known |> List.exists (fun value -> abs (value - sample) < 1e-10))

                Expect.close
                    1e-12
                    (List.toArray known)
                    (samples |> List.map Math.Round |> List.distinct |> List.sort |> List.toArray)

                let mean = List.average samples
                let variance = samples |> List.averageBy (fun sample -> (sample - mean) * (sample - mean))
                Expect.close 1e-12 [| 280.0; 112.0 |] [| mean; sqrt variance |]
        }

        test "drawn Rademacher forms of the quartic are among the known four" {
            let probes = Tensor.rademacher (Key.OfSeed 5L) DType.Float64 [ 100; 3 ]
            let samples = (vmap (quadraticForm quartic point) probes).ToArray()

            for sample in samples do
                Expect.isTrue
                    $"{sample}"
                    ([ 168.0; 200.0; 296.0; 456.0 ] |> List.exists (fun value -> abs (value - sample) < 1e-10))
        }

        test "a diagonal Hessian gives its trace from one Rademacher probe" {
            let f (x: Tensor) = Tensor.sum (tensor [ 1.0; 2.0 ] * x * x)
            let one = tensor [ 1.0; 1.0 ]
            Expect.tensor 0.0 [ 2 ] [ 2.0; 4.0 ] (hessianv f one one)
            Expect.tensor 0.0 [ 2; 2 ] [ 2.0; 0.0; 0.0; 4.0 ] (hessian f one)

            for v in signs 2 do
                Expect.scalar 0.0 6.0 (quadraticForm f one v)
        }

        test "a linear function has a Hessian of exact zeros" {
            let weights = tensor [ 0.3; -1.7; 2.9 ]

            for f in [ Tensor.dot weights; (fun x -> Tensor.sum (weights * Tensor.reverse 0 x) + 4.0); Tensor.sum ] do
                Expect.tensor 0.0 [ 3; 3 ] (Array.zeroCreate 9) (hessian f point)
                Expect.tensor 0.0 [ 3 ] (Array.zeroCreate 3) (hessianv f point weights)
                Expect.scalar 0.0 0.0 (quadraticForm f point weights)
                Expect.scalar 0.0 0.0 (laplacian f point)
        }

        test "a constant function has a gradient of exact zeros" {
            let f (_: Tensor) = Tensor.scalar DType.Float64 7.0
            let value, gradient = fgrad f point
            Expect.scalar 0.0 7.0 value
            Expect.tensor 0.0 [ 3 ] [ 0.0; 0.0; 0.0 ] gradient
            Expect.tensor 0.0 [ 3 ] [ 0.0; 0.0; 0.0 ] (hessianv f point point)
            Expect.tensor 0.0 [ 3; 3 ] (Array.zeroCreate 9) (hessian f point)
            Expect.scalar 0.0 0.0 (gradv f point point)
            Expect.scalar 0.0 0.0 (quadraticForm f point point)
            Expect.scalar 0.0 0.0 (laplacian f point)
            Expect.tensor 0.0 [ 2; 3 ] (Array.zeroCreate 6) (jacobian (fun _ -> tensor [ 1.0; 2.0 ]) point)
        }

        test "the sixth derivative of tanh is its polynomial in tanh, in every mix of modes" {
            let closed x =
                let t = tanh x
                t * (-272.0 + t * t * (1232.0 + t * t * (-1680.0 + 720.0 * t * t)))

            let modes = [| diff; grad; (fun f x -> (snd (linearize f x)).Apply(Tensor.onesLike x)) |]

            for x in [ -0.7; 0.0; 0.4; 1.3 ] do
                let at = Tensor.scalar DType.Float64 x
                Expect.scalar 1e-11 (closed x) (diffn 6 tanh at)

                for first in 0 .. modes.Length - 1 do
                    let mixed =
                        Seq.init 6 (fun level -> modes[(first + level) % modes.Length])
                        |> Seq.fold (fun f mode -> mode f) tanh

                    Expect.scalar 1e-11 (closed x) (mixed at)
        }

        test "derivatives of order 0 to 5 of a cubic are what they are" {
            let f (x: Tensor) = x ** 3.0
            let at = Tensor.scalar DType.Float64 2.0

            for order, value in [ 0, 8.0; 1, 12.0; 2, 12.0; 3, 6.0; 4, 0.0; 5, 0.0 ] do
                Expect.scalar 1e-15 value (diffn order f at)
        }

        test "whole powers have all their derivatives at zero" {
            let zero = Tensor.scalar DType.Float64 0.0

            for power in 0..4 do
                for order in 0..6 do
                    let factorial = Seq.init power (fun i -> float (i + 1)) |> Seq.fold (*) 1.0

                    Expect.scalar
                        0.0
                        (if order = power then factorial else 0.0)
                        (diffn order (fun x -> x ** float power) zero)
        }

        test "tall and wide Jacobians are those of the linear map" {
            // Wider than the block of basis vectors that are pushed through together.
            let matrix rows columns =
                Tensor.ofArray [ rows; columns ] (Array.init (rows * columns) (fun i -> sin (float i)))

            for rows, columns in [ 70, 2; 2, 70; 130, 3; 3, 130; 1, 1; 5, 5 ] do
                let a = matrix rows columns
                let x = Tensor.ones DType.Float64 [ columns ]
                Expect.tensorsClose 1e-15 a (jacobian (Tensor.matmul a) x)
        }

        test "Jacobians have the axes of the value, then those of the point" {
            let f (x: Tensor) = Tensor.transpose x
            let x = tensor [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ] ]

            let expected =
                [
                    for i in 0..2 do
                        for j in 0..1 do
                            for k in 0..1 do
                                for l in 0..2 -> if i = l && j = k then 1.0 else 0.0
                ]

            Expect.tensor 0.0 [ 3; 2; 2; 3 ] expected (jacobian f x)
            Expect.tensor 0.0 [ 2; 3 ] (Array.create 6 1.0) (jacobian Tensor.sum x)
            Expect.tensor 1e-15 [] [ cos 0.5 ] (jacobian sin (Tensor.scalar DType.Float64 0.5))
        }

        test "a point without elements has derivatives without elements" {
            let x = Tensor.zeros DType.Float64 [ 0 ]
            let f (x: Tensor) = Tensor.sum (sin x) + 2.0
            Expect.tensor 0.0 [ 0 ] [] (grad f x)
            Expect.tensor 0.0 [ 0; 0 ] [] (hessian f x)
            Expect.tensor 0.0 [ 3; 0 ] [] (jacobian (fun x -> Tensor.sum x * tensor [ 1.0; 2.0; 3.0 ]) x)
            Expect.scalar 0.0 0.0 (laplacian f x)
        }

        test "a number minus a tensor is that" {
            for dtype in [ DType.Float32; DType.Float64 ] do
                let t = Tensor.convert dtype point
                Expect.tensor 0.0 [ 3 ] [ 9.0; 8.0; 7.0 ] (10.0 - t)
                Expect.tensor 0.0 [ 3 ] [ -9.0; -8.0; -7.0 ] (t - 10.0)
                Expect.tensor 0.0 [ 3 ] [ 6.0; 3.0; 2.0 ] (6.0 / t)
                Expect.tensor 0.0 [ 3 ] [ 0.5; 1.0; 1.5 ] (t / 2.0)
                Expect.tensor 0.0 [ 3 ] [ -1.0; -1.0; -1.0 ] (grad (fun x -> Tensor.sum (10.0 - x)) t)
                Expect.equal "(10.0 - t).DType" dtype (10.0 - t).DType
        }

        test "a value returned next to a derivative is a constant" {
            let f (x: Tensor) = Tensor.sum (x * x)
            let value, gradient = fgrad f point
            // Constants of a later derivative, they contribute nothing to it.
            Expect.tensor 0.0 [ 3 ] [ 14.0; 14.0; 14.0 ] (grad (fun y -> Tensor.sum (value * y)) point)
            Expect.tensor 0.0 [ 3 ] [ 2.0; 4.0; 6.0 ] (grad (fun y -> Tensor.dot gradient y) point)

            // Inside an outer derivative the value depends on its variable, and on nothing else.
            let outer (x: Tensor) =
                let value, _ = fgrad (fun y -> Tensor.sum (x * y)) point
                value * Tensor.sum x

            // x ↦ (x·p)(Σx): gradient p·Σx + (x·p)·1.
            Expect.tensor 1e-15 [ 3 ] [ 20.0; 26.0; 32.0 ] (grad outer point)
        }

        test "derivatives of conversions go from one element type to the other and back" {
            let _, program = linearize (fun x -> Tensor.convert DType.Float32 (x * x)) point
            Expect.tensorsClose 1e-7 (single (2.0 * point)) (program.Apply(Tensor.onesLike point))
            Expect.tensorsClose 1e-7 (2.0 * point) (program.Transpose().Apply(single (Tensor.onesLike point)))
            let _, none = linearize (fun x -> single (Tensor.stopGradient x)) point
            Expect.tensorsClose 0.0 (Tensor.zerosLike point) (none.Transpose().Apply(single point))
            Expect.tensorsClose 0.0 (Tensor.zerosLike (single point)) (none.Apply point)
        }

        test "a quadratic function has a constant Hessian, whatever way it is written" {
            let a = tensor [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ]
            let x = tensor [ 0.3; -0.9 ]

            let ways: (Tensor -> Tensor) list =
                [
                    (fun x -> 0.5 * Tensor.dot x (Tensor.matmul a x))
                    (fun x -> 0.5 * Tensor.sum (a * Tensor.outer x x))
                    (fun x -> 0.5 * Tensor.einsum "i,i->" (Tensor.einsum "i,ij->j" x a) x)
                    (fun x ->
                        Tensor.dot x (Tensor.matmul a (Tensor.stopGradient x)) * 0.0
                        + 0.5 * Tensor.dot (Tensor.matmul x a) x)
                ]

            for f in ways do
                Expect.tensor 1e-15 [ 2; 2 ] [ 2.0; 1.0; 1.0; 3.0 ] (hessian f x)
        }
    ]
