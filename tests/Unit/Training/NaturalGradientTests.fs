module Curvature.Tests.Unit.NaturalGradientTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A linear layer with squared loss, where K-FAC is the Gauss–Newton matrix exactly.
let private network = Network.sequential [ Layer.dense 3 2 ]

let private batchOf seed =
    let keys = (Key.OfSeed seed).Split 2
    Batch(Tensor.normal keys[0] DType.Float64 [ 7; 3 ], Tensor.normal keys[1] DType.Float64 [ 7; 2 ])

let private riskOf (batch: Batch) =
    network |> Network.risk Reduction.Mean (Loss.meanSquaredError Reduction.Mean) [ batch ]

let private first, private second = batchOf 1L, batchOf 2L
let private theta = Network.initialize (Key.OfSeed 3L) DType.Float64 network
let private rows (matrix: Tensor) = matrix.ToArray() |> Array.chunkBySize matrix.Shape[1]
let private gradient batch theta = (Gradient.ofRisk (riskOf batch) theta).Gradient.ToArray()

let private plain =
    NaturalGradientOptions
        .Of(network.Layout)
        .WithExactDamping(0.01)
        .WithLearningRate(0.3)
        .WithMomentum(0.0)
        .WithAveraging(0.0)
        .WithoutLargestDivergence()

let private run (options: NaturalGradientOptions) (batches: Batch list) =
    let descent = Descent.ofRisk (riskOf first)

    ((theta, Optimizer.naturalGradient options), batches)
    ||> List.scan (fun (theta, optimizer) batch ->
        let step = descent.Step(optimizer, theta, batch)
        step.Theta, step.Optimizer)
    |> List.tail
    |> List.map (fun (theta, _) -> theta.ToArray())

