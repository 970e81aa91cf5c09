namespace Curvature.FSharp

open System
open Curvature

/// Inner products and combinations of vectors that are rows. Sums are made in Float64, whatever the element type.
module internal Vectors =

    /// Float32 is widened this many elements of a row at a time.
    let private chunk = 1 <<< 16

    /// The distance from 1 to the next number of an element type.
    let epsilon (dtype: DType) = if dtype = DType.Float64 then Math.Pow(2.0, -52.0) else Math.Pow(2.0, -23.0)

    /// ⟨rowᵢ, v⟩ for rows [k; n] and a vector [n].
    let dots (rows: Tensor) (v: Tensor) : float[] =
        if v.DType = DType.Float64 then
            (Tensor.matmul rows v).ToArray()
        else
            let n, total = v.Size, Array.zeroCreate rows.Signature.Shape[0]

            for start in 0..chunk .. n - 1 do
                let wide axis t = Tensor.slice axis start (min chunk (n - start)) t |> Tensor.convert DType.Float64
                let part = (Tensor.matmul (wide 1 rows) (wide 0 v)).ToArray()

                for i in 0 .. total.Length - 1 do
                    total[i] <- total[i] + part[i]

            total

    let dot (a: Tensor) (b: Tensor) = (dots (Tensor.unsqueeze 0 a) b)[0]

    let norm (v: Tensor) = sqrt (dot v v)

    /// Σ cᵢ rowᵢ
    let combine (c: float[]) (rows: Tensor) : Tensor =
        Tensor.matmul (Tensor.ofArray [ c.Length ] c |> Tensor.convert rows.DType) rows

    /// What is left of v without its parts along orthonormal rows.
    let without (rows: Tensor) (v: Tensor) : Tensor = v - combine (dots rows v) rows

    /// ⟨aᵢ, bⱼ⟩ for the rows of two blocks.
    let gram (a: Tensor) (b: Tensor) : float[,] =
        let columns = Array.init b.Signature.Shape[0] (fun j -> dots a (Tensor.item 0 j b))
        Array2D.init a.Signature.Shape[0] columns.Length (fun i j -> columns[j][i])

    /// Rows Σⱼ cᵢⱼ rowⱼ
    let combinations (c: float[,]) (rows: Tensor) : Tensor =
        let coefficients = Tensor.ofArray [ c.GetLength 0; c.GetLength 1 ] (c |> Seq.cast<float> |> Seq.toArray)
        Tensor.matmul (Tensor.convert rows.DType coefficients) rows
