namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// A few orthonormal directions in which the Jacobians of a vector field are large at some points: a sketch of their
/// range, as Hutch++ has of one matrix. It may be used at other points, and for as many steps as it stays good: a poor
/// sketch makes estimates noisier, and never wrong. Made by the functions of the module FieldSketch. Immutable.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type FieldSketch internal (basis: Tensor, age: int, derivatives: int) =
    /// The directions, [k; d] for points of d elements.
    member _.Basis = basis

    /// The number k of directions.
    member _.Vectors = basis.Shape[0]

    /// How many steps ago it was found.
    member _.Age = age

    /// The derivatives of a stack of points along one vector a point that it took to find.
    member _.Derivatives = derivatives

    /// The derivatives of a stack that a divergence from so many samples takes with this sketch.
    member _.DerivativesFor(samples: int) = basis.Shape[0] + samples

    member internal _.Aged = FieldSketch(basis, age + 1, derivatives)

    override _.ToString() =
        $"""{Describe.count basis.Shape[0] "direction"} of {basis.Shape[1]}, {Describe.count age "step"} old"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Sketches of the Jacobians of a vector field, and divergences with them.
[<RequireQualifiedAccess>]
module FieldSketch =

    let private name = "FieldSketch"

    /// Points are the rows of a stack: how many, and of how many elements each.
    let private sizes (points: Tensor) : struct (int * int) =
        if points.Rank < 2 || points.Size = 0 then
            Fail.shape (
                $"{name}: a stack has points of one axis or more along its leading axis, and the shape is "
                + $"{Shape.show points.Signature.Shape}"
            )

        if points.DType = DType.Int32 then
            Fail.dtype $"{name}: the points are Int32; derivatives need Float32 or Float64"

        struct (points.Shape[0], points.Size / points.Shape[0])

    /// The directions of largest singular values of some rows, at most so many and none of rounding.
    let private leading (count: int) (rows: Tensor) : Tensor =
        let gram = Vectors.gram rows rows
        let eigen = SmallEigen.of' gram
        let last = eigen.Values.Length - 1
        let least = 100.0 * SmallMatrices.epsilon rows.DType * max 0.0 eigen.Values[last]

        let chosen =
            [|
                for i in last .. -1 .. max 0 (last - count + 1) do
                    if eigen.Values[i] > least then i
            |]

        let c =
            Array2D.init chosen.Length (last + 1) (fun i j ->
                eigen.Vectors[j, chosen[i]] / sqrt eigen.Values[chosen[i]])

        let basis = OrthonormalBasis(rows.Shape[1], rows.DType)
        if chosen.Length > 0 then basis.Extend(Vectors.combinations c rows) |> ignore

        match List.ofSeq basis.Panels.Blocks with
        | [] -> Tensor.zeros rows.DType [ 0; rows.Shape[1] ] |> Tensor.toDevice rows.Device
        | blocks -> Tensor.concat 0 blocks

    /// At most k directions in which the Jacobians of a field f at the points of a stack [count; …] are large: the
    /// leading left singular vectors of products Jz with random vectors z, of 4k of the points or all, and of two or
    /// more for each direction. Fewer where the products have no more directions. One derivative of these points for
    /// every k/2 of them.
    /// Raises ArgumentRangeException for less than one direction, or more than a point has elements, ShapeException for
    /// no stack and for a function whose value is not in the shape of its point, and NonFiniteException for products
    /// that are not finite.
    let find (vectors: int) (key: Key) (f: Tensor -> Tensor) (points: Tensor) : FieldSketch =
        let struct (count, d) = sizes points

        if vectors < 1 || vectors > d then
            Fail.range
                $"{name}: 1 to {d} directions of points of {d} elements are possible, and {vectors} were asked for"

        let used = min count (4 * vectors)
        let points = Tensor.slice 0 0 used points
        let times = max 1 ((2 * vectors + used - 1) / used)
        // The fold keeps these vectors apart from those that divergences draw by the same key.
        let key = key.FoldIn 0x5ce7c4u

        let products =
            [
                for i in 0 .. times - 1 ->
                    Probe.drawOn points.Device Probe.gaussian key points.Size (i, 1) points.DType
                    |> Tensor.reshape (List.ofArray points.Shape)
                    |> jacobianv (vmap f) points
            ]

        for product in products do
            if product.Shape <> points.Shape then
                Fail.shape (
                    $"{name}: a field gives a vector of the shape of its point, and its values on a stack of "
                    + $"{Shape.show points.Shape} have shape {Shape.show product.Shape}"
                )

            Finite.check $"{name}: a product with the Jacobian" product

        let rows = products |> List.map (Tensor.reshape [ used; d ]) |> Tensor.concat 0
        FieldSketch(leading vectors rows, 0, times)

    /// The sketch of the next step: the same one, a step older, or where it would be `every` steps old one of the field
    /// at these points, with as many directions as are asked for. Raises ArgumentRangeException for less than one step,
    /// and what `find` raises.
    let refresh
        (every: int)
        (vectors: int)
        (key: Key)
        (f: Tensor -> Tensor)
        (points: Tensor)
        (sketch: FieldSketch)
        : FieldSketch =
        if every < 1 then
            Fail.range $"{name}: a sketch is refreshed after 1 step or more, and {every} were asked for"

        System.ArgumentNullException.ThrowIfNull(sketch, nameof sketch)
        if sketch.Age + 1 >= every then find vectors key f points else sketch.Aged

    /// What is left of the points of blocks of stacks outside the directions.
    let internal outside (sketch: FieldSketch) (vectors: Tensor) : Tensor =
        let d = sketch.Basis.Shape[1]

        if sketch.Vectors = 0 then
            vectors
        else
            let rows = Tensor.reshape [ vectors.Size / d; d ] vectors
            let along = Tensor.matmul rows (Tensor.transpose sketch.Basis)
            Tensor.reshape (List.ofArray vectors.Shape) (rows - Tensor.matmul along sketch.Basis)

    /// The directions as a block of stacks [k; count; …], each the same at every point.
    let internal directions (sketch: FieldSketch) (points: Tensor) : Tensor =
        let struct (count, d) = sizes points
        let k = sketch.Vectors

        if sketch.Basis.Shape[1] <> d || sketch.Basis.DType <> points.DType then
            Fail.shape (
                $"{name}: the sketch is of {sketch.Basis.DType} points of {sketch.Basis.Shape[1]} elements, and these "
                + $"are {points.DType} of {d}"
            )

        sketch.Basis
        |> Tensor.unsqueeze 1
        |> Tensor.broadcastTo [ k; count; d ]
        |> Tensor.reshape (k :: List.ofArray points.Shape)

    /// The value of a vector field at each point of a stack, and its divergence there, [points]: that within the
    /// sketch, Σ qᵀJq over its directions, and outside it the mean of zᵀ(I − QQᵀ)J(I − QQᵀ)z over `samples` sign
    /// vectors a point (Meyer, Musco, Musco & Woodruff 2021, algorithm 1, with a sketch that may be of earlier steps).
    /// Unbiased for every sketch that does not depend on the signs, and a differentiable function of whatever f depends
    /// on, the sketch held fixed. Costs `sketch.DerivativesFor samples` derivatives of the stack, all but one at once.
    /// Raises ArgumentRangeException for less than one sample, and ShapeException for points that the sketch does not
    /// fit and for a function whose value is not in the shape of its point.
    let fdivergenceAtPoints
        (sketch: FieldSketch)
        (samples: int)
        (key: Key)
        (f: Tensor -> Tensor)
        (points: Tensor)
        : Tensor * Tensor =
        System.ArgumentNullException.ThrowIfNull(sketch, nameof sketch)

        if samples < 1 then
            Fail.range $"{name}: one random vector at least is needed, and {samples} were asked for"

        let inside = directions sketch points
        let field = vmap f

        let signs =
            Probe.drawOn points.Device Probe.rademacher key points.Size (0, samples) points.DType
            |> Tensor.reshape (samples :: List.ofArray points.Shape)
            |> outside sketch

        let axes = [ 1 .. points.Rank - 1 ]
        let form (z: Tensor) (product: Tensor) = Tensor.sumAxes axes (z * product)
        let first = Tensor.item 0 0 signs
        let value, product = fjacobianv field points first
        let share = 1.0 / float samples

        /// The sum of the forms of a block of stacks.
        let sum (block: Tensor) = vmap (fun z -> form z (jacobianv field points z)) block |> Tensor.sumAxes [ 0 ]

        let ofFirst = share * form first product

        let ofSigns =
            if samples = 1 then
                ofFirst
            else
                ofFirst + share * sum (Tensor.slice 0 1 (samples - 1) signs)

        value, (if sketch.Vectors = 0 then ofSigns else ofSigns + sum inside)
