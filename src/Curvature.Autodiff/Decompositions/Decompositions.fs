namespace Curvature

open Curvature.Kernels

/// The primitives of dense linear algebra. Rules of derivatives: Giles 2008, "Collected matrix derivative results for
/// forward and reverse mode algorithmic differentiation"; Walter & Lehmann 2010 for QR. They are written with functions
/// of tensors and with the primitives themselves, so that derivatives have derivatives. What does not depend on
/// tangents, such as L⁻¹, is computed once for all tangents.
module internal Decompositions =

    let private mul (a: Tensor) (b: Tensor) : Tensor = TensorProducts.matmul a b
    let private t (a: Tensor) : Tensor = TensorShapes.transpose a
    let private symmetricPart (a: Tensor) : Tensor = 0.5 * (a + t a)

    /// The identity of a size, on the device and in the element type of another tensor.
    let identity (size: int) (like: Tensor) : Tensor =
        TensorCreation.toDevice like.Device (TensorCreation.eye like.DType size)

    let private size (a: Tensor) = MatrixShape.columns a.Signature.Shape

    /// X with AX = B by A = PLU. A has shape […, n, n] and B […, n, k].
    [<Sealed>]
    type Solve(name: string) =
        inherit MatrixPrimitive("Solve", name)

        override _.Infer operands =
            let a, b = operands[0], operands[1]
            MatrixShape.checkSquare name a

            if a.DType <> b.DType then
                Fail.dtype $"{name}: matrices are {a.DType} and right-hand sides {b.DType}; convert one of them"

            let leading = a.Shape[.. a.Shape.Length - 2]

            if b.Shape.Length <> a.Shape.Length || b.Shape[.. b.Shape.Length - 2] <> leading then
                Fail.shape (
                    $"{name}: right-hand sides of shape {Shape.show b.Shape} do not fit matrices of shape "
                    + Shape.show a.Shape
                )

            [| b |]

        override _.Compute(what, shapes, matrices) =
            let n, count = MatrixShape.rows shapes[0], MatrixShape.columns shapes[1]
            [| DenseFactorizations.solve $"{name}: {what}" n count matrices[0] matrices[1] |]

        override this.Jvp(primals, results, tangents) =
            let ofMatrix = tangents[0] |> Tangent.map (fun da -> -(mul da results[0]))

            [|
                Tangent.add tangents[1] ofMatrix |> Tangent.map (fun side -> Tensor.Of(this, primals[0], side))
            |]

        /// A₀X_k = B_k − Σ_{i=1…k} A_i X_{k−i}.
        override this.Series(primals, results, coefficients) =
            let found = Array.create (Taylor.order coefficients) ValueNone
            let matrix i = if i = 0 then ValueNone else coefficients[0][i - 1]
            let solution i = if i = 0 then ValueSome results[0] else found[i - 1]

            for k in 1 .. found.Length do
                let known = Taylor.product mul matrix solution k |> Tangent.map (fun known -> -known)

                found[k - 1] <-
                    Tangent.add (coefficients[1][k - 1]) known
                    |> Tangent.map (fun side -> Tensor.Of(this, primals[0], side))

            [| found |]

        override this.Transpose(cotangents, operands) =
            match operands[0] with
            | Known a -> [| ValueNone; cotangents[0] |> Tangent.map (fun c -> Tensor.Of(this, t a, c)) |]
            | Unknown _ -> Fail.differentiation $"{name} is not linear in its matrix"

        override this.Batch(batch, operands, batched) =
            if batched[0] then
                Interpreter.Bind(this, Batched.align batch operands batched)
            else
                // One factorization serves all right-hand sides: the batch becomes more columns.
                let shape = operands[1].Signature.Shape
                let axes = shape.Length
                let leading, rows, columns = shape[1 .. axes - 3], shape[axes - 2], shape[axes - 1]
                let order = Array.concat [ [| 1 .. axes - 2 |]; [| 0; axes - 1 |] ]
                let apart = Array.concat [ leading; [| rows; batch; columns |] ]
                let permute = Structure.Permute order

                let sides =
                    Tensor.Of(
                        Structure.Reshape(Array.append leading [| rows; batch * columns |]),
                        Tensor.Of(permute, operands[1])
                    )

                let solution = Tensor.Of(this, operands[0], sides)
                [| Tensor.Of(Structure.Permute permute.Inverse, Tensor.Of(Structure.Reshape apart, solution)) |]

    /// A⁻¹; the name is for errors.
    let inverse (name: string) (a: Tensor) : Tensor =
        Tensor.Of(Solve name, a, (identity (size a) a).BroadcastTo a.Signature.Shape)

    /// The lower factor L of the symmetric part of A. dL = L Φ(L⁻¹ dA L⁻ᵀ), where Φ takes the lower triangle and half
    /// of the diagonal.
    [<Sealed>]
    type Cholesky() =
        inherit MatrixPrimitive("Cholesky", null)

        override _.Infer operands =
            MatrixShape.checkSquare "cholesky" operands[0]
            operands

        override _.Compute(what, shapes, matrices) =
            [| DenseFactorizations.cholesky $"cholesky: {what}" (MatrixShape.rows shapes[0]) matrices[0] |]

        override _.Jvp(_, results, tangents) =
            let l = results[0]
            let inverse = inverse "cholesky" l
            let unit = identity (size l) l
            let phi = TensorTriangles.tril 0 (unit.FillLike 1.0) - 0.5 * unit

            [|
                tangents[0] |> Tangent.map (fun da -> mul l (phi * mul (mul inverse (symmetricPart da)) (t inverse)))
            |]

    /// Ascending eigenvalues λ and eigenvectors V of the symmetric part of A. With P = Vᵀ dA V, dλ = diag P and
    /// dV = V(F∘P), where F_ij = 1/(λ_j − λ_i) beside the diagonal, which is infinite where eigenvalues coincide.
    [<Sealed>]
    type EigH() =
        inherit MatrixPrimitive("EigH", null)

        override _.Infer operands =
            let a = operands[0]
            MatrixShape.checkSquare "eigh" a
            [| { a with Shape = a.Shape[.. a.Shape.Length - 2] }; a |]

        override _.Compute(_, shapes, matrices) = DenseFactorizations.eigh (MatrixShape.rows shapes[0]) matrices[0]

        override _.Jvp(_, results, tangents) =
            let values, v = results[0], results[1]
            let unit = identity (size v) v
            let gaps: Tensor = TensorShapes.unsqueeze -2 values - TensorShapes.unsqueeze -1 values
            let f = (1.0 - unit) / (gaps + unit)
            let p = tangents[0] |> Tangent.map (fun da -> mul (t v) (mul (symmetricPart da) v))
            [| Tangent.map TensorTriangles.diagonal p; p |> Tangent.map (fun p -> mul v (f * p)) |]

    /// The thin factors U, s and V of A = U diag(s) Vᵀ. With P = Uᵀ dA V, ds = diag P,
    /// dU = U(F∘(PS + SPᵀ)) + (I − UUᵀ) dA V S⁻¹ and dV = V(F∘(SP + PᵀS)) + (I − VVᵀ) dAᵀ U S⁻¹, where
    /// F_ij = 1/(s_j² − s_i²) beside the diagonal.
    [<Sealed>]
    type Svd() =
        inherit MatrixPrimitive("Svd", null)

        /// (I − QQᵀ) X S⁻¹ for Qᵀ X = P.
        static let outside (q: Tensor) (x: Tensor) (p: Tensor) (row: Tensor) : Tensor = (x - mul q p) / row

        override _.Infer operands =
            let a = operands[0]
            MatrixShape.check "svd" a
            let leading = MatrixShape.leading a.Shape
            let rows, columns = MatrixShape.rows a.Shape, MatrixShape.columns a.Shape
            let count = min rows columns
            let result shape : Signature = { a with Shape = Array.append leading shape }
            [| result [| rows; count |]; result [| count |]; result [| columns; count |] |]

        override _.Compute(_, shapes, matrices) =
            DenseFactorizations.svd (MatrixShape.rows shapes[0]) (MatrixShape.columns shapes[0]) matrices[0]

        override _.Jvp(primals, results, tangents) =
            let u, s, v = results[0], results[1], results[2]
            let shape = primals[0].Signature.Shape
            let unit = identity (size u) u
            let row, column = TensorShapes.unsqueeze -2 s, TensorShapes.unsqueeze -1 s
            let f = (1.0 - unit) / ((row - column) * (row + column) + unit)

            match tangents[0] with
            | ValueNone -> [| ValueNone; ValueNone; ValueNone |]
            | ValueSome da ->
                let p = mul (t u) (mul da v)
                let du = mul u (f * (p * row + column * t p))
                let dv = mul v (f * (column * p + t p * row))
                let isTall = MatrixShape.rows shape > MatrixShape.columns shape
                let isWide = MatrixShape.rows shape < MatrixShape.columns shape

                [|
                    ValueSome(if isTall then du + outside u (mul da v) p row else du)
                    ValueSome(TensorTriangles.diagonal p)
                    ValueSome(if isWide then dv + outside v (mul (t da) u) (t p) row else dv)
                |]

    /// The thin factors of A = QR, with no fewer rows than columns. With C = dA R⁻¹, M = QᵀC, and T the upper triangle
    /// of M plus the transpose of what is below the diagonal, dR = TR and dQ = C − QT.
    [<Sealed>]
    type Qr() =
        inherit MatrixPrimitive("Qr", null)

        override _.Infer operands =
            let a = operands[0]
            MatrixShape.check "qr" a
            let columns = MatrixShape.columns a.Shape

            if MatrixShape.rows a.Shape < columns then
                Fail.shape $"qr: {Shape.show a.Shape} has fewer rows than columns"

            [|
                a
                { a with
                    Shape = Array.append (MatrixShape.leading a.Shape) [| columns; columns |]
                }
            |]

        override _.Compute(_, shapes, matrices) =
            DenseFactorizations.qr (MatrixShape.rows shapes[0]) (MatrixShape.columns shapes[0]) matrices[0]

        override _.Jvp(_, results, tangents) =
            let q, r = results[0], results[1]
            let inverse = inverse "the derivative of qr" r
            let c = tangents[0] |> Tangent.map (fun da -> mul da inverse)

            let upper =
                c
                |> Tangent.map (fun c ->
                    let m = mul (t q) c
                    TensorTriangles.triu 0 m + t (TensorTriangles.tril -1 m))

            [|
                Tangent.add c (upper |> Tangent.map (fun upper -> -(mul q upper)))
                upper |> Tangent.map (fun upper -> mul upper r)
            |]

    /// det A, its sign, and ln |det A|, whose derivative is tr(A⁻¹ dA). The name is for errors.
    [<Sealed>]
    type Determinant(name: string) =
        inherit MatrixPrimitive("Determinant", name)

        override _.Infer operands =
            MatrixShape.checkSquare name operands[0]
            let result = { operands[0] with Shape = MatrixShape.leading operands[0].Shape }
            [| result; result; result |]

        override _.Compute(_, shapes, matrices) =
            match MatrixShape.rows shapes[0] with
            | 0 -> [| [| 1.0 |]; [| 1.0 |]; [| 0.0 |] |]
            | n -> DenseFactorizations.determinant n matrices[0]

        override _.Jvp(primals, results, tangents) =
            let inverse = t (inverse $"the derivative of {name}" primals[0])

            let logarithm =
                tangents[0]
                |> Tangent.map (fun da ->
                    let product: Tensor = inverse * da
                    product.SumOver [| product.Rank - 2; product.Rank - 1 |])

            [| logarithm |> Tangent.map (fun d -> results[0] * d); ValueNone; logarithm |]
