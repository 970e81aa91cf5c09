namespace Curvature.FSharp

open System
open System.IO
open Curvature

/// Matrices in the Matrix Market's exchange format (Boisvert, Pozo & Remington 1996), plain or compressed by gzip:
/// coordinate or array; real, integer or pattern; general, symmetric or skew-symmetric.
[<RequireQualifiedAccess>]
module MatrixMarket =

    let private dense (entries: MatrixEntries) : Tensor =
        if int64 entries.Rows * int64 entries.Columns > LinearOperator.denseLimit then
            Fail.range (
                $"MatrixMarket.readDense: a matrix of {entries.Rows} by {entries.Columns} has more than "
                + $"{LinearOperator.denseLimit} entries; read it as an operator"
            )

        let values = Array.zeroCreate (entries.Rows * entries.Columns)

        for struct (row, column, value) in entries.Items do
            values[row * entries.Columns + column] <- value

        Tensor.ofArray [ entries.Rows; entries.Columns ] values

    let private operator (name: string) (entries: MatrixEntries) : LinearOperator =
        let column pick = entries.Items.ToArray() |> Array.map pick
        let index items = Tensor.ofIndices [ Array.length items ] items
        let rows = index (column (fun struct (row, _, _) -> row))
        let columns = index (column (fun struct (_, column, _) -> column))
        let values = column (fun struct (_, _, value) -> value) |> fun v -> Tensor.ofArray [ v.Length ] v

        let product from into length (block: Tensor) =
            if values.Size = 0 then
                Tensor.zeros DType.Float64 [ block.Shape[0]; length ]
            else
                Tensor.scatterAdd 1 length into (Tensor.take 1 from block * values)

        let operator =
            LinearOperator.ofBlockFunction
                DType.Float64
                entries.Rows
                entries.Columns
                (product columns rows entries.Rows)
            |> LinearOperator.withTranspose (product rows columns entries.Columns)
            |> LinearOperator.named name

        if entries.IsSymmetric then
            LinearOperator.claim OperatorProperties.Symmetric operator
        else
            operator

    /// The matrix [rows; columns] of a file, Float64. Raises DataException, with the line, for a file that is missing,
    /// malformed, cut short or exceeds the limits, and ArgumentRangeException for a matrix of more than
    /// LinearOperator.denseLimit entries.
    let readDenseWith (limits: ReadLimits) (path: string) : Tensor =
        DataFile.read limits path MatrixMarketFile.parse |> dense

    /// The matrix [rows; columns] of a file, Float64, within the default limits.
    let readDense (path: string) : Tensor = readDenseWith ReadLimits.Default path

    /// The operator of a file, Float64, whose products cost an operation for each entry that is not 0. Symmetric where
    /// the file says so. An entry takes 64 bytes of the limit. Raises DataException, with the line, for a file that is
    /// missing, malformed, cut short or exceeds the limits.
    let readWith (limits: ReadLimits) (path: string) : LinearOperator =
        DataFile.read limits path MatrixMarketFile.parse
        |> operator (Path.GetFileNameWithoutExtension(path.AsSpan()).ToString())

    /// The operator of a file, Float64, within the default limits.
    let read (path: string) : LinearOperator = readWith ReadLimits.Default path

    /// The operator of a stream that can seek; the name is for messages, and becomes the operator's.
    let readStream (limits: ReadLimits) (name: string) (stream: Stream) : LinearOperator =
        let reading = Reading(name, limits)
        DataFile.readStream reading stream (MatrixMarketFile.parse reading) |> operator name
