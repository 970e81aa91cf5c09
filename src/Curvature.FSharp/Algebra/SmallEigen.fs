namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.LinearAlgebra

/// Eigenvalues in ascending order, and the eigenvectors of a small symmetric matrix, as columns.
[<NoEquality; NoComparison>]
type internal SmallEigen = { Values: float[]; Vectors: float[,] }

module internal SmallEigen =

    /// The eigenpairs of the leading rows and columns of a symmetric matrix.
    let ofLeading (size: int) (matrix: float[,]) : SmallEigen =
        let symmetric = Matrix<float>.Build.Dense(size, size, (fun i j -> 0.5 * (matrix[i, j] + matrix[j, i])))
        let largest = symmetric.Enumerate() |> Seq.fold (fun largest x -> max largest (abs x)) 0.0

        if not (Double.IsFinite largest) then
            Fail.nonFinite "the projection of an operator on a Krylov space overflows: its products are too large"

        // A power of two where squares of such numbers would vanish or overflow.
        let unit =
            if largest = 0.0 || largest > 1e-100 && largest < 1e100 then
                1.0
            else
                Math.ScaleB(1.0, Math.ILogB largest)

        let evd = (symmetric / unit).Evd Symmetricity.Symmetric
        let values = Array.init size (fun i -> evd.EigenValues[i].Real * unit)
        let order = Array.init size id |> Array.sortBy (fun i -> values[i])

        {
            Values = order |> Array.map (fun i -> values[i])
            Vectors = Array2D.init size size (fun i j -> evd.EigenVectors[i, order[j]])
        }

    /// The eigenpairs of a symmetric matrix.
    let of' (matrix: float[,]) = ofLeading (matrix.GetLength 0) matrix
