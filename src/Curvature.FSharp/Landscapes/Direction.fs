namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// A direction in the space of parameters, with a name for axes and tables. Immutable.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Direction internal (name: string, vector: Tensor, eigenvalue: Nullable<float>) =
    let length = lazy (Vectors.norm vector)

    /// What the direction is called, such as `eigenvector 1`.
    member _.Name = name

    /// The direction, [n]: a step of 1 along it adds this to the parameters.
    member _.Vector = vector

    /// The Euclidean length of the vector.
    member _.Length = length.Value

    /// The eigenvalue of the Hessian that belongs to the direction, where it is known to be an eigenvector.
    member _.Eigenvalue = eigenvalue

    override _.ToString() = name

    member internal this.Text = this.ToString()

/// A direction and the multiples of it at which a loss is evaluated, in increasing order. Made by Landscape.axis.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LandscapeAxis internal (direction: Direction, positions: float[]) =
    /// The direction.
    member _.Direction = direction

    /// The multiples of the direction, which increase.
    member _.Positions = Array.copy positions

    override _.ToString() =
        let low, high = Numbers.show positions[0], Numbers.show positions[positions.Length - 1]
        $"{direction} at {positions.Length} positions from {low} to {high}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Directions of lines and planes through parameter space. All have unit length unless they say otherwise, so that a
