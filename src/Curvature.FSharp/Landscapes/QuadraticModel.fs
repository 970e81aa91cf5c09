namespace Curvature

open Curvature.FSharp

/// The quadratic model of a loss along one or two directions d₁, d₂: loss + Σ gᵀdᵢ·tᵢ + ½ Σ dᵢᵀHdⱼ·tᵢtⱼ.
[<Sealed; NoEquality; NoComparison>]
type QuadraticModel internal (value: float, slopes: float[], curvatures: float[,], fromEigenvalues: bool) =
    /// The loss at the point itself.
    member _.Value = value

    /// gᵀdᵢ: the slope along each direction.
    member _.Slopes = Array.copy slopes

    /// dᵢᵀHdⱼ: the second derivative along each pair of directions.
    member _.Curvatures = Array2D.copy curvatures

    /// Whether the curvatures follow from eigenvalues; otherwise they are quadratic forms of the Hessian.
    member _.FromEigenvalues = fromEigenvalues

    /// The model after steps of these lengths, one for each direction. Raises ShapeException for another number of
    /// steps.
    member _.At([<System.ParamArray>] steps: float[]) : float =
        System.ArgumentNullException.ThrowIfNull(steps, nameof steps)

        if steps.Length <> slopes.Length then
            Fail.shape (
                $"QuadraticModel.At: one step is needed for each of {slopes.Length} directions, and there are "
                + $"{steps.Length}"
            )

        let mutable result = value

        for i in 0 .. steps.Length - 1 do
            result <- result + slopes[i] * steps[i]

            for j in 0 .. steps.Length - 1 do
                result <- result + 0.5 * curvatures[i, j] * steps[i] * steps[j]

        result

    /// Whether a loss differs from what the model says by more than a share of the loss at the point and of the change
    /// that the model says. Losses that are not finite always differ.
    member internal _.Departs(tolerance: float, loss: float, predicted: float) : bool =
        not (abs (loss - predicted) <= tolerance * (abs value + abs (predicted - value)))

module internal QuadraticModels =

    /// dᵢᵀHdⱼ for eigenvectors with these eigenvalues.
    let ofEigenvalues (directions: Direction list) (eigenvalues: float list) : float[,] =
        let d, lambda = List.toArray directions, List.toArray eigenvalues

        Array2D.init d.Length d.Length (fun i j -> 0.5 * (lambda[i] + lambda[j]) * Vectors.dot d[i].Vector d[j].Vector)
