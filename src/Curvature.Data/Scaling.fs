namespace Curvature.FSharp

open Curvature

/// Bringing the features of a data set to comparable sizes.
[<RequireQualifiedAccess>]
module Scaling =

    let private columns (name: string) (inputs: Tensor) =
        if inputs.Rank <> 2 || inputs.Shape[0] = 0 then
            Fail.shape (
                $"{name}: a matrix [rows; features] with at least one row is needed, and this one has shape "
                + $"{Shape.show inputs.Shape}"
            )

        Tensor.transpose inputs

    /// (x − from)/width for each column; a column whose numbers are all the same becomes 0.
    let private rescale (from: Tensor) (width: Tensor) (inputs: Tensor) : Tensor =
        let zero = Tensor.zerosLike width
        let safe = Tensor.where (Tensor.greater width zero) width (Tensor.onesLike width)
        (inputs - from) / safe

    /// Every column of a matrix [rows; features] moved and scaled to reach from 0 to 1; constant columns become 0.
    /// Raises ShapeException for another rank or for no rows.
    let toUnitRange (inputs: Tensor) : Tensor =
        let columns = columns "toUnitRange" inputs
        let least = -(Tensor.max -columns)
        rescale least (Tensor.max columns - least) inputs

    /// Every column of a matrix [rows; features] moved and scaled to mean 0 and variance 1 (over all rows, not one
    /// fewer); constant columns become 0. Raises ShapeException for another rank or for no rows.
    let standardize (inputs: Tensor) : Tensor =
        let columns = columns "standardize" inputs
        let mean = Tensor.meanAxes [ 1 ] columns
        let variance = Tensor.meanAxes [ 1 ] (Tensor.square (columns - Tensor.unsqueeze 1 mean))
        rescale mean (Tensor.sqrt variance) inputs

    /// (x − mean)/deviation for each channel of images [images; channels; height; width], with a number for each
    /// channel, as torchvision's Normalize. Raises ShapeException where the counts differ, ArgumentRangeException for a
    /// deviation that is not above 0.
    let channels (means: float list) (deviations: float list) (images: Tensor) : Tensor =
        let shape = images.Shape

        if shape.Length <> 4 || means.Length <> shape[1] || deviations.Length <> shape[1] then
            Fail.shape (
                "channels: images [images; channels; height; width] with a mean and a deviation for each channel are "
                + $"needed; there are {means.Length} means and {deviations.Length} deviations, and the shape is "
                + $"{Shape.show shape}"
            )

        match deviations |> List.tryFind (fun deviation -> not (deviation > 0.0)) with
        | Some deviation -> Fail.range $"channels: deviations are above 0, and one is {deviation}"
        | None -> ()

        let perChannel (numbers: float list) =
            Tensor.ofArray [ shape[1]; 1; 1 ] (List.toArray numbers)
            |> Tensor.convert images.DType
            |> Tensor.toDevice images.Device

        (images - perChannel means) / perChannel deviations
