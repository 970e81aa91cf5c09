namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.LinearAlgebra

/// Dense algebra of matrices as large as a block has vectors, in Float64.
module internal SmallMatrices =

    /// The unit roundoff of the type that products are computed in: what they are rounded to.
    let epsilon (dtype: DType) = if dtype = DType.Float64 then Math.Pow(2.0, -52.0) else Math.Pow(2.0, -23.0)

    let zeros rows columns : Matrix<float> = Matrix<float>.Build.Dense(rows, columns)

    /// From the values in row-major order.
    let ofRows rows columns (values: float[]) : Matrix<float> =
        Matrix<float>.Build.Dense(rows, columns, (fun i j -> values[i * columns + j]))

    let symmetricPart (a: Matrix<float>) : Matrix<float> = 0.5 * (a + a.Transpose())

    /// Dot products of the columns of two matrices.
    let columnDots (a: Matrix<float>) (b: Matrix<float>) : float[] =
        Array.init a.ColumnCount (fun j -> a.Column(j) * b.Column(j))

    /// L with A = LLᵀ, and the smallest pivot L_ii² beside A_ii; nothing where a pivot is not positive.
    let tryCholesky (a: Matrix<float>) : struct (Matrix<float> * float) voption =
        let n = a.RowCount
        let l = Array2D.zeroCreate n n
        let mutable least = infinity
        let mutable j = 0

        while j < n && least > 0.0 do
            let mutable pivot = a[j, j]

            for k in 0 .. j - 1 do
                pivot <- pivot - l[j, k] * l[j, k]

            if pivot > 0.0 then
                least <- min least (pivot / a[j, j])
                l[j, j] <- sqrt pivot

                for i in j + 1 .. n - 1 do
                    let mutable sum = a[i, j]

                    for k in 0 .. j - 1 do
                        sum <- sum - l[i, k] * l[j, k]

                    l[i, j] <- sum / l[j, j]

                j <- j + 1
            else
                least <- 0.0

        if least > 0.0 then
            ValueSome(struct (Matrix<float>.Build.DenseOfArray l, least))
        else
            ValueNone

    /// The inverse of a lower triangular matrix, by substitution, which keeps small pivots exact to all of their
    /// digits.
    let invertLower (l: Matrix<float>) : Matrix<float> =
        let n = l.RowCount
        let factor = l.ToArray()
        let inverse = Array2D.zeroCreate n n

        for j in 0 .. n - 1 do
            inverse[j, j] <- 1.0 / factor[j, j]

            for i in j + 1 .. n - 1 do
                let mutable sum = 0.0

                for k in j .. i - 1 do
                    sum <- sum + factor[i, k] * inverse[k, j]

                inverse[i, j] <- -sum / factor[i, i]

        Matrix<float>.Build.DenseOfArray inverse

    /// The Moore–Penrose inverse, where singular values below `share` of the largest count as zero.
    let pseudoInverse (share: float) (a: Matrix<float>) : Matrix<float> =
        let svd = a.Svd true
        let largest = if svd.S.Count = 0 then 0.0 else svd.S[0]
        let inverse = zeros a.ColumnCount a.RowCount

        for i in 0 .. svd.S.Count - 1 do
            if svd.S[i] > share * largest then inverse[i, i] <- 1.0 / svd.S[i]

        svd.VT.Transpose() * inverse * svd.U.Transpose()
