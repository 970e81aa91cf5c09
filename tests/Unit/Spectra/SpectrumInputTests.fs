/// What every search and sample does with operators that it cannot work with, and with the smallest that there are.
module Curvature.Tests.Unit.SpectrumInputTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 4L

/// Everything here that takes an operator, with a way to the eigenvalues that it is about.
let private methods: (string * (LinearOperator -> float[])) list =
    [
        "Lanczos", (fun a -> (Lanczos.run 6 key a).RitzValues)
        "ThickRestartLanczos", (fun a -> (ThickRestartLanczos.find SpectrumEnd.Largest 1 a).Values)
        "Lobpcg", (fun a -> (Lobpcg.find SpectrumEnd.Largest 1 a).Values)
        "PowerIteration", (fun a -> (PowerIteration.find (PowerStop.residual 1e-9) 100 1 key a).Values)
        "StochasticLanczos", (fun a -> (StochasticLanczos.sample 2 6 key a).Rules[0].Nodes)
        "ChebyshevMoments",
        fun a ->
            let sample = ChebyshevMoments.sample 2 20 key a
            [| sample.Centre + sample.HalfWidth * sample.Moments[1] |]
    ]

/// Those that do not go on until residuals are within a tolerance, which rounding may keep them above.
let private steady = methods |> List.filter (fun (name, _) -> name <> "Lobpcg")

let private claimed = LinearOperator.claim OperatorProperties.Symmetric

