namespace Curvature.FSharp

open System
open Curvature
open OperatorParts

/// Making linear operators, and making new ones of others. `+`, `-`, `*` (composition) and a number times an operator
/// are members of the type. Wherever the parts have quadratic forms or a transpose, what is made of them has.
[<RequireQualifiedAccess>]
module LinearOperator =

    // ---- from functions

    /// The operator of a linear function of vectors, [columns] → [rows], composed of tensor operations. Blocks of
    /// vectors run as one computation, and the transpose follows from the function by differentiation. Nothing is
    /// claimed; see `claim`.
    let ofFunction (dtype: DType) (rows: int) (columns: int) (f: Tensor -> Tensor) : LinearOperator =
        let pull (u: Tensor) = jacobianTv f (u.Fill([| columns |], 0.0)) u

        let definition = define "function" dtype rows columns (Products.ofMatvec f)
        LinearOperator.Of { definition with Adjoint = ValueSome(Products.ofMatvec pull) }

    /// The operator of a linear function of blocks, [k; columns] → [k; rows]. Its transpose is not known; see
    /// `withTranspose`.
    let ofBlockFunction (dtype: DType) (rows: int) (columns: int) (f: Tensor -> Tensor) : LinearOperator =
        LinearOperator.Of(define "block function" dtype rows columns (Products.ofMatmat f))

    /// The operator of any function that multiplies, on arrays of `columns` numbers to arrays of `rows`: the way to
    /// bring a product from another library. Vectors of a block are multiplied one after the other. See
    /// `withDelegateTranspose` and `claim`.
    let ofDelegate (dtype: DType) (rows: int) (columns: int) (f: float[] -> float[]) : LinearOperator =
        LinearOperator.Of(define "delegate" dtype rows columns (onArrays dtype f))

    // ---- saying more about an operator

    /// The operator under another name, for messages and reports.
    let named (name: string) (a: LinearOperator) : LinearOperator = LinearOperator.Of { a.Definition with Name = name }

    /// The operator for vectors on another device, where its function multiplies.
    let onDevice (device: Kernels.Device) (a: LinearOperator) : LinearOperator =
        LinearOperator.Of { a.Definition with Device = device }

    /// Claims properties of a square operator, beside those that it has. Nothing is checked.
    /// Raises OperatorException for an operator that is not square.
    let claim (properties: OperatorProperties) (a: LinearOperator) : LinearOperator =
        if properties <> OperatorProperties.None then requireSquare "claim" a

        LinearOperator.Of { a.Definition with Properties = a.Properties ||| properties }

    /// Gives the products with the transpose, as a function of blocks [k; rows] → [k; columns].
    let withTranspose (f: Tensor -> Tensor) (a: LinearOperator) : LinearOperator =
        LinearOperator.Of { a.Definition with Adjoint = ValueSome(Products.ofMatmat f) }

    /// Gives the products with the transpose, as a function of arrays.
    let withDelegateTranspose (f: float[] -> float[]) (a: LinearOperator) : LinearOperator =
        LinearOperator.Of { a.Definition with Adjoint = ValueSome(onArrays a.DType f) }

    /// Gives a cheaper way to vᵀAv than the product, as a function of blocks [k; n] → [k].
    /// Raises OperatorException for an operator that is not square.
    let withQuadraticForms (forms: Tensor -> Tensor) (a: LinearOperator) : LinearOperator =
        requireSquare "withQuadraticForms" a
        LinearOperator.Of { a.Definition with Forms = ValueSome forms }

    // ---- from numbers

    let private matrixOperator properties (matrix: Tensor) =
        Finite.check "ofMatrix: the matrix" matrix
        let rows, columns = matrix.Signature.Shape[0], matrix.Signature.Shape[1]

        let product =
            {
                Matvec = fun v -> Tensor.matmul matrix v
                Matmat = fun block -> Tensor.einsum "ij,kj->ki" matrix block
            }

        let adjoint =
            {
                Matvec = fun u -> Tensor.matmul u matrix
                Matmat = fun block -> Tensor.matmul block matrix
            }

        LinearOperator.Of
            { define "matrix" matrix.DType rows columns product with
                Device = matrix.Device
                Properties = properties
                Adjoint = ValueSome adjoint
            }

    /// The operator of a matrix [rows; columns]. It is symmetric where the matrix equals its transpose exactly.
    let ofMatrix (matrix: Tensor) : LinearOperator =
        requireMatrix "ofMatrix" matrix
        let square = matrix.Signature.Shape[0] = matrix.Signature.Shape[1]

        let properties =
            if square && isSymmetric 0.0 matrix then
                OperatorProperties.Symmetric
            else
                OperatorProperties.None

        matrixOperator properties matrix

    /// The operator of a matrix that is symmetric up to rounding: entries may differ from their mirror image by 1e-12
    /// (Float64) or 1e-5 (Float32) of the largest one. Raises OperatorException where they differ by more.
    let ofSymmetricMatrix (matrix: Tensor) : LinearOperator =
        requireMatrix "ofSymmetricMatrix" matrix
        let shape = matrix.Signature.Shape
        let tolerance = if matrix.DType = DType.Float64 then 1e-12 else 1e-5

        if shape[0] <> shape[1] || not (isSymmetric tolerance matrix) then
            Fail.operator $"ofSymmetricMatrix: the matrix of shape {Shape.show shape} does not equal its transpose"

        matrixOperator OperatorProperties.Symmetric matrix

    /// The operator that multiplies elementwise by a vector [n]: semidefinite where no entry is negative.
    let ofDiagonal (diagonal: Tensor) : LinearOperator =
        requireVector "ofDiagonal" diagonal
        Finite.check "ofDiagonal: the diagonal" diagonal
        let n = diagonal.Size
        let negative = isNull diagonal.Owner && diagonal.ToArray() |> Array.exists (fun d -> d < 0.0)

        let product =
            {
                Matvec = fun v -> diagonal * v
                Matmat = fun block -> diagonal * block
            }

        LinearOperator.Of
            { define "diagonal" diagonal.DType n n product with
                Device = diagonal.Device
                Properties =
                    if negative then
                        OperatorProperties.Symmetric
                    else
                        OperatorProperties.PositiveSemidefinite
                // A sum, because it keeps the digits of Float32 where a product of matrices may not.
                Forms = ValueSome(fun z -> Tensor.sumAxes [ 1 ] (z * z * diagonal))
            }

    /// λ·I of size n.
    let scalar (dtype: DType) (n: int) (lambda: float) : LinearOperator =
        if not (Double.IsFinite lambda) then
            Fail.range $"scalar: the number must be finite, and it is {lambda}"

        let multiply (t: Tensor) = lambda * t

        LinearOperator.Of
            { define $"{lambda} * identity" dtype n n { Matvec = multiply; Matmat = multiply } with
                Properties =
                    if lambda < 0.0 then
                        OperatorProperties.Symmetric
                    else
                        OperatorProperties.PositiveSemidefinite
                Forms = ValueSome(fun z -> lambda * Tensor.sumAxes [ 1 ] (z * z))
            }

    /// I of size n.
    let identity (dtype: DType) (n: int) : LinearOperator = scalar dtype n 1.0 |> named "identity"

    /// 0 : Rᶜᵒˡᵘᵐⁿˢ → Rʳᵒʷˢ.
    let zero (dtype: DType) (rows: int) (columns: int) : LinearOperator =
        let toward length =
            {
                Matvec = fun (v: Tensor) -> v.Fill([| length |], 0.0)
                Matmat = fun block -> block.Fill([| block.Signature.Shape[0]; length |], 0.0)
            }

        LinearOperator.Of
            { define "zero" dtype rows columns (toward rows) with
                Adjoint = ValueSome(toward columns)
                Properties =
                    if rows = columns then
                        OperatorProperties.PositiveSemidefinite
                    else
                        OperatorProperties.None
                Forms =
                    if rows = columns then
                        ValueSome(fun z -> z.Fill([| z.Signature.Shape[0] |], 0.0))
                    else
                        ValueNone
            }

    // ---- algebra

    /// c·A.
    let scale (factor: float) (a: LinearOperator) : LinearOperator = factor * a

    /// A + λI. Raises OperatorException for an operator that is not square.
    let shift (lambda: float) (a: LinearOperator) : LinearOperator =
        requireSquare "shift" a
        (a + scalar a.DType a.Columns lambda) |> named $"({a.Name} + {lambda} I)"

    /// A + λI with λ ≥ 0, as in Levenberg's and Marquardt's method. Raises ArgumentRangeException for a negative
    /// number.
    let damped (lambda: float) (a: LinearOperator) : LinearOperator =
        if not (lambda >= 0.0) then
            Fail.range $"damped: damping cannot be negative, and it is {lambda}"

        shift lambda a

    /// A·B: first B, then A.
    let compose (a: LinearOperator) (b: LinearOperator) : LinearOperator = a * b

    /// Aᵀ. Raises OperatorException where its products are not known.
    let transpose (a: LinearOperator) : LinearOperator = a.Transposed

    /// AᵀA, semidefinite. Costs a product with A and one with Aᵀ; its quadratic forms ‖Av‖² only the first.
    let gram (a: LinearOperator) : LinearOperator =
        let forms z = a.Definition.Product.Matmat z |> Tensor.square |> Tensor.sumAxes [ 1 ]

        LinearOperator.Of
            { (a.Transposed * a).Definition with
                Name = $"gram of {a.Name}"
                Properties = OperatorProperties.PositiveSemidefinite
                Forms = ValueSome forms
            }

    /// The symmetric part (A + Aᵀ)/2, which has the same quadratic forms.
    let symmetricPart (a: LinearOperator) : LinearOperator =
        requireSquare "symmetricPart" a

        if a.IsSymmetric then
            a
        else
            LinearOperator.Of
                { (0.5 * (a + a.Transposed)).Definition with
                    Name = $"symmetric part of {a.Name}"
                    Properties = OperatorProperties.Symmetric
                    Forms = a.Definition.Forms
                }

    /// Rows firstRow … firstRow + rowCount − 1 of columns firstColumn …: costs a product of the whole. A block on the
    /// diagonal keeps symmetry, definiteness and quadratic forms. Raises ArgumentRangeException for ranges outside
    /// the operator.
    let submatrix
        (firstRow: int, rowCount: int)
        (firstColumn: int, columnCount: int)
        (a: LinearOperator)
        : LinearOperator =
        LinearOperator.Of(OperatorBlocks.submatrix (firstRow, rowCount) (firstColumn, columnCount) a.Definition)

    /// The block on the diagonal that belongs to one range of indices.
    let block (first: int) (count: int) (a: LinearOperator) : LinearOperator = submatrix (first, count) (first, count) a

    /// Operators along the diagonal, zeros elsewhere. Raises ArgumentRangeException for none, DTypeException for mixed
    /// element types.
    let blockDiagonal (blocks: LinearOperator list) : LinearOperator =
        LinearOperator.Of(OperatorBlocks.diagonal (blocks |> List.map _.Definition))

    /// diag(d) + U·diag(c)·Uᵀ for vectors d [n] and c [r] and a matrix U [n; r]. Costs 4nr operations a product and
    /// never an n×n matrix. Semidefinite where neither d nor c has a negative entry.
    let lowRankPlusDiagonal (diagonal: Tensor) (factor: Tensor) (weights: Tensor) : LinearOperator =
        requireVector "lowRankPlusDiagonal: the diagonal" diagonal
        requireMatrix "lowRankPlusDiagonal: the factor" factor
        requireVector "lowRankPlusDiagonal: the weights" weights

        if factor.Signature.Shape <> [| diagonal.Size; weights.Size |] then
            Fail.shape (
                $"lowRankPlusDiagonal: the factor must have shape [{diagonal.Size}; {weights.Size}], "
                + $"and it has {Shape.show factor.Signature.Shape}"
            )

        let u = ofMatrix factor
        let low = u * ofDiagonal weights * u.Transposed
        let main = ofDiagonal diagonal
        let forms z = Tensor.matmul (Tensor.square (Tensor.matmul z factor)) weights

        let low =
            LinearOperator.Of
                { low.Definition with
                    Properties = (ofDiagonal weights).Properties
                    Forms = ValueSome forms
                }

        main + low |> named "low rank plus diagonal"

    // ---- writing it out

    /// The largest matrix, in entries, that `dense` writes out: 512 MiB of Float64.
    let denseLimit = Shape.denseLimit

    /// The matrix [rows; columns] of an operator, of at most `limit` entries: one matvec a column.
    /// Raises ArgumentRangeException for a larger one.
    let denseWithin (limit: int64) (a: LinearOperator) : Tensor =
        let size = int64 a.Rows * int64 a.Columns

        if size > limit then
            Fail.range (
                $"dense: {a.Name} of shape [{a.Rows}; {a.Columns}] has {size} entries, and the limit is {limit}; "
                + "products with it need no such memory"
            )

        if size = 0L then
            Tensor.zeros a.DType [ a.Rows; a.Columns ] |> Tensor.toDevice a.Device
        else
            [
                for start in 0..basisBlock .. a.Columns - 1 do
                    a.Apply(basis a.Device a.DType a.Columns start (min basisBlock (a.Columns - start)))
            ]
            |> Tensor.concat 0
            |> Tensor.transpose

    /// The matrix [rows; columns] of an operator of at most `denseLimit` entries: one matvec a column.
    /// Raises ArgumentRangeException for a larger one.
    let dense (a: LinearOperator) : Tensor = denseWithin denseLimit a
