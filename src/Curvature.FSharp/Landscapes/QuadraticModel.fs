namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// The quadratic model of a loss along one or two directions d₁, d₂: loss + Σ gᵀdᵢ·tᵢ + ½ Σ dᵢᵀHdⱼ·tᵢtⱼ.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
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

    override _.ToString() =
        let terms =
            [
                for i in 0 .. slopes.Length - 1 do
                    slopes[i], (if slopes.Length = 1 then "t" else $"t{i + 1}")

                for i in 0 .. slopes.Length - 1 do
                    for j in i .. slopes.Length - 1 do
                        let factor = if i = j then 0.5 else 1.0

                        let name =
                            if slopes.Length = 1 then "t²"
                            elif i = j then $"t{i + 1}²"
                            else $"t{i + 1}·t{j + 1}"

                        factor * curvatures[i, j], name
            ]

        let write (factor: float, name: string) =
            let sign = if factor < 0.0 then "-" else "+"
            $" {sign} {Numbers.show (abs factor)}·{name}"

        Numbers.show value + System.String.Concat(List.map write terms)

    member internal this.Text = this.ToString()

module internal QuadraticModels =

    /// dᵢᵀHdⱼ for eigenvectors with these eigenvalues.
    let ofEigenvalues (directions: Direction list) (eigenvalues: float list) : float[,] =
        let d, lambda = List.toArray directions, List.toArray eigenvalues

        Array2D.init d.Length d.Length (fun i j -> 0.5 * (lambda[i] + lambda[j]) * Vectors.dot d[i].Vector d[j].Vector)
