namespace Curvature.Tests.Unit

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A small network: 3 inputs, 4 hidden units, 2 outputs, 7 samples.
module SmallNetwork =

    let theta (dtype: DType) = Tensor.flatten (Matrices.random 60 1 26) |> Tensor.convert dtype

    let model (theta: Tensor) =
        let x = Matrices.random 61 7 3 |> Tensor.convert theta.DType

        match Tensor.split 0 [ 12; 4; 8; 2 ] theta with
        | [ w1; b1; w2; b2 ] ->
            let hidden = Tensor.tanh (Tensor.matmul x (Tensor.reshape [ 3; 4 ] w1) + b1)
            Tensor.matmul hidden (Tensor.reshape [ 4; 2 ] w2) + b2
        | _ -> invalidOp "split gave another number of parts"

    let labels = Tensor.ofIndices [ 7 ] [| 0; 1; 1; 0; 1; 0; 0 |]
    let targets = Matrices.random 62 7 2
    let answers = Tensor.ofArray [ 7; 2 ] (Array.init 14 (fun i -> float (i % 3 % 2)))

    /// The Jacobian by differentiation, [7; 2; 26].
    let jacobian = jacobian model (theta DType.Float64)

    /// JᵀWJ for the second derivatives of the loss of each sample by its outputs, [7; 2; 2].
    let weighted (w: Tensor) =
        Tensor.einsum "nai,nab->nbi" jacobian w |> fun left -> Tensor.einsum "nbi,nbj->ij" left jacobian

