/// K-FAC as a preconditioner of conjugate gradients.
module Curvature.Tests.Unit.KfacPreconditionerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

let private digits =
    lazy
        (let layout = ParameterLayout.ofShapes [ for block in DigitsNetwork.blocks -> block.Name, [ block.Size ] ]
         let model, criterion = DigitsNetwork.logits DType.Float64, DigitsNetwork.crossEntropy DType.Float64
         layout, Risk.ofOutputs model criterion, DigitsNetwork.theta DType.Float64)

/// The products of conjugate gradients for the gradient of a risk.
let private products solver (damped: LinearOperator) (b: Tensor) =
    let options = SolverOptions.Default.WithTolerance(1e-6).WithMaxIterations 5000
    let solution = Solver.solve options solver damped b
    Expect.isTrue (string solution) solution.IsConverged
    solution.Matvecs

[<Tests>]
let tests =
    testList "Unit.KfacPreconditionerTests" [
        test "the inverse of the operator itself solves in one step" {
            let network = Network.ofLayer (Layer.dense 4 3)
            let risk = risk Reduction.Mean squared 9 (normal 140L [ 9; 4 ]) (normal 141L [ 9; 3 ]) network
            let k = (Kfac.estimate network.Layout risk (point network)).Damped 0.01
            let damped = LinearOperator.damped 0.01 (GaussNewton.ofRisk risk (point network))
            let solver = ConjugateGradients.preconditionedBy (k.Inverse().Operator)
            Expect.equal "products" 2 (products solver damped (normal 142L [ 15 ]))
        }

        test "on digits conjugate gradients take a fraction of the products" {
            let layout, risk, theta = digits.Value
            let lambda = 1e-4
            let g = GaussNewton.ofRisk risk theta
            let damped = LinearOperator.damped lambda g
            let b = (Gradient.ofRisk risk theta).Gradient
            let k = Kfac.estimate layout risk theta
            let withKfac = ConjugateGradients.preconditionedBy ((k.Damped lambda).Inverse().Operator)
            let diagonal = (Exact.diagonal g).Value + lambda
            let plain = products ConjugateGradients.solver damped b
            let ofDiagonal = products (ConjugateGradients.preconditioned diagonal) damped b
            let ofKfac = products withKfac damped b
            printfn $"products: {plain} plain, {ofDiagonal} with the diagonal, {ofKfac} with K-FAC"
            Expect.isLessThan "against none" (float ofKfac, float plain / 4.0)
            Expect.isLessThan "against the diagonal" (float ofKfac, float ofDiagonal / 1.5)
        }

        test "preconditioners that do not fit are refused" {
            let a = LinearOperator.ofSymmetricMatrix (Tensor.eye DType.Float64 4)
            let positive n = LinearOperator.identity DType.Float64 n
            let solve m () = Solver.solve SolverOptions.Default (ConjugateGradients.preconditionedBy m) a (normal 1L [ 4 ]) |> ignore
            Expect.error<ShapeException> [ "preconditioner"; "[3; 3]" ] (solve (positive 3))
            Expect.error<OperatorException> [ "semidefinite" ] (solve (-1.0 * positive 4))
            Expect.error<OperatorException> [ "square" ] (solve (LinearOperator.zero DType.Float64 4 5))
        }
    ]
