namespace Curvature

open System
open Curvature.FSharp

/// What is claimed of an operator. Algorithms that need a property ask for the claim; it is not proved.
[<Flags>]
type OperatorProperties =
    /// Nothing is claimed.
    | None = 0
    /// A = Aᵀ.
    | Symmetric = 1
    /// A = Aᵀ and vᵀAv ≥ 0 for every v.
    | PositiveSemidefinite = 3

/// How a map is applied to a vector and to a block of them.
[<NoEquality; NoComparison>]
type internal Products = { Single: Tensor -> Tensor; Block: Tensor -> Tensor }

/// What an operator is made of.
[<NoEquality; NoComparison>]
type internal OperatorDefinition =
    {
        Name: string
        Rows: int
        Columns: int
        DType: DType
        Device: Kernels.Device
        Properties: OperatorProperties
        Product: Products
        /// The products of the transpose; missing where they are the same, or not known.
        Adjoint: Products voption
        /// [k; n] → [k]
        Forms: (Tensor -> Tensor) voption
        /// For a mean or a sum over batches, what each batch alone says of zᵀAz: its size, and an estimate for each row of a block.
        FormsByBatch: (Tensor -> (int * Tensor) list) voption
        /// What makes its numbers doubtful, in sentences.
        Warnings: string list
    }

module internal Products =

    /// From a map of blocks.
    let ofBlock (block: Tensor -> Tensor) =
        {
            Single = fun v -> block (Tensor.unsqueeze 0 v) |> Tensor.squeeze 0
            Block = block
        }

    /// From a map of vectors, composed of tensor operations, which runs on a block as one computation.
    let ofSingle (single: Tensor -> Tensor) = { Single = single; Block = vmap single }

    let map2 combine (a: Products) (b: Products) =
        {
            Single = fun v -> combine (a.Single v) (b.Single v)
            Block = fun v -> combine (a.Block v) (b.Block v)
        }

    let map f (a: Products) = { Single = a.Single >> f; Block = a.Block >> f }

    let andThen (second: Products) (first: Products) =
        { Single = first.Single >> second.Single; Block = first.Block >> second.Block }

    /// zᵢᵀyᵢ for the rows of two blocks.
    let rowDots (z: Tensor) (y: Tensor) = Tensor.sumAxes [ 1 ] (z * y)

