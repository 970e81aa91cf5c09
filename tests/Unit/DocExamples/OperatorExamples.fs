namespace DocExamples

open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// The F# of docs/operators.md.
module OperatorExamples =

    let private theta = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 6 ]
    let private inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 10; 3 ]
    let private labels = tensor [ 0; 1; 1; 0; 1; 0; 0; 1; 0; 1 ]

    [<Test>]
    let ``the Hessian of a loss`` () =
        let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
        let loss theta = model theta |> Loss.softmaxCrossEntropy Reduction.Mean labels

        let hessian = Hessian.at loss theta
        let product = hessian.Apply(Tensor.onesLike theta) // H·v
        let form = hessian.QuadraticForm(Tensor.onesLike theta) // vᵀHv, without the product

        Assert.That(form.ToScalar(), Is.EqualTo((Tensor.sum product).ToScalar()).Within 1e-14)

        let pointAt = Hessian.family (Risk.ofFunction loss)
        let here = pointAt theta
        let there = pointAt (theta - 0.1 * here.Gradient)

        Assert.That(there.Loss, Is.LessThan here.Loss)

    [<Test>]
    let ``matrices of a model and its loss`` () =
        let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)

        let gaussNewton = GaussNewton.at model (Loss.softmaxCrossEntropy Reduction.Mean labels) theta
        let fisher = Fisher.exact Likelihood.categorical model theta
        let drawn = Fisher.monteCarlo Likelihood.categorical 10 (Key.OfSeed 3L) model theta
        let empirical = Fisher.empirical (fun logits -> -(Tensor.pick labels (Tensor.logSoftmax logits))) model theta
        let jacobian = Jacobian.at model theta

        Assert.That((Exact.frobenius (fisher - gaussNewton)).Value, Is.LessThan 1e-14)
        Assert.That([ (Exact.trace drawn).Value; (Exact.trace empirical).Value ], Is.All.GreaterThan 0.0)
        Expect.equal [ 20; 6 ] [ jacobian.Rows; jacobian.Columns ]

    [<Test>]
    let ``a whole data set`` () =
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
        Expect.equal [| 6 |] slope.Shape
        Assert.That(value, Is.EqualTo((model inputs theta |> cross labels).ToScalar()).Within 1e-14)
        Assert.That((Exact.trace decayed).Value, Is.EqualTo((Exact.trace whole).Value + 0.012).Within 1e-14)
        Assert.That((Exact.frobenius (hessian - whole)).Value, Is.LessThan 1e-14)
        Assert.That((Exact.frobenius (fisher - gaussNewton)).Value, Is.LessThan 1e-14)

    [<Test>]
    let ``matrices and delegates`` () =
        let matrix = LinearOperator.ofMatrix (tensor [ [ 2.0; 1.0 ]; [ 1.0; 3.0 ] ])

        let mine =
            LinearOperator.ofDelegate DType.Float64 2 2 (fun v -> [| 2.0 * v[0] + v[1]; v[0] + 3.0 * v[1] |])
            |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
            |> LinearOperator.named "my product"

        Assert.That((Exact.frobenius (matrix - mine)).Value, Is.Zero)

    [<Test>]
    let ``algebra`` () =
        let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
        let hessian = Hessian.at (model >> Loss.softmaxCrossEntropy Reduction.Mean labels) theta

        let damped = LinearOperator.shift 0.1 hessian // H + 0.1·I
        let squared = hessian * hessian // first H, then H
        let mixed = 0.5 * hessian + 0.5 * damped
        let block = LinearOperator.block 0 2 hessian // the first two parameters
        let small = LinearOperator.dense block // written out, for a look

        Expect.equal [| 2; 2 |] small.Shape
        let trace, norm = (Exact.trace hessian).Value, (Exact.frobenius hessian).Value
        Assert.That((Exact.trace mixed).Value, Is.EqualTo(trace + 0.3).Within 1e-12)
        Assert.That((Exact.trace squared).Value, Is.EqualTo(norm * norm).Within 1e-12)

    [<Test>]
    let ``finite differences`` () =
        let loss theta =
            Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta) |> Loss.softmaxCrossEntropy Reduction.Mean labels

        let gradient = grad loss // or a gradient from elsewhere
        let hessian = FiniteDifference.ofGradient gradient theta

        Assert.That((Exact.frobenius (hessian - Hessian.at loss theta)).Value, Is.LessThan 1e-8)

    [<Test>]
    let ``solving and inverses`` () =
        let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
        let gaussNewton = GaussNewton.at model (Loss.softmaxCrossEntropy Reduction.Mean labels) theta
        let gradient = grad (model >> Loss.softmaxCrossEntropy Reduction.Mean labels) theta

        let damped = LinearOperator.damped 0.1 gaussNewton
        let solver = ConjugateGradients.preconditioned (Exact.diagonal damped).Value
        let solution = Solver.solve SolverOptions.Default solver damped gradient
        let step = solution.Value // what Newton's method subtracts; solution.Status says whether to trust it

        let inverse = Solver.inverse SolverOptions.Default solver damped
        let series = Solver.inverse SolverOptions.Default (Neumann.solver 0.5) damped

        Assert.That(solution.Status, Is.EqualTo SolveStatus.Solved)
        Expect.tensorsClose 1e-7 gradient (damped.Apply step)
        Expect.tensorsClose 1e-7 (inverse.Apply gradient) (series.Apply gradient)

    [<Test>]
    let ``what a solution says`` () =
        let indefinite = LinearOperator.ofDiagonal (Tensor.ofArray [ 2 ] [| 2.0; -1.0 |])
        let met = ConjugateGradients.solve SolverOptions.Default indefinite (Tensor.ones DType.Float64 [ 2 ])
        printfn $"{met.Status}: {met}. {met.Advice}" // Breakdown: not positive definite … damp it …
        let direction = met.NegativeCurvature[0].Direction // along which the loss curves downward

        Assert.That(met.Status, Is.EqualTo SolveStatus.Breakdown)
        Assert.That((Tensor.dot direction (indefinite.Apply direction)).ToScalar(), Is.LessThanOrEqualTo 0.0)

    [<Test>]
    let ``checking an operator`` () =
        let model theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
        let loss theta = model theta |> Loss.softmaxCrossEntropy Reduction.Mean labels
        let hessian = Hessian.at loss theta

        let diagnosis = Diagnose.againstRisk DiagnoseOptions.Default (Risk.ofFunction loss) theta hessian
        printfn $"{diagnosis}" // a line for each check
        let asymmetry = diagnosis.Symmetry.Error // about ‖A − Aᵀ‖/‖A‖

        Assert.That(diagnosis.IsHealthy)
        Assert.That(asymmetry, Is.LessThan 1e-14)

    [<Test>]
    let ``uncertainty from probes and from data`` () =
        let batches = Batches.split 2 inputs labels
        let model inputs theta = Tensor.matmul inputs (Tensor.reshape [ 3; 2 ] theta)
        let cross targets outputs = Loss.softmaxCrossEntropy Reduction.Mean targets outputs
        let loss (batch: Batch) theta = model batch.Inputs theta |> cross batch.Targets

        let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Mean loss batches) theta
        let uncertainty = (Diagnose.run DiagnoseOptions.Default hessian).TraceUncertainty
        let fromProbes, fromData = uncertainty.ProbeError, uncertainty.DataError // standard errors of the trace

        Assert.That(fromData, Is.GreaterThan 0.0)
        Assert.That(fromProbes, Is.GreaterThanOrEqualTo 0.0)
