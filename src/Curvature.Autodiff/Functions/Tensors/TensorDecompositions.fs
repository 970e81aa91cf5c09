namespace Curvature

/// Linear algebra of small dense matrices, which are the last two axes of a tensor.
module internal TensorDecompositions =

    let solve (a: Tensor) (b: Tensor) : Tensor =
        let shapes () = $"{a.ShapeText} and {b.ShapeText}"

        if a.Rank < 2 || b.Rank = 0 then
            Fail.shape $"solve: a matrix and a vector or matrix are needed, and the shapes are {shapes ()}"

        let sides = if b.Rank = 1 then TensorShapes.unsqueeze -1 b else b
        let leading (t: Tensor) = MatrixShape.leading t.Signature.Shape
        let batch = Shape.broadcast "solve" (leading a) (leading sides)
        let expand (t: Tensor) = t.BroadcastTo(Array.append batch t.Signature.Shape[t.Rank - 2 ..])
        let solution = Tensor.Of(Decompositions.Solve "solve", expand a, expand sides)
        if b.Rank = 1 then TensorShapes.squeeze -1 solution else solution

    let inverse (a: Tensor) : Tensor =
        MatrixShape.checkSquare "inverse" a.Signature
        Decompositions.inverse "inverse" a

    let cholesky (a: Tensor) : Tensor = Tensor.Of(Decompositions.Cholesky(), a)

    let eigh (a: Tensor) : Tensor * Tensor =
        let results = Interpreter.Bind(Decompositions.EigH(), a)
        results[0], results[1]

    let svd (a: Tensor) : Tensor * Tensor * Tensor =
        let results = Interpreter.Bind(Decompositions.Svd(), a)
        results[0], results[1], results[2]

    let qr (a: Tensor) : Tensor * Tensor =
        MatrixShape.check "qr" a.Signature
        let rows, columns = MatrixShape.rows a.Signature.Shape, MatrixShape.columns a.Signature.Shape

        // Q of a wide matrix is that of its first columns, and R = QᵀA.
        let square = if rows < columns then TensorShapes.sliceStep -1 0 rows 1 a else a
        let results = Interpreter.Bind(Decompositions.Qr(), square)
        let q, r = results[0], results[1]

        if rows < columns then
            let others = TensorShapes.sliceStep -1 rows (columns - rows) 1 a
            q, TensorShapes.concat -1 [ r; TensorProducts.matmul (TensorShapes.transpose q) others ]
        else
            q, r

    let private determinant (name: string) (a: Tensor) : Tensor[] = Interpreter.Bind(Decompositions.Determinant name, a)

    let det (a: Tensor) : Tensor = (determinant "det" a)[0]

    let logdet (a: Tensor) : Tensor = (determinant "logdet" a)[2]

    let slogdet (a: Tensor) : Tensor * Tensor =
        let results = determinant "slogdet" a
        results[1], results[2]
