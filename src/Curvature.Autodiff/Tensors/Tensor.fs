namespace rec Curvature

open System
open System.Threading
open Curvature.Kernels

/// An operand of a linear operation that is being transposed.
[<NoEquality; NoComparison>]
type internal LinearOperand =
    /// The operation is linear in this operand, whose value is not known.
    | Unknown of Signature
    /// A coefficient.
    | Known of Tensor

    member operand.Signature =
        match operand with
        | Unknown signature -> signature
        | Known tensor -> tensor.Signature

/// An operation on tensors that is not a composition of others. All functions of tensors are composed of primitives, so
/// a transformation is right if it is right for each of them. Two primitives with the same name and parameters are
/// equal.
[<AbstractClass>]
type internal Primitive(name: string, parameters: objnull) =
    member _.Name = name

    /// What distinguishes this primitive from others of its name: axes, shapes, labels; null where there is nothing.
    member _.Parameters = parameters

    /// Shapes and element types of the results; raises where the operands do not fit.
    abstract Infer: operands: Signature[] -> Signature[]

    /// How concrete arrays are computed.
    abstract Evaluation: Evaluation

    /// The derivative of the results along tangents, of which at least one is given; a missing tangent is zero.
    abstract Jvp: primals: Tensor[] * results: Tensor[] * tangents: Tensor voption[] -> Tensor voption[]

    /// How cotangents of the results flow back to the unknown operands. Coefficients receive nothing.
    abstract Transpose: cotangents: Tensor voption[] * operands: LinearOperand[] -> Tensor voption[]

    /// The same operation on a stack of operands as one larger operation. Batched operands, and all results, have the
    /// batch axis in front.
    abstract Batch: size: int * operands: Tensor[] * batched: bool[] -> Tensor[]

    /// ⟨cotangent, D²f[t, t]⟩ for tangents t: what this operation contributes to vᵀHv. Nothing where f is linear.
    abstract QuadraticForm:
        cotangents: Tensor voption[] * primals: Tensor[] * results: Tensor[] * tangents: Tensor voption[] ->
            Tensor voption

    default _.QuadraticForm(_, _, _, _) = ValueNone

    default _.Transpose(_, _) = Fail.differentiation $"{name} is not linear, so it has no transpose"

    override _.Equals other =
        match other with
        | :? Primitive as that -> name = that.Name && Object.Equals(parameters, that.Parameters)
        | _ -> false

    override _.GetHashCode() = HashCode.Combine(name, parameters)

    override _.ToString() =
        match parameters with
        | null -> name
        | _ -> $"{name} {parameters}".Replace("\n", " ")

