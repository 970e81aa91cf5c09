namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Whether the products of an operator that claims to be symmetric are those of a symmetric operator.
module internal SymmetryCheck =

    /// The largest share of ‖A‖ by which uᵀAv and vᵀAu may differ for unit vectors: more than rounding makes of it, and
    /// less than a wrong product does.
    let tolerance (dtype: DType) = 10.0 * sqrt (SmallMatrices.epsilon dtype)

    /// Raises OperatorException where uᵀAv and vᵀAu differ by more than the tolerance. The scale is about ‖A‖.
    let require (operatorName: string) (dtype: DType) (scale: float) (difference: float) =
        if difference > tolerance dtype * scale then
            Fail.operator (
                $"{operatorName}: it claims to be symmetric, and its products are not: "
                + $"uᵀAv and vᵀAu differ by {difference / scale:G2} of their size"
            )

    /// The same for the products H = UᵀAU of some vectors u. What is known of ‖A‖ beside ‖H‖ may be larger than that,
    /// or 0.
    let requireOf (operatorName: string) (dtype: DType) (known: float) (h: Matrix<float>) =
        require operatorName dtype (max known (h.FrobeniusNorm())) ((h - h.Transpose()).FrobeniusNorm())