/// A linear map Rⁿ → Rᵐ known by its products with vectors. Immutable, and safe to use from several threads where its
/// product is. Made by the modules LinearOperator, Hessian and their like; combined by + - * and LinearOperator's
/// functions.
///
/// An operator at a point θ holds the memory of what depends on θ. Disposing of it gives that back at once, and not
/// only when the garbage collector finds that nothing refers to it; products on other threads end first. Afterwards its
/// products raise DisposedException, and so do those of operators that are made of it. Disposing of an operator that is
/// made of others leaves these as they are.
[<Sealed; NoEquality; NoComparison>]
type LinearOperator internal (definition: OperatorDefinition, memory: IDisposable) =
    let mutable isDisposed = false

    let checkAlive () =
        if isDisposed then
            Fail.disposed $"{definition.Name}: the operator was disposed of, and cannot be applied any more"

    let show (shape: int[]) = Shape.show shape

    let checkResult (expected: int[]) (result: Tensor) =
        if result.Signature.Shape <> expected then
            Fail.shape
                $"{definition.Name}: a product must have shape {show expected}, and it has {show result.Signature.Shape}"

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
        if isNull v then nullArg (nameof v)

        if v.DType <> definition.DType then
            Fail.dtype $"{definition.Name}: vectors must be {definition.DType}, and these are {v.DType}"

    /// An operator that holds no memory of its own.
    static member internal Of(definition: OperatorDefinition) = new LinearOperator(definition, null)

    member internal _.Definition = definition

    /// Gives back the memory that the operator holds; its products raise DisposedException from then on. Disposing of
    /// it again does nothing.
    member _.Dispose() =
        isDisposed <- true
        if not (isNull memory) then memory.Dispose()

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

    /// What makes its numbers doubtful, in sentences: for an operator over batches, that samples are coupled. What is made of operators has
    /// the warnings of them all.
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
            definition.Product.Single v |> checkResult [| definition.Rows |] |> finite
        | [| k; n |] when n = definition.Columns ->
            definition.Product.Block v |> checkResult [| k; definition.Rows |] |> finite
        | shape ->
            Fail.shape
                $"{definition.Name}: takes vectors [{definition.Columns}] or blocks [k; {definition.Columns}], and got {show shape}"

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
                    Fail.shape
                        $"{definition.Name}: quadratic forms take a block [k; {definition.Columns}], and got {show shape}")

    /// A·v for one vector [n] → [m], or for a block of k of them, [k; n] → [k; m]: one matvec a vector.
    /// Raises ShapeException and DTypeException for vectors that do not fit, and NonFiniteException where a product is NaN
    /// or infinite.
    member this.Apply(v: Tensor) : Tensor =
        this.Multiply(v, (fun row -> if v.Rank = 1 then "the vector" else $"vector {row}"))

    /// Aᵀ. Raises OperatorException where its products are not known.
    member this.Transposed: LinearOperator =
        if this.IsSymmetric then
            this
        else
            match definition.Adjoint with
            | ValueSome adjoint ->
                LinearOperator.Of
                    { definition with
                        Name = $"transpose of {definition.Name}"
                        Rows = definition.Columns
                        Columns = definition.Rows
                        Product = adjoint
                        Adjoint = ValueSome definition.Product
                    }
            | ValueNone -> Fail.operator $"{definition.Name}: the products of its transpose are not known"

    /// vᵀAv for each row of a block, [k; n] → [k], where that is cheaper than the product; otherwise nothing.
    member internal this.QuadraticForms: (Tensor -> Tensor) option =
        this.FormsNamed |> ValueOption.map (fun forms -> forms (fun row -> $"vector {row}")) |> ValueOption.toOption

    /// Whether there is a way to vᵀAv that is cheaper than the product Av.
    member _.HasQuadraticForms = definition.Forms.IsSome

    /// vᵀAv for one vector [n], a scalar, or for a block of k of them, [k; n] → [k], by the cheapest way there is: without the products
    /// where HasQuadraticForms. Raises OperatorException for an operator that is not square, and otherwise as Apply.
    member this.QuadraticForm(v: Tensor) : Tensor =
        if isNull v then nullArg (nameof v)

        if not this.IsSquare then
            Fail.operator
                $"{definition.Name}: quadratic forms need a square operator, and this one has shape [{definition.Rows}; {definition.Columns}]"

        match this.QuadraticForms, v.Rank with
        | Some forms, 1 -> forms (Tensor.unsqueeze 0 v) |> Tensor.squeeze 0
        | Some forms, _ -> forms v
        | None, 1 -> Tensor.dot v (this.Apply v) |> checkFinite "quadratic form of" (fun _ -> "the vector") 1
        | None, _ ->
            this.Apply v |> Products.rowDots v |> checkFinite "quadratic form of" (fun row -> $"vector {row}") 1

    /// zᵢᵀAzᵢ by the cheapest way there is.
    static member internal FormsOf(definition: OperatorDefinition) : Tensor -> Tensor =
        match definition.Forms with
        | ValueSome forms -> forms
        | ValueNone -> fun z -> Products.rowDots z (definition.Product.Block z)

    /// The definition of an operand, which must not be null.
    static member private Given(operator: LinearOperator) : OperatorDefinition =
        if isNull (box operator) then nullArg (nameof operator)
        operator.Definition

    static member private Sum(a: LinearOperator, b: LinearOperator, sign: float, symbol: string) =
        let a, b = LinearOperator.Given a, LinearOperator.Given b
        let name = $"({a.Name} {symbol} {b.Name})"

        if a.Rows <> b.Rows || a.Columns <> b.Columns then
            Fail.shape
                $"{name}: the operators have shapes [{a.Rows}; {a.Columns}] and [{b.Rows}; {b.Columns}], which differ"

        if a.DType <> b.DType then
            Fail.dtype $"{name}: the operators have element types {a.DType} and {b.DType}, which differ"

        let combine (x: Tensor) (y: Tensor) = if sign > 0.0 then x + y else x - y
        let bothSymmetric = a.Properties &&& b.Properties &&& OperatorProperties.Symmetric

        let forms =
            if a.Rows = a.Columns && (a.Forms.IsSome || b.Forms.IsSome) then
                let first, second = LinearOperator.FormsOf a, LinearOperator.FormsOf b
                ValueSome(fun z -> combine (first z) (second z))
            else
                ValueNone

        LinearOperator.Of
            { a with
                Name = name
                // A difference of semidefinite operators may be indefinite.
                Properties = if sign > 0.0 then a.Properties &&& b.Properties else bothSymmetric
                Product = Products.map2 combine a.Product b.Product
                Adjoint =
                    LinearOperator.AdjointOf a
                    |> ValueOption.bind (fun x ->
                        LinearOperator.AdjointOf b |> ValueOption.map (Products.map2 combine x))
                Forms = forms
                FormsByBatch = ValueNone
                Warnings = List.distinct (a.Warnings @ b.Warnings)
            }

    /// The products of the transpose, where they are known.
    static member internal AdjointOf(definition: OperatorDefinition) =
        if definition.Properties.HasFlag OperatorProperties.Symmetric then
            ValueSome definition.Product
        else
            definition.Adjoint

    /// The sum, of the same shape and element type. Costs both products.
    static member (+)(a: LinearOperator, b: LinearOperator) : LinearOperator = LinearOperator.Sum(a, b, 1.0, "+")

    /// The difference, of the same shape and element type. Costs both products.
    static member (-)(a: LinearOperator, b: LinearOperator) : LinearOperator = LinearOperator.Sum(a, b, -1.0, "-")

    /// The composition A·B: first B, then A. Costs both products.
    static member (*)(a: LinearOperator, b: LinearOperator) : LinearOperator =
        let a, b = LinearOperator.Given a, LinearOperator.Given b

        if a.Columns <> b.Rows then
            Fail.shape $"composition: {a.Name} takes vectors [{a.Columns}], and {b.Name} gives vectors [{b.Rows}]"

        if a.DType <> b.DType then
            Fail.dtype $"composition: {a.Name} is {a.DType}, and {b.Name} is {b.DType}"

        LinearOperator.Of
            {
                Name = $"({a.Name} * {b.Name})"
                Rows = a.Rows
                Columns = b.Columns
                DType = a.DType
                Device = a.Device
                Properties = OperatorProperties.None
                Product = Products.andThen a.Product b.Product
                Adjoint =
                    LinearOperator.AdjointOf a
                    |> ValueOption.bind (fun x ->
                        LinearOperator.AdjointOf b |> ValueOption.map (fun y -> Products.andThen y x))
                Forms = ValueNone
                FormsByBatch = ValueNone
                Warnings = List.distinct (a.Warnings @ b.Warnings)
            }

    /// The operator times a number. Raises ArgumentRangeException for one that is not finite.
    static member (*)(factor: float, a: LinearOperator) : LinearOperator =
        if not (Double.IsFinite factor) then
            Fail.range $"scale: a factor must be finite, and this one is {factor}"

        let a = LinearOperator.Given a
        let scale (t: Tensor) = factor * t

        LinearOperator.Of
            { a with
                Name = $"{factor} * {a.Name}"
                Properties =
                    if factor >= 0.0 then
                        a.Properties
                    else
                        a.Properties &&& OperatorProperties.Symmetric
                Product = Products.map scale a.Product
                Adjoint = a.Adjoint |> ValueOption.map (Products.map scale)
                Forms = a.Forms |> ValueOption.map (fun forms -> forms >> scale)
                FormsByBatch =
                    a.FormsByBatch
                    |> ValueOption.map (fun forms -> forms >> List.map (fun (size, own) -> size, scale own))
            }

    /// The operator times a number.
    static member (*)(a: LinearOperator, factor: float) : LinearOperator = factor * a

    /// −A.
    static member (~-)(a: LinearOperator) : LinearOperator = -1.0 * a

    override this.ToString() = $"{definition.Name} [{definition.Rows}; {definition.Columns}] {definition.DType}"
