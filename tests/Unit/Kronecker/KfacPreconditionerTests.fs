/// K-FAC as a preconditioner of conjugate gradients.
module Curvature.Tests.Unit.KfacPreconditionerTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.KroneckerCases

/// The first 200 digits, and a network as training begins with it.
let private digits =
    lazy
        (let layout = ParameterLayout.ofShapes [ for block in DigitsNetwork.blocks -> block.Name, [ block.Size ] ]
         let model, criterion = DigitsNetwork.logits DType.Float64, DigitsNetwork.crossEntropy DType.Float64
         let network = Network.mlp Layer.tanh [ 64; 32; 10 ]
         layout, Risk.ofOutputs model criterion, Network.initialize (Key.OfSeed 1L) DType.Float64 network)

/// The products that conjugate gradients take to a residual.
let private products tolerance solver (damped: LinearOperator) (b: Tensor) =
    let options = SolverOptions.Default.WithTolerance(tolerance).WithMaxIterations 5000
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
            Expect.equal "products" 2 (products 1e-6 solver damped (normal 142L [ 15 ]))
        }

        // A residual of 1 % is what an optimiser asks for. To far smaller ones no block-diagonal preconditioner helps,
        // not even the blocks of the matrix itself: what lies outside of them is larger than λ.
        test "on digits K-FAC saves more than half of the products to a residual of 1 %" {
            let layout, risk, theta = digits.Value
            let lambda = 1e-4
            let g = GaussNewton.ofRisk risk theta
            let damped = LinearOperator.damped lambda g
            let b = (Gradient.ofRisk risk theta).Gradient
            let k = Kfac.estimate layout risk theta
            let withKfac = ConjugateGradients.preconditionedBy ((k.Damped lambda).Inverse().Operator)
            let diagonal = ConjugateGradients.preconditioned ((Exact.diagonal g).Value + lambda)
            let plain = products 0.01 ConjugateGradients.solver damped b
            let ofDiagonal = products 0.01 diagonal damped b
            let ofKfac = products 0.01 withKfac damped b
            printfn $"products: {plain} plain, {ofDiagonal} with the diagonal, {ofKfac} with K-FAC"
            Expect.isLessThan "against none" (2 * ofKfac, plain)
            Expect.isLessThan "against the diagonal" (2 * ofKfac, ofDiagonal)
        }

        test "on digits 5 steps with K-FAC lead further down the quadratic model than 20 without it" {
            let layout, risk, theta = digits.Value
            let g = GaussNewton.ofRisk risk theta
            let damped = LinearOperator.damped 1e-4 g
            let b = (Gradient.ofRisk risk theta).Gradient
            let k = (Kfac.estimate layout risk theta).Damped 1e-4
            let model x = (0.5 * Tensor.dot x (damped.Apply x) - Tensor.dot b x).ToScalar()
            let least = model (ConjugateGradients.solve SolverOptions.Default damped b).Value

            /// The share of the whole decrease.
            let decrease steps solver =
                let options = SolverOptions.Default.WithTolerance(1e-12).WithMaxIterations steps
                model (Solver.solve options solver damped b).Value / least

            let ofKfac = decrease 5 (ConjugateGradients.preconditionedBy (k.Inverse().Operator))
            let diagonal = ConjugateGradients.preconditioned ((Exact.diagonal g).Value + 1e-4)
            Expect.isGreaterThan "with K-FAC" (ofKfac, 0.99)
            Expect.isLessThan "without" (decrease 20 ConjugateGradients.solver, 0.99)
            Expect.isLessThan "with the diagonal" (decrease 20 diagonal, 0.99)
        }

        test "preconditioners that do not fit are refused" {
            let a = LinearOperator.ofSymmetricMatrix (Tensor.eye DType.Float64 4)
            let positive n = LinearOperator.identity DType.Float64 n

            let solve m () =
                Solver.solve SolverOptions.Default (ConjugateGradients.preconditionedBy m) a (normal 1L [ 4 ]) |> ignore

            Expect.error<ShapeException> [ "preconditioner"; "[3; 3]" ] (solve (positive 3))
            Expect.error<OperatorException> [ "semidefinite" ] (solve (-1.0 * positive 4))
            Expect.error<OperatorException> [ "square" ] (solve (LinearOperator.zero DType.Float64 4 5))
        }
    ]
