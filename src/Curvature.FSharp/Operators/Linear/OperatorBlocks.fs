namespace Curvature.FSharp

open System
open Curvature

/// Definitions of operators that are parts of another one, or are put together from parts.
module internal OperatorBlocks =

    /// Takes a range out of vectors.
    let private cut start count : Products =
        { Matvec = Tensor.slice 0 start count; Matmat = Tensor.slice 1 start count }

    /// Puts vectors into a range of longer ones that are otherwise 0.
    let private embed start count length : Products =
        {
            Matvec = Tensor.pad 0 start (length - start - count)
            Matmat = Tensor.pad 1 start (length - start - count)
        }

    /// Rows and columns of ranges (first, count). Raises ArgumentRangeException for ranges outside the operator.
    let submatrix (firstRow: int, rows: int) (firstColumn: int, columns: int) (a: OperatorDefinition) =
        let check what first count length =
            if first < 0 || count < 0 || first + count > length then
                Fail.range $"submatrix: {count} {what} from {first} are not within the {length} of {a.Name}"

        check "rows" firstRow rows a.Rows
        check "columns" firstColumn columns a.Columns
        let isPrincipal = a.Rows = a.Columns && firstRow = firstColumn && rows = columns
        let widen = embed firstColumn columns a.Columns
        let ofPrincipal forms = if isPrincipal then forms else ValueNone

        { a with
            Name = $"{a.Name}[{firstRow} .. {firstRow + rows - 1}, {firstColumn} .. {firstColumn + columns - 1}]"
            Rows = rows
            Columns = columns
            Properties = if isPrincipal then a.Properties else OperatorProperties.None
            Product = widen |> Products.andThen a.Product |> Products.andThen (cut firstRow rows)
            Adjoint =
                OperatorAlgebra.adjoint a
                |> ValueOption.map (fun adjoint ->
                    embed firstRow rows a.Rows
                    |> Products.andThen adjoint
                    |> Products.andThen (cut firstColumn columns))
            Forms = a.Forms |> ValueOption.map (fun forms -> widen.Matmat >> forms) |> ofPrincipal
            FormsByBatch = a.FormsByBatch |> ValueOption.map (fun forms -> widen.Matmat >> forms) |> ofPrincipal
            BlockForms = ValueNone
        }

    /// The products of each part with its piece of the vectors.
    let private alongDiagonal (lengths: int list) (parts: Products list) : Products =
        let along axis (maps: (Tensor -> Tensor) list) (v: Tensor) =
            Tensor.split axis lengths v |> List.map2 (fun f piece -> f piece) maps |> Tensor.concat axis

        {
            Matvec = along 0 (parts |> List.map _.Matvec)
            Matmat = along 1 (parts |> List.map _.Matmat)
        }

    /// Operators along the diagonal, zeros elsewhere. Raises ArgumentRangeException for none, DTypeException for mixed
    /// element types.
    let diagonal (blocks: OperatorDefinition list) : OperatorDefinition =
        if blocks.IsEmpty then Fail.range "blockDiagonal: at least one block is needed"

        let first = blocks.Head

        for b in blocks do
            if b.DType <> first.DType then
                Fail.dtype $"blockDiagonal: {first.Name} is {first.DType}, and {b.Name} is {b.DType}"

        let columns, rows = blocks |> List.map _.Columns, blocks |> List.map _.Rows
        let adjoints = blocks |> List.map OperatorAlgebra.adjoint
        let isSquare = List.forall2 (=) rows columns

        let forms (z: Tensor) =
            Tensor.split 1 columns z
            |> List.map2 (fun block piece -> OperatorAlgebra.forms block piece) blocks
            |> List.reduce (+)

        { first with
            Name = "blockDiagonal(" + String.Join(", ", blocks |> List.map _.Name) + ")"
            Rows = List.sum rows
            Columns = List.sum columns
            Properties = blocks |> List.map _.Properties |> List.reduce (&&&)
            Product = alongDiagonal columns (blocks |> List.map _.Product)
            Adjoint =
                if adjoints |> List.forall _.IsSome then
                    ValueSome(alongDiagonal rows (adjoints |> List.map _.Value))
                else
                    ValueNone
            Forms =
                if isSquare && blocks |> List.exists _.Forms.IsSome then
                    ValueSome forms
                else
                    ValueNone
            FormsByBatch = ValueNone
            BlockForms = ValueNone
            Warnings = blocks |> List.collect _.Warnings |> List.distinct
        }