[<Tests>]
let tests =
    testList "Unit.SpectrumInputTests" [
        test "rectangular operators, and those that claim nothing, are refused by the name of the method" {
            for name, run in methods do
                Expect.error<OperatorException> [ name; "square"; "[2; 3]" ] (fun () ->
                    run (LinearOperator.zero DType.Float64 2 3) |> ignore)

                Expect.error<OperatorException> [ name; "claim" ] (fun () ->
                    run (LinearOperator.ofMatrix (Matrices.random 3 8 8)) |> ignore)
        }

        test "operators that claim symmetry falsely are found out by their products" {
            for name, run in methods do
                for matrix in [ Matrices.random 3 8 8; Matrices.symmetric 5 30 + 1e-4 * Matrices.random 6 30 30 ] do
                    Expect.error<OperatorException> [ "matrix"; "claims to be symmetric" ] (fun () ->
                        run (claimed (LinearOperator.ofMatrix matrix)) |> printfn "%s found %A" name)
        }

        // What is made of large numbers that nearly cancel, such as the Hessian of a loss that is all but 0.
        test "operators are symmetric where no more than the rounding of their products says that they are not" {
            let n = 24
            let small = Matrices.symmetric 7 n |> Tensor.convert DType.Float32
            let root = 300.0 * Matrices.random 8 n n |> Tensor.convert DType.Float32
            let square = Tensor.matmul (Tensor.transpose root) root

            /// SᵀSv − (SᵀS)v is 0 but for rounding.
            let cancelling (v: Tensor) =
                let twice = Tensor.matmul (Tensor.transpose root) (Tensor.matmul root v)
                Tensor.matmul small v + (twice - Tensor.matmul square v)

            let single (v: float[]) = Tensor.convert DType.Float32 (Tensor.ofArray [ n ] v)
            let a = LinearOperator.ofDelegate DType.Float32 n n (fun v -> (cancelling (single v)).ToArray())
            // Products with unit vectors sum in one order; those of other vectors show the rounding.
            let basis = Matrices.random 9 n n |> Tensor.qr |> fst |> Tensor.convert DType.Float32
            let h = Tensor.matmul (a.Apply basis) (Tensor.transpose basis)
            let asymmetry = (Tensor.norm (h - Tensor.transpose h)).ToScalar() / (Tensor.norm h).ToScalar()
            Expect.isGreaterThan "asymmetry" (asymmetry, 0.01)

            for _, run in steady do
                run (claimed a) |> ignore

            Expect.equal "all" n (Exact.eigenvalues (claimed a)).Value.Size

            // What is not symmetric of the products is part of the residuals.
            let pairs = ThickRestartLanczos.find SpectrumEnd.Largest 2 (claimed a)
            let y = Tensor.item 0 0 pairs.Vectors
            let residual = (Tensor.norm (a.Apply y - pairs.Values[0] * y)).ToScalar()
            Expect.isLessThan "the residual of the products" (residual, 2.0 * pairs.Residuals[0])
            Expect.isGreaterThan "and not only of their symmetric part" (pairs.Residuals[0], 0.01 * pairs.Values[0])

            // Noise that is not the same again is no rounding.
            let random = System.Random 9

            let noisy =
                LinearOperator.ofDelegate DType.Float32 n n (fun v ->
                    (Tensor.matmul small (single v)).ToArray()
                    |> Array.map (fun x -> x + 0.1 * (random.NextDouble() - 0.5)))

            Expect.error<OperatorException> [ "claims to be symmetric" ] (fun () ->
                Exact.eigenvalues (claimed noisy) |> ignore)

            // Nor is a smooth function that is not linear.
            let cubic =
                LinearOperator.ofDelegate DType.Float32 n n (fun v ->
                    v |> Array.mapi (fun i x -> x + v[(i + 1) % n] ** 3.0))

            for name, run in methods |> List.filter (fun (name, _) -> name <> "ChebyshevMoments") do
                Expect.error<OperatorException> [ "claims to be symmetric" ] (fun () ->
                    run (claimed cubic) |> printfn "%s found %A" name)
        }

        test "in Float32 the Hessian of a loss that is all but 0 has eigenvalues" {
            let network = Network.mlp Layer.tanh [ 4; 16; 3 ]
            let inputs = Tensor.normal (Key.OfSeed 1L) DType.Float32 [ 2; 4 ]
            let labels = Tensor.ofIndices [ 2 ] [| 0; 1 |]
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = network |> Network.risk Reduction.Mean criterion (Batches.split 2 inputs labels)
            let start = Network.initialize (Key.OfSeed 5L) DType.Float32 network

            for epochs in [ 12; 20; 100 ] do
                let options = TrainingOptions.Default.WithEpochs(epochs).WithOptimizer(Optimizer.adam 0.3)
                let theta = (Training.minimize options risk start).Theta
                use hessian = Hessian.ofRisk risk theta
                Expect.isLessThan "the loss" (Risk.value risk theta, 1e-6)

                for name, run in steady do
                    let values = run hessian
                    printfn $"{name}, {epochs} epochs: %A{values}"
                    Expect.isLessThan $"{name}: rounding at most" (values |> Array.map abs |> Array.max, 1e-4)
        }

        testCase "products that are NaN or infinite are errors that name the vector" (fun () ->
            for name, run in methods do
                for bad in [ nan; infinity ] do
                    // The first products are in order.
                    let mutable products = 0

                    let operator =
                        LinearOperator.ofDelegate DType.Float64 9 9 (fun v ->
                            products <- products + 1
                            v |> Array.mapi (fun i x -> if products = 4 && i = 7 then bad else float (i + 1) * x))

                    Expect.error<NonFiniteException> [ "vector" ] (fun () ->
                        run (claimed operator) |> printfn "%s found %A" name))

        test "products of a single column that are NaN are errors too" {
            let broken = claimed (LinearOperator.ofBlockFunction DType.Float64 1 1 (fun v -> v * nan))

            for name, run in methods do
                Expect.error<NonFiniteException> [ "vector" ] (fun () -> run broken |> printfn "%s found %A" name)
        }

        test "operators of one column, zero ones and multiples of the identity have exact answers" {
            for name, run in methods do
                for operator, value in
                    [
                        LinearOperator.ofDiagonal (Tensor.ofArray [ 1 ] [| -2.5 |]), -2.5
                        LinearOperator.zero DType.Float64 1 1, 0.0
                        LinearOperator.zero DType.Float64 7 7, 0.0
                        LinearOperator.scalar DType.Float64 7 3.0, 3.0
                        LinearOperator.scalar DType.Float64 7 -1e-200, -1e-200
                    ] do
                    let found = run operator
                    Expect.isTrue $"{name} of {operator}: %A{found}" (abs (found[0] - value) <= 1e-13 * abs value)
        }

        test "operators of no columns are typed errors, or have no eigenvalues" {
            let none = LinearOperator.zero DType.Float64 0 0

            for name, run in methods do
                if name <> "StochasticLanczos" then
                    Expect.error<ArgumentRangeException> [] (fun () -> run none |> ignore)

            Expect.close 0.0 [| 0.0 |] [| (StochasticLanczos.trace exp (StochasticLanczos.sample 2 3 key none)).Value |]
        }

        test "what breaks down goes on, or ends with what is exact" {
            // Two eigenvalues: every Krylov space ends after two steps.
            let values = Array.append (Array.create 20 1.0) (Array.create 20 -3.0)
            let operator = LinearOperator.ofDiagonal (Tensor.ofArray [ 40 ] values)
            Expect.close 1e-13 [| -3.0; 1.0 |] (Lanczos.run 30 key operator).RitzValues
            let options = EigenOptions.Default.WithMultiplicities()
            let pairs = ThickRestartLanczos.findWith options SpectrumEnd.Smallest 30 operator
            Expect.close 1e-13 (Array.truncate 30 (Array.sort values)) pairs.Values
            let sample = StochasticLanczos.sample 4 30 key operator
            Expect.isTrue "exact" (sample.Rules |> Array.forall (fun rule -> rule.IsExact && rule.Nodes.Length = 2))
            Expect.close 1e-12 [| 20.0 * exp 1.0 + 20.0 * exp -3.0 |] [| (StochasticLanczos.trace exp sample).Value |]
        }

        test "an indefinite operator has no log-determinant, inverse or entropy" {
            let indefinite =
                StochasticLanczos.sample 4 12 key (LinearOperator.ofSymmetricMatrix (Matrices.symmetric 2 30))

            for what in
                [ StochasticLanczos.logDeterminant; StochasticLanczos.traceOfInverse; StochasticLanczos.entropy ] do
                Expect.error<OperatorException> [ "Ritz value of -" ] (fun () -> what indefinite |> ignore)

            // A shift that makes it definite is as good as any definite operator.
            let shifted = StochasticLanczos.logDeterminantShifted 10.0 indefinite
            Expect.isTrue $"{shifted}" (Double.IsFinite shifted.Value)
        }
    ]
