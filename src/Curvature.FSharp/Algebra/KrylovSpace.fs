namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels

/// The vectors that an operator multiplies: what a basis of them must know.
[<NoEquality; NoComparison>]
type internal VectorSpace =
    {
        OperatorName: string
        Size: int
        DType: DType
        Device: Device
        /// How far rounding moves products with rows, at most; it costs products.
        Rounding: Tensor -> float
    }

/// The projection VᵀAV of a symmetric operator on a growing orthonormal basis V: Lanczos with every vector
/// orthogonalised twice against all before it (Paige 1972; Parlett & Scott 1979 for the second pass). The basis is one
/// array [capacity; n], of which rows are written once and then only read. Locked vectors stay outside the space;
/// `lockedScale` is what is known of ‖A‖ from them, and rounding errors are judged beside it.
[<Sealed>]
type internal KrylovSpace(space: VectorSpace, capacity: int, locked: Tensor voption, lockedScale: float) =
    let n, dtype, device = space.Size, space.DType, space.Device
    let epsilon = SmallMatrices.epsilon dtype

    do
        if int64 capacity * int64 n > int64 Int32.MaxValue then
            Fail.range (
                $"{space.OperatorName}: a basis of {capacity} vectors of {n} elements has more than {Int32.MaxValue}; "
                + "ask for fewer steps"
            )

    let storage = Storage.Allocate(device, { Shape = [| capacity; n |]; DType = dtype })
    let whole = Tensor.OfStorage storage
    let projection = Array2D.zeroCreate capacity capacity
    let mutable size = 0
    let mutable next: Tensor voption = ValueNone
    let mutable coupling = 0.0
    let mutable scale = lockedScale
    let mutable asymmetry = 0.0

    let outside =
        match locked with
        | ValueSome rows -> Vectors.without rows
        | ValueNone -> id

    let available =
        n - (locked |> ValueOption.map (fun rows -> rows.Signature.Shape[0]) |> ValueOption.defaultValue 0)

    let vectors () = Tensor.slice 0 0 size whole

    /// Writes a block [rows; width] into the basis.
    let write row column (block: Tensor) =
        let source = block.Storage
        let place = Operand(1, int64 row * int64 n + int64 column, [| n; 1 |])
        let copy = CopyDescription(dtype, dtype, source.Shape, Operand(0, source.Offset, source.Strides), place)
        let from, into = source.Memory, storage.Memory
        device.Copy(copy).Run([| from.Address; into.Address |], device.Threads)
        GC.KeepAlive from
        GC.KeepAlive into

    /// A residual this small beside ‖T‖ is rounding. The size of the rounding error of a product does not grow with n.
    let isRounding length = length <= float (min n 100) * epsilon * scale

    /// The basis vectors, [size; n]; a view, which later steps leave alone and a restart overwrites.
    member _.Vectors = vectors ()

    /// How many basis vectors there are.
    member _.Size = size

    member _.Capacity = capacity

    /// The vector to be multiplied next; ValueNone where the space is invariant.
    member _.Next = next

    /// Whether the space is invariant, up to rounding.
    member _.IsInvariant = next.IsNone

    /// About ‖A‖, as far as it was seen.
    member _.Scale = scale

    /// Whether no vector is left: the projection has all eigenvalues.
    member _.IsWhole = size >= available

    member _.Projection = projection

    /// The projection of a recurrence that was never restarted, and the coupling to what comes next: 0 where the
    /// space is invariant.
    member _.Jacobi =
        let coupling i =
            if i < size - 1 then projection[i + 1, i]
            elif next.IsNone then 0.0
            else coupling

        JacobiMatrix(Array.init size (fun i -> projection[i, i]), Array.init size coupling)

    /// Takes a first vector; one without length is an error.
    member _.Start(v: Tensor) =
        let v = outside (outside v)
        let length = Vectors.norm v

        if not (length > 0.0) then
            Fail.range $"{space.OperatorName}: a start vector must not be zero"

        next <- ValueSome(v * (1.0 / length))

    /// Takes the product w = Av of the operator with the vector v = Next, the j-th of the basis V. Its coefficients are
    /// h = Vᵀw, of which the last is α; β = ‖w − Vh‖ is the coupling. The second pass finds what rounding left of h.
    member _.Accept(product: Tensor) =
        let j = size
        write j 0 (Tensor.unsqueeze 0 next.Value)
        size <- j + 1
        let v, w = vectors (), outside product
        let h = Vectors.dots v w
        let w = Vectors.subtract h v w
        let correction = Vectors.dots v w
        let w = outside (Vectors.subtract correction v w)
        let mutable column = 0.0

        for i in 0 .. j - 1 do
            asymmetry <- max asymmetry (abs (h[i] + correction[i] - projection[i, j]))
            column <- column + abs projection[i, j]

        projection[j, j] <- h[j] + correction[j]
        coupling <- Vectors.norm w
        scale <- max scale (column + abs projection[j, j] + coupling)

        if size >= available || isRounding coupling then
            next <- ValueNone
        else
            next <- ValueSome(w * (1.0 / coupling))

            if size < capacity then
                projection[j, size] <- coupling
                projection[size, j] <- coupling

    /// Continues an invariant space with a vector of which only the part outside counts.
    member _.Continue(fresh: Tensor) =
        let mutable rest = fresh * (1.0 / Vectors.norm fresh)

        for _ in 1..3 do
            rest <- rest |> outside |> Vectors.without (vectors ())
            rest <- rest * (1.0 / Vectors.norm rest)

        next <- ValueSome rest
        coupling <- 0.0

    /// β, the length of what the last product has outside of the space; 0 where that is invariant.
    member _.Coupling = if next.IsNone then 0.0 else coupling

    /// How far rounding may have moved what the space shows of the operator, as a distance of eigenvalues. A space that
    /// counts as invariant before it is whole leaves out parts below its tolerance.
    member this.Rounding =
        let units =
            if next.IsNone && not this.IsWhole then
                float (min n 100)
            else
                4.0 + sqrt (float size)

        units * epsilon * scale

    /// Ritz values and vectors of the projection.
    member _.Ritz = SmallEigen.ofLeading size projection

    /// ‖Ay − θy‖ for Ritz pair i of symmetric products, and as much as rounding of their size may add.
    member _.CouplingBound(ritz: SmallEigen, i: int) =
        abs (coupling * ritz.Vectors[size - 1, i]) + float size * epsilon * scale

    /// The same for the products as they are, where more of them is rounding: what they lack of symmetry is added.
    member this.ResidualBound(ritz: SmallEigen, i: int) =
        let excess = if asymmetry > SymmetryCheck.tolerance dtype * scale then asymmetry else 0.0
        this.CouplingBound(ritz, i) + sqrt (float size) * excess

    /// Keeps some Ritz vectors y = Vs only, and the vector that comes next (Wu & Simon 2000, thick restart). The new
    /// projection is diag(θ) with the arrow β·s_k, for s_k the last components of the vectors s.
    member _.Restart(ritz: SmallEigen, kept: int[]) =
        let c = Array2D.init kept.Length size (fun i j -> ritz.Vectors[j, kept[i]])
        let width = 1 <<< 16

        for start in 0..width .. n - 1 do
            let columns = Tensor.slice 1 start (min width (n - start)) (vectors ())
            write 0 start (Vectors.combinations c columns)

        let arrow = kept |> Array.map (fun i -> if next.IsNone then 0.0 else coupling * ritz.Vectors[size - 1, i])

        Array.Clear projection
        size <- kept.Length

        kept
        |> Array.iteri (fun i pair ->
            projection[i, i] <- ritz.Values[pair]

            if size < capacity then
                projection[i, size] <- arrow[i]
                projection[size, i] <- arrow[i])

    /// Raises OperatorException where the products turned out not to be those of a symmetric operator.
    member _.CheckSymmetry() =
        let rounding () = if size = 0 then 0.0 else space.Rounding(vectors ())
        SymmetryCheck.require space.OperatorName dtype scale asymmetry rounding
