namespace Curvature

open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// Rows of numbers, each with one or several numbers to predict.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type RegressionData
    internal (inputs: Tensor, targets: Tensor, featureNames: IReadOnlyList<string>, targetNames: IReadOnlyList<string>)
    =

    /// The features, [rows; features].
    member _.Inputs = inputs

    /// The numbers to predict, [rows; targets].
    member _.Targets = targets

    /// The number of rows.
    member _.Rows = inputs.Shape[0]

    /// The number of features.
    member _.Features = inputs.Shape[1]

    /// The names of the features where the file has a header of names, else none.
    member _.FeatureNames = featureNames

    /// The names of the targets where the file has a header of names, else none.
    member _.TargetNames = targetNames

    override data.ToString() =
        let count = Describe.count
        let rows, features = count data.Rows "row", count data.Features "feature"
        $"""{rows} of {features} and {count targets.Shape[1] "target"}"""

    member internal data.Text = data.ToString()

namespace Curvature.FSharp

open Curvature

/// Rows of numbers, each with one or several numbers to predict.
[<RequireQualifiedAccess>]
module RegressionData =

    /// Rows of features [rows; features] with targets [rows; targets], both Float32 or Float64. Raises ShapeException
    /// where these do not fit together, and DTypeException where their element types differ or are Int32.
    let create (inputs: Tensor) (targets: Tensor) : RegressionData =
        if inputs.Rank <> 2 || targets.Rank <> 2 || inputs.Shape[0] <> targets.Shape[0] then
            Fail.shape (
                "regression data: inputs [rows; features] and targets [rows; targets] are needed, and have shapes "
                + $"{Shape.show inputs.Shape} and {Shape.show targets.Shape}"
            )

        if inputs.DType = DType.Int32 || inputs.DType <> targets.DType then
            Fail.dtype (
                "regression data: inputs and targets are both Float32 or both Float64, and these are "
                + $"{inputs.DType} and {targets.DType}"
            )

        RegressionData(inputs, targets, [||], [||])

    /// The data of some rows, in their order. Raises ArgumentRangeException for a row that is not there.
    let rows (rows: int[]) (data: RegressionData) : RegressionData =
        let pick = TensorSelection.takeAt 0 rows
        RegressionData(pick data.Inputs, pick data.Targets, data.FeatureNames, data.TargetNames)
