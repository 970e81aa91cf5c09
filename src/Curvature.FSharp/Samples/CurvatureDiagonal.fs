namespace Curvature.FSharp

open Curvature

/// Exact diagonals of matrices that are sums over samples: Σᵢ diag(JᵢᵀHᵢJᵢ) with the Jacobian Jᵢ [C; n] of the outputs
/// of sample i and the Hessian Hᵢ [C; C] of its loss by the outputs (Dangel, Kunstner & Hennig 2020, "BackPACK"). A
/// pass over the data, for which each sample costs C backward passes; the options limit the memory. The Hessian of a
/// term without data is left out. Errors are those of `SampleGradients`.
[<RequireQualifiedAccess>]
module CurvatureDiagonal =

    /// diag(JᵀHJ) over the samples of a block, [n].
    let private ofBlock (block: SampleJacobians) : Tensor =
        let hj = Tensor.einsum "kcd,kdn->kcn" block.Curvatures block.Jacobians
        Tensor.sumAxes [ 0; 1 ] (block.Jacobians * hj)

    /// The sum over samples, and their number.
    let private total (blocks: SampleJacobians seq) : struct (Tensor * int) =
        let sums = TreeSum()
        let mutable samples = 0

        for block in blocks do
            samples <- samples + block.Outputs.Signature.Shape[0]
            sums.Add(Tensor.convert DType.Float64 (ofBlock block))

        struct (sums.Total.Value, samples)

    /// The diagonal of the Gauss–Newton matrix of a risk at θ, [n], in the element type of θ: that of
    /// `GaussNewton.ofRisk` without a term. Raises OperatorException for a risk whose model and criterion are not known
    /// apart.
    let gaussNewton (options: SampleOptions) (risk: EmpiricalRisk) (theta: Tensor) : Tensor =
        let struct (sum, samples) = total (SampleJacobian.ofRisk "CurvatureDiagonal" options risk theta)
        let divisor = RiskPass.divisor risk.Definition samples
        Tensor.convert theta.DType (sum / divisor)

    /// The diagonal of the Fisher matrix of a risk's model at θ under a likelihood, [n], in the element type of θ: a
    /// mean over samples whatever the reduction, with the expectation over targets taken exactly; that of
    /// `Fisher.ofRisk` with `FisherKind.exact`, without a term.
    let fisher (options: SampleOptions) (likelihood: Likelihood) (risk: EmpiricalRisk) (theta: Tensor) : Tensor =
        let jacobians = SampleJacobian.ofLikelihood "CurvatureDiagonal" options likelihood risk theta
        let struct (sum, samples) = total jacobians
        Tensor.convert theta.DType (sum / float samples)
