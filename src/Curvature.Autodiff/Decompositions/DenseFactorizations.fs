namespace Curvature

open System
open MathNet.Numerics.LinearAlgebra

/// Factorizations of one dense matrix by Math.NET, in Float64. Arrays are row-major. Matrices are finite and not empty.
module internal DenseFactorizations =

    let private ofRows rows columns (values: float[]) : Matrix<float> =
        Matrix<float>.Build.DenseOfRowMajor(rows, columns, values)

    let private largest (a: Matrix<float>) : float =
        a.Enumerate() |> Seq.fold (fun largest x -> max largest (abs x)) 0.0

    /// A power of two near the largest element, so that squares of quotients by it neither vanish nor overflow.
    let private unit (a: Matrix<float>) : float =
        match largest a with
        | 0.0 -> 1.0
        | largest -> Math.ScaleB(1.0, Math.ILogB largest)

    let private columns (a: Matrix<float>) (order: int[]) : Matrix<float> =
        Matrix<float>.Build.DenseOfColumnVectors(order |> Array.map a.Column)

    /// For each column −1 where its element of largest magnitude is negative, else 1. Of equal ones the first counts.
    let private signs (a: Matrix<float>) : float[] =
        Array.init a.ColumnCount (fun j ->
            let column = a.Column j
            if column[column.AbsoluteMaximumIndex()] < 0.0 then -1.0 else 1.0)

    let private scaleColumns (factors: float[]) (a: Matrix<float>) : Matrix<float> =
        Matrix<float>.Build.Dense(a.RowCount, a.ColumnCount, (fun i j -> a[i, j] * factors[j]))

    let private symmetricPart n (values: float[]) : Matrix<float> =
        let a = ofRows n n values
        Matrix<float>.Build.Dense(n, n, (fun i j -> 0.5 * a[i, j] + 0.5 * a[j, i]))

    let private eigen (a: Matrix<float>) : float[] * Matrix<float> =
        let unit = unit a
        let evd = (a / unit).Evd Symmetricity.Symmetric
        let values = Array.init a.RowCount (fun i -> evd.EigenValues[i].Real * unit)
        let order = Array.init a.RowCount id |> Array.sortBy (fun i -> values[i])
        let vectors = columns evd.EigenVectors order
        order |> Array.map (fun i -> values[i]), scaleColumns (signs vectors) vectors

    /// Ascending eigenvalues of the symmetric part, and eigenvectors in columns.
    let eigh n (values: float[]) : float[][] =
        let values, vectors = eigen (symmetricPart n values)
        [| values; vectors.ToRowMajorArray() |]

    /// The lower factor of the symmetric part.
    let cholesky (what: string) n (values: float[]) : float[] =
        let a = symmetricPart n values

        let factor =
            try
                ValueSome(a.Cholesky().Factor)
            with :? ArgumentException ->
                ValueNone

        match factor with
        | ValueSome factor when Double.IsFinite(largest factor) -> factor.ToRowMajorArray()
        | _ ->
            let smallest = (fst (eigen a))[0]

            Fail.operator (
                $"{what} is not positive definite: the smallest eigenvalue of its symmetric part is "
                + $"{Curvature.FSharp.Numbers.show smallest}"
            )

    /// A = PLU, where no pivot may be smaller than its own rounding error: such a matrix is not told from a singular
    /// one. The error of pivot k is at most nε·Σ|l_kj||u_jk|, whatever rows and columns are scaled by.
    let private checkPivots (what: string) (l: Matrix<float>) (u: Matrix<float>) =
        let n = l.RowCount

        for k in 0 .. n - 1 do
            let mutable sum = 0.0

            for j in 0..k do
                sum <- sum + abs (l[k, j] * u[j, k])

            if abs u[k, k] <= float n * Math.Pow(2.0, -52.0) * sum then
                Fail.operator (
                    $"{what} is singular: pivot {k + 1} of {n} is {Curvature.FSharp.Numbers.show u[k, k]}, "
                    + "no larger than its rounding error"
                )

    /// A⁻¹B for a matrix B of so many columns.
    let solve (what: string) n count (a: float[]) (b: float[]) : float[] =
        let lu = (ofRows n n a).LU()
        checkPivots what lu.L lu.U
        lu.Solve(ofRows n count b).ToRowMajorArray()

    /// −1 for an odd permutation, 1 for an even one.
    let private parity (permutation: MathNet.Numerics.Permutation) : float =
        let seen = Array.zeroCreate<bool> permutation.Dimension
        let mutable sign = 1.0

        for start in 0 .. permutation.Dimension - 1 do
            let mutable i = permutation[start]
            seen[start] <- true

            while not seen[i] do
                seen[i] <- true
                sign <- -sign
                i <- permutation[i]

        sign

    /// The determinant, its sign, and the logarithm of its magnitude.
    let determinant n (a: float[]) : float[][] =
        let lu = (ofRows n n a).LU()
        let parity = parity lu.P
        let pivots = lu.U.Diagonal().ToArray()
        let product = Array.fold (*) parity pivots
        let sign = pivots |> Array.fold (fun sign pivot -> sign * float (Math.Sign pivot)) parity
        [| [| product |]; [| sign |]; [| Array.sumBy (abs >> log) pivots |] |]

    /// Q with orthonormal columns and upper R with a diagonal that is not negative; no fewer rows than columns. Where a
    /// column depends on those before it, the diagonal of R is 0, and not the rounding error of 0.
    let private thinQr (a: Matrix<float>) : Matrix<float> * Matrix<float> =
        let qr = a.QR Factorization.QRMethod.Thin
        // The property makes a new matrix each time.
        let r = qr.R
        let signs = Array.init a.ColumnCount (fun i -> if r[i, i] < 0.0 then -1.0 else 1.0)
        let rounding = float a.RowCount * Math.Pow(2.0, -52.0)

        let entry i j =
            let isRounding () = i = j && abs r[i, i] <= rounding * a.Column(i).L2Norm()
            if i > j || isRounding () then 0.0 else signs[i] * r[i, j]

        scaleColumns signs qr.Q, Matrix<float>.Build.Dense(a.ColumnCount, a.ColumnCount, Func<_, _, _> entry)

    let qr rows columns (a: float[]) : float[][] =
        let q, r = thinQr (ofRows rows columns a)
        [| q.ToRowMajorArray(); r.ToRowMajorArray() |]

    let private svdOfSquare (a: Matrix<float>) : Matrix<float> * float[] * Matrix<float> =
        let unit = unit a
        let svd = (a / unit).Svd true
        svd.U, svd.S.ToArray() |> Array.map (fun s -> s * unit), svd.VT.Transpose()

    /// U, descending singular values, and V, with as many columns as the shorter side has elements.
    let svd rows columns (values: float[]) : float[][] =
        let a = ofRows rows columns values

        let u, s, v =
            if rows = columns then
                svdOfSquare a
            elif rows > columns then
                let q, r = thinQr a
                let u, s, v = svdOfSquare r
                q * u, s, v
            else
                let q, r = thinQr (a.Transpose())
                let v, s, u = svdOfSquare r
                u, s, q * v

        let signs = signs u
        [| (scaleColumns signs u).ToRowMajorArray(); s; (scaleColumns signs v).ToRowMajorArray() |]
