namespace Curvature.FSharp

open System
open Curvature

/// Inner products and combinations of vectors that are rows. Sums are made in Float64, whatever the element type.
module internal Vectors =

    /// Float32 is widened this many elements of a row at a time.
    let private chunk = 1 <<< 16

    /// The distance from 1 to the next number of an element type.
    let epsilon (dtype: DType) = if dtype = DType.Float64 then Math.Pow(2.0, -52.0) else Math.Pow(2.0, -23.0)

    /// Gives back the memory of an array that nothing refers to any more, before a garbage collection would.
    let private release (t: Tensor) = t.Storage.Memory.Dispose()

    /// ⟨rowᵢ, v⟩ for rows [k; n] and a vector [n].
    let dots (rows: Tensor) (v: Tensor) : float[] =
        if v.DType = DType.Float64 then
            (Tensor.matmul rows v).ToArray()
        else
            let n, total = v.Size, Array.zeroCreate rows.Signature.Shape[0]

            for start in 0..chunk .. n - 1 do
                let wide axis t = Tensor.slice axis start (min chunk (n - start)) t |> Tensor.convert DType.Float64
                let wideRows, wideVector = wide 1 rows, wide 0 v
                let part = (Tensor.matmul wideRows wideVector).ToArray()
                release wideRows
                release wideVector

                for i in 0 .. total.Length - 1 do
                    total[i] <- total[i] + part[i]

            total

    let dot (a: Tensor) (b: Tensor) = (dots (Tensor.unsqueeze 0 a) b)[0]

    let norm (v: Tensor) = sqrt (dot v v)

    /// Σ cᵢ rowᵢ
    let combine (c: float[]) (rows: Tensor) : Tensor =
        Tensor.matmul (Tensor.ofArray [ c.Length ] c |> Tensor.convert rows.DType |> Tensor.toDevice rows.Device) rows

    /// v − Σ cᵢ rowᵢ
    let subtract (c: float[]) (rows: Tensor) (v: Tensor) : Tensor =
        let part = combine c rows
        let rest = v - part
        release part
        rest

    /// What is left of v without its parts along orthonormal rows.
    let without (rows: Tensor) (v: Tensor) : Tensor = subtract (dots rows v) rows v

    /// ⟨aᵢ, bⱼ⟩ for the rows of two blocks.
    let gram (a: Tensor) (b: Tensor) : float[,] =
        let columns = Array.init b.Signature.Shape[0] (fun j -> dots a (Tensor.item 0 j b))
        Array2D.init a.Signature.Shape[0] columns.Length (fun i j -> columns[j][i])

    /// Rows Σⱼ cᵢⱼ rowⱼ
    let combinations (c: float[,]) (rows: Tensor) : Tensor =
        let coefficients = Tensor.ofArray [ c.GetLength 0; c.GetLength 1 ] (c |> Seq.cast<float> |> Seq.toArray)
        Tensor.matmul (coefficients |> Tensor.convert rows.DType |> Tensor.toDevice rows.Device) rows
