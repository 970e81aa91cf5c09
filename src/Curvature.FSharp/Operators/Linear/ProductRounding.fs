namespace Curvature.FSharp

open Curvature

/// How far rounding moves the products of an operator, as far as they show it.
module internal ProductRounding =

    /// A factor so near to 1 that a smooth operator that is not linear shows little of it, and far enough that all
    /// roundings fall anew: 1 + 0.7·√ε.
    let private factor (dtype: DType) = 1.0 + 0.7 * sqrt (SmallMatrices.epsilon dtype)

    let private length (t: Tensor) = (Tensor.max (Tensor.rowNorms t)).ToScalar()

    /// The largest length of A(cv) − c·Av for a factor c near 1. It is 0, too, for products that differ when they are
    /// taken again: that is no rounding.
    let private nonlinearity (a: LinearOperator) (rows: Tensor) (product: Tensor) : float =
        let c = factor a.DType

        if length (a.Apply rows - product) > 0.0 then
            0.0
        else
            length (a.Apply(c * rows) - c * product)

    /// How far quadratic forms, which are summed in another way, lie from those by products: what is lost where terms
    /// cancel is lost in each product in the same way, so that A(cv) does not show it.
    let private formDistance (a: LinearOperator) (rows: Tensor) (product: Tensor) : float =
        if a.HasQuadraticForms then
            let byProducts = (Products.rowDots rows product).ToArray()
            let byForms = (a.QuadraticForm rows).ToArray()
            Array.map2 (-) byForms byProducts |> Array.sumBy (fun x -> x * x) |> sqrt
        else
            0.0

    /// Each row, and the sum of each with the next one as long as they.
    let private withSums (rows: Tensor) : Tensor =
        let count = rows.Signature.Shape[0]

        if count = 1 then
            rows
        else
            let next = Tensor.concat 0 [ Tensor.slice 0 1 (count - 1) rows; Tensor.slice 0 0 1 rows ]
            Tensor.concat 0 [ rows; sqrt 0.5 * (rows + next) ]

    /// About the length of what rounding adds to products with orthonormal rows, from up to eight products with each.
    let ofRows (a: LinearOperator) (rows: Tensor) : float =
        if rows.Size = 0 then
            0.0
        else
            let rows = withSums rows
            let product = a.Apply rows
            max (nonlinearity a rows product) (formDistance a rows product)

    /// The same for some normal vectors of length 1.
    let ofRandom (a: LinearOperator) : float =
        if a.Columns = 0 then
            0.0
        else
            let z = Tensor.normal (Key.OfSeed 0L) a.DType [ 4; a.Columns ] |> Tensor.toDevice a.Device
            ofRows a (z / Tensor.unsqueeze 1 (Tensor.rowNorms z))
