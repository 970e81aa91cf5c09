module Curvature.Tests.Unit.NewtonCgTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The longest of α = 1, 0.8, 0.8², … with a sufficient decrease.
let private backtracked (x: float[]) (g: float[]) (p: float[]) =
    Seq.initInfinite (fun i -> 0.8 ** float i)
    |> Seq.map (fun alpha -> alpha, Quartic.add x alpha p)
    |> Seq.find (fun (alpha, next) -> Quartic.value next <= Quartic.value x + 0.01 * alpha * Quartic.dot g p)
    |> snd

/// Steps with solves to the end, and the damping after each.
let private formula steps (lambda: float) =
    ((Quartic.start, lambda), [ 1..steps ])
    ||> List.scan (fun (x, lambda) _ ->
        let g, h = Quartic.gradient x, Quartic.hessian x
        let p = Quartic.solve (Quartic.shifted lambda h) (g |> Array.map (~-))
        let promised = Quartic.dot g p + 0.5 * Quartic.dot p (Quartic.times h p)
        let ratio = (Quartic.value (Quartic.add x 1.0 p) - Quartic.value x) / promised

        let following =
            if ratio < 0.25 then 1.5 * lambda
            elif ratio > 0.75 then lambda / 1.5
            else lambda

        backtracked x g p, following)
    |> List.tail
    |> List.map fst

let private exactly = NewtonCgOptions.Default.WithTolerance(0.0).WithDamping 2.0

