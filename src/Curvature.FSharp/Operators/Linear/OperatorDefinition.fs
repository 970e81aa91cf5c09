namespace Curvature

open System
open Curvature.FSharp

/// What is claimed of an operator. Algorithms that need a property ask for the claim; it is not proved.
[<Flags>]
type OperatorProperties =
    /// Nothing is claimed.
    | None = 0
    /// A = Aᵀ.
    | Symmetric = 1
    /// A = Aᵀ and vᵀAv ≥ 0 for every v.
    | PositiveSemidefinite = 3

/// The products of a matrix: with a vector [n], and with a block [k; n] of k of them, as rows.
[<NoEquality; NoComparison>]
type internal Products = { Matvec: Tensor -> Tensor; Matmat: Tensor -> Tensor }

module internal Products =

    /// From a map of blocks.
    let ofMatmat (matmat: Tensor -> Tensor) : Products =
        {
            Matvec = fun v -> matmat (Tensor.unsqueeze 0 v) |> Tensor.squeeze 0
            Matmat = matmat
        }

    /// From a map of vectors, composed of tensor operations, which runs on a block as one computation.
    let ofMatvec (matvec: Tensor -> Tensor) : Products = { Matvec = matvec; Matmat = vmap matvec }

    let map2 combine (a: Products) (b: Products) : Products =
        {
            Matvec = fun v -> combine (a.Matvec v) (b.Matvec v)
            Matmat = fun block -> combine (a.Matmat block) (b.Matmat block)
        }

    let map f (a: Products) : Products = { Matvec = a.Matvec >> f; Matmat = a.Matmat >> f }

    let andThen (second: Products) (first: Products) : Products =
        {
            Matvec = first.Matvec >> second.Matvec
            Matmat = first.Matmat >> second.Matmat
        }

    /// zᵢᵀyᵢ for the rows of two blocks.
    let rowDots (z: Tensor) (y: Tensor) = Tensor.sumAxes [ 1 ] (z * y)

/// What an operator is made of.
[<NoEquality; NoComparison>]
type internal OperatorDefinition =
    {
        Name: string
        Rows: int
        Columns: int
        DType: DType
        Device: Kernels.Device
        Properties: OperatorProperties
        Product: Products
        /// The products of the transpose; missing where they are the same, or not known.
        Adjoint: Products voption
        /// [k; n] → [k]
        Forms: (Tensor -> Tensor) voption
        /// For a mean or a sum over batches, what each batch alone says of zᵀAz: its size, and an estimate for each
        /// row of a block.
        FormsByBatch: (Tensor -> (int * Tensor) list) voption
        /// For a matrix over groups of batches, zᵀAz restricted to ranges, by their first elements and lengths, for the
        /// rows z of a block: [k; ranges], Float64. Sums over batches are of these numbers, and not of products.
        BlockForms: (struct (int * int)[] -> Tensor -> Tensor) voption
        /// Why its numbers are doubtful, in sentences.
        Warnings: string list
    }
