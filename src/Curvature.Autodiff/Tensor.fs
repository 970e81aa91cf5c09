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

/// An operation on tensors that is not a composition of others. Everything that can be computed is composed of these, so a
/// transformation is right once it is right for each. Two primitives with the same name and parameters are equal.
[<AbstractClass>]
type internal Primitive(name: string, parameters: obj) =
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

/// A primitive and what identifies its operands: equal applications compute equal values.
[<Struct; CustomEquality; NoComparison>]
type internal Application<'Operand when 'Operand: equality> =
    {
        Primitive: Primitive
        Operands: 'Operand[]
    }

    interface IEquatable<Application<'Operand>> with
        member this.Equals that =
            this.Operands.AsSpan().SequenceEqual(ReadOnlySpan that.Operands, null)
            && this.Primitive.Equals that.Primitive

    override this.Equals other =
        match other with
        | :? Application<'Operand> as that -> (this :> IEquatable<Application<'Operand>>).Equals that
        | _ -> false

    override this.GetHashCode() =
        let mutable code = this.Primitive.GetHashCode()

        for operand in this.Operands do
            code <- HashCode.Combine(code, operand)

        code

/// A transformation in progress: it owns the tracers that it made, and decides what a primitive does to them. Interpreters
/// nest, and a primitive is given to the innermost one that owns an operand; to that one, the tracers of all others
/// are constants.
[<AbstractClass; AllowNullLiteral>]
type internal Interpreter(depth: int) =
    static let current = AsyncLocal<int>()
    let mutable active = true

    /// How many transformations are around this one.
    member _.Depth: int = depth

    /// The depth of the transformation in which the caller runs; 0 outside all.
    static member CurrentDepth = current.Value

    abstract Process: primitive: Primitive * operands: Tensor[] -> Tensor[]

    /// Runs a function inside this transformation. Afterwards its tracers are dead.
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
        let mutable owner: Interpreter = null

        for operand in operands do
            if isNull operand then nullArg $"an operand of {primitive.Name}"

            // Traced ones too: a program that is recorded must not keep what it cannot read.
            let first: Device = operands[0].Device
            let own: Device = operand.Device

            if not (obj.ReferenceEquals(first, own)) then
                Fail.device
                    $"{primitive.Name}: operands live on different devices, {first.Name} and {own.Name}; move one of them by toDevice"

            let candidate: Interpreter = operand.Owner

            if not (isNull candidate) && not candidate.IsActive then
                Fail.differentiation
                    $"{primitive.Name}: an operand was kept from inside a transformation that has ended (a tracer escaped); return it from the transformed function instead"

            if not (isNull candidate) && not (obj.ReferenceEquals(candidate, owner)) then
                if isNull owner || candidate.Depth > owner.Depth then
                    owner <- candidate
                elif candidate.Depth = owner.Depth then
                    Fail.differentiation $"{primitive.Name}: its operands come from two unrelated transformations"

        if isNull owner then
            let results = primitive.Infer(operands |> Array.map _.Signature)
            let storages = operands |> Array.map _.Storage

            Eager.run primitive.Evaluation storages results |> Array.map Tensor.OfStorage
        else
            owner.Process(primitive, operands)

    member _.IsActive: bool = active

/// What stands behind a tensor: an array, or what a transformation keeps in its place.
[<AbstractClass>]
type internal Content(signature: Signature) =
    member _.Signature = signature
    abstract Device: Device

    /// The transformation that this stand-in belongs to; null for an array.
    abstract Owner: Interpreter

    /// The known values; raises where there are none.
    abstract Storage: Storage

    /// Equal for contents of which one may stand for the other.
    abstract Identity: obj

    /// Whether the results of operations on it may be kept, so that the same operation need not be done twice: nobody
    /// sums what flows back through the operations, which would be rounded in another way, and results are too small
    /// for their memory to count.
    abstract MayBeRemembered: bool

    abstract Describe: unit -> string

    default this.Identity = box this
    default _.MayBeRemembered = false

