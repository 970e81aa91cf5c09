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

    /// `count` numbers from first to last at equal distances, Float32 or Float64. Two at least.
    let linspace (dtype: DType) (first: float) (last: float) (count: int) : Tensor =
        TensorCreation.linspace dtype first last count

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
    /// Mirror images of an axis on both sides, without the element at its end, as NumPy's "reflect": at most length − 1
    /// elements each. Raises ArgumentRangeException for more.
    let padReflect axis before after (t: Tensor) : Tensor = TensorPadding.reflect axis before after t
    /// The first element before an axis, and the last one after it, so many times; NumPy's "edge".
    let padEdge axis before after (t: Tensor) : Tensor = TensorPadding.edge axis before after t
    /// The end of an axis before it, and its start after it, as NumPy's "wrap": at most its length each.
    let padWrap axis before after (t: Tensor) : Tensor = TensorPadding.wrap axis before after t

    /// The elements of an axis in the opposite order.
    let reverse (axis: int) (t: Tensor) : Tensor =
        Tensor.Of(Structure.ReverseAxes [| Shape.axis "reverse" t.Rank axis |], t)

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
    /// Tangent, radians
    let tan (t: Tensor) = TensorTrigonometry.tan t
    /// Angle with this sine, from −π/2 to π/2; NaN outside [−1, 1]. The derivative at −1 and 1 is infinite.
    let asin (t: Tensor) = TensorTrigonometry.asin t
    /// Angle with this cosine, from 0 to π; NaN outside [−1, 1]. The derivative at −1 and 1 is infinite.
    let acos (t: Tensor) = TensorTrigonometry.acos t
    /// Angle with this tangent, from −π/2 to π/2
    let atan (t: Tensor) = TensorTrigonometry.atan t
    /// Angle of the point (x, y), from −π to π; y comes first. All derivatives at the origin are 0.
    let atan2 (y: Tensor) (x: Tensor) = TensorTrigonometry.atan2 y x
    /// Hyperbolic sine
    let sinh (t: Tensor) = TensorTrigonometry.sinh t
    /// Hyperbolic cosine
    let cosh (t: Tensor) = TensorTrigonometry.cosh t
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
    /// Smallest integer ≥ x; the derivative is 0.
    let ceil (t: Tensor) = TensorSteps.ceil t
    /// Nearest integer, and of two the even one; the derivative is 0.
    let round (t: Tensor) = TensorSteps.round t
    /// x where it lies between low and high, else the nearer of the two. The derivative is 1 from low to high, both
    /// included, and 0 elsewhere. NaN stays. Raises ArgumentRangeException where low is above high.
    let clip (low: float) (high: float) (t: Tensor) : Tensor = TensorSteps.clip low high t
    /// 1 where x is NaN, else 0; the derivative is 0.
    let isNaN (t: Tensor) = TensorSteps.isNaN t
    /// 1 where x is neither NaN nor infinite, else 0; the derivative is 0.
    let isFinite (t: Tensor) = TensorSteps.isFinite t

    // ---- two operands, one of which may be a number

    /// The larger of two, one of which may be a number; where they are equal, each carries half of the derivative.
    let inline maximum (a: ^a) (b: ^b) : Tensor = ((^a or ^b): (static member Maximum: ^a * ^b -> Tensor) (a, b))
    /// The smaller of two, one of which may be a number; where they are equal, each carries half of the derivative.
    let inline minimum (a: ^a) (b: ^b) : Tensor = ((^a or ^b): (static member Minimum: ^a * ^b -> Tensor) (a, b))
    /// 1 where a > b, else 0; the derivative is 0. One of the two may be a number.
    let inline greater (a: ^a) (b: ^b) : Tensor = ((^a or ^b): (static member Greater: ^a * ^b -> Tensor) (a, b))

    /// 1 where a ≥ b, else 0; the derivative is 0. One of the two may be a number.
    let inline greaterOrEqual (a: ^a) (b: ^b) : Tensor =
        ((^a or ^b): (static member GreaterOrEqual: ^a * ^b -> Tensor) (a, b))

    /// 1 where a = b, else 0; the derivative is 0. One of the two may be a number.
    let inline equal (a: ^a) (b: ^b) : Tensor = ((^a or ^b): (static member Equal: ^a * ^b -> Tensor) (a, b))

    /// a where the mask is not 0, else b; a and b may be numbers. Values of the branch that is not taken do not matter.
    /// Where its derivative is infinite, as that of √x at 0, reverse mode gives NaN; keep the argument of such a
    /// function away from there by another `where`.
    let inline where (mask: ^m) (a: ^a) (b: ^b) : Tensor =
        ((^m or ^a or ^b): (static member Where: ^m * ^a * ^b -> Tensor) (mask, a, b))

    /// max(x, 0), with derivative 0 at 0.
    let relu (t: Tensor) = where (greater t 0.0) t 0.0
    /// x·Φ(x), with Φ the standard normal distribution function (Hendrycks & Gimpel 2016).
    let gelu (t: Tensor) : Tensor = 0.5 * t * (1.0 + erf (t * Math.Sqrt 0.5))
    /// x·sigmoid(x)
    let silu (t: Tensor) : Tensor = t * sigmoid t
    /// x², elementwise
    let square (t: Tensor) : Tensor = t * t
    /// The value as a constant: no derivative flows through.
    let stopGradient (t: Tensor) : Tensor = Tensor.Of(Structure.StopGradient(), t)

    /// f at x. Derivatives, which are those of f, keep x and what f captured, and compute what lies between again: less
    /// memory for more time. Raises AbstractValueException where f asks for values of tensors.
    let checkpoint (f: Tensor -> Tensor) (x: Tensor) : Tensor = Recomputations.single f x
    /// `checkpoint` for several tensors with several results. Raises ShapeException where there are no tensors.
    let checkpointOf (f: Tensor list -> Tensor list) (xs: Tensor list) : Tensor list = Recomputations.several f xs

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

    /// The variance over axes, which disappear: Σ(x − mean)²/(n − correction). A correction of 1 makes it unbiased for
    /// independent samples. Raises ShapeException where n is not above the correction.
    let varAxes (axes: int list) (correction: int) (t: Tensor) : Tensor = TensorReductions.varAxes axes correction t
    /// The variance of all elements, divided by their number. Raises ShapeException where there are none.
    let var (t: Tensor) : Tensor = varAxes [ 0 .. t.Rank - 1 ] 0 t
    /// The root of `varAxes`. Where all elements are equal its derivatives are 0, as those of `norm`.
    let stdAxes (axes: int list) (correction: int) (t: Tensor) : Tensor = TensorReductions.stdAxes axes correction t
    /// The root of `var`.
    let std (t: Tensor) : Tensor = stdAxes [ 0 .. t.Rank - 1 ] 0 t
    /// The product over axes, which disappear; 1 where there are no elements. Derivatives hold at 0 too.
    let prodAxes (axes: int list) (t: Tensor) : Tensor = TensorReductions.prodAxes axes t
    /// The product of all elements.
    let prod (t: Tensor) : Tensor = prodAxes [ 0 .. t.Rank - 1 ] t
    /// 1 where an element over the axes, which disappear, is not 0, else 0. NaN is not 0.
    let anyAxes (axes: int list) (t: Tensor) : Tensor = TensorReductions.anyAxes axes t
    /// 1 if an element is not 0, else 0.
    let any (t: Tensor) : Tensor = anyAxes [ 0 .. t.Rank - 1 ] t
    /// 1 where no element over the axes, which disappear, is 0, else 0.
    let allAxes (axes: int list) (t: Tensor) : Tensor = TensorReductions.allAxes axes t
    /// 1 if no element is 0, else 0.
    let all (t: Tensor) : Tensor = allAxes [ 0 .. t.Rank - 1 ] t
    /// The position of the first largest element of the last axis, or of the first NaN, Int32. It has no derivative.
    let argMax (t: Tensor) : Tensor = TensorReductions.argMax t
    /// The position of the first smallest element of the last axis, or of the first NaN, Int32. It has no derivative.
    let argMin (t: Tensor) : Tensor = TensorReductions.argMin t

    /// The elements of an axis at the given Int32 positions; the positions' axes take the axis's place.
    /// Raises ArgumentRangeException for a position outside the axis.
    let take (axis: int) (index: Tensor) (t: Tensor) : Tensor = TensorSelection.take axis index t

    /// For each row, the element of the last axis at that row's Int32 position.
    /// Raises ArgumentRangeException for a position outside the axis.
    let pick (index: Tensor) (t: Tensor) : Tensor = TensorSelection.pick index t
    /// The largest element of the last axis; the derivative goes to the first of equal ones.
    let max (t: Tensor) : Tensor = pick (argMax t) t
    /// The smallest element of the last axis; the derivative goes to the first of equal ones.
    let min (t: Tensor) : Tensor = pick (argMin t) t

    /// The largest element over axes, which disappear; the derivative goes to the first of equal ones. NaN where there
    /// is one. Raises ShapeException where there are no elements.
    let maxAxes (axes: int list) (t: Tensor) : Tensor = TensorReductions.maxAxes axes t
    /// The smallest element over axes, with the rules of `maxAxes`.
    let minAxes (axes: int list) (t: Tensor) : Tensor = TensorReductions.minAxes axes t

    // ---- sorting

    /// The elements of an axis in ascending order, NaN last. Derivatives follow the elements.
    let sort (axis: int) (t: Tensor) : Tensor = TensorSorting.sort axis t

    /// The positions of the elements of an axis in ascending order, Int32. Equal elements keep their order, NaN comes
    /// last. It has no derivative.
    let argSort (axis: int) (t: Tensor) : Tensor = TensorSorting.argSort axis t

    /// The `count` largest elements of the last axis from the largest on, and their Int32 positions. NaN comes last,
    /// and of equal elements the first comes first. Raises ArgumentRangeException for more than there are.
    let topK (count: int) (t: Tensor) : Tensor * Tensor = TensorSorting.topK count t

    /// The median over axes, which disappear: the mean of the two middle elements where their number is even. NaN where
    /// there is one. Raises ShapeException where there are no elements.
    let medianAxes (axes: int list) (t: Tensor) : Tensor = TensorSorting.medianAxes axes t

    /// The median of all elements.
    let median (t: Tensor) : Tensor = medianAxes [ 0 .. t.Rank - 1 ] t

    /// Zeros of length `length` along a new axis, to which each update is added at its Int32 position; the adjoint of
    /// `take`.
    let scatterAdd (axis: int) (length: int) (index: Tensor) (updates: Tensor) : Tensor =
        TensorSelection.scatterAdd axis length index updates

    /// For each element of an Int32 index, the element of the tensor at this position of the axis, in the same place
    /// along all other axes, as torch.gather. The index has as many axes, and is no longer along the other ones.
    let gatherElements (axis: int) (index: Tensor) (t: Tensor) : Tensor = TensorSelection.gatherElements axis index t

    /// The tensor with each update added to the element that `gatherElements` reads for it, as torch.scatter_add.
    /// Updates have the shape of the index.
    let scatterAddElements (axis: int) (index: Tensor) (updates: Tensor) (t: Tensor) : Tensor =
        TensorSelection.scatterAddElements axis index updates t

    /// Sums of all elements up to each one along an axis.
    let cumulativeSum (axis: int) (t: Tensor) : Tensor = TensorSelection.cumulativeSum axis t

    /// 1 at each Int32 label, 0 elsewhere, along a new last axis of `classes`.
    /// Raises DataException for a label outside 0 … classes − 1, unless labels are being traced; then such a row is 0.
    let oneHot (dtype: DType) (classes: int) (labels: Tensor) : Tensor = TensorSelection.oneHot dtype classes labels

    // ---- diagonals and triangles of matrices, the last two axes

    /// The diagonal of each matrix.
    let diagonal (t: Tensor) : Tensor = TensorTriangles.diagonal t
    /// A matrix with the elements of the last axis on its diagonal and 0 elsewhere.
    let diag (t: Tensor) : Tensor = TensorTriangles.diag t
    /// The sum of the diagonal of each matrix.
    let trace (t: Tensor) : Tensor = TensorTriangles.trace t
    /// Each matrix with 0 above the diagonal that is `offset` to the right of the main one.
    let tril (offset: int) (t: Tensor) : Tensor = TensorTriangles.tril offset t
    /// Each matrix with 0 below the diagonal that is `offset` to the right of the main one.
    let triu (offset: int) (t: Tensor) : Tensor = TensorTriangles.triu offset t

    // ---- linear algebra of small dense matrices, the last two axes; leading axes are stacks

    // Each function takes O(n³) operations on the host, in Float64, whatever the element type; so do its derivatives.
    // A matrix with NaN or infinity gives NaN.

    /// X with AX = B by A = PLU. B is a vector [n], or a matrix [n; k]; leading axes broadcast. Raises ShapeException
    /// where A is not square, and OperatorException where a pivot is not larger than its rounding error.
    let solve (a: Tensor) (b: Tensor) : Tensor = TensorDecompositions.solve a b

    /// A⁻¹, with the errors of `solve`, which is to be preferred for A⁻¹b.
    let inverse (a: Tensor) : Tensor = TensorDecompositions.inverse a

    /// The lower L of A = LLᵀ. It is that of the symmetric part (A + Aᵀ)/2, so that gradients are symmetric.
    /// Raises ShapeException where A is not square, and OperatorException where it is not positive definite.
    let cholesky (a: Tensor) : Tensor = TensorDecompositions.cholesky a

    /// Ascending eigenvalues and orthonormal eigenvectors, in columns, of the symmetric part (A + Aᵀ)/2. The element of
    /// largest magnitude of each vector is positive. First derivatives of eigenvalues always hold; those of vectors,
    /// and second ones, are not finite where eigenvalues coincide. Raises ShapeException where A is not square.
    let eigh (a: Tensor) : Tensor * Tensor = TensorDecompositions.eigh a

    /// U [m; k], descending singular values s [k] and V [n; k] with A = U diag(s) Vᵀ and k = min(m, n). The element of
    /// largest magnitude of each column of U is positive. Derivatives of U and V, and second ones, are not finite where
    /// singular values coincide, nor where one is 0 and m ≠ n.
    let svd (a: Tensor) : Tensor * Tensor * Tensor = TensorDecompositions.svd a

    /// Q [m; k] with orthonormal columns and upper R [k; n] with A = QR and k = min(m, n); the diagonal of R is not
    /// negative. Derivatives raise OperatorException where the first k columns are linearly dependent.
    let qr (a: Tensor) : Tensor * Tensor = TensorDecompositions.qr a

    /// The determinant, by A = PLU; 1 for n = 0. Raises ShapeException where A is not square. Its derivative, det A
    /// tr(A⁻¹ dA), raises OperatorException where A is singular.
    let det (a: Tensor) : Tensor = TensorDecompositions.det a

    /// ln |det A|, whatever the sign of det A; −∞ where A is singular. Its gradient is A⁻ᵀ. Errors are those of `det`.
    let logdet (a: Tensor) : Tensor = TensorDecompositions.logdet a

    /// The sign of det A, which has no derivative, and ln |det A|.
    let slogdet (a: Tensor) : Tensor * Tensor = TensorDecompositions.slogdet a

    // ---- products

    /// A product of two tensors in Einstein's notation, such as "ij,jk->ik". Labels that the result does not have are
    /// summed over.
    let einsum (formula: string) (a: Tensor) (b: Tensor) : Tensor = TensorProducts.einsum formula a b

    /// A product of any number of tensors in Einstein's notation, such as "ij,jk,kl->il"; of one, such as "ij->j", too.
    /// Two are multiplied at a time: always those that take the fewest multiplications, of equal ones those with the
    /// smallest result.
    let einsumOf (formula: string) (operands: Tensor list) : Tensor = TensorProducts.einsumOf formula operands

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