/// A transformation in progress: it owns the tracers that it made, and decides what a primitive does to them.
/// Interpreters nest, and a primitive is given to the innermost one that owns an operand. To that one, the tracers of
/// all others are constants.
[<AbstractClass>]
type internal Interpreter(depth: int) =
    static let current = AsyncLocal<int>()
    let mutable active = true

    /// Operands have one device, traced ones too: a program that is recorded must not keep what it cannot read.
    static let checkDevices (primitive: Primitive) (operands: Tensor[]) =
        for operand in operands do
            if isNull (box operand) then nullArg $"an operand of {primitive.Name}"

            if not (obj.ReferenceEquals(operands[0].Device, operand.Device)) then
                let first: Device = operands[0].Device
                let other: Device = operand.Device

                Fail.device (
                    $"{primitive.Name}: operands live on different devices, {first.Name} and {other.Name}; "
                    + "move one of them by toDevice"
                )

    /// The innermost transformation that owns an operand; null where no operand is traced.
    static let innermostOwner (primitive: Primitive) (operands: Tensor[]) : Interpreter | null =
        let mutable innermost: Interpreter | null = null

        for operand in operands do
            match operand.Owner with
            | null -> ()
            | owner ->
                if not owner.IsActive then
                    Fail.differentiation (
                        $"{primitive.Name}: an operand was kept from inside a transformation that has ended "
                        + "(a tracer escaped); return it from the transformed function instead"
                    )

                match innermost with
                | null -> innermost <- owner
                | other when obj.ReferenceEquals(owner, other) -> ()
                | other when owner.Depth > other.Depth -> innermost <- owner
                | other when owner.Depth = other.Depth ->
                    Fail.differentiation $"{primitive.Name}: its operands come from two unrelated transformations"
                | _ -> ()

        innermost

    /// How many transformations are around this one.
    member _.Depth: int = depth

    member _.IsActive: bool = active

    /// The depth of the transformation in which the caller runs; 0 outside all.
    static member CurrentDepth = current.Value

    /// What this transformation makes of a primitive, of whose operands it owns at least one.
    abstract Process: primitive: Primitive * operands: Tensor[] -> Tensor[]

    /// Runs a function inside this transformation. Its tracers cannot be used afterwards.
    member _.Run(f: unit -> 'T) : 'T =
        let outer = current.Value
        current.Value <- depth

        try
            f ()
        finally
            current.Value <- outer
            active <- false

    /// Applies a primitive: computes it where no operand is being traced.
    static member Bind(primitive: Primitive, [<ParamArray>] operands: Tensor[]) : Tensor[] =
        checkDevices primitive operands

        match innermostOwner primitive operands with
        | null ->
            let results = primitive.Infer(operands |> Array.map _.Signature)
            let storages = operands |> Array.map _.Storage
            let arithmetic: Arithmetic = operands[0].Content.Arithmetic
            Eager.run primitive.Evaluation storages results |> Array.map arithmetic.OfStorage
        | owner -> owner.Process(primitive, operands)

/// The primitives that the operators of tensors apply, and arrays as tensors. Their classes compute with tensors and
/// come in later files; a tensor reaches them through its content.
[<AbstractClass>]
type internal Arithmetic() =
    abstract Elementwise: OpCode -> Primitive
    abstract Broadcast: shape: int[] * dims: int[] -> Primitive
    abstract Sum: axes: int[] -> Primitive
    abstract OfStorage: Storage -> Tensor

/// What a tensor holds: an array, or what a transformation keeps in its place.
[<AbstractClass>]
type internal Content(signature: Signature) =
    member _.Signature = signature
    abstract Device: Device
    abstract Arithmetic: Arithmetic

    /// The transformation that this stand-in belongs to; null for an array.
    abstract Owner: Interpreter | null

    /// The known values; raises where there are none.
    abstract Storage: Storage

    /// Equal for contents that may replace each other.
    abstract Identity: obj

    /// Whether the results of operations on it may be kept, so that the same operation is not done twice. Two
    /// conditions hold then: nothing is transposed, where one operation in place of two would round sums in another
    /// way; and results are so small that their memory does not count.
    abstract MayBeRemembered: bool

    abstract Describe: unit -> string

    default this.Identity = this :> obj
    default _.MayBeRemembered = false

/// An immutable array of numbers, or a stand-in for one while a transformation such as grad looks at a function.
/// Element types are Float32 and Float64, and Int32 for indices. Operators work element by element with NumPy's
/// broadcasting; numbers adapt to the tensor's element type, and two tensors of different element types are an error.
[<Sealed; System.Diagnostics.DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Tensor internal (content: Content) =
    let signature = content.Signature

    /// The lengths of the axes, outermost first; empty for a scalar.
    member _.Shape = Array.copy signature.Shape

    /// The element type.
    member _.DType = signature.DType

    /// The number of axes.
    member _.Rank = signature.Shape.Length

    /// The number of elements.
    member _.Size = Shape.size signature.Shape

    /// The device that holds the elements.
    member _.Device = content.Device

    member internal _.Content: Content = content
    member internal _.Signature: Signature = signature
    member internal _.Owner: Interpreter | null = content.Owner
    member internal _.Storage: Storage = content.Storage
    member internal _.ShapeText = Shape.show signature.Shape
    member internal _.Text = content.Describe()
    override _.ToString() = content.Describe()

    /// The elements in row-major order, as Float64.
    /// Raises DifferentiationException where they are not known, inside a function that is being compiled or batched.
    member this.ToArray() : float[] = this.Storage.ToArray<float> DType.Float64

    /// The elements in row-major order, as Float32.
    member this.ToSingleArray() : float32[] = this.Storage.ToArray<float32> DType.Float32

    /// The elements in row-major order, as Int32; fractions are cut off.
    member this.ToInt32Array() : int[] = this.Storage.ToArray<int> DType.Int32

    /// The value of a tensor of one element.
    member this.ToScalar() : float =
        if this.Size <> 1 then
            Fail.shape $"a scalar is read from a tensor of one element; this one has shape {this.ShapeText}"

        this.ToArray()[0]

    /// The result of a primitive that has one result.
    static member internal Of(primitive: Primitive, [<ParamArray>] operands: Tensor[]) : Tensor =
        Interpreter.Bind(primitive, operands)[0]

    /// The same number in every element of a new tensor, on this one's device and of its element type.
    member internal this.Fill(shape: int[], value: float) : Tensor =
        content.Arithmetic.OfStorage(Storage.Full(this.Device, { Shape = shape; DType = signature.DType }, value))

    member internal this.FillLike value = this.Fill(signature.Shape, value)

    /// Repeats axes of length 1, and new leading ones, to reach a shape.
    member internal this.BroadcastTo(shape: int[]) : Tensor =
        if signature.Shape = shape then
            this
        else
            let dims = [| shape.Length - signature.Shape.Length .. shape.Length - 1 |]
            Tensor.Of(content.Arithmetic.Broadcast(shape, dims), this)

    /// Applies an elementwise function, with broadcasting.
    static member internal Apply(op: OpCode, [<ParamArray>] operands: Tensor[]) : Tensor =
        let name = string op

        for operand in operands do
            if isNull (box operand) then nullArg $"an operand of {name}"

        let shape =
            operands |> Array.fold (fun shape operand -> Shape.broadcast name shape operand.Signature.Shape) [||]

        let arithmetic: Arithmetic = operands[0].Content.Arithmetic
        Tensor.Of(arithmetic.Elementwise op, operands |> Array.map (fun operand -> operand.BroadcastTo shape))

    /// The sum over axes, which disappear.
    member internal this.SumOver(axes: int[]) : Tensor =
        if axes.Length = 0 then this else Tensor.Of(content.Arithmetic.Sum axes, this)

    member internal this.SumAll() = this.SumOver [| 0 .. signature.Shape.Length - 1 |]

    /// A number in the shape of a tensor.
    static member private Filled(like: Tensor, value: float) : Tensor =
        ArgumentNullException.ThrowIfNull(like, "tensor")
        like.FillLike value

    static member (+)(a: Tensor, b: Tensor) : Tensor = Tensor.Apply(OpCode.Add, a, b)
    static member (+)(a: Tensor, b: float) : Tensor = a + Tensor.Filled(a, b)
    static member (+)(a: float, b: Tensor) : Tensor = Tensor.Filled(b, a) + b
    static member (-)(a: Tensor, b: Tensor) : Tensor = Tensor.Apply(OpCode.Subtract, a, b)
    static member (-)(a: Tensor, b: float) : Tensor = a - Tensor.Filled(a, b)
    static member (-)(a: float, b: Tensor) : Tensor = Tensor.Filled(b, a) - b
    static member (*)(a: Tensor, b: Tensor) : Tensor = Tensor.Apply(OpCode.Multiply, a, b)
    static member (*)(a: Tensor, b: float) : Tensor = a * Tensor.Filled(a, b)
    static member (*)(a: float, b: Tensor) : Tensor = Tensor.Filled(b, a) * b
    static member (/)(a: Tensor, b: Tensor) : Tensor = Tensor.Apply(OpCode.Divide, a, b)
    static member (/)(a: Tensor, b: float) : Tensor = a / Tensor.Filled(a, b)
    static member (/)(a: float, b: Tensor) : Tensor = Tensor.Filled(b, a) / b
    static member (~-)(a: Tensor) : Tensor = Tensor.Apply(OpCode.Negate, a)
    static member Pow(a: Tensor, b: Tensor) : Tensor = Tensor.Apply(OpCode.Power, a, b)

    /// a ** b; whole exponents up to 4 are products, so that every derivative at 0 is finite.
    static member Pow(a: Tensor, b: float) : Tensor =
        match b with
        | 0.0 -> Tensor.Filled(a, 1.0)
        | 1.0 -> a
        | 2.0 -> a * a
        | 3.0 -> a * a * a
        | 4.0 -> let square = a * a in square * square
        | _ -> Tensor.Apply(OpCode.Power, a, Tensor.Filled(a, b))

    static member Exp(a: Tensor) : Tensor = Tensor.Apply(OpCode.Exp, a)
    static member Log(a: Tensor) : Tensor = Tensor.Apply(OpCode.Log, a)
    static member Sqrt(a: Tensor) : Tensor = Tensor.Apply(OpCode.Sqrt, a)
    static member Sin(a: Tensor) : Tensor = Tensor.Apply(OpCode.Sin, a)
    static member Cos(a: Tensor) : Tensor = Tensor.Apply(OpCode.Cos, a)
    static member Tanh(a: Tensor) : Tensor = Tensor.Apply(OpCode.Tanh, a)
    static member Abs(a: Tensor) : Tensor = Tensor.Apply(OpCode.Abs, a)
    static member Floor(a: Tensor) : Tensor = Tensor.Apply(OpCode.Floor, a)