/// Elements in memory.
[<Sealed>]
type internal ArrayContent(storage: Storage) =
    inherit Content(storage.Signature)
    override _.Device = storage.Device
    override _.Owner = null
    override _.Storage = storage
    override _.Identity = storage.Identity
    override _.MayBeRemembered = storage.Uniform.IsSome || Shape.size storage.Shape = 1
    override _.Describe() = Printing.show storage.DType storage.Shape (storage.ToArray<float> DType.Float64)

/// An immutable array of numbers, or a stand-in for one while a transformation such as grad looks at a function.
/// Element types are Float32 and Float64, and Int32 for indices. Operators work element by element with NumPy's
/// broadcasting; numbers adapt to the tensor's element type, and two tensors of different element types are an error.
[<Sealed; AllowNullLiteral; StructuredFormatDisplay("{Text}")>]
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
    member internal _.Owner: Interpreter = content.Owner
    member internal _.Storage: Storage = content.Storage
    member internal _.Text = content.Describe()
    override _.ToString() = content.Describe()

    /// An array as a tensor.
    static member internal OfStorage(storage: Storage) : Tensor = Tensor(ArrayContent storage)

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
            Fail.shape $"a scalar is read from a tensor of one element; this one has shape {Shape.show signature.Shape}"

        this.ToArray()[0]

    /// The same number in every element of a new tensor, on this one's device and of its element type.
    member internal this.Fill(shape: int[], value: float) : Tensor =
        Tensor.OfStorage(Storage.Full(this.Device, { Shape = shape; DType = signature.DType }, value))

    member internal this.FillLike value = this.Fill(signature.Shape, value)

    /// Repeats axes of length 1, and new leading ones, to reach a shape.
    member internal this.BroadcastTo(shape: int[]) : Tensor =
        if signature.Shape = shape then
            this
        else
            let offset = shape.Length - signature.Shape.Length
            Interpreter.Bind(Broadcast(shape, Array.init signature.Shape.Length (fun axis -> axis + offset)), this)[0]

    /// Applies an elementwise function, with broadcasting.
    static member internal Apply(op: OpCode, [<ParamArray>] operands: Tensor[]) : Tensor =
        let primitive = Elementwise.Of op

        for operand in operands do
            if isNull operand then nullArg $"an operand of {primitive.Name}"

        let shape =
            operands
            |> Array.fold (fun shape operand -> Shape.broadcast primitive.Name shape operand.Signature.Shape) [||]

        Interpreter.Bind(primitive, operands |> Array.map (fun operand -> operand.BroadcastTo shape))[0]

    /// The sum over axes, which disappear.
    member internal this.SumOver(axes: int[]) : Tensor =
        if axes.Length = 0 then this else Interpreter.Bind(Sum axes, this)[0]

    member internal this.SumAll() = this.SumOver [| 0 .. signature.Shape.Length - 1 |]

    /// A number in the shape of a tensor.
    static member private Filled(like: Tensor, value: float) : Tensor =
        if isNull like then nullArg "tensor"
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


