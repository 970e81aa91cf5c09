namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// A linear map Rⁿ → Rᵐ known by its products with vectors. Immutable, and safe to use from several threads where its
/// product is. Made by the modules LinearOperator, Hessian and their like; combined by + - * and LinearOperator's
/// functions.
///
/// An operator at a point θ holds the memory of what depends on θ. Disposing of it gives that back at once, and not
/// only when the garbage collector finds that nothing refers to it; products on other threads end first. Afterwards its
/// products raise DisposedException, and so do those of operators that are made of it. Disposing of an operator that is
/// made of others leaves these as they are.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LinearOperator internal (definition: OperatorDefinition, memory: IDisposable | null) =
    let mutable isDisposed = false

    let checkAlive () =
        if isDisposed then
            Fail.disposed $"{definition.Name}: the operator was disposed of, and cannot be applied any more"

    let show (shape: int[]) = Shape.show shape

    let checkResult (expected: int[]) (result: Tensor) =
        if result.Signature.Shape <> expected then
            Fail.shape (
                $"{definition.Name}: a product must have shape {show expected}, "
                + $"and it has {show result.Signature.Shape}"
            )

        if result.DType <> definition.DType then
            Fail.dtype $"{definition.Name}: a product must be {definition.DType}, and it is {result.DType}"

        result

    /// Names the vector whose product is not finite: the row of the result, which has `width` elements for each vector.
    let checkFinite (what: string) (vector: int -> string) width (result: Tensor) =
        match Finite.tryFind result with
        | ValueSome(struct (i, value)) ->
            let place = if width > 1 then $" at element {i % width}" else ""
            let name = vector (i / max 1 width)
            Fail.nonFinite $"{definition.Name}: the {what} {name} is {Finite.name value}{place}"
        | ValueNone -> result

    let checkDType (v: Tensor) =
        ArgumentNullException.ThrowIfNull(v, nameof v)

        if v.DType <> definition.DType then
            Fail.dtype $"{definition.Name}: vectors must be {definition.DType}, and these are {v.DType}"

    /// An operator that holds no memory.
    static member internal Of(definition: OperatorDefinition) = new LinearOperator(definition, null)

    member internal _.Definition = definition

    /// Gives back the memory that the operator holds; its products raise DisposedException from then on. Disposing of
    /// it again does nothing.
    member _.Dispose() =
        isDisposed <- true

        match memory with
        | null -> ()
        | memory -> memory.Dispose()

    interface IDisposable with
        member this.Dispose() = this.Dispose()

    /// What the operator is called in messages and reports.
    member _.Name = definition.Name

    /// m, the length of a product.
    member _.Rows = definition.Rows

    /// n, the length of the vectors that it multiplies.
    member _.Columns = definition.Columns

    /// The element type of vectors and products.
    member _.DType = definition.DType

    /// The device that multiplies: vectors and products live there.
    member _.Device = definition.Device

    /// What is claimed of it.
    member _.Properties = definition.Properties

    /// Whether it is claimed to equal its transpose.
    member _.IsSymmetric = definition.Properties.HasFlag OperatorProperties.Symmetric

    /// Whether it is claimed to have no negative eigenvalue.
    member _.IsPositiveSemidefinite = definition.Properties.HasFlag OperatorProperties.PositiveSemidefinite

    /// Why its numbers are doubtful, in sentences: for an operator over batches, that samples are coupled. An
    /// operator that is made of others has the warnings of all.
    member _.Warnings: System.Collections.Generic.IReadOnlyList<string> = definition.Warnings

    /// Whether it has as many rows as columns.
    member _.IsSquare = definition.Rows = definition.Columns

    /// A·v, where messages call vector number i of a block what they are told.
    member internal _.Multiply(v: Tensor, vector: int -> string) : Tensor =
        checkAlive ()
        checkDType v
        let finite = checkFinite "product with" vector definition.Rows

        match v.Signature.Shape with
        | [| n |] when n = definition.Columns ->
            definition.Product.Matvec v |> checkResult [| definition.Rows |] |> finite
        | [| k; n |] when n = definition.Columns ->
            definition.Product.Matmat v |> checkResult [| k; definition.Rows |] |> finite
        | shape ->
            Fail.shape (
                $"{definition.Name}: takes vectors [{definition.Columns}] or blocks [k; {definition.Columns}], "
                + $"and got {show shape}"
            )

    /// vᵀAv for each row of a block, where there is a way that is cheaper than the product; with names as in Multiply.
    member internal _.FormsNamed: ((int -> string) -> Tensor -> Tensor) voption =
        definition.Forms
        |> ValueOption.map (fun forms ->
            fun vector (block: Tensor) ->
                checkAlive ()
                checkDType block

                match block.Signature.Shape with
                | [| k; n |] when n = definition.Columns ->
                    forms block |> checkResult [| k |] |> checkFinite "quadratic form of" vector 1
                | shape ->
                    Fail.shape (
                        $"{definition.Name}: quadratic forms take a block [k; {definition.Columns}], "
                        + $"and got {show shape}"
                    ))

    /// A·v for one vector [n] → [m], or for a block of k of them, [k; n] → [k; m]: one matvec a vector.
    /// Raises ShapeException and DTypeException for vectors that do not fit, and NonFiniteException where a product
    /// is NaN or infinite.
    member this.Apply(v: Tensor) : Tensor =
        this.Multiply(v, (fun row -> if v.Rank = 1 then "the vector" else $"vector {row}"))

    /// Aᵀ. Raises OperatorException where its products are not known.
    member this.Transposed: LinearOperator =
        if this.IsSymmetric then
            this
        else
            LinearOperator.Of(OperatorAlgebra.transpose definition)

    /// vᵀAv for each row of a block, [k; n] → [k], where that is cheaper than the product; otherwise nothing.
    member internal this.QuadraticForms: (Tensor -> Tensor) option =
        this.FormsNamed |> ValueOption.map (fun forms -> forms (fun row -> $"vector {row}")) |> ValueOption.toOption

    /// Whether there is a way to vᵀAv that is cheaper than the product Av.
    member _.HasQuadraticForms = definition.Forms.IsSome

    /// vᵀAv for one vector [n], a scalar, or for a block of k of them, [k; n] → [k], by the cheapest way there is:
    /// without the products where HasQuadraticForms. Raises OperatorException for an operator that is not square, and
    /// otherwise as Apply.
    member this.QuadraticForm(v: Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(v, nameof v)

        if not this.IsSquare then
            Fail.operator (
                $"{definition.Name}: quadratic forms need a square operator, "
                + $"and this one has shape [{definition.Rows}; {definition.Columns}]"
            )

        match this.QuadraticForms, v.Rank with
        | Some forms, 1 -> forms (Tensor.unsqueeze 0 v) |> Tensor.squeeze 0
        | Some forms, _ -> forms v
        | None, 1 -> Tensor.dot v (this.Apply v) |> checkFinite "quadratic form of" (fun _ -> "the vector") 1
        | None, _ ->
            this.Apply v |> Products.rowDots v |> checkFinite "quadratic form of" (fun row -> $"vector {row}") 1

    /// The definition of an operand, which must not be null.
    static member private Given(operator: LinearOperator) : OperatorDefinition =
        ArgumentNullException.ThrowIfNull(operator, nameof operator)
        operator.Definition

    /// The sum, of the same shape and element type. Costs both products.
    static member (+)(a: LinearOperator, b: LinearOperator) : LinearOperator =
        OperatorAlgebra.sum (LinearOperator.Given a) (LinearOperator.Given b) |> LinearOperator.Of

    /// The difference, of the same shape and element type. Costs both products.
    static member (-)(a: LinearOperator, b: LinearOperator) : LinearOperator =
        OperatorAlgebra.difference (LinearOperator.Given a) (LinearOperator.Given b) |> LinearOperator.Of

    /// The composition A·B: first B, then A. Costs both products.
    static member (*)(a: LinearOperator, b: LinearOperator) : LinearOperator =
        OperatorAlgebra.compose (LinearOperator.Given a) (LinearOperator.Given b) |> LinearOperator.Of

    /// The operator times a number. Raises ArgumentRangeException for one that is not finite.
    static member (*)(factor: float, a: LinearOperator) : LinearOperator =
        OperatorAlgebra.scale factor (LinearOperator.Given a) |> LinearOperator.Of

    /// The operator times a number.
    static member (*)(a: LinearOperator, factor: float) : LinearOperator = factor * a

    /// −A.
    static member (~-)(a: LinearOperator) : LinearOperator = -1.0 * a

    override this.ToString() = $"{definition.Name} [{definition.Rows}; {definition.Columns}] {definition.DType}"

    member internal this.Text = this.ToString()
