namespace Curvature

open System
open System.Diagnostics
open System.Threading.Tasks
open Curvature.FSharp

/// A matrix of which the entries that may differ from 0 are kept, in compressed sparse rows (CSR). Immutable. Made by
/// SparseHessian and SparseJacobian, and by the functions of the module SparseMatrix.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SparseMatrix internal (pattern: SparsityPattern, values: Tensor, isSymmetric: bool) =

    /// Rows are multiplied in parts of so many entries.
    static let entriesOfPart = 1 <<< 14

    /// So many entries are printed.
    static let listed = 12

    let numbers = lazy values.ToArray()

    let starts, indices = pattern.Starts, pattern.Indices

    /// The first row of each part, and the one after the last.
    let parts =
        lazy
            ([|
                0
                for row in 1 .. pattern.Rows - 1 do
                    if starts[row] / entriesOfPart <> starts[row - 1] / entriesOfPart then row
                pattern.Rows
            |])

    /// The product with the i-th of several vectors of a block.
    let multiply (vectors: float[]) (products: float[]) (i: int) =
        let numbers, parts = numbers.Value, parts.Value
        let vector, product = i * pattern.Columns, i * pattern.Rows

        let run part =
            for row in parts[part] .. parts[part + 1] - 1 do
                let mutable sum = 0.0

                for k in starts[row] .. starts[row + 1] - 1 do
                    sum <- sum + numbers[k] * vectors[vector + indices[k]]

                products[product + row] <- sum

        if parts.Length = 2 then
            run 0
        else
            Parallel.For(0, parts.Length - 1, run) |> ignore

    /// The number of rows.
    member _.Rows = pattern.Rows

    /// The number of columns.
    member _.Columns = pattern.Columns

    /// The element type of the entries.
    member _.DType = values.DType

    /// How many entries are kept.
    member _.Count = pattern.Count

    /// Which entries are kept.
    member _.Pattern = pattern

    /// Whether it equals its transpose, to the last bit.
    member _.IsSymmetric = isSymmetric

    /// The entries [Count], row by row, in ascending columns: the values of CSR.
    member _.Values = values

    /// For each row, how many entries stand before it, and at the end the number of all: the row pointers of CSR.
    member _.RowStarts: int[] = Array.copy starts

    /// The column of each entry: the column indices of CSR.
    member _.ColumnIndices: int[] = Array.copy indices

    /// The entry of a row and a column, 0 where none is kept. Raises ArgumentRangeException for a row or a column that
    /// does not exist.
    member _.Item
        with get (row: int, column: int): float =
            if not (pattern.Contains(row, column)) then
                0.0
            else
                numbers.Value[Array.BinarySearch(indices, starts[row], starts[row + 1] - starts[row], column)]

    /// The entries on the diagonal, a vector of the smaller number of rows and columns.
    member this.Diagonal: Tensor =
        let length = min pattern.Rows pattern.Columns

        Tensor.ofArray [ length ] (Array.init length (fun i -> this[i, i]))
        |> Tensor.convert values.DType
        |> Tensor.toDevice values.Device

    /// A·v for a vector [Columns] → [Rows], or for a block of k of them, [k; Columns] → [k; Rows]: a multiplication
    /// and an addition for each entry, in Float64, on the host. Raises ShapeException and DTypeException for vectors
    /// that do not fit.
    member _.Apply(v: Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(v, nameof v)

        if v.DType <> values.DType then
            Fail.dtype $"sparse matrix: vectors must be {values.DType}, and these are {v.DType}"

        let count =
            match v.Signature.Shape with
            | [| n |] when n = pattern.Columns -> 1
            | [| k; n |] when n = pattern.Columns -> k
            | shape ->
                Fail.shape (
                    $"sparse matrix: takes vectors [{pattern.Columns}] or blocks [k; {pattern.Columns}], "
                    + $"and got {Shape.show shape}"
                )

        let vectors, products = v.ToArray(), Array.zeroCreate (count * pattern.Rows)

        for i in 0 .. count - 1 do
            multiply vectors products i

        let shape = if v.Rank = 1 then [ pattern.Rows ] else [ count; pattern.Rows ]
        Tensor.ofArray shape products |> Tensor.convert v.DType |> Tensor.toDevice v.Device

    /// Aᵀ.
    member this.Transposed: SparseMatrix =
        if isSymmetric then
            this
        else
            let transposed = pattern.Transposed
            let next = Array.sub transposed.Starts 0 pattern.Columns
            let moved = Array.zeroCreate pattern.Count

            for row in 0 .. pattern.Rows - 1 do
                for k in starts[row] .. starts[row + 1] - 1 do
                    moved[next[indices[k]]] <- numbers.Value[k]
                    next[indices[k]] <- next[indices[k]] + 1

            let moved = Tensor.ofArray [ moved.Length ] moved |> Tensor.convert values.DType
            SparseMatrix(transposed, Tensor.toDevice values.Device moved, false)

    /// The matrix [Rows; Columns], zeros included. Raises ArgumentRangeException for one of more than
    /// LinearOperator.denseLimit entries.
    member _.ToDense() : Tensor =
        let size = int64 pattern.Rows * int64 pattern.Columns

        if size > Shape.denseLimit then
            Fail.range (
                $"sparse matrix: {pattern.Rows} by {pattern.Columns} has {size} entries with its zeros, "
                + $"and the limit is {Shape.denseLimit}; products with it need no such memory"
            )

        let dense = Array.zeroCreate (int size)

        for row in 0 .. pattern.Rows - 1 do
            for k in starts[row] .. starts[row + 1] - 1 do
                dense[row * pattern.Columns + indices[k]] <- numbers.Value[k]

        Tensor.ofArray [ pattern.Rows; pattern.Columns ] dense
        |> Tensor.convert values.DType
        |> Tensor.toDevice values.Device

    /// Its products as an operator, symmetric where the matrix is. The transpose is known.
    member this.ToOperator() : LinearOperator =
        let products (matrix: SparseMatrix) = Products.ofMatmat matrix.Apply
        let transposed = lazy this.Transposed

        LinearOperator.Of
            { OperatorParts.define "sparse matrix" values.DType pattern.Rows pattern.Columns (products this) with
                Device = values.Device
                Adjoint = ValueSome(Products.ofMatmat (fun block -> transposed.Value.Apply block))
                Properties = if isSymmetric then OperatorProperties.Symmetric else OperatorProperties.None
            }

    override this.ToString() =
        let kind = if isSymmetric then "symmetric sparse matrix" else "sparse matrix"
        let entries = if pattern.Count = 1 then "1 entry" else $"{pattern.Count} entries"
        let head = $"{kind} of {pattern.Rows} by {pattern.Columns}, {values.DType}, {entries}"

        let items =
            seq {
                for row in 0 .. pattern.Rows - 1 do
                    for k in starts[row] .. starts[row + 1] - 1 do
                        $"  ({row}, {indices[k]})  {Numbers.show numbers.Value[k]}"
            }

        let left =
            if pattern.Count > listed then
                [ $"  … and {pattern.Count - listed} more" ]
            else
                []

        String.Join("\n", head :: List.ofSeq (Seq.truncate listed items) @ left)

    member internal this.Text = this.ToString()
