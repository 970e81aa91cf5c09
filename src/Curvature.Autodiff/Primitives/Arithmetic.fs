namespace Curvature

/// The arithmetic of all tensors.
[<Sealed>]
type internal PrimitiveArithmetic private () =
    inherit Arithmetic()
    static let instance = PrimitiveArithmetic()
    static member Instance: Arithmetic = instance
    override _.Elementwise op = Elementwise.Of op
    override _.Broadcast(shape, dims) = Broadcast(shape, dims)
    override _.Sum axes = Sum axes
    override _.Slice(start, shape) = Structure.Slice(start, shape, Array.create start.Length 1)
    override _.Reshape shape = Structure.Reshape shape
    override _.OfStorage storage = Tensor(ArrayContent storage)

/// Elements in memory.
and [<Sealed>] internal ArrayContent(storage: Storage) =
    inherit Content(storage.Signature)
    override _.Device = storage.Device
    override _.Arithmetic = PrimitiveArithmetic.Instance
    override _.Owner = null
    override _.Storage = storage
    override _.Identity = storage.Identity
    override _.MayBeRemembered = storage.Uniform.IsSome || Shape.size storage.Shape = 1
    override _.Describe() = Printing.show storage.DType storage.Shape (storage.ToArray<float> DType.Float64)

/// What a transformation keeps in the place of an array.
[<AbstractClass>]
type internal Tracer(signature: Signature) =
    inherit Content(signature)
    override _.Arithmetic = PrimitiveArithmetic.Instance

[<AutoOpen>]
module internal ArrayTensors =

    type Tensor with

        /// An array as a tensor.
        static member OfStorage(storage: Storage) : Tensor = PrimitiveArithmetic.Instance.OfStorage storage