[<Tests>]
let tests =
    testList "Unit.NewtonCgTests" [
        for share in [ 0.0; 0.95 ] do
            test $"damped Newton steps agree with their formulas, from {share} of the last step" {
                let expected = formula 5 2.0
                let found = Quartic.path DType.Float64 5 (Optimizer.newtonCg (exactly.WithStartShare share))
                List.iter2 (Expect.close 1e-9) expected found
                let single = Quartic.path DType.Float32 5 (Optimizer.newtonCg (exactly.WithStartShare share))
                List.iter2 (Expect.close 1e-4) expected single
            }

        test "damping shrinks to Newton's method, which converges quadratically" {
            let sizes =
                Quartic.path DType.Float64 12 (Optimizer.newtonCg exactly)
                |> List.map (Quartic.gradient >> Quartic.norm)

            Expect.isTrue $"%A{sizes}" (List.last sizes < 1e-9)
        }

        test "a fixed damping of 0 is Newton's method" {
            let expected =
                let x = Quartic.start
                Quartic.add x -1.0 (Quartic.solve (Quartic.hessian x) (Quartic.gradient x))

            let newton = Optimizer.newtonCg (exactly.WithFixedDamping 0.0)
            Expect.close 1e-10 expected (Quartic.path DType.Float64 1 newton).Head
        }

        test "damping grows where the model promises too much" {
            // A valley whose curvature grows fast: the full step from 0.1 overshoots, and is halved and damped.
            let loss (theta: Tensor) = Tensor.sum (Tensor.exp (10.0 * theta) - 10.0 * theta)
            let descent = Descent.ofFunction loss
            let start = tensor [ -1.0 ]
            let options = exactly.WithDamping 1e-3
            let step = descent.Step(Optimizer.newtonCg options, start)
            // Curvature is 100·e⁻¹⁰: the step of 1,800 would be infinite; backtracking finds one that descends.
            Expect.isTrue $"{step.Theta}" (Risk.value (Risk.ofFunction loss) step.Theta < step.Loss)
            let again = descent.Step(step.Optimizer, start)
            let other = descent.Step(Optimizer.newtonCg (exactly.WithDamping 1.5e-3), start)
            Expect.tensorsClose 1e-9 other.Theta again.Theta
        }

        test "negative curvature ends a solve along the gradient" {
            // Curvature −2 along x and 6 along y; the gradient is along x alone.
            let saddle (theta: Tensor) =
                let weights = tensor [ -1.0; 3.0 ]
                Tensor.sum (weights * Tensor.square theta) + 0.25 * Tensor.sum (Tensor.square (Tensor.square theta))

            let descent = Descent.ofFunction saddle
            let options = (exactly.WithFixedDamping 0.1).WithMatrix NewtonMatrix.Hessian
            let step = descent.Step(Optimizer.newtonCg options, tensor [ 0.1; 0.0 ])
            // p = −g = −(−0.2 + 0.001).
            Expect.tensor 1e-12 [ 2 ] [ 0.1 + 0.199; 0.0 ] step.Theta
        }

        test "with a model it solves with the Gauss-Newton matrix and the Hessian of the term" {
            let inputs = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 8; 3 ]
            let targets = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 8 ]
            let theta = Tensor.normal (Key.OfSeed 6L) DType.Float64 [ 3 ]
            let model inputs theta = Tensor.tanh (Tensor.matmul inputs theta)
            let batch = Batch(inputs, targets)

            let risk =
                Risk.ofModel Reduction.Mean model (Loss.meanSquaredError Reduction.Mean) [ batch ]
                |> Risk.withTerm (fun theta -> 0.05 * Tensor.sum (Tensor.square theta))

            let rows (matrix: Tensor) = matrix.ToArray() |> Array.chunkBySize 3
            let matrix = GaussNewton.ofRisk risk theta |> LinearOperator.dense |> rows
            let g = (Gradient.ofRisk risk theta).Gradient.ToArray()
            let p = Quartic.solve (Quartic.shifted 2.0 matrix) (g |> Array.map (~-))
            let step = (Descent.ofRisk risk).Step(Optimizer.newtonCg exactly, theta, batch)
            Expect.tensor 1e-9 [ 3 ] (Quartic.add (theta.ToArray()) 1.0 p) step.Theta
        }

        test "a least-squares problem is solved in one step, as the paper says" {
            let inputs = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ 40; 10 ]
            let truth = Tensor.normal (Key.OfSeed 8L) DType.Float64 [ 10 ]
            let batch = Batch(inputs, Tensor.matmul inputs truth)

            let risk = Risk.ofModel Reduction.Mean Tensor.matmul (Loss.meanSquaredError Reduction.Mean) [ batch ]

            let newton = Optimizer.newtonCg (exactly.WithFixedDamping 0.0)
            let step = (Descent.ofRisk risk).Step(newton, Tensor.zeros DType.Float64 [ 10 ], batch)
            Expect.tensorsClose 1e-8 truth step.Theta
        }

        test "a solve is limited, and its progress ends it" {
            // Eigenvalues 1 to 1000: few products do not solve, but descend.
            let curvatures = Tensor.linspace DType.Float64 1.0 1000.0 200
            let descent = Descent.ofFunction (fun theta -> 0.5 * Tensor.sum (curvatures * Tensor.square theta))
            let theta = Tensor.ones DType.Float64 [ 200 ]

            let lossAfter (options: NewtonCgOptions) =
                let step = descent.Step(Optimizer.newtonCg (options.WithFixedDamping 0.0), theta)
                (0.5 * Tensor.sum (curvatures * Tensor.square step.Theta)).ToScalar() / step.Loss

            let few = lossAfter (NewtonCgOptions.Default.WithMaximumProducts(3).WithTolerance 0.0)
            let loose = lossAfter (NewtonCgOptions.Default.WithMaximumProducts(500).WithTolerance 0.05)
            let all = lossAfter (NewtonCgOptions.Default.WithMaximumProducts(500).WithTolerance 0.0)
            Expect.isTrue $"{few}, {loose}, {all}" (all < 1e-20 && loose > 1e3 * all && few > loose && few < 1.0)
        }

        test "options outside their range are refused" {
            let error fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            let options = NewtonCgOptions.Default
            error [ "damping"; "0" ] (fun () -> options.WithDamping 0.0)
            error [ "damping"; "-1" ] (fun () -> options.WithFixedDamping -1.0)
            error [ "products"; "0" ] (fun () -> options.WithMaximumProducts 0)
            error [ "tolerance"; "NaN" ] (fun () -> options.WithTolerance nan)
            error [ "share"; "2" ] (fun () -> options.WithStartShare 2.0)
            error [ "matrix"; "7" ] (fun () -> options.WithMatrix(enum 7))

            Expect.error<OperatorException> [ "model" ] (fun () ->
                let newton = Optimizer.newtonCg (options.WithMatrix NewtonMatrix.GaussNewton)
                Quartic.path DType.Float64 1 newton |> ignore)
        }
    ]