/// The elementwise functions. Their calculus is in ScalarFunction; here it is carried over to tensors.
[<Sealed>]
type internal Elementwise private (op: OpCode) =
    inherit Primitive(string op, box ())

    static let all = Enum.GetValues<OpCode>() |> Array.map Elementwise

    let name = string op

    /// The value of a scalar expression, given the tensors in the places of its arguments and result.
    let rec value (arguments: int -> Tensor) (result: unit -> Tensor) expression : Tensor =
        match expression with
        | Constant number -> (result ()).FillLike number
        | Argument i -> arguments i
        | Result -> result ()
        | Apply(inner, operands) -> Tensor.Apply(inner, operands |> List.map (value arguments result) |> List.toArray)

    /// coefficient·t, where selections of t are made without a product, since 0·∞ is not 0.
    let scale arguments result coefficient (t: Tensor) : Tensor =
        match coefficient with
        | Constant 1.0 -> t
        | Constant -1.0 -> -t
        | Apply(OpCode.Select, [ mask; Constant 1.0; Constant 0.0 ]) ->
            Tensor.Apply(OpCode.Select, value arguments result mask, t, t.FillLike 0.0)
        | Apply(OpCode.Select, [ mask; Constant 0.0; Constant 1.0 ]) ->
            Tensor.Apply(OpCode.Select, value arguments result mask, t.FillLike 0.0, t)
        | _ -> value arguments result coefficient * t

    member _.Op = op

    /// The primitive of an operation.
    static member Of(op: OpCode) : Elementwise = all[int op]

    override _.Infer operands =
        let first = operands[0]

        if first.DType = DType.Int32 then
            Fail.dtype
                $"{name}: arithmetic needs Float32 or Float64, and got Int32, which holds indices; convert it first"

        for operand in operands do
            if operand.DType <> first.DType then
                Fail.dtype
                    $"{name}: operands have different element types, {first.DType} and {operand.DType}; convert one of them"

            if operand.Shape <> first.Shape then
                Fail.shape $"{name}: operands have shapes {Shape.show first.Shape} and {Shape.show operand.Shape}"

        [| first |]

    override _.Evaluation = Evaluation.Elementwise op

    override _.Jvp(primals, results, tangents) =
        let mutable sum = ValueNone

        ScalarFunction.partials op
        |> List.iteri (fun i partial ->
            match tangents[i], partial with
            | ValueSome t, partial when partial <> Constant 0.0 ->
                sum <- Tangent.add sum (ValueSome(scale (Array.get primals) (fun () -> results[0]) partial t))
            | _ -> ())

        [| sum |]

    override _.Transpose(cotangents, operands) =
        match cotangents[0] with
        | ValueNone -> operands |> Array.map (fun _ -> ValueNone)
        | ValueSome cotangent ->
            let coefficient i =
                match operands[i] with
                | Known tensor -> tensor
                | Unknown _ -> Fail.differentiation $"{name} is not linear in its operands together"

            operands
            |> Array.mapi (fun i operand ->
                match operand with
                | Known _ -> ValueNone
                | Unknown _ when ScalarFunction.isLinearIn op i ->
                    let partial = ScalarFunction.partials op |> List.item i
                    ValueSome(scale coefficient (fun () -> cotangent) partial cotangent)
                | Unknown _ -> Fail.differentiation $"{name} is not linear in operand {i}")

    override _.Batch(size, operands, batched) = Interpreter.Bind(Elementwise.Of op, Batched.align size operands batched)

    override _.QuadraticForm(cotangents, primals, results, tangents) =
        match cotangents[0] with
        | ValueNone -> ValueNone
        | ValueSome cotangent ->
            let second = ScalarFunction.secondPartials op
            let arguments, result = Array.get primals, (fun () -> results[0])
            let mutable sum = ValueNone

            for i in 0 .. primals.Length - 1 do
                for j in i .. primals.Length - 1 do
                    match tangents[i], tangents[j], second[i, j] with
                    | ValueSome t, ValueSome u, curvature when curvature <> Constant 0.0 ->
                        let weight = scale arguments result curvature cotangent
                        let weight = if i = j then weight else 2.0 * weight
                        sum <- Tangent.add sum (ValueSome((weight * (t * u)).SumAll()))
                    | _ -> ()

            sum

