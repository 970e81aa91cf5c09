namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// Making sparse matrices, and reading and writing them in the Matrix Market's exchange format.
[<RequireQualifiedAccess>]
module SparseMatrix =

    /// From entries, each of which occurs once, in any order.
    let private ofItems
        (dtype: DType)
        (rows: int, columns: int)
        (isSymmetric: bool)
        (items: struct (int * int * float)[])
        =
        let sorted = items |> Array.sortBy (fun (struct (row, column, _)) -> struct (row, column))
        let starts = Array.zeroCreate (rows + 1)

        for struct (row, _, _) in sorted do
            starts[row + 1] <- starts[row + 1] + 1

        for row in 1..rows do
            starts[row] <- starts[row] + starts[row - 1]

        let indices = sorted |> Array.map (fun (struct (_, column, _)) -> column)
        let values = sorted |> Array.map (fun (struct (_, _, value)) -> value)
        let tensor = Tensor.ofArray [ values.Length ] values |> Tensor.convert dtype
        SparseMatrix(SparsityPattern(rows, columns, starts, indices), tensor, isSymmetric)

    /// From the rows, columns and values of entries, in any order; Float64. Rows and columns are counted from 0.
    /// Raises ArgumentRangeException for an entry outside the matrix, or one that is there twice, ShapeException for
    /// lists of different lengths, and NonFiniteException for NaN and infinity.
    let ofEntries (rows: int) (columns: int) (entries: struct (int * int * float) seq) : SparseMatrix =
        OperatorParts.checkSize "SparseMatrix.ofEntries" rows columns
        ArgumentNullException.ThrowIfNull(entries, nameof entries)
        let items = Seq.toArray entries
        let seen = Collections.Generic.HashSet<struct (int * int)>()

        for struct (row, column, value) in items do
            if row < 0 || row >= rows || column < 0 || column >= columns then
                Fail.range $"SparseMatrix.ofEntries: entry ({row}, {column}) is outside of {rows} by {columns}"

            if not (seen.Add(struct (row, column))) then
                Fail.range $"SparseMatrix.ofEntries: entry ({row}, {column}) is there twice; add them up"

            if not (Double.IsFinite value) then
                Fail.nonFinite $"SparseMatrix.ofEntries: entry ({row}, {column}) is {Finite.name value}"

        ofItems DType.Float64 (rows, columns) false items

    /// The entries of a matrix that are not 0. It is symmetric where it equals its transpose to the last bit.
    /// Raises ShapeException for a tensor that is no matrix, and NonFiniteException for NaN and infinity.
    let ofDense (matrix: Tensor) : SparseMatrix =
        ArgumentNullException.ThrowIfNull(matrix, nameof matrix)
        OperatorParts.requireMatrix "SparseMatrix.ofDense" matrix
        Finite.check "SparseMatrix.ofDense: the matrix" matrix
        let rows, columns = matrix.Signature.Shape[0], matrix.Signature.Shape[1]
        let values = matrix.ToArray()

        let items =
            [|
                for i in 0 .. values.Length - 1 do
                    if values[i] <> 0.0 then struct (i / columns, i % columns, values[i])
            |]

        let isSymmetric = rows = columns && OperatorParts.isSymmetric 0.0 matrix
        ofItems matrix.DType (rows, columns) isSymmetric items

    /// The matrix of a file in the Matrix Market's exchange format, Float64, plain or compressed by gzip; symmetric
    /// where the file says so. Zeros that the file lists are kept. An entry takes 64 bytes of the limit. Raises
    /// DataException, with the line, for a file that is missing, malformed, cut short or exceeds the limits.
    let readWith (limits: ReadLimits) (path: string) : SparseMatrix =
        let entries = DataFile.read limits path MatrixMarketFile.parse
        ofItems DType.Float64 (entries.Rows, entries.Columns) entries.IsSymmetric (entries.Items.ToArray())

    /// The matrix of a file in the Matrix Market's exchange format, within the default limits.
    let read (path: string) : SparseMatrix = readWith ReadLimits.Default path

    /// Writes a file in the Matrix Market's exchange format: coordinates of real numbers, the lower triangle of a
    /// symmetric matrix. The digits give the same numbers when they are read. The file is written as a whole or not at
    /// all. Raises DataException, with the path and the reason, where it cannot be written.
    let write (path: string) (matrix: SparseMatrix) : unit =
        ArgumentNullException.ThrowIfNull(matrix, nameof matrix)
        let starts, indices, values = matrix.Pattern.Starts, matrix.Pattern.Indices, matrix.Values.ToArray()

        let items =
            [|
                for row in 0 .. matrix.Rows - 1 do
                    for k in starts[row] .. starts[row + 1] - 1 do
                        if not matrix.IsSymmetric || indices[k] <= row then
                            struct (row, indices[k], values[k])
            |]

        AtomicFile.write path (fun stream ->
            MatrixMarketFile.write stream (matrix.Rows, matrix.Columns) matrix.IsSymmetric items)
