namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Random uses of the functions of dense linear algebra, against elimination, substitution and products by loops.
[<RequireQualifiedAccess>]
module TensorDecompositionCases =

    /// One matrix of a stack.
    let private matrix (h: Host) (place: int[]) : float[,] =
        let rows, columns = h.Shape[h.Shape.Length - 2], h.Shape[h.Shape.Length - 1]
        Array2D.init rows columns (fun i j -> Host.at h (Array.append place [| i; j |]))

    let private product (a: float[,]) (b: float[,]) =
        Array2D.init (Array2D.length1 a) (Array2D.length2 b) (fun i j ->
            Seq.sum (seq { for k in 0 .. Array2D.length2 a - 1 -> a[i, k] * b[k, j] }))

    /// The determinant by its expansion along the first row.
    let rec private determinant (a: float[,]) : float =
        let n = Array2D.length1 a
        let minor j = Array2D.init (n - 1) (n - 1) (fun r c -> a[r + 1, (if c < j then c else c + 1)])
        let sign j = if j % 2 = 0 then 1.0 else -1.0

        if n = 0 then
            1.0
        else
            Seq.sum (seq { for j in 0 .. n - 1 -> sign j * a[0, j] * determinant (minor j) })

    /// A⁻¹ by cofactors.
    let private inverse (a: float[,]) =
        let n = Array2D.length1 a
        let d = determinant a
        let skip k i = if i < k then i else i + 1

        Array2D.init n n (fun i j ->
            let minor = Array2D.init (n - 1) (n - 1) (fun r c -> a[skip j r, skip i c])
            (if (i + j) % 2 = 0 then 1.0 else -1.0) * determinant minor / d)

    let private symmetricPart (a: float[,]) =
        Array2D.init (Array2D.length1 a) (Array2D.length2 a) (fun i j -> 0.5 * (a[i, j] + a[j, i]))

    let private matrices rows columns dtype =
        Generators.shape 0 2 |> Gen.bind (fun leading -> Generators.matrices leading rows columns dtype)

    let private squares dtype = Generators.length |> Gen.bind (fun n -> matrices n n dtype)

    /// f against a function of each matrix.
    let private ofSquares (f: Tensor -> Tensor) (expected: float[,] -> float[,]) dtype =
        gen {
            let! t = squares dtype
            let h = Host.ofTensor t
            let at (index: int[]) = index[.. index.Length - 3], index[index.Length - 2], index[index.Length - 1]
            let entry index = let place, i, j = at index in (expected (matrix h place))[i, j]
            return comparison $"of {t}" 1e-13 dtype (f t) (Host.init t.Shape entry)
        }

    /// f against a number of each matrix.
    let private scalarsOf (f: Tensor -> Tensor) (expected: float[,] -> float) dtype =
        gen {
            let! t = squares dtype
            let h = Host.ofTensor t
            return comparison $"of {t}" 1e-13 dtype (f t) (Host.init t.Shape[.. t.Rank - 3] (matrix h >> expected))
        }

    let private solve dtype =
        gen {
            let! t = squares dtype
            let n = t.Shape[t.Rank - 1]
            let! columns = Generators.length
            let! b = Generators.ordinary dtype [| n; columns |]
            let h, sides = Host.ofTensor t, matrix (Host.ofTensor b) [||]
            let solution place = product (inverse (matrix h place)) sides

            let expected =
                Host.init (Array.append t.Shape[.. t.Rank - 3] [| n; columns |]) (fun index ->
                    (solution index[.. index.Length - 3])[index[index.Length - 2], index[index.Length - 1]])

            return comparison (shown [ t; b ]) 1e-13 dtype (Tensor.solve t b) expected
        }

    /// A product of factors against the matrix itself.
    let private restores (f: Tensor -> Tensor) dtype =
        gen {
            let! rows = Generators.length
            let! columns = Generators.length
            let! t = matrices rows columns dtype
            return comparison $"of {t}" 1e-13 dtype (f t) (Host.ofTensor t)
        }

    let private transposed = Tensor.transpose

    let all: (string * (DType -> Gen<Comparison>)) list =
        let ofValues (vectors: Tensor) values other =
            Tensor.matmul (vectors * Tensor.unsqueeze -2 values) (transposed other)

        [
            "solve", solve
            "inverse", ofSquares Tensor.inverse inverse
            "cholesky", ofSquares (fun t -> let l = Tensor.cholesky t in Tensor.matmul l (transposed l)) symmetricPart
            "eigh", ofSquares (fun t -> let values, v = Tensor.eigh t in ofValues v values v) symmetricPart
            "svd", restores (fun t -> let u, s, v = Tensor.svd t in ofValues u s v)
            "qr", restores (fun t -> let q, r = Tensor.qr t in Tensor.matmul q r)
            "det", scalarsOf Tensor.det determinant
            "logdet", scalarsOf Tensor.logdet (determinant >> abs >> log)
            "slogdet",
            scalarsOf (fun t -> let s, l = Tensor.slogdet -t in s * Tensor.exp l) (Array2D.map (~-) >> determinant)
        ]
