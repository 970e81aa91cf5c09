namespace Curvature.FSharp

open Curvature

/// How a result follows from all columns.
[<NoEquality; NoComparison>]
type internal ExactResult<'T> =
    {
        /// Whether products are needed; otherwise quadratic forms are enough.
        NeedsProduct: bool
        Finish: BasisPass -> Ledger -> 'T
    }

module internal ExactResult =

    let map (f: 'A -> 'B) (result: ExactResult<'A>) : ExactResult<'B> =
        {
            NeedsProduct = result.NeedsProduct
            Finish = fun pass ledger -> f (result.Finish pass ledger)
        }

    let both (a: ExactResult<'A>) (b: ExactResult<'B>) : ExactResult<'A * 'B> =
        {
            NeedsProduct = a.NeedsProduct || b.NeedsProduct
            Finish = fun pass ledger -> a.Finish pass ledger, b.Finish pass ledger
        }

    /// From the element type of products and the diagonal.
    let ofDiagonal (finish: DType -> float[] -> Ledger -> 'T) : ExactResult<'T> =
        {
            NeedsProduct = false
            Finish = fun pass ledger -> finish pass.DType pass.Diagonal ledger
        }

    /// From the squared norms of rows, and the relative rounding of the norm of so many rows.
    let ofSquares (finish: (int -> float) -> Tensor -> Ledger -> 'T) : ExactResult<'T> =
        {
            NeedsProduct = true
            Finish = fun pass ledger -> finish pass.RoundingOfNorm pass.SquaredRowNorms ledger
        }

    /// A vector, each of whose elements is rounded.
    let elements (dtype: DType) (value: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        Estimates.vector value (Rounding.ofElements dtype value) ledger

    /// The sum of terms.
    let sum (dtype: DType) (terms: float[]) (ledger: Ledger) : Estimate<float> =
        Estimates.scalar (Array.sum terms) (Rounding.ofSum dtype terms) ledger