/// step is a distance.
[<RequireQualifiedAccess>]
module Direction =

    let private create name (vector: Tensor) eigenvalue =
        if vector.DType = DType.Int32 then
            Fail.dtype $"{name}: a direction is Float32 or Float64, and this one is Int32"

        Finite.check $"direction: {name}" vector
        let direction = Direction(name, Tensor.flatten vector, eigenvalue)

        if direction.Length = 0.0 then
            Fail.range $"direction: {name} is zero, and no direction"

        direction

    let private unit name (vector: Tensor) eigenvalue =
        let direction = create name vector eigenvalue
        Direction(name, direction.Vector / direction.Length, eigenvalue)

    /// A vector of any length and shape as it is, under a name. Raises NonFiniteException where an element is NaN or
    /// infinite, ArgumentRangeException for zeros, DTypeException for Int32.
    let ofVector (name: string) (vector: Tensor) : Direction = create name vector (Nullable())

    /// Eigenvector number `index`, from 0, with its eigenvalue, from which the quadratic model along it follows. The
    /// pairs must be those of the Hessian of the same loss at the same point. Raises ArgumentRangeException where there
    /// is no such pair.
    let eigenvector (index: int) (pairs: EigenPairs) : Direction =
        if index < 0 || index >= pairs.Values.Length then
            Fail.range (
                $"Direction.eigenvector: there are {pairs.Values.Length} pairs, numbered from 0, and number {index} "
                + "was asked for"
            )

        unit $"eigenvector {index + 1}" (Tensor.item 0 index pairs.Vectors) (Nullable pairs.Values[index])

    /// The direction of a gradient, uphill. Raises ArgumentRangeException for a gradient of 0.
    let gradient (gradient: Tensor) : Direction = unit "gradient" gradient (Nullable())

    /// A direction drawn uniformly, for parameters of the shape of θ.
    let random (key: Key) (theta: Tensor) : Direction =
        let normal = Tensor.normal key theta.DType (List.ofArray theta.Signature.Shape)
        unit "random" (Tensor.toDevice theta.Device normal) (Nullable())

    /// The same direction, `factor` times as long; a negative factor turns it round. Raises ArgumentRangeException for
    /// 0 and for a factor that is not finite.
    let scaled (factor: float) (direction: Direction) : Direction =
        if factor = 0.0 || not (Double.IsFinite factor) then
            Fail.range $"Direction.scaled: a finite factor other than 0 is needed, and this one is {factor}"

        Direction(direction.Name, direction.Vector * factor, direction.Eigenvalue)

    let private requireSize what (expected: int) (direction: Direction) =
        if direction.Vector.Size <> expected then
            Fail.shape $"{what}: {direction.Name} has {direction.Vector.Size} elements, and {expected} are needed"

    /// The part of a direction at right angles to another one, as long as the direction was. Raises ShapeException for
    /// different sizes, and ArgumentRangeException where they are parallel to the precision of the element type.
    let orthogonalTo (other: Direction) (direction: Direction) : Direction =
        requireSize "Direction.orthogonalTo" other.Vector.Size direction
        let axis = Tensor.unsqueeze 0 (other.Vector / other.Length)
        // A second pass removes the rounding of the first, which is as large as the part that was removed.
        let rest = direction.Vector |> Vectors.without axis |> Vectors.without axis
        let length = Vectors.norm rest

        if length <= 100.0 * SmallMatrices.epsilon rest.DType * direction.Length then
            Fail.range $"Direction.orthogonalTo: {direction.Name} is parallel to {other.Name}"

        Direction(direction.Name, rest * (direction.Length / length), Nullable())

    // ---- normalisation by filters

    /// The norms of slices along the leading axis, or the norm of all of a tensor without rows.
    let private rowNorms (tensor: ParameterTensor) (t: Tensor) : Tensor =
        let rows = if tensor.Shape.Length < 2 then 1 else tensor.Shape[0]
        let elements = Tensor.reshape [ rows; tensor.Size / max 1 rows ] t |> Tensor.convert DType.Float64
        Tensor.rowNorms elements

    let private scaledRows (tensor: ParameterTensor) (weights: Tensor) (piece: Tensor) : Tensor =
        let norms, wanted = rowNorms tensor piece, rowNorms tensor weights
        let zero = Tensor.zerosLike norms
        let isZero = Tensor.equal norms zero
        let factors = Tensor.where isZero zero (wanted / Tensor.where isZero (Tensor.onesLike norms) norms)
        let rows = Tensor.reshape [ norms.Size; tensor.Size / max 1 norms.Size ] piece |> Tensor.convert DType.Float64
        rows * Tensor.unsqueeze 1 factors |> Tensor.flatten |> Tensor.convert piece.DType

    /// Filter normalisation (Li et al. 2018, "Visualizing the loss landscape of neural nets", section 4): each row of
    /// the direction along the leading axis of a tensor, which is a filter of a convolution or a neuron of a dense
    /// layer, is scaled to the norm that the same row has in θ, so that landscapes of networks of different scale
    /// compare. Tensors for which `isIgnored` holds do not move at all; others of fewer than two axes count as one
    /// filter. Raises ShapeException for sizes that differ, ArgumentRangeException where nothing is left.
    let filterNormalizedExcept
        (isIgnored: ParameterTensor -> bool)
        (layout: ParameterLayout)
        (theta: Tensor)
        (direction: Direction)
        : Direction =
        requireSize "Direction.filterNormalized" layout.Size direction

        if theta.Size <> layout.Size then
            Fail.shape $"Direction.filterNormalized: θ has {theta.Size} elements, and the layout {layout.Size}"

        let point =
            Tensor.flatten theta |> Tensor.convert direction.Vector.DType |> Tensor.toDevice direction.Vector.Device

        [
            for tensor in layout.Tensors do
                let cut = Tensor.slice 0 tensor.Offset tensor.Size

                if tensor.Size > 0 then
                    if isIgnored tensor then
                        Tensor.zerosLike (cut direction.Vector)
                    else
                        scaledRows tensor (cut point) (cut direction.Vector)
        ]
        |> Tensor.concat 0
        |> fun vector -> create $"{direction.Name}, filter-normalised" vector (Nullable())

    /// Filter normalisation where biases and the parameters of normalisation layers, which are the tensors of fewer
    /// than two axes, do not move; see `filterNormalizedExcept`.
    let filterNormalized (layout: ParameterLayout) (theta: Tensor) (direction: Direction) : Direction =
        filterNormalizedExcept (fun tensor -> tensor.Shape.Length < 2) layout theta direction
