namespace Curvature

/// Diagonals and triangles of matrices, which are the last two axes of a tensor.
module internal TensorTriangles =

    let private rowsAndColumns name (t: Tensor) : struct (int * int) =
        if t.Rank < 2 then
            Fail.shape $"{name}: a matrix is needed, and the shape is {t.ShapeText}"

        struct (t.Signature.Shape[t.Rank - 2], t.Signature.Shape[t.Rank - 1])

    let private diagonalOf name (t: Tensor) : Tensor =
        let struct (rows, columns) = rowsAndColumns name t
        let count = min rows columns
        let leading = List.ofArray t.Signature.Shape[.. t.Rank - 3]

        // Entry (i, i) of the first rows is number i·(columns + 1).
        TensorShapes.sliceStep -2 0 count 1 t
        |> TensorShapes.reshape (leading @ [ count * columns ])
        |> TensorShapes.sliceStep -1 0 count (columns + 1)

    let diagonal (t: Tensor) : Tensor = diagonalOf "diagonal" t

    let trace (t: Tensor) : Tensor = TensorSelection.sumAxes [ -1 ] (diagonalOf "trace" t)

    let diag (t: Tensor) : Tensor =
        if t.Rank = 0 then Fail.shape "diag: a vector is needed, and this is a scalar"

        let leading, count = List.ofArray t.Signature.Shape[.. t.Rank - 2], TensorReductions.lastLength t
        Shape.size [| count; count |] |> ignore

        // Rows of an entry and `count` zeros, cut anew after every `count` numbers.
        TensorShapes.unsqueeze -1 t
        |> TensorShapes.pad -1 0 count
        |> TensorShapes.reshape (leading @ [ count * (count + 1) ])
        |> TensorShapes.sliceStep -1 0 (count * count) 1
        |> TensorShapes.reshape (leading @ [ count; count ])

    /// Where `isKept` holds of row + offset and column; elsewhere 0.
    let private masked name (isKept: Tensor -> Tensor -> Tensor) (offset: int) (t: Tensor) : Tensor =
        let struct (rows, columns) = rowsAndColumns name t
        t.Signature.RequireNumbers name
        let numbered count = TensorCreation.toDevice t.Device (TensorCreation.arange t.DType count)
        let row = TensorShapes.unsqueeze -1 (numbered rows) + float offset
        Tensor.Where(isKept row (numbered columns), t, 0.0)

    let tril (offset: int) (t: Tensor) : Tensor =
        masked "tril" (fun row column -> Tensor.GreaterOrEqual(row, column)) offset t

    let triu (offset: int) (t: Tensor) : Tensor =
        masked "triu" (fun row column -> Tensor.GreaterOrEqual(column, row)) offset t