[<Tests>]
let tests =
    testList "Unit.NaturalGradientTests" [
        test "steps agree with their formulas: momentum, stale factors and the largest divergence" {
            let alpha, mu, lambda, kappa = 0.3, 0.5, 0.01, 1e-3

            let expected =
                let mutable x, velocity, matrix = theta.ToArray(), None, [||]

                [
                    for t in 0..4 do
                        let batch = if t % 2 = 0 then first else second

                        if t % 3 = 0 then
                            matrix <-
                                GaussNewton.ofRisk (riskOf batch) (Tensor.ofArray [ 8 ] x)
                                |> LinearOperator.dense
                                |> rows

                        let g = gradient batch (Tensor.ofArray [ 8 ] x)
                        let natural = Quartic.solve (Quartic.shifted lambda matrix) g

                        let delta =
                            match velocity with
                            | Some v -> Quartic.add natural mu v
                            | None -> natural

                        velocity <- Some delta
                        let form = alpha * alpha * Quartic.dot delta (Quartic.times matrix delta)
                        let nu = min 1.0 (sqrt (2.0 * kappa / form))
                        x <- Quartic.add x (-alpha * nu) delta
                        x
                ]

            let options = plain.WithMomentum(mu).WithInterval(3).WithLargestDivergence kappa
            let found = run options [ first; second; first; second; first ]
            List.iter2 (Expect.close 1e-10) expected found
            // The bound acts: without it the first step is longer.
            let free = run (plain.WithMomentum mu) [ first ]
            let length (x: float[]) = Quartic.norm (Quartic.add x -1.0 (theta.ToArray()))
            Expect.isTrue "the first step is shortened" (length found.Head < 0.9 * length free.Head)
        }

        test "factors are running means" {
            let options = plain.WithInterval(1).WithAveraging 0.4
            let block batch = (Kfac.estimate network.Layout (riskOf batch) theta).Blocks[0]
            let found = run options [ first; second ]
            let x = Tensor.ofArray [ 8 ] found.Head
            // The matrix of a linear model with squared loss does not depend on θ. At estimate 2, the decay is
            // min(1 − 1/2, 0.4).
            let mix (a: Tensor) (b: Tensor) = 0.4 * a + 0.6 * b
            let a = mix (block first).InputFactor (block second).InputFactor
            let g = mix (block first).OutputFactor (block second).OutputFactor
            // Rows of a block: an input after the other, the output running fastest; then to places of parameters.
            let places = (block first).Positions
            let kronecker = Tensor.einsum "ij,kl->ikjl" a g |> Tensor.reshape [ 8; 8 ] |> rows
            let matrix = Array.init 8 (fun _ -> Array.zeroCreate 8)

            for i in 0..7 do
                for j in 0..7 do
                    matrix[places[i]][places[j]] <- kronecker[i][j]

            let natural = Quartic.solve (Quartic.shifted 0.01 matrix) (gradient second x)
            Expect.close 1e-10 (Quartic.add found.Head -0.3 natural) found[1]
        }

        test "a linear least-squares problem is solved in one step" {
            let options = (plain.WithLearningRate 1.0).WithExactDamping 1e-12
            let found = (run options [ first ]).Head
            Expect.close 1e-8 (Array.zeroCreate 8) (gradient first (Tensor.ofArray [ 8 ] found))
        }

        test "a step does not depend on how inputs are scaled, as that of a gradient does" {
            // y = W(Sx) with another S is the same model; natural gradients of outputs are the same.
            let scale = tensor [ 10.0; 0.1; 1.0 ]
            let scaledBatch = Batch(first.Inputs * scale, first.Targets)
            let weights (theta: Tensor) = Tensor.slice 0 0 6 theta |> Tensor.reshape [ 2; 3 ]
            let bias = Tensor.slice 0 6 2 theta
            let scaled = Tensor.concat 0 [ Tensor.flatten (weights theta / scale); bias ]
            let options = plain.WithExactDamping 1e-12
            let descent = Descent.ofRisk (riskOf first)
            let a = descent.Step(Optimizer.naturalGradient options, theta, first)
            let b = descent.Step(Optimizer.naturalGradient options, scaled, scaledBatch)

            Expect.tensorsClose
                1e-7
                (Network.forward network a.Theta first.Inputs)
                (Network.forward network b.Theta scaledBatch.Inputs)
        }

        test "EK-FAC, other kinds of blocks and Float32 step too" {
            let network = Network.sequential [ Layer.dense 3 4; Normalization.layer 4; Layer.tanh; Layer.dense 4 2 ]

            let risk = network |> Network.risk Reduction.Mean (Loss.meanSquaredError Reduction.Mean) [ first ]
            let corrected = KfacOptions.Default.WithCorrectedEigenvalues true
            let small = KfacOptions.Default.WithLargestExactBlock 2

            for dtype in [ DType.Float64; DType.Float32 ] do
                let batch = Batch(Tensor.convert dtype first.Inputs, Tensor.convert dtype first.Targets)

                for kfac in [ KfacOptions.Default; corrected; small ] do
                    let options = NaturalGradientOptions.Of(network.Layout).WithKfac(kfac).WithInterval 2
                    let descent = Descent.ofRisk risk

                    let losses =
                        ((Network.initialize (Key.OfSeed 4L) dtype network, Optimizer.naturalGradient options, nan),
                         [ 1..40 ])
                        ||> List.scan (fun (theta, optimizer, _) _ ->
                            let step = descent.Step(optimizer, theta, batch)
                            step.Theta, step.Optimizer, step.Loss)
                        |> List.map (fun (_, _, loss) -> loss)
                        |> List.tail

                    Expect.isTrue $"{dtype}, {kfac}: %A{losses}" (List.last losses < 0.5 * losses.Head)
        }

        test "options outside their range are refused" {
            let error fragments action = Expect.error<ArgumentRangeException> fragments (action >> ignore)
            error [ "learning rate" ] (fun () -> plain.WithLearningRate 0.0)
            error [ "damping" ] (fun () -> plain.WithDamping 0.0)
            error [ "damping" ] (fun () -> plain.WithExactDamping -1.0)
            error [ "interval" ] (fun () -> plain.WithInterval 0)
            error [ "divergence" ] (fun () -> plain.WithLargestDivergence nan)
            error [ "momentum" ] (fun () -> plain.WithMomentum 1.0)
            error [ "averages" ] (fun () -> plain.WithAveraging 1.0)
            let other = ParameterLayout.ofShapes [ "weight", [ 2; 2 ] ]

            Expect.error<ShapeException> [ "[4]"; "[8]" ] (fun () ->
                run (NaturalGradientOptions.Of other) [ first ] |> ignore)
        }
    ]
