namespace Curvature.FSharp

open System
open System.Collections
open Curvature
open Curvature.Kernels

/// Making tensors and computing with them. Functions that take axes count negative ones from the end.
/// Everything here can be differentiated to any order unless it says otherwise.
[<RequireQualifiedAccess>]
module Tensor =

    let private bind (primitive: Primitive) (operands: Tensor list) =
        (Interpreter.Bind(primitive, List.toArray operands))[0]

    let private create (storage: Storage) : Tensor = Tensor.OfStorage storage

    let private checkShape operation (shape: int list) = Shape.check operation (List.toArray shape)

    let private checkCount operation (shape: int[]) count =
        if Shape.size shape <> count then
            Fail.shape
                $"{operation}: {count} values do not fill shape {Shape.show shape}, which holds {Shape.size shape}"

    // ---- making tensors

    /// A Float64 tensor of a shape from values in row-major order.
    let ofArray (shape: int list) (values: float[]) : Tensor =
        let shape = checkShape "ofArray" shape
        checkCount "ofArray" shape values.Length
        create (Storage.Of(CpuDevice.Shared, shape, DType.Float64, values))

    /// A Float32 tensor of a shape from values in row-major order.
    let ofSingleArray (shape: int list) (values: float32[]) : Tensor =
        let shape = checkShape "ofSingleArray" shape
        checkCount "ofSingleArray" shape values.Length
        create (Storage.Of(CpuDevice.Shared, shape, DType.Float32, values))

    /// An Int32 tensor, for indices, of a shape from values in row-major order.
    let ofIndices (shape: int list) (values: int[]) : Tensor =
        let shape = checkShape "ofIndices" shape
        checkCount "ofIndices" shape values.Length
        create (Storage.Of(CpuDevice.Shared, shape, DType.Int32, values))

    /// A tensor of one number.
    let scalar (dtype: DType) (value: float) : Tensor =
        create (Storage.Full(CpuDevice.Shared, { Shape = [||]; DType = dtype }, value))

    /// The same number everywhere. It takes the memory of one number.
    let full (dtype: DType) (shape: int list) (value: float) : Tensor =
        create (Storage.Full(CpuDevice.Shared, { Shape = checkShape "full" shape; DType = dtype }, value))

    /// Zeros.
    let zeros dtype shape = full dtype shape 0.0

    /// Ones.
    let ones dtype shape = full dtype shape 1.0

    /// The same number in the shape, element type and device of another tensor.
    let fullLike (like: Tensor) (value: float) : Tensor = like.FillLike value

    /// Zeros in the shape, element type and device of another tensor.
    let zerosLike (like: Tensor) = fullLike like 0.0

    /// Ones in the shape, element type and device of another tensor.
    let onesLike (like: Tensor) = fullLike like 1.0

    /// The same values in another element type; from floating point to Int32 fractions are cut off.
    let convert (dtype: DType) (t: Tensor) : Tensor =
        if t.DType = dtype then t else bind (Structure.Convert dtype) [ t ]

    /// 0, 1, …, count − 1.
    let arange (dtype: DType) (count: int) : Tensor =
        if count < 0 then
            Fail.range $"arange: a count cannot be negative, and this one is {count}"

        Count.between 0 System.Array.MaxLength "arange" count

        ofIndices [ count ] [| 0 .. count - 1 |] |> convert dtype

    /// `count` numbers from first to last at equal distances, Float64. Two at least.
    let linspace (first: float) (last: float) (count: int) : Tensor =
        if count < 2 then
            Fail.range $"linspace: two points at least are needed, and {count} were asked for"

        Count.between 2 System.Array.MaxLength "linspace" count

        ofArray [ count ] (Array.init count (fun i -> first + (last - first) * float i / float (count - 1)))

    /// The identity matrix.
    let eye (dtype: DType) (size: int) : Tensor =
        Shape.size [| size; size |] |> ignore
        let index = arange dtype size
        Tensor.Apply(OpCode.Equal, bind (Structure.Reshape [| size; 1 |]) [ index ], index)

    let private indexOnly operation (index: Tensor) =
        if index.DType <> DType.Int32 then
            Fail.dtype $"{operation}: an index is an Int32 tensor, and this one is {index.DType}"

    let private typeName (element: obj) =
        match element with
        | null -> "null"
        | element -> element.GetType().Name

    /// The elements, which must all be of one type.
    let private allOf<'T> (elements: obj[]) : 'T[] =
        elements
        |> Array.map (fun element ->
            match element with
            | :? 'T as element -> element
            | other -> Fail.dtype $"tensor: elements are of different types, {typeof<'T>.Name} and {typeName other}")

    /// Nested sequences of float, float32 or int, or a number, an array, or a 2-D array, as a tensor of Float64, Float32 or Int32.
    let ofObject (value: obj) : Tensor =
        let rec shapeOf (value: obj) =
            match value with
            | :? string -> Fail.dtype "tensor: text is not a number"
            | :? Array as array when array.Rank > 1 -> List.init array.Rank array.GetLength
            | :? IEnumerable as items ->
                let items = items |> Seq.cast<obj> |> Seq.toList

                match items with
                | [] -> [ 0 ]
                | first :: rest ->
                    let inner = shapeOf first

                    for item in rest do
                        if shapeOf item <> inner then
                            let show shape = Shape.show (List.toArray shape)

                            Fail.shape
                                $"tensor: the nested sequences are ragged: shape {show inner} beside {show (shapeOf item)}"

                    items.Length :: inner
            | _ -> []

        let rec leaves (value: obj) : obj seq =
            match value with
            | :? IEnumerable as items -> items |> Seq.cast<obj> |> Seq.collect leaves
            | leaf -> Seq.singleton leaf

        let shape = shapeOf value
        let values = leaves value |> Seq.toArray

        match Array.tryHead values with
        | None -> zeros DType.Float64 shape
        | Some(:? float) -> ofArray shape (allOf values)
        | Some(:? float32) -> ofSingleArray shape (allOf values)
        | Some(:? int) -> ofIndices shape (allOf values)
        | Some other -> Fail.dtype $"tensor: elements are float, float32 or int, and these are {typeName other}"

    // ---- random tensors

    let private random distribution (key: Key) (dtype: DType) shape : Tensor =
        if dtype = DType.Int32 then
            Fail.dtype "random tensors are Float32 or Float64, and Int32 was asked for"

        let result = Storage.Allocate(CpuDevice.Shared, { Shape = checkShape "random" shape; DType = dtype })
        let count = int64 (Shape.size result.Shape)
        let fill = RandomDescription(dtype, distribution, key.Word0, key.Word1, 0L, count, Place(0, 0L))
        CpuDevice.Shared.Random(fill).Run([| result.Memory.Address |], CpuDevice.Shared.Threads)
        create result

    /// Independent uniform numbers on [0, 1). Element i depends on the key and i alone, as in jax.random.uniform.
    let uniform key dtype shape = random Distribution.Uniform key dtype shape

    /// Independent standard normal numbers, as in jax.random.normal.
    let normal key dtype shape = random Distribution.Normal key dtype shape

    /// Independent signs, −1 or 1.
    let rademacher key dtype shape = random Distribution.Rademacher key dtype shape

    // ---- shape

    /// The same elements in row-major order in another shape; one length may be −1, and is then inferred.
    let reshape (shape: int list) (t: Tensor) : Tensor =
        let shape =
            match shape |> List.filter (fun length -> length = -1) |> List.length with
            | 0 -> checkShape "reshape" shape
            | 1 ->
                let others = shape |> List.filter (fun length -> length <> -1) |> checkShape "reshape" |> Shape.size

                if others = 0 || t.Size % others <> 0 then
                    Fail.shape $"reshape: {t.Size} elements do not divide into {Shape.show (List.toArray shape)}"

                shape |> List.map (fun length -> if length = -1 then t.Size / others else length) |> List.toArray
            | _ -> Fail.shape $"reshape: only one length can be inferred, in {Shape.show (List.toArray shape)}"

        if t.Signature.Shape = shape then t else bind (Structure.Reshape shape) [ t ]

    /// One axis with all elements.
    let flatten (t: Tensor) = reshape [ t.Size ] t

    /// Result axis i is axis order[i].
    let permute (order: int list) (t: Tensor) : Tensor =
        let axes = order |> List.map (Shape.axis "permute" t.Rank) |> List.toArray

        if Array.sort axes <> [| 0 .. t.Rank - 1 |] then
            Fail.shape $"permute: {order} is not an order of the {t.Rank} axes of {Shape.show t.Signature.Shape}"

        if axes = [| 0 .. t.Rank - 1 |] then t else bind (Structure.Permute axes) [ t ]

    /// The last two axes trade places.
    let transpose (t: Tensor) : Tensor =
        if t.Rank < 2 then
            Fail.shape $"transpose: two axes are needed, and the shape is {Shape.show t.Signature.Shape}"

        permute ([ 0 .. t.Rank - 3 ] @ [ t.Rank - 1; t.Rank - 2 ]) t

    /// Adds an axis of length 1 before the given one.
    let unsqueeze (axis: int) (t: Tensor) =
        let axis = Shape.axis "unsqueeze" (t.Rank + 1) axis
        reshape (List.insertAt axis 1 (List.ofArray t.Signature.Shape)) t

    /// Removes an axis of length 1.
    let squeeze (axis: int) (t: Tensor) =
        let axis = Shape.axis "squeeze" t.Rank axis

        if t.Signature.Shape[axis] <> 1 then
            Fail.shape $"squeeze: axis {axis} of {Shape.show t.Signature.Shape} does not have length 1"

        reshape (List.removeAt axis (List.ofArray t.Signature.Shape)) t

    /// Repeats axes of length 1, and new leading ones, to reach a shape.
    let broadcastTo (shape: int list) (t: Tensor) : Tensor =
        let shape = checkShape "broadcastTo" shape

        if Shape.broadcast "broadcastTo" t.Signature.Shape shape <> shape then
            Fail.shape $"broadcastTo: {Shape.show t.Signature.Shape} does not broadcast to {Shape.show shape}"

        t.BroadcastTo shape

    /// `count` elements of an axis from `start`, every `step`-th.
    let sliceStep (axis: int) (start: int) (count: int) (step: int) (t: Tensor) : Tensor =
        let axis = Shape.axis "slice" t.Rank axis

        if count < 0 || step < 1 then
            Fail.range
                $"slice: a count of at least 0 and a step of at least 1 are needed, and they are {count} and {step}"

        let at value others = Array.create t.Rank others |> Array.updateAt axis value
        bind (Structure.Slice(at start 0, Array.updateAt axis count t.Signature.Shape, at step 1)) [ t ]

    /// `count` elements of an axis from `start`.
    let slice axis start count t = sliceStep axis start count 1 t

    /// Entry `index` of an axis, which disappears.
    let item (axis: int) (index: int) (t: Tensor) =
        let axis = Shape.axis "item" t.Rank axis
        squeeze axis (slice axis index 1 t)

    /// Cuts an axis into consecutive pieces of the given lengths.
    let split (axis: int) (sizes: int list) (t: Tensor) : Tensor list =
        let axis = Shape.axis "split" t.Rank axis
        Interpreter.Bind(Structure.Split(axis, List.toArray sizes), t) |> List.ofArray

    /// Joins tensors along an axis.
    let concat (axis: int) (tensors: Tensor list) : Tensor =
        match tensors with
        | [] -> Fail.range "concat: there is nothing to join"
        | first :: rest ->
            let axis = Shape.axis "concat" first.Rank axis
            if rest.IsEmpty then first else bind (Structure.Concat axis) tensors

    /// Joins tensors of the same shape along a new axis.
    let stack (axis: int) (tensors: Tensor list) : Tensor =
        for t in tensors do
            if t.Signature.Shape <> tensors.Head.Signature.Shape then
                Fail.shape
                    $"stack: shapes {Shape.show tensors.Head.Signature.Shape} and {Shape.show t.Signature.Shape} differ"

        tensors |> List.map (unsqueeze axis) |> concat axis

    /// Zeros before and after the elements of an axis.
    let pad (axis: int) (before: int) (after: int) (t: Tensor) : Tensor =
        let axis = Shape.axis "pad" t.Rank axis

        if before < 0 || after < 0 then
            Fail.range $"pad: counts of zeros cannot be negative, and they are {before} and {after}"

        let at value = Array.zeroCreate t.Rank |> Array.updateAt axis value
        bind (Structure.Pad(at before, at 0, at after)) [ t ]

    /// The elements of an axis in the opposite order.
    let reverse (axis: int) (t: Tensor) : Tensor = bind (Structure.Reverse [| Shape.axis "reverse" t.Rank axis |]) [ t ]

    // ---- elementwise functions

    /// eˣ
    let exp (t: Tensor) = Tensor.Exp t
    /// eˣ − 1, accurate near 0
    let expm1 (t: Tensor) = Tensor.Apply(OpCode.Expm1, t)
    /// Natural logarithm
    let log (t: Tensor) = Tensor.Log t
    /// ln(1 + x), accurate near 0
    let log1p (t: Tensor) = Tensor.Apply(OpCode.Log1p, t)
    /// Square root
    let sqrt (t: Tensor) = Tensor.Sqrt t
    /// 1/√x
    let rsqrt (t: Tensor) = Tensor.Apply(OpCode.ReciprocalSqrt, t)
    /// Sine, radians
    let sin (t: Tensor) = Tensor.Sin t
    /// Cosine, radians
    let cos (t: Tensor) = Tensor.Cos t
    /// Hyperbolic tangent
    let tanh (t: Tensor) = Tensor.Tanh t
    /// 1/(1 + e⁻ˣ)
    let sigmoid (t: Tensor) = Tensor.Apply(OpCode.Sigmoid, t)
    /// ln(1 + eˣ), without overflow
    let softplus (t: Tensor) = Tensor.Apply(OpCode.Softplus, t)
    /// Error function
    let erf (t: Tensor) = Tensor.Apply(OpCode.Erf, t)
    /// Inverse error function, on (−1, 1)
    let erfInverse (t: Tensor) = Tensor.Apply(OpCode.ErfInverse, t)
    /// |x|; the derivative at 0 is 0.
    let abs (t: Tensor) = Tensor.Abs t
    /// −1, 0 or 1; the derivative is 0.
    let sign (t: Tensor) = Tensor.Apply(OpCode.Sign, t)
    /// Largest integer ≤ x; the derivative is 0.
    let floor (t: Tensor) = Tensor.Floor t
    /// The larger of two; where they are equal, each carries half of the derivative.
    let maximum (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.Maximum, a, b)
    /// The smaller of two; where they are equal, each carries half of the derivative.
    let minimum (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.Minimum, a, b)
    /// 1 where a > b, else 0; the derivative is 0.
    let greater (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.Greater, a, b)
    /// 1 where a ≥ b, else 0; the derivative is 0.
    let greaterOrEqual (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.GreaterOrEqual, a, b)
    /// 1 where a = b, else 0; the derivative is 0.
    let equal (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.Equal, a, b)
    /// a where the mask is not 0, else b. Values of the branch not taken do not matter; where its derivative is infinite, as
    /// of √x at 0, reverse mode gives NaN: keep the argument of such a function away from there by another `where`.
    let where (mask: Tensor) (a: Tensor) (b: Tensor) = Tensor.Apply(OpCode.Select, mask, a, b)
    /// max(x, 0), with derivative 0 at 0.
    let relu (t: Tensor) = let zero = zerosLike t in where (greater t zero) t zero
    /// x·Φ(x), with Φ the standard normal distribution function (Hendrycks & Gimpel 2016).
    let gelu (t: Tensor) : Tensor = 0.5 * t * (1.0 + erf (t * Math.Sqrt 0.5))
    /// x·sigmoid(x)
    let silu (t: Tensor) : Tensor = t * sigmoid t
    /// x², elementwise
    let square (t: Tensor) : Tensor = t * t

    /// The value as a constant: no derivative flows through.
    let stopGradient (t: Tensor) : Tensor = bind (Structure.StopGradient()) [ t ]

    // ---- devices

    /// The same values on a device: the tensor itself if it is there, else a copy. No derivative flows to another device:
    /// raises DifferentiationException for a tensor that is being differentiated or batched.
    let toDevice (device: Device) (t: Tensor) : Tensor =
        let shape = t.Shape

        if not (obj.ReferenceEquals(t.Device, device) || isNull t.Owner) then
            Fail.differentiation
                $"toDevice: the tensor is part of a transformation; move it to {device.Name} before that"

        match t.DType with
        | _ when obj.ReferenceEquals(t.Device, device) -> t
        | DType.Float32 -> create (Storage.Of(device, shape, DType.Float32, t.ToSingleArray()))
        | DType.Float64 -> create (Storage.Of(device, shape, DType.Float64, t.ToArray()))
        | _ -> create (Storage.Of(device, shape, DType.Int32, t.ToInt32Array()))

    // ---- reductions

    /// The sum of all elements. Float32 accumulates in Float64 or pairwise.
    let sum (t: Tensor) = t.SumAll()

    /// The sum over axes, which disappear.
    let sumAxes (axes: int list) (t: Tensor) : Tensor =
        t.SumOver(axes |> List.map (Shape.axis "sum" t.Rank) |> List.distinct |> List.sort |> List.toArray)

    /// The mean over axes, which disappear. Raises ShapeException where there is nothing to take the mean of.
    let meanAxes (axes: int list) (t: Tensor) : Tensor =
        let shape = t.Signature.Shape
        let axes = axes |> List.map (Shape.axis "mean" t.Rank) |> List.distinct
        let count = axes |> List.fold (fun count axis -> count * float shape[axis]) 1.0

        if count = 0.0 then
            Fail.shape $"mean: there is nothing to take the mean of in axes {axes} of shape {Shape.show shape}"

        sumAxes axes t / count

    /// The mean of all elements. Raises ShapeException where there are none.
    let mean (t: Tensor) : Tensor = meanAxes [ 0 .. t.Rank - 1 ] t

    /// The position of the first largest element of the last axis, Int32. It has no derivative.
    let argMax (t: Tensor) : Tensor = bind (Indexing.ArgMaximum()) [ t ]

    /// The elements of an axis at the given Int32 positions; the positions' axes take the axis's place.
    /// Raises ArgumentRangeException for a position outside the axis.
    let take (axis: int) (index: Tensor) (t: Tensor) : Tensor =
        bind (Indexing.Gather(Shape.axis "take" t.Rank axis, 0)) [ t; index ]

    /// For each row, the element of the last axis at that row's Int32 position.
    /// Raises ArgumentRangeException for a position outside the axis.
    let pick (index: Tensor) (t: Tensor) : Tensor =
        let shape = t.Signature.Shape

        if shape.Length = 0 || index.Signature.Shape <> shape[.. shape.Length - 2] then
            Fail.shape
                $"pick: an index of shape {Shape.show index.Signature.Shape} does not give one position for each row of {Shape.show shape}"

        bind (Indexing.Gather(t.Rank - 1, t.Rank - 1)) [ t; index ]

    /// The largest element of the last axis; the derivative goes to the first of equal ones.
    let max (t: Tensor) : Tensor = pick (argMax t) t

    /// Zeros of length `length` along a new axis, to which each update is added at its Int32 position; the inverse of `take`.
    let scatterAdd (axis: int) (length: int) (index: Tensor) (updates: Tensor) : Tensor =
        let axis = Shape.axis "scatterAdd" (updates.Rank - index.Rank + 1) axis
        bind (Indexing.ScatterAdd(axis, 0, length)) [ index; updates ]

    /// Sums of all elements up to each one along an axis.
    let cumulativeSum (axis: int) (t: Tensor) : Tensor =
        bind (Indexing.CumulativeSum(Shape.axis "cumulativeSum" t.Rank axis, false)) [ t ]

    /// 1 at each Int32 label, 0 elsewhere, along a new last axis of `classes`.
    /// Raises DataException for a label outside 0 … classes − 1, unless labels are being traced; then such a row is 0.
    let oneHot (dtype: DType) (classes: int) (labels: Tensor) : Tensor =
        indexOnly "oneHot" labels

        if isNull labels.Owner then
            labels.ToInt32Array()
            |> Array.iteri (fun row label ->
                if label < 0 || label >= classes then
                    Fail.data $"label {label} of row {row} is not one of 0 … {classes - 1}")

        Shape.size [| labels.Size; classes |] |> ignore
        let positions = arange dtype classes
        equal (convert dtype (unsqueeze -1 labels)) (toDevice labels.Device positions)

    // ---- products

    /// A product of two tensors in Einstein's notation, such as "ij,jk->ik". Each label of an operand occurs in the other one
    /// or in the result.
    let einsum (formula: string) (a: Tensor) (b: Tensor) : Tensor =
        if isNull formula then nullArg (nameof formula)
        let parts = formula.Replace(" ", "").Split("->")
        let operands = parts[0].Split ','
        let isLabel c = c = ',' || Char.IsAsciiLetter c

        if
            parts.Length <> 2
            || operands.Length <> 2
            || parts[1].Contains ','
            || not (Seq.forall isLabel (String.Concat parts))
        then
            Fail.shape $"einsum: \"{formula}\" is not of the form \"ij,jk->ik\""

        let labels (text: string) = text.ToCharArray() |> Array.map (fun c -> int c - int 'a')
        let left, right, result = labels operands[0], labels operands[1], labels parts[1]

        for own in [ left; right; result ] do
            if (Array.distinct own).Length <> own.Length then
                Fail.shape $"einsum: a label occurs twice in one operand, or in the result, of \"{formula}\""

        for (own, other) in [ left, right; right, left ] do
            if own |> Array.exists (fun label -> not (Array.contains label other || Array.contains label result)) then
                Fail.shape $"einsum: a label of \"{formula}\" occurs in one operand only; sum over that axis first"

        if result |> Array.exists (fun label -> not (Array.contains label left || Array.contains label right)) then
            Fail.shape $"einsum: the result of \"{formula}\" has a label that no operand has"

        bind (Einsum(left, right, result)) [ a; b ]

    /// The matrix product over the last two axes; leading axes broadcast. A vector on either side is a row or column.
    let matmul (a: Tensor) (b: Tensor) : Tensor =
        match a.Rank, b.Rank with
        | 0, _
        | _, 0 ->
            Fail.shape
                $"matmul: matrices are needed, and the shapes are {Shape.show a.Signature.Shape} and {Shape.show b.Signature.Shape}"
        | 1, 1 -> einsum "i,i->" a b
        | 1, 2 -> einsum "i,ij->j" a b
        | 2, 1 -> einsum "ij,j->i" a b
        | 2, 2 -> einsum "ij,jk->ik" a b
        | m, 2 ->
            let labels = [| 0 .. m - 1 |]
            bind (Einsum(labels, [| m - 1; m |], Array.append labels[.. m - 2] [| m |])) [ a; b ]
        | m, n when m >= 2 && n >= 2 ->
            let leading (t: Tensor) = t.Signature.Shape[.. t.Rank - 3]
            let batch = Shape.broadcast "matmul" (leading a) (leading b)
            let expand (t: Tensor) = t.BroadcastTo(Array.append batch t.Signature.Shape[t.Rank - 2 ..])
            let labels = [| 0 .. batch.Length - 1 |]
            let i, j, k = batch.Length, batch.Length + 1, batch.Length + 2

            bind
                (Einsum(Array.append labels [| i; j |], Array.append labels [| j; k |], Array.append labels [| i; k |]))
                [ expand a; expand b ]
        | _ ->
            Fail.shape
                $"matmul: shapes {Shape.show a.Signature.Shape} and {Shape.show b.Signature.Shape} do not fit; a vector goes with a matrix"

    /// The inner product of two tensors of the same shape.
    let dot (a: Tensor) (b: Tensor) : Tensor =
        if a.Signature.Shape <> b.Signature.Shape then
            Fail.shape $"dot: shapes {Shape.show a.Signature.Shape} and {Shape.show b.Signature.Shape} differ"

        let labels = [| 0 .. a.Rank - 1 |]
        bind (Einsum(labels, labels, [||])) [ a; b ]

    /// a·bᵀ of two vectors.
    let outer (a: Tensor) (b: Tensor) = einsum "i,j->ij" a b

    /// The Euclidean norm of all elements. It neither overflows nor underflows where the norm itself does not. All its derivatives
    /// at 0 are 0: the gradient there is the subgradient of least norm.
    let norm (t: Tensor) : Tensor = bind (Norm 0) [ t ]

    /// The Euclidean norm of each row of a matrix.
    let internal rowNorms (rows: Tensor) : Tensor = bind (Norm 1) [ rows ]

    // ---- softmax

    /// ln Σ eˣ over the last axis, shifted by the maximum of its own row.
    let logSumExp (t: Tensor) : Tensor = Softmax.LogSumExp.Of t

    /// eˣ / Σ eˣ over the last axis.
    let softmax (t: Tensor) : Tensor = Softmax.Probabilities.Of t

    /// x − ln Σ eˣ over the last axis.
    let logSoftmax (t: Tensor) : Tensor =
        // Shifted first, since small differences of large numbers have few digits left. The shift drops out of every derivative.
        let shifted = t - unsqueeze -1 (stopGradient (max t))
        shifted - unsqueeze -1 (logSumExp shifted)

    /// −Σ q·log softmax(x) over the last axis, for logits x and target distributions q of the same shape.
    let softmaxCrossEntropy (logits: Tensor) (targets: Tensor) : Tensor =
        bind (Softmax.CrossEntropy()) [ logits; targets ]

/// What a script reaches for first.
[<AutoOpen>]
module TensorBuilders =
    /// A tensor of nested sequences of float, float32 or int: tensor [[1.0; 2.0]; [3.0; 4.0]].
    let tensor (value: obj) : Tensor = Tensor.ofObject value
