/// Products of torch's graphs against those of the library's own engine, with the same weights.
module Curvature.Tests.Torch.AgreementTests

open Expecto
open Expecto.Flip
open TorchSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.TorchSharp

let private tolerance dtype = if dtype = DType.Float64 then 1e-12 else 1e-5

let private cases: (string * (DType -> Case)) list =
    [
        "a CNN", Cases.cnn
        "a residual network", Cases.residual
        "a transformer encoder layer", Cases.encoder
    ]

let private models =
    [
        for name, make in cases do
            for dtype in [ DType.Float64; DType.Float32 ] do
                name, dtype, make
    ]

let private ownLabels (case: Case) = Exchange.ofTorch case.Labels
let private ownInputs (case: Case) = Exchange.ofTorch case.Inputs
let private ownModel (case: Case) theta = Network.forward case.Own theta (ownInputs case)
let private ownCriterion (case: Case) = Loss.softmaxCrossEntropy Reduction.Mean (ownLabels case)
let private model (case: Case) () = case.Net.call case.Inputs
let private criterion (case: Case) = crossEntropy case.Labels
let private parameters (case: Case) = case.Net.named_parameters ()

let private compare (what: string) dtype (own: LinearOperator) (found: LinearOperator) =
    let v = vectorsOf 5L 3 found
    Expect.equal "columns" own.Columns found.Columns
    agree what (tolerance dtype) (own.Apply v) (found.Apply v)
    agree $"{what}, one vector" (tolerance dtype) (own.Apply(Tensor.item 0 1 v)) (found.Apply(Tensor.item 0 1 v))

[<Tests>]
let tests =
    testList "Torch.AgreementTests" [
        for name, dtype, make in models do
            torchTest $"Hessian, loss and gradient of {name} are the library's, {dtype}" (fun () ->
                let case = make dtype
                let own = Hessian.evaluate (Risk.ofFunction (ownModel case >> ownCriterion case)) case.Theta
                use found = TorchHessian.at (fun () -> criterion case (model case ())) (parameters case)
                let loss = Tensor.scalar DType.Float64
                agree "loss" (tolerance dtype) (loss own.Loss) (loss found.Loss)
                agree "gradient" (10.0 * tolerance dtype) own.Gradient found.Gradient
                compare "Hessian" dtype own.Hessian found.Operator
                let gradient = TorchGradient.at (fun () -> criterion case (model case ())) (parameters case)
                agree "TorchGradient" 1e-7 found.Gradient gradient.Gradient
                Expect.equal "its loss" found.Loss gradient.Loss)

            torchTest $"the Gauss-Newton matrix of {name} is the library's, {dtype}" (fun () ->
                let case = make dtype
                let own = GaussNewton.at (ownModel case) (ownCriterion case) case.Theta
                use found = TorchGaussNewton.at (model case) (criterion case) (parameters case)
                compare "Gauss-Newton" dtype own found.Operator
                let hessian = TorchHessian.at (fun () -> criterion case (model case ())) (parameters case)
                agree "gradient" 1e-5 hessian.Gradient found.Gradient
                agree "outputs" (10.0 * tolerance dtype) (ownModel case case.Theta) found.Outputs)

            torchTest $"the Fisher matrices of {name} are the library's, {dtype}" (fun () ->
                let case = make dtype
                let own = Fisher.exact Likelihood.categorical (ownModel case) case.Theta
                use exact = TorchFisher.exact Likelihood.categorical (model case) (parameters case)
                compare "exact" dtype own exact.Operator

                let ownLosses (outputs: Tensor) =
                    let chosen = Tensor.oneHot dtype (Array.last outputs.Shape) (ownLabels case)
                    Tensor.logSumExp outputs - Tensor.sumAxes [ 1 ] (chosen * outputs)

                let losses (logits: T) =
                    torch.nn.functional.cross_entropy (logits, case.Labels, reduction = torch.nn.Reduction.None)

                let own = Fisher.empirical ownLosses (ownModel case) case.Theta
                use empirical = TorchFisher.empirical losses (model case) (parameters case)
                compare "empirical" dtype own empirical.Operator)

            torchTest $"the Jacobian of {name} is the library's, and so is its transpose, {dtype}" (fun () ->
                let case = make dtype
                let own = Jacobian.at (ownModel case) case.Theta
                use found = TorchJacobian.at (model case) (parameters case)
                compare "Jacobian" dtype own found.Operator
                compare "its transpose" dtype own.Transposed found.Operator.Transposed)
    ]
