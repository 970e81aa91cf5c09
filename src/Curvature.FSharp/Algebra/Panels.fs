namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Many vectors of the same length as the rows of blocks [p; n]. Blocks stay as they are, so that adding more copies
/// nothing.
[<Sealed>]
type internal Panels(n: int) =
    let blocks = ResizeArray<Tensor>()
    let mutable count = 0

    /// Blocks with fewer vectors are joined.
    static member private Small = 16

    /// The length of the vectors.
    member _.Length = n

    /// How many vectors there are.
    member _.Count = count

    /// The blocks, in order.
    member _.Blocks: Tensor seq = blocks

    /// Adds the rows of a block. Small blocks are joined, so that there are few.
    member _.Add(block: Tensor) =
        let rows (t: Tensor) = t.Signature.Shape[0]

        if rows block > 0 then
            count <- count + rows block
            let last = blocks.Count - 1

            if last >= 0 && rows blocks[last] + rows block <= Panels.Small then
                blocks[last] <- Tensor.concat 0 [ blocks[last]; block ]
            else
                blocks.Add block

    /// The blocks with the number of the first vector of each.
    member _.Numbered: struct (int * Tensor) list =
        [
            let mutable first = 0

            for block in blocks do
                struct (first, block)
                first <- first + block.Signature.Shape[0]
        ]

/// Products of tall blocks with each other and with small matrices. Vectors are rows.
module internal Rows =

    /// Float32 vectors are widened this many elements at a time.
    let private chunk = 1 <<< 16

    let count (block: Tensor) = block.Signature.Shape[0]

    /// ⟨aᵢ, bⱼ⟩ for the rows of two blocks: a matrix of numbers summed in Float64, whatever the element type.
    let products (a: Tensor) (b: Tensor) : Matrix<float> =
        let n = a.Signature.Shape[1]

        let total =
            if a.DType = DType.Float64 then
                (Tensor.einsum "in,jn->ij" a b).ToArray()
            else
                let wide start (t: Tensor) =
                    Tensor.slice 1 start (min chunk (n - start)) t |> Tensor.convert DType.Float64

                [ 0..chunk .. n - 1 ]
                |> List.map (fun start -> Tensor.einsum "in,jn->ij" (wide start a) (wide start b))
                |> List.reduce (+)
                |> _.ToArray()

        SmallMatrices.ofRows (count a) (count b) total

    /// The squared length of each row.
    let squares (block: Tensor) : float[] = (Tensor.sumAxes [ 1 ] (Tensor.square block)).ToArray()

    /// The length of a vector whose square is known: its root, or where squares may have vanished or overflowed, a
    /// scaled norm.
    let lengthFrom (square: float) (v: Tensor) : float =
        if square > 1e-280 && square < infinity then
            sqrt square
        else
            (Tensor.norm (Tensor.convert DType.Float64 v)).ToScalar()

    /// The length of a block of one row.
    let norm (row: Tensor) : float =
        let square = (products row row)[0, 0]
        lengthFrom square row

    /// A power of two near the largest element of a block where squares of such numbers may vanish or overflow, and 1
    /// elsewhere.
    let unit (largestSquare: float) (block: Tensor) : float =
        if block.Size = 0 || largestSquare > 1e-280 && largestSquare < 1e280 then
            1.0
        else
            match (Tensor.max (Tensor.flatten (Tensor.abs block))).ToScalar() with
            | 0.0 -> 1.0
            | largest -> System.Math.ScaleB(1.0, System.Math.ILogB largest)

    /// Σⱼ cᵢⱼ bⱼ for the rows b of a block, in its element type.
    let combine (c: Matrix<float>) (block: Tensor) : Tensor =
        let coefficients = Tensor.ofArray [ c.RowCount; c.ColumnCount ] (c.ToRowMajorArray())
        Tensor.einsum "ij,jn->in" (coefficients |> Tensor.convert block.DType |> Tensor.toDevice block.Device) block

    /// A number for each row of a block, as a column of its element type.
    let column (block: Tensor) (values: float[]) : Tensor =
        Tensor.ofArray [ values.Length; 1 ] values |> Tensor.convert block.DType |> Tensor.toDevice block.Device

    /// The rows with these numbers.
    let choose (numbers: int list) (block: Tensor) : Tensor =
        if numbers = [ 0 .. count block - 1 ] then
            block
        else
            let index = Tensor.ofIndices [ numbers.Length ] (List.toArray numbers)
            Tensor.take 0 (Tensor.toDevice block.Device index) block

    /// ⟨pᵢ, bⱼ⟩ for all vectors p of some panels and the rows b of a block.
    let productsWith (panels: Panels) (block: Tensor) : Matrix<float> =
        let result = SmallMatrices.zeros panels.Count (count block)

        for struct (first, panel) in panels.Numbered do
            result.SetSubMatrix(first, 0, products panel block)

        result

    /// ⟨pᵢ, qⱼ⟩ for all vectors of two collections of panels.
    let productsOf (p: Panels) (q: Panels) : Matrix<float> =
        let result = SmallMatrices.zeros p.Count q.Count

        for struct (first, panel) in q.Numbered do
            result.SetSubMatrix(0, first, productsWith p panel)

        result

    /// Σⱼ cᵢⱼ pⱼ for all vectors p of some panels, of which there is at least one.
    let combineAll (c: Matrix<float>) (panels: Panels) : Tensor =
        panels.Numbered
        |> List.map (fun struct (first, panel) -> combine (c.SubMatrix(0, c.RowCount, first, count panel)) panel)
        |> List.reduce (+)

    /// What is left of the rows of a block without their parts along an orthonormal basis.
    let without (basis: Panels) (block: Tensor) : Tensor =
        Seq.fold (fun rest panel -> rest - combine (products rest panel) panel) block basis.Blocks
