namespace Curvature.FSharp

open Curvature

/// Bringing the features of a data set to comparable sizes.
[<RequireQualifiedAccess>]
module Scaling =

    let private columns (name: string) (inputs: Tensor) =
        if inputs.Rank <> 2 || inputs.Shape[0] = 0 then
            raise (
                ShapeException
                    $"{name}: a matrix [rows; features] with at least one row is needed, and this one has shape {Shape.show inputs.Shape}"
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

    /// Every column of a matrix [rows; features] moved and scaled to mean 0 and variance 1 (over all rows, not one fewer);
    /// constant columns become 0. Raises ShapeException for another rank or for no rows.
    let standardize (inputs: Tensor) : Tensor =
        let columns = columns "standardize" inputs
        let mean = Tensor.meanAxes [ 1 ] columns
        let variance = Tensor.meanAxes [ 1 ] (Tensor.square (columns - Tensor.unsqueeze 1 mean))
        rescale mean (Tensor.sqrt variance) inputs