module GaussNewtonTests =

    let private theta = SmallNetwork.theta DType.Float64

    let private check (expected: Tensor) (operator: LinearOperator) =
        Expect.tensorsClose 1e-12 expected (LinearOperator.dense operator)
        let z = Matrices.random 63 5 26

        Expect.tensorsClose
            1e-12
            (Tensor.sumAxes [ 1 ] (z * Tensor.matmul z expected))
            (operator.QuadraticForms.Value z)

        Expect.isTrue "it is claimed semidefinite" operator.IsPositiveSemidefinite

    let private softmaxCurvature () =
        let p = Tensor.softmax (SmallNetwork.model theta)
        Tensor.unsqueeze 1 p * Tensor.eye DType.Float64 2 - Tensor.einsum "na,nb->nab" p p

    let private bernoulliCurvature () =
        let p = Tensor.sigmoid (SmallNetwork.model theta)
        Tensor.unsqueeze 1 (p * (1.0 - p)) * Tensor.eye DType.Float64 2

    [<Tests>]
    let tests =
        testList "Unit.GaussNewtonTests" [
            test "under squared error it is 2 JᵀJ over the number of elements" {
                let loss = Loss.meanSquaredError Reduction.Mean SmallNetwork.targets
                let identity = Tensor.broadcastTo [ 7; 2; 2 ] (Tensor.eye DType.Float64 2)
                check (SmallNetwork.weighted identity * (2.0 / 14.0)) (GaussNewton.at SmallNetwork.model loss theta)
            }

            test "under softmax cross-entropy it is the mean of Jᵀ(diag p − ppᵀ)J" {
                let loss = Loss.softmaxCrossEntropy Reduction.Mean SmallNetwork.labels
                check (SmallNetwork.weighted (softmaxCurvature ()) / 7.0) (GaussNewton.at SmallNetwork.model loss theta)
            }

            test "under binary cross-entropy it is the sum of Jᵀ diag(p(1 − p)) J" {
                let loss = Loss.binaryCrossEntropy Reduction.Sum SmallNetwork.answers
                check (SmallNetwork.weighted (bernoulliCurvature ())) (GaussNewton.at SmallNetwork.model loss theta)
            }

            test "under any convex loss of the outputs it is JᵀHJ" {
                // ln Σ cosh z couples all samples.
                let loss (outputs: Tensor) = Tensor.log (Tensor.sum (0.5 * (Tensor.exp outputs + Tensor.exp -outputs)))
                let curvature = hessian loss (SmallNetwork.model theta) |> Tensor.reshape [ 14; 14 ]
                let j = Tensor.reshape [ 14; 26 ] SmallNetwork.jacobian

                check
                    (Tensor.matmul (Tensor.transpose j) (Tensor.matmul curvature j))
                    (GaussNewton.at SmallNetwork.model loss theta)
            }

            test "of a linear model it is the Hessian" {
                let x = Matrices.random 64 9 4
                let model w = Tensor.matmul x (Tensor.reshape [ 4; 3 ] w)

                let loss =
                    Loss.softmaxCrossEntropy Reduction.Mean (Tensor.ofIndices [ 9 ] (Array.init 9 (fun i -> i % 3)))

                let w = Tensor.flatten (Matrices.random 65 4 3)
                let expected = LinearOperator.dense (Hessian.at (model >> loss) w)
                Expect.tensorsClose 1e-12 expected (LinearOperator.dense (GaussNewton.at model loss w))
            }

            test "one family serves many points" {
                let loss = Loss.softmaxCrossEntropy Reduction.Mean SmallNetwork.labels
                let family = GaussNewton.family (Risk.ofOutputs SmallNetwork.model loss)

                for scale in [ 1.0; 0.5 ] do
                    let v = Tensor.flatten (Matrices.random 66 1 26)

                    Expect.tensorsClose
                        1e-13
                        ((GaussNewton.at SmallNetwork.model loss (scale * theta)).Apply v)
                        ((family (scale * theta)).Apply v)
            }

            test "the exact Fisher matrix is the Gauss-Newton matrix of the mean loss" {
                check
                    (SmallNetwork.weighted (softmaxCurvature ()) / 7.0)
                    (Fisher.exact Likelihood.categorical SmallNetwork.model theta)

                check
                    (SmallNetwork.weighted (bernoulliCurvature ()) / 7.0)
                    (Fisher.exact Likelihood.bernoulli SmallNetwork.model theta)

                let identity = Tensor.broadcastTo [ 7; 2; 2 ] (Tensor.eye DType.Float64 2)

                check
                    (SmallNetwork.weighted identity / (7.0 * 0.25))
                    (Fisher.exact (Likelihood.gaussian 0.25) SmallNetwork.model theta)
            }

            test "the empirical Fisher matrix is the mean of outer products of gradients" {
                let losses (outputs: Tensor) =
                    Tensor.softmaxCrossEntropy outputs (Tensor.oneHot DType.Float64 2 SmallNetwork.labels)

                let gradients = jacobian (SmallNetwork.model >> losses) theta

                check
                    (Tensor.matmul (Tensor.transpose gradients) gradients / 7.0)
                    (Fisher.empirical losses SmallNetwork.model theta)
            }

            test "the Monte Carlo Fisher matrix approaches the exact one" {
                let key = Key.OfSeed 67L

                for likelihood in [ Likelihood.categorical; Likelihood.bernoulli; Likelihood.gaussian 0.5 ] do
                    let exact = LinearOperator.dense (Fisher.exact likelihood SmallNetwork.model theta)
                    let draws = 200

                    let estimates =
                        key.Split 30
                        |> Array.map (fun own ->
                            LinearOperator.dense (Fisher.monteCarlo likelihood draws own SmallNetwork.model theta))

                    let mean = (Array.reduce (+) estimates) / 30.0

                    let variance =
                        (estimates |> Array.map (fun e -> Tensor.square (e - mean)) |> Array.reduce (+)) / 29.0

                    let bound = 7.0 * Tensor.sqrt (variance / 30.0) + 1e-12
                    let worst = (Tensor.abs (mean - exact) / bound).ToArray() |> Array.max
                    Expect.isTrue $"{likelihood}: {worst} of 7 standard errors with {key}" (worst <= 1.0)
                    let spread = (Tensor.norm (mean - exact)).ToScalar() / (Tensor.norm exact).ToScalar()
                    Expect.isTrue $"{likelihood} is off by {spread} with {key}" (spread < 0.1)
            }

            test "a Monte Carlo Fisher matrix of one key is one matrix" {
                let at key =
                    LinearOperator.dense (Fisher.monteCarlo Likelihood.categorical 1 key SmallNetwork.model theta)

                Expect.sameBits (at (Key.OfSeed 1L)) (at (Key.OfSeed 1L))

                Expect.isTrue
                    "another key draws other targets"
                    ((at (Key.OfSeed 1L)).ToArray() <> (at (Key.OfSeed 2L)).ToArray())
            }

            test "a Jacobian multiplies from both sides" {
                let operator = Jacobian.at SmallNetwork.model theta
                let expected = Tensor.reshape [ 14; 26 ] SmallNetwork.jacobian
                Expect.tensorsClose 1e-13 expected (LinearOperator.dense operator)
                Expect.tensorsClose 1e-13 (Tensor.transpose expected) (LinearOperator.dense operator.Transposed)
                let u, v = Tensor.flatten (Matrices.random 68 1 14), Tensor.flatten (Matrices.random 69 1 26)
                Expect.tensorsClose 1e-13 (Tensor.matmul expected v) (operator.Apply v)
                Expect.tensorsClose 1e-13 (Tensor.matmul u expected) (operator.Transposed.Apply u)
            }

            test "a Jacobian of a function that converts takes and gives vectors of the type of its point" {
                for from, into in [ DType.Float32, DType.Float64; DType.Float64, DType.Float32 ] do
                    let x = Tensor.convert from (tensor [ 0.5; -1.0; 2.0 ])
                    let f (x: Tensor) = Tensor.sin (Tensor.slice 0 0 2 (Tensor.convert into x) * 3.0)
                    let operator = Jacobian.at f x
                    Expect.equal "operator.DType" from operator.DType
                    let expected = jacobian (fun x -> Tensor.convert from (f x)) x
                    Expect.tensorsClose 1e-6 expected (LinearOperator.dense operator)
                    Expect.tensorsClose 1e-6 (Tensor.transpose expected) (LinearOperator.dense operator.Transposed)

                    let u, v =
                        Tensor.convert from (tensor [ 1.0; -2.0 ]), Tensor.convert from (tensor [ 0.3; 1.0; -1.0 ])

                    Expect.tensorsClose 1e-6 (Tensor.matmul expected v) (operator.Apply v)
                    Expect.tensorsClose 1e-6 (Tensor.matmul u expected) (operator.Transposed.Apply u)
            }

            test "errors name what is wrong" {
                let mse = Loss.meanSquaredError Reduction.Mean SmallNetwork.targets
                let constant (_: Tensor) = SmallNetwork.targets

                Expect.error<DifferentiationException> [ "Gauss-Newton"; "model does not depend" ] (fun () ->
                    GaussNewton.at constant mse theta |> ignore)

                Expect.error<DifferentiationException> [ "Jacobian"; "function does not depend" ] (fun () ->
                    Jacobian.at constant theta |> ignore)

                Expect.error<ShapeException> [ "Gauss-Newton"; "[7; 2]" ] (fun () ->
                    GaussNewton.at SmallNetwork.model Tensor.square theta |> ignore)

                Expect.error<ShapeException> [ "7 samples"; "[7; 2]" ] (fun () ->
                    Fisher.empirical Tensor.square SmallNetwork.model theta |> ignore)

                Expect.error<ShapeException> [ "scalar" ] (fun () ->
                    Fisher.exact Likelihood.bernoulli Tensor.sum theta |> ignore)

                Expect.error<ArgumentRangeException> [ "draw" ] (fun () ->
                    Fisher.monteCarlo Likelihood.categorical 0 (Key.OfSeed 1L) SmallNetwork.model theta |> ignore)

                Expect.error<ArgumentRangeException> [ "variance" ] (fun () -> Likelihood.gaussian -1.0 |> ignore)

                Expect.error<NonFiniteException> [ "Gauss-Newton"; "loss is infinity" ] (fun () ->
                    GaussNewton.at SmallNetwork.model (fun z -> Tensor.sum (Tensor.exp (1e4 * z))) theta |> ignore)

                Expect.error<NonFiniteException> [ "Jacobian"; "result of Log" ] (fun () ->
                    Jacobian.at (fun x -> Tensor.log (x - 5.0)) theta |> ignore)
            }

            test "a function that draws anew at every call is refused" {
                let random = System.Random 1

                let dropout (theta: Tensor) =
                    let mask = Array.init theta.Size (fun _ -> if random.NextDouble() < 0.5 then 0.0 else 2.0)
                    SmallNetwork.model (theta * Tensor.ofArray [ theta.Size ] mask)

                let mse = Loss.meanSquaredError Reduction.Mean SmallNetwork.targets

                Expect.error<DifferentiationException> [ "Hessian"; "different results"; "key" ] (fun () ->
                    Hessian.at (dropout >> mse) theta |> ignore)

                Expect.error<DifferentiationException> [ "Gauss-Newton"; "different results" ] (fun () ->
                    GaussNewton.at dropout mse theta |> ignore)

                Expect.error<DifferentiationException> [ "Jacobian"; "different results" ] (fun () ->
                    Jacobian.at dropout theta |> ignore)
            }
        ]
