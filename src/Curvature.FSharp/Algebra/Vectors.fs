namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Inner products and combinations of vectors that are rows. Sums are made in Float64, whatever the element type. These
/// functions are for one vector at a time and give memory back at once, since a basis may fill most of it; those for
/// blocks are in Rows.
module internal Vectors =

    /// Float32 is widened this many elements of a row at a time.
    let private chunk = 1 <<< 16

    /// Gives back the memory of an array that nothing refers to any more, before a garbage collection would.
    let release (t: Tensor) = t.Storage.Memory.Dispose()

    /// A function of a vector in Float64 that makes a new one; what it was widened to is given back.
    let widened (f: Tensor -> Tensor) (v: Tensor) : Tensor =
        let wide = Tensor.convert DType.Float64 v
        let result = f wide
        if v.DType <> DType.Float64 then release wide
        result

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

    let norm (v: Tensor) = Rows.lengthFrom (dot v v) v

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
    let gram (a: Tensor) (b: Tensor) : float[,] = (Rows.products a b).ToArray()

    /// Rows Σⱼ cᵢⱼ rowⱼ
    let combinations (c: float[,]) (rows: Tensor) : Tensor = Rows.combine (Matrix<float>.Build.DenseOfArray c) rows
