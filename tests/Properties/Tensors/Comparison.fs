namespace Curvature.Tests.Properties

open Curvature

/// What a function of the module Tensor gave, and what plain loops give.
[<NoEquality; NoComparison>]
type Comparison =
    {
        Text: string
        Actual: Tensor
        Expected: Host
        DType: DType
        /// Relative to 1 + the largest number, for Float64.
        Tolerance: float
    }

    override this.ToString() = $"{this.Text}\n  gave {this.Actual}"

/// Functions that the cases of comparisons share.
module Comparisons =

    let comparison text tolerance dtype (actual: Tensor) (expected: Host) =
        {
            Text = text
            Actual = actual
            Expected = expected
            DType = dtype
            Tolerance = tolerance
        }

    let shown (tensors: Tensor list) = tensors |> List.map string |> String.concat ", "

    let scalarHost value = { Shape = [||]; Values = [| value |] }

    /// 1 if the condition holds, and 0 otherwise.
    let truth condition = if condition then 1.0 else 0.0
