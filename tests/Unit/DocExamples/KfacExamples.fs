/// The F# of docs/kfac.md.
module DocExamples.KfacExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private network = Network.mlp Layer.tanh [ 4; 6; 3 ]
let private theta = Network.initialize (Key.OfSeed 1L) DType.Float64 network

let private risk =
    let inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 30; 4 ]
    let labels = Tensor.ofIndices [ 30 ] (Array.init 30 (fun i -> i % 3))

    network
    |> Network.risk Reduction.Mean (Loss.softmaxCrossEntropy Reduction.Mean) (Batches.split 10 inputs labels)

let private gradient = (Gradient.ofRisk risk theta).Gradient

[<Tests>]
let tests =
    testList "DocExamples.KfacExamples" [
        test "a first approximation" {
            let k = Kfac.estimate network.Layout risk theta
            printfn $"{k}"
            let block = k["0.weight"]
            printfn $"{block.InputFactor.Shape.Length} axes, {block.Trace}"

            Expect.equal "inputs and the bias" 5 block.Inputs
        }

        test "other options" {
            let options =
                KfacOptions.Default
                    .WithKind(KfacKind.fisher (FisherKind.monteCarlo Likelihood.categorical 1 (Key.OfSeed 1L)))
                    .WithSharing(WeightSharing.Reduce)
                    .WithCorrectedEigenvalues(true)

            let ek = Kfac.estimateWith options network.Layout risk theta

            Expect.equal "corrected" KroneckerBlockKind.Corrected ek["2.bias"].Kind
        }

        test "closed forms" {
            let k = Kfac.estimate network.Layout risk theta

            let damped = k.Damped 1e-3
            let naturalGradient = damped.Inverse().Apply(gradient)
            let evidence = 0.5 * damped.LogDeterminant
            let samples = k.Sample(1e-3, Key.OfSeed 2L, 10)
            let largest = Tensor.max k.Eigenvalues

            Expect.tensorsClose 1e-10 gradient (damped.Apply naturalGradient)
            Expect.isTrue "evidence" (System.Double.IsFinite evidence)
            Expect.equal "samples" [| 10; network.ParameterCount |] samples.Shape
            Expect.isGreaterThan "largest" (largest.ToScalar(), 0.0)
        }

        test "a preconditioner, and how wrong it is" {
            let k = Kfac.estimate network.Layout risk theta

            let inverse = (k.Damped 1e-4).Inverse().Operator
            let solver = ConjugateGradients.preconditionedBy inverse
            let gaussNewton = GaussNewton.ofRisk risk theta
            let solution = Solver.solve SolverOptions.Default solver (LinearOperator.damped 1e-4 gaussNewton) gradient

            Expect.isTrue "converged" solution.IsConverged

            let stop = StoppingRule.relativeError 0.05 |> StoppingRule.orElse (StoppingRule.matvecs 200)
            let error = KroneckerError.estimate stop (Key.OfSeed 3L) k gaussNewton
            printfn $"{error}"
            let ofHessian = KroneckerError.total stop (Key.OfSeed 4L) k (Hessian.ofRisk risk theta)

            Expect.isLessThan "the error" (error.RelativeError.Value, 1.0)
            Expect.isGreaterThan "of the Hessian" (ofHessian.Value, 0.0)
        }
    ]