/// Places operand axis i at axis dims[i], ascending, of a larger shape; axes of length 1 and axes without a source are repeated.
[<Sealed>]
type internal Broadcast(shape: int[], dims: int[]) =
    inherit Primitive("Broadcast", (List.ofArray shape, List.ofArray dims))

    member _.Shape = shape
    member _.Dims = dims

    override _.Infer operands =
        let source = operands[0].Shape

        for i in 0 .. source.Length - 1 do
            if source[i] <> shape[dims[i]] && source[i] <> 1 then
                Fail.shape $"broadcast: shape {Shape.show source} does not fit into {Shape.show shape}"

        [| { operands[0] with Shape = shape } |]

    override _.Evaluation = Reinterpret(fun view -> ValueSome [| View.broadcast shape dims view |])

    override this.Jvp(_, _, tangents) = [| ValueSome(Interpreter.Bind(this, tangents[0].Value)[0]) |]

    override _.Transpose(cotangents, operands) =
        let source = operands[0].Signature.Shape

        let back (cotangent: Tensor) =
            let repeated =
                [|
                    for axis in 0 .. shape.Length - 1 do
                        match Array.IndexOf(dims, axis) with
                        | -1 -> axis
                        | i when source[i] <> shape[axis] -> axis
                        | _ -> ()
                |]

            let sum = cotangent.SumOver repeated
            // The axes of length 1 were summed away; put them back.
            let kept =
                [|
                    for i in 0 .. source.Length - 1 do
                        if not (Array.contains dims[i] repeated) then i
                |]

            if kept.Length = source.Length then
                sum
            else
                Interpreter.Bind(Broadcast(source, kept), sum)[0]

        [| cotangents[0] |> ValueOption.map back |]

    override _.Batch(size, operands, _) =
        Interpreter.Bind(
            Broadcast(Array.append [| size |] shape, Array.append [| 0 |] (dims |> Array.map ((+) 1))),
            operands
        )

/// The sum over axes, which disappear. Float32 sums accumulate in Float64 or pairwise.
[<Sealed>]
type internal Sum(axes: int[]) =
    inherit Primitive("Sum", List.ofArray axes)

    member _.Axes = axes

    override _.Infer operands =
        if operands[0].DType = DType.Int32 then
            Fail.dtype "sum: arithmetic needs Float32 or Float64, and got Int32; convert it first"

        [| { operands[0] with Shape = Shape.without axes operands[0].Shape } |]

    override _.Evaluation =
        Compute(fun emitter sources targets ->
            let source, target = sources[0], targets[0]

            let reduction =
                ReductionDescription(
                    source.DType,
                    ReductionKind.Sum,
                    source.Shape,
                    axes,
                    source.Operand,
                    target.Operand
                )

            emitter.Emit(emitter.Device.Reduce reduction, [ source ], [ target ]))

    override this.Jvp(_, _, tangents) = [| ValueSome(Interpreter.Bind(this, tangents[0].Value)[0]) |]

    override _.Transpose(cotangents, operands) =
        let shape = operands[0].Signature.Shape

        let kept =
            [|
                for axis in 0 .. shape.Length - 1 do
                    if not (Array.contains axis axes) then axis
            |]

        [|
            cotangents[0] |> ValueOption.map (fun cotangent -> Interpreter.Bind(Broadcast(shape, kept), cotangent)[0])
        |]

    override _.Batch(_, operands, _) = Interpreter.Bind(Sum(axes |> Array.map ((+) 1)), operands)

/// Arithmetic of tangents, of which a missing one is zero.
module internal Tangent =

    let add (a: Tensor voption) (b: Tensor voption) =
        match a, b with
        | ValueNone, t
        | t, ValueNone -> t
        | ValueSome t, ValueSome u -> ValueSome(t + u)

    let map (f: Tensor -> Tensor) (t: Tensor voption) = ValueOption.map f t

    /// The tangent as an array of zeros where it is missing.
    let orZeros (like: Tensor) (t: Tensor voption) =
        match t with
        | ValueSome t -> t
        | ValueNone -> like.FillLike 0.0

/// Help for batching rules.
module internal Batched =

    /// Gives every operand a leading batch axis.
    let align size (operands: Tensor[]) (batched: bool[]) =
        Array.map2
            (fun (operand: Tensor) isBatched ->
                if isBatched then
                    operand
                else
                    let shape = operand.Signature.Shape
                    Interpreter.Bind(Broadcast(Array.append [| size |] shape, [| 1 .. shape.Length |]), operand)[0])
            operands
            batched
