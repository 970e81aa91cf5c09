namespace Curvature.FSharp

open System
open Curvature

/// Rows for training and rows for testing, drawn by a key. Each part has its rows in the order of the data.
[<RequireQualifiedAccess>]
module Split =

    let private checkShare name (share: float) =
        if not (share > 0.0 && share < 1.0) then
            Fail.range $"{name}: a share of rows for testing between 0 and 1 is needed, and it is {share}"

    let private parts name (rows: int) (test: int[]) : int[] * int[] =
        if test.Length = 0 || test.Length = rows then
            Fail.range $"{name}: a part would be empty: of {rows} rows, {test.Length} would be for testing"

        let isTest = Array.create rows false
        test |> Array.iter (fun row -> isTest[row] <- true)
        [| 0 .. rows - 1 |] |> Array.partition (fun row -> not isTest[row])

    let private count (share: float) (rows: int) = int (Math.Round(share * float rows, MidpointRounding.AwayFromZero))

    /// The rows for training and those for testing of rows 0 … rows − 1. Those for testing are the given share of all,
    /// to the nearest number, and every choice of them is equally likely.
    /// Raises ArgumentRangeException unless 0 < share < 1 and no part is empty.
    let trainTest (share: float) (key: Key) (rows: int) : int[] * int[] =
        let name = "Split.trainTest"
        checkShare name share
        Batches.shuffled key rows |> Array.truncate (count share rows) |> parts name rows

    /// The same within each class: of the rows of a class, given by Int32 labels [rows], the share for testing is the
    /// nearest number of rows. Classes of few rows may have none in a part.
    /// Raises DTypeException for labels that are not Int32, ShapeException for other than one axis, and
    /// ArgumentRangeException unless 0 < share < 1 and no part is empty.
    let stratified (share: float) (key: Key) (labels: Tensor) : int[] * int[] =
        let name = "Split.stratified"
        checkShare name share

        if labels.DType <> DType.Int32 then
            Fail.dtype $"{name}: labels are Int32, and these are {labels.DType}"

        if labels.Rank <> 1 then
            Fail.shape $"{name}: labels [rows] are needed, and their shape is {Shape.show labels.Shape}"

        let classes = labels.ToInt32Array()

        Batches.shuffled key classes.Length
        |> Array.groupBy (Array.get classes)
        |> Array.collect (fun (_, rows) -> Array.truncate (count share rows.Length) rows)
        |> parts name classes.Length
