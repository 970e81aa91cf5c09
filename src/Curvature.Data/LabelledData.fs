namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Rows of numbers, each with a class.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LabelledData
    internal (inputs: Tensor, labels: Tensor, featureNames: System.Collections.Generic.IReadOnlyList<string>) =
    let classes =
        let labels = labels.ToInt32Array()
        if labels.Length = 0 then 0 else Array.max labels + 1

    /// The features, Float64 [rows; features].
    member _.Inputs = inputs

    /// The class of each row, Int32 [rows], from 0 on.
    member _.Labels = labels

    /// The number of classes: the largest label and one more.
    member _.Classes = classes

    /// The number of rows.
    member _.Rows = labels.Size

    /// The number of features.
    member _.Features = inputs.Shape[1]

    /// The names of the features where the file has a header of names, else none.
    member _.FeatureNames = featureNames

    override this.ToString() =
        let rows, features = Describe.count this.Rows "row", Describe.count this.Features "feature"
        $"{rows} of {features}, {classes} classes"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Rows of numbers, each with a class.
[<RequireQualifiedAccess>]
module LabelledData =

    /// Rows of features [rows; features] with Int32 labels [rows]. Raises ShapeException where these do not fit
    /// together, DTypeException for labels that are not Int32, DataException for a negative label, naming its row.
    let create (inputs: Tensor) (labels: Tensor) : LabelledData =
        if inputs.Rank <> 2 || labels.Rank <> 1 || inputs.Shape[0] <> labels.Shape[0] then
            Fail.shape (
                "labelled data: inputs [rows; features] and labels [rows] are needed, and have shapes "
                + $"{Shape.show inputs.Shape} and {Shape.show labels.Shape}"
            )

        if labels.DType <> DType.Int32 then
            Fail.dtype $"labelled data: labels are Int32, and these are {labels.DType}"

        labels.ToInt32Array()
        |> Array.iteri (fun row label ->
            if label < 0 then
                Fail.data $"labelled data: label {label} of row {row} is negative")

        LabelledData(inputs, labels, [||])

    /// The data of some rows, in their order. Raises ArgumentRangeException for a row that is not there.
    let rows (rows: int[]) (data: LabelledData) : LabelledData =
        let pick = TensorSelection.takeAt 0 rows
        LabelledData(pick data.Inputs, pick data.Labels, data.FeatureNames)
