namespace Curvature.FSharp

open System
open Curvature

/// A pass over all columns, as far as it has come: the diagonal of a square operator, and the sums of squares in rows
/// where products are needed. Quadratic forms are enough for the diagonal alone.
[<Sealed>]
type internal BasisPass(operator: LinearOperator, needsProduct: bool) =
    let n = operator.Columns
    let forms = if needsProduct then ValueNone else operator.FormsNamed
    let onDevice t = Tensor.toDevice operator.Device t
    let diagonal: Lazy<float[]> = lazy (Array.zeroCreate (if operator.IsSquare then n else 0))
    let mutable squares = lazy (Tensor.zeros DType.Float64 [ operator.Rows ] |> onDevice)
    let mutable taken = 0

    let entries first (values: Tensor) =
        let values = values.ToArray()
        Array.blit values 0 diagonal.Value first values.Length

    /// What n basis vectors cost.
    static member CostOf(operator: LinearOperator, needsProduct: bool, vectors: int) : Cost =
        if not needsProduct && operator.HasQuadraticForms then
            { Cost.none with Forms = vectors }
        else
            Cost.products vectors

    /// How many basis vectors were multiplied.
    member _.Taken = taken

    member _.IsComplete = (taken = n)
    member _.Spent = BasisPass.CostOf(operator, needsProduct, taken)

    /// A_ii for each column i; empty for an operator that is not square.
    member _.Diagonal = diagonal.Value

    /// ‖row i of A‖² for each row, Float64 [m], where products were needed.
    member _.SquaredRowNorms = squares.Value

    /// The element type of the products.
    member _.DType = operator.DType

    /// The rounding of the norm of so many rows, relative to it.
    member _.RoundingOfNorm(rows: int) : float = Rounding.ofNorm operator.DType (float rows * float n)

    /// The sum of what was found so far.
    member _.Sum =
        if operator.IsSquare then
            Array.sum diagonal.Value
        else
            (Tensor.sum squares.Value).ToScalar()

    /// Multiplies this many more basis vectors, or as many as there are.
    member _.Advance(count: int) =
        let first = taken
        let basis = OperatorParts.basis operator.Device operator.DType n first (min count (n - first))
        let name row = $"basis vector {first + row}"

        match forms with
        | ValueSome forms -> entries first (forms name basis)
        | ValueNone ->
            let product = operator.Multiply(basis, name)
            if operator.IsSquare then entries first (Products.rowDots basis product)

            if needsProduct then
                let sum = squares.Value + Tensor.sumAxes [ 0 ] (Tensor.square (Tensor.convert DType.Float64 product))
                squares <- lazy sum

        taken <- min n (first + count)

    interface ISavable with
        member _.Save writer =
            writer.Write taken

            if taken > 0 then
                SavedVector.write writer diagonal.Value
                SavedVector.write writer (squares.Value.ToArray())

        member _.Restore reader =
            taken <- reader.ReadWithin(n, "columns")

            if taken > 0 then
                let entries = SavedVector.read reader diagonal.Value.Length
                let sums = Tensor.ofArray [ operator.Rows ] (SavedVector.read reader operator.Rows) |> onDevice
                Array.blit entries 0 diagonal.Value 0 entries.Length
                squares <- lazy sums
