namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Whether the products of an operator that claims to be symmetric are those of a symmetric operator.
module internal SymmetryCheck =

    /// The largest share of ‖A‖ by which uᵀAv and vᵀAu may differ for unit vectors: more than rounding makes of it, and
    /// less than a wrong product does.
    let tolerance (dtype: DType) = 10.0 * sqrt (SmallMatrices.epsilon dtype)

    /// What is made of large numbers that nearly cancel is rounded as those are, so that the tolerance may be far too
    /// small beside ‖A‖. A difference of so many times the measured rounding of products says nothing.
    let private roundings = 4.0

    /// Raises OperatorException where uᵀAv and vᵀAu differ by more than the tolerance, and by more than the rounding of
    /// products explains, which is measured only then. The scale is about ‖A‖.
    let require (operatorName: string) (dtype: DType) (scale: float) (difference: float) (rounding: unit -> float) =
        if difference > tolerance dtype * scale && not (difference <= roundings * rounding ()) then
            Fail.operator (
                $"{operatorName}: it claims to be symmetric, and its products are not: "
                + $"uᵀAv and vᵀAu differ by {difference / scale:G2} of their size"
            )

    /// The same for the products H = UᵀAU of some vectors u, and the rounding of one product. What is known of ‖A‖
    /// beside ‖H‖ may be larger than that, or 0.
    let requireOf (operatorName: string) (dtype: DType) (known: float) (h: Matrix<float>) (rounding: unit -> float) =
        let count = sqrt (float h.RowCount)
        let scale, difference = max known (h.FrobeniusNorm()), (h - h.Transpose()).FrobeniusNorm()
        require operatorName dtype scale difference (fun () -> count * rounding ())
