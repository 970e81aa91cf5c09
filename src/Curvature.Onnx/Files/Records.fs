namespace Curvature.OnnxFormat

/// Bytes in the file.
[<Struct>]
type internal Segment = { Start: int64; Length: int64 }

/// Where the elements of a tensor are. Those of whole numbers are read with the file, since they are few; floating
/// point stays in the file until it is known where it belongs.
[<RequireQualifiedAccess>]
type internal Stored =
    /// Little-endian, one element behind the other, in the model's file.
    | InFile of Segment
    /// The same in another file, whose path is relative to the folder of the model.
    | External of path: string * offset: int64 * length: int64 voption
    /// Whole numbers, or the bits of 16-bit floating point.
    | Integers of int64[]
    | Reals of float[]

/// A tensor as the file states it. Nothing of it has been compared with anything.
type internal TensorRecord =
    {
        Name: string
        /// The number of the element type, in TensorProto.DataType.
        Type: int
        Dims: int64[]
        Elements: Stored
    }

/// The value of an attribute of a node.
[<RequireQualifiedAccess>]
type internal AttributeValue =
    | Int of int64
    | Float of float32
    | Text of string
    | Tensor of TensorRecord
    | Ints of int64[]
    | Floats of float32[]
    | Texts of string[]
    /// Graphs, types, sparse tensors: kinds that no operator of the table has.
    | Other of string

type internal NodeRecord =
    {
        Name: string
        OpType: string
        Domain: string
        Inputs: string[]
        Outputs: string[]
        Attributes: (string * AttributeValue)[]
    }

/// The length of an axis as the file states it: a number, a name, or neither.
[<Struct>]
type internal DimRecord = { Length: int64 voption; Name: string }

/// A value that the graph takes or gives. `Dims` is nothing where the file says no shape.
type internal ValueRecord = { Name: string; Type: int; Dims: DimRecord[] voption }

type internal GraphRecord =
    {
        Nodes: NodeRecord[]
        Initializers: TensorRecord[]
        Inputs: ValueRecord[]
        Outputs: ValueRecord[]
        HasSparseInitializers: bool
    }

type internal ModelRecord =
    {
        Producer: string
        /// The versions of the sets of operators, by domain.
        Opsets: (string * int64)[]
        Graph: GraphRecord
    }
