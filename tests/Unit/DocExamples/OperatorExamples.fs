/// The F# of docs/operators.md.
module DocExamples.OperatorExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private theta = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 6 ]
let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 10; 3 ]
let private labels = tensor [ 0; 1; 1; 0; 1; 0; 0; 1; 0; 1 ]

[<Tests>]
let tests =
    testList "DocExamples.OperatorExamples" [
        test "the Hessian of a loss" {
            let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let loss theta = model theta |> Loss.softmaxCrossEntropy Reduction.Mean labels

            let hessian = Hessian.at loss theta
            let product = hessian.Apply(Tensor.onesLike theta) // H·v
            let form = hessian.QuadraticForm(Tensor.onesLike theta) // vᵀHv, without the product

            Expect.within "form" 1e-14 ((Tensor.sum product).ToScalar()) (form.ToScalar())

            let pointAt = Hessian.family (Risk.ofFunction loss)
            let here = pointAt theta
            let there = pointAt (theta - 0.1 * here.Gradient)

            Expect.isLessThan "there.Loss" (there.Loss, here.Loss)
        }

        test "matrices of a model and its loss" {
            let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)

            let gaussNewton = GaussNewton.at model (Loss.softmaxCrossEntropy Reduction.Mean labels) theta
            let fisher = Fisher.exact Likelihood.categorical model theta
            let drawn = Fisher.monteCarlo Likelihood.categorical 10 (Key.OfSeed 3L) model theta

            let empirical =
                Fisher.empirical (fun logits -> -(Tensor.pick labels (Tensor.logSoftmax logits))) model theta

            let jacobian = Jacobian.at model theta

            Expect.isLessThan "(Exact.frobenius (fisher - gaus…" ((Exact.frobenius (fisher - gaussNewton)).Value, 1e-14)

            Expect.all "[ (Exact.trace drawn).Value; (E…" (fun x -> x > 0.0) [
                (Exact.trace drawn).Value
                (Exact.trace empirical).Value
            ]

            Expect.equal "[ jacobian.Rows; jacobian.Colum…" [ 20; 6 ] [ jacobian.Rows; jacobian.Columns ]
        }

        test "a whole data set" {
            let batches = Batches.split 4 inputs labels // of 4, 4 and 2 samples
            let model inputs theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs

            let risk = Risk.ofModel Reduction.Mean model cross batches
            let hessian = Hessian.ofRisk risk theta
            let gaussNewton = GaussNewton.ofRisk risk theta
            let fisher = Fisher.ofRisk (FisherKind.exact Likelihood.categorical) risk theta

            let decay (theta: Tensor) = 1e-3 * Tensor.dot theta theta
            let decayed = Hessian.ofRisk (Risk.withTerm decay risk) theta
            let value, slope = Risk.value risk theta, (Gradient.ofRisk risk theta).Gradient

            let whole = Hessian.at (model inputs >> cross labels) theta
            Expect.equal "slope.Shape" [| 6 |] slope.Shape
            Expect.within "value" 1e-14 ((model inputs theta |> cross labels).ToScalar()) value

            Expect.within
                "(Exact.trace decayed).Value"
                1e-14
                ((Exact.trace whole).Value + 0.012)
                (Exact.trace decayed).Value

            Expect.isLessThan "(Exact.frobenius (hessian - who…" ((Exact.frobenius (hessian - whole)).Value, 1e-14)
            Expect.isLessThan "(Exact.frobenius (fisher - gaus…" ((Exact.frobenius (fisher - gaussNewton)).Value, 1e-14)
        }

        test "matrices and delegates" {
            let matrix = LinearOperator.ofMatrix (tensor [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ])

            let mine =
                LinearOperator.ofDelegate DType.Float64 2 2 (fun v -> [| 2.0 * v[0] + v[1]; v[0] + 3.0 * v[1] |])
                |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
                |> LinearOperator.named "my product"

            Expect.isZero "(Exact.frobenius (matrix - mine…" (Exact.frobenius (matrix - mine)).Value
        }

        test "algebra" {
            let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let hessian = Hessian.at (model >> Loss.softmaxCrossEntropy Reduction.Mean labels) theta

            let damped = LinearOperator.shift 0.1 hessian // H + 0.1·I
            let squared = hessian * hessian // first H, then H
            let mixed = 0.5 * hessian + 0.5 * damped
            let block = LinearOperator.block 0 2 hessian // the first two parameters
            let small = LinearOperator.dense block // written out, for a look

            Expect.equal "small.Shape" [| 2; 2 |] small.Shape
            let trace, norm = (Exact.trace hessian).Value, (Exact.frobenius hessian).Value
            Expect.within "(Exact.trace mixed).Value" 1e-12 (trace + 0.3) (Exact.trace mixed).Value
            Expect.within "(Exact.trace squared).Value" 1e-12 (norm * norm) (Exact.trace squared).Value
        }

        test "finite differences" {
            let loss theta =
                Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta) |> Loss.softmaxCrossEntropy Reduction.Mean labels

            let gradientAt = grad loss // or a gradient from elsewhere
            let hessian = FiniteDifference.ofGradient gradientAt theta

            Expect.isLessThan
                "(Exact.frobenius (hessian - Hes…"
                ((Exact.frobenius (hessian - Hessian.at loss theta)).Value, 1e-8)
        }

        test "solving and inverses" {
            let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let loss theta = model theta |> Loss.softmaxCrossEntropy Reduction.Mean labels
            let gaussNewton = GaussNewton.at model (Loss.softmaxCrossEntropy Reduction.Mean labels) theta

            let gradient = grad loss theta
            let damped = LinearOperator.damped 0.1 gaussNewton
            let solver = ConjugateGradients.preconditioned (Exact.diagonal damped).Value
            let solution = Solver.solve SolverOptions.Default solver damped gradient
            let step = solution.Value // what Newton's method subtracts; solution.Status says whether to trust it

            let inverse = Solver.inverse SolverOptions.Default solver damped
            let series = Solver.inverse SolverOptions.Default (Neumann.solver 0.5) damped

            Expect.equal "solution.Status" SolveStatus.Solved solution.Status
            Expect.tensorsClose 1e-7 gradient (damped.Apply step)
            Expect.tensorsClose 1e-7 (inverse.Apply gradient) (series.Apply gradient)
        }

        test "what a solution says" {
            let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 2 ] [| 2.0; -1.0 |])
            let met = ConjugateGradients.solve SolverOptions.Default indefinite (Tensor.ones DType.Float64 [ 2 ])
            printfn $"{met.Status}: {met}. {met.Advice}" // Breakdown: not positive definite … damp it …
            let direction = met.NegativeCurvature[0].Direction // along which the loss curves downward

            Expect.equal "met.Status" SolveStatus.Breakdown met.Status

            Expect.isLessThanOrEqual
                "Tensor.dot direction (indefinit…"
                ((Tensor.dot direction (indefinite.Apply direction)).ToScalar(), 0.0)
        }

        test "checking an operator" {
            let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let loss theta = model theta |> Loss.softmaxCrossEntropy Reduction.Mean labels

            let hessian = Hessian.at loss theta
            let diagnosis = Diagnose.againstRisk DiagnoseOptions.Default (Risk.ofFunction loss) theta hessian
            printfn $"{diagnosis}" // a line for each check
            let asymmetry = diagnosis.Symmetry.Error // about ‖A − Aᵀ‖/‖A‖

            Expect.isTrue "diagnosis.IsHealthy" diagnosis.IsHealthy
            Expect.isLessThan "asymmetry" (asymmetry, 1e-14)
        }

        test "uncertainty from probes and from data" {
            let batches = Batches.split 2 inputs labels
            let model inputs theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
            let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs

            let loss (batch: Batch) theta = model batch.Inputs theta |> cross batch.Targets
            let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss batches) theta
            let uncertainty = (Diagnose.run DiagnoseOptions.Default hessian).TraceUncertainty
            let fromProbes, fromData = uncertainty.ProbeError, uncertainty.DataError // standard errors of the trace

            Expect.isGreaterThan "fromData" (fromData, 0.0)
            Expect.isGreaterThanOrEqual "fromProbes" (fromProbes, 0.0)
        }
    ]
