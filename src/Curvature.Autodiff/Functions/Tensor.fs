namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels

/// Making tensors and computing with them. Functions that take axes count negative ones from the end.
/// Everything here can be differentiated to any order unless it says otherwise.
[<RequireQualifiedAccess>]
module Tensor =

    // ---- making tensors

    /// A Float64 tensor of a shape from values in row-major order.
    let ofArray (shape: int list) (values: float[]) : Tensor = TensorCreation.ofArray shape values

    /// A Float32 tensor of a shape from values in row-major order.
    let ofSingleArray (shape: int list) (values: float32[]) : Tensor = TensorCreation.ofSingleArray shape values

    /// An Int32 tensor, for indices, of a shape from values in row-major order.
    let ofIndices (shape: int list) (values: int[]) : Tensor = TensorCreation.ofIndices shape values

    /// A tensor of one number.
    let scalar (dtype: DType) (value: float) : Tensor = TensorCreation.full dtype [] value

    /// The same number everywhere. It takes the memory of one number.
    let full (dtype: DType) (shape: int list) (value: float) : Tensor = TensorCreation.full dtype shape value

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
    let convert (dtype: DType) (t: Tensor) : Tensor = TensorCreation.convert dtype t

    /// 0, 1, …, count − 1.
    let arange (dtype: DType) (count: int) : Tensor = TensorCreation.arange dtype count

    /// `count` numbers from first to last at equal distances, Float64. Two at least.
    let linspace (first: float) (last: float) (count: int) : Tensor = TensorCreation.linspace first last count

    /// The identity matrix.
    let eye (dtype: DType) (size: int) : Tensor = TensorCreation.eye dtype size

    /// Nested sequences of float, float32 or int, or a number, an array, or a 2-D array, as a tensor of Float64,
    /// Float32 or Int32.
    let ofObject (value: obj) : Tensor = TensorCreation.ofObject value

    // ---- random tensors

    /// Independent uniform numbers on [0, 1). Element i depends on the key and i alone, as in jax.random.uniform.
    let uniform key dtype shape = TensorCreation.random Distribution.Uniform key dtype shape

    /// Independent standard normal numbers, as in jax.random.normal.
    let normal key dtype shape = TensorCreation.random Distribution.Normal key dtype shape

    /// Independent signs, −1 or 1.
    let rademacher key dtype shape = TensorCreation.random Distribution.Rademacher key dtype shape

    // ---- shape

    /// The same elements in row-major order in another shape; one length may be −1, and is then inferred.
    let reshape (shape: int list) (t: Tensor) : Tensor = TensorShapes.reshape shape t

    /// One axis with all elements.
    let flatten (t: Tensor) = reshape [ t.Size ] t

    /// Result axis i is axis order[i].
    let permute (order: int list) (t: Tensor) : Tensor = TensorShapes.permute order t

    /// The last two axes exchanged.
    let transpose (t: Tensor) : Tensor = TensorShapes.transpose t

    /// Adds an axis of length 1 before the given one.
    let unsqueeze (axis: int) (t: Tensor) = TensorShapes.unsqueeze axis t

    /// Removes an axis of length 1.
    let squeeze (axis: int) (t: Tensor) = TensorShapes.squeeze axis t

    /// Repeats axes of length 1, and new leading ones, to reach a shape.
    let broadcastTo (shape: int list) (t: Tensor) : Tensor = TensorShapes.broadcastTo shape t

    /// `count` elements of an axis from `start`, every `step`-th.
    let sliceStep (axis: int) (start: int) (count: int) (step: int) (t: Tensor) : Tensor =
        TensorShapes.sliceStep axis start count step t

    /// `count` elements of an axis from `start`.
    let slice axis start count t = sliceStep axis start count 1 t

    /// Entry `index` of an axis, which disappears.
    let item (axis: int) (index: int) (t: Tensor) = TensorShapes.item axis index t

    /// Cuts an axis into consecutive pieces of the given lengths.
    let split (axis: int) (sizes: int list) (t: Tensor) : Tensor list =
        let axis = Shape.axis "split" t.Rank axis
        Interpreter.Bind(Structure.Split(axis, List.toArray sizes), t) |> List.ofArray

    /// Joins tensors along an axis.
    let concat (axis: int) (tensors: Tensor list) : Tensor = TensorShapes.concat axis tensors

    /// Joins tensors of the same shape along a new axis.
    let stack (axis: int) (tensors: Tensor list) : Tensor = TensorShapes.stack axis tensors

    /// Zeros before and after the elements of an axis.
    let pad (axis: int) (before: int) (after: int) (t: Tensor) : Tensor = TensorShapes.pad axis before after t

    /// The elements of an axis in the opposite order.
    let reverse (axis: int) (t: Tensor) : Tensor =
        Tensor.Of(Structure.Reverse [| Shape.axis "reverse" t.Rank axis |], t)

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
    /// a where the mask is not 0, else b. Values of the branch that is not taken do not matter. Where its derivative is
    /// infinite, as that of √x at 0, reverse mode gives NaN; keep the argument of such a function away from there by
    /// another `where`.
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
    let stopGradient (t: Tensor) : Tensor = Tensor.Of(Structure.StopGradient(), t)

    // ---- devices

    /// The same values on a device: the tensor itself if it is there, else a copy. No derivative flows to another
    /// device: raises DifferentiationException for a tensor that is being differentiated or batched.
    let toDevice (device: Device) (t: Tensor) : Tensor = TensorCreation.toDevice device t

    // ---- reductions

    /// The sum of all elements. Float32 accumulates in Float64 or pairwise.
    let sum (t: Tensor) = t.SumAll()

    /// The sum over axes, which disappear.
    let sumAxes (axes: int list) (t: Tensor) : Tensor = TensorSelection.sumAxes axes t

    /// The mean over axes, which disappear. Raises ShapeException where there is nothing to take the mean of.
    let meanAxes (axes: int list) (t: Tensor) : Tensor = TensorSelection.meanAxes axes t

    /// The mean of all elements. Raises ShapeException where there are none.
    let mean (t: Tensor) : Tensor = meanAxes [ 0 .. t.Rank - 1 ] t

    /// The position of the first largest element of the last axis, Int32. It has no derivative.
    let argMax (t: Tensor) : Tensor = Tensor.Of(Indexing.ArgMaximum(), t)

    /// The elements of an axis at the given Int32 positions; the positions' axes take the axis's place.
    /// Raises ArgumentRangeException for a position outside the axis.
    let take (axis: int) (index: Tensor) (t: Tensor) : Tensor = TensorSelection.take axis index t

    /// For each row, the element of the last axis at that row's Int32 position.
    /// Raises ArgumentRangeException for a position outside the axis.
    let pick (index: Tensor) (t: Tensor) : Tensor = TensorSelection.pick index t

    /// The largest element of the last axis; the derivative goes to the first of equal ones.
    let max (t: Tensor) : Tensor = pick (argMax t) t

    /// Zeros of length `length` along a new axis, to which each update is added at its Int32 position; the adjoint of
    /// `take`.
    let scatterAdd (axis: int) (length: int) (index: Tensor) (updates: Tensor) : Tensor =
        TensorSelection.scatterAdd axis length index updates

    /// Sums of all elements up to each one along an axis.
    let cumulativeSum (axis: int) (t: Tensor) : Tensor = TensorSelection.cumulativeSum axis t

    /// 1 at each Int32 label, 0 elsewhere, along a new last axis of `classes`.
    /// Raises DataException for a label outside 0 … classes − 1, unless labels are being traced; then such a row is 0.
    let oneHot (dtype: DType) (classes: int) (labels: Tensor) : Tensor = TensorSelection.oneHot dtype classes labels

    // ---- products

    /// A product of two tensors in Einstein's notation, such as "ij,jk->ik". Each label of an operand occurs in the
    /// other one or in the result.
    let einsum (formula: string) (a: Tensor) (b: Tensor) : Tensor = TensorProducts.einsum formula a b

    /// The matrix product over the last two axes; leading axes broadcast. A vector on either side is a row or column.
    let matmul (a: Tensor) (b: Tensor) : Tensor = TensorProducts.matmul a b

    /// The inner product of two tensors of the same shape.
    let dot (a: Tensor) (b: Tensor) : Tensor = TensorProducts.dot a b

    /// a·bᵀ of two vectors.
    let outer (a: Tensor) (b: Tensor) = einsum "i,j->ij" a b

    /// The Euclidean norm of all elements. It neither overflows nor underflows where the norm itself does not. All its
    /// derivatives at 0 are 0: the gradient there is the subgradient of least norm.
    let norm (t: Tensor) : Tensor = Tensor.Of(Norm 0, t)

    /// The Euclidean norm of each row of a matrix.
    let internal rowNorms (rows: Tensor) : Tensor = Tensor.Of(Norm 1, rows)

    // ---- softmax

    /// ln Σ eˣ over the last axis. Each row is shifted by its maximum, so that nothing overflows.
    let logSumExp (t: Tensor) : Tensor = Softmax.LogSumExp.Of t

    /// eˣ / Σ eˣ over the last axis.
    let softmax (t: Tensor) : Tensor = Softmax.Probabilities.Of t

    /// x − ln Σ eˣ over the last axis.
    let logSoftmax (t: Tensor) : Tensor =
        // Shifted first, since small differences of large numbers have few digits. The shift cancels in every
        // derivative.
        let shifted = t - unsqueeze -1 (stopGradient (max t))
        shifted - unsqueeze -1 (logSumExp shifted)

    /// −Σ q·log softmax(x) over the last axis, for logits x and target distributions q of the same shape.
    let softmaxCrossEntropy (logits: Tensor) (targets: Tensor) : Tensor =
        Tensor.Of(Softmax.CrossEntropy(), logits, targets)

/// What scripts need most, without the name of a module.
[<AutoOpen>]
module TensorBuilders =
    /// A tensor of nested sequences of float, float32 or int: tensor [[1.0; 2.0]; [3.0; 4.0]].
    let tensor (value: obj) : Tensor = Tensor.ofObject value
