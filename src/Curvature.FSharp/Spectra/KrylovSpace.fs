namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels
open MathNet.Numerics.LinearAlgebra

/// Eigenvalues in ascending order, and the eigenvectors of a small symmetric matrix, as columns.
[<NoEquality; NoComparison>]
type internal SmallEigen = { Values: float[]; Vectors: float[,] }

module internal SmallEigen =

    /// The eigenpairs of the leading rows and columns of a symmetric matrix.
    let ofLeading (size: int) (matrix: float[,]) : SmallEigen =
        let symmetric = Matrix<float>.Build.Dense(size, size, (fun i j -> 0.5 * (matrix[i, j] + matrix[j, i])))
        let largest = symmetric.Enumerate() |> Seq.fold (fun largest x -> max largest (abs x)) 0.0

        if not (Double.IsFinite largest) then
            Fail.nonFinite "the projection of an operator on a Krylov space overflows: its products are too large"

        // A power of two where squares of such numbers would vanish or overflow.
        let unit =
            if largest = 0.0 || largest > 1e-100 && largest < 1e100 then
                1.0
            else
                Math.ScaleB(1.0, Math.ILogB largest)

        let evd = (symmetric / unit).Evd Symmetricity.Symmetric
        let values = Array.init size (fun i -> evd.EigenValues[i].Real * unit)
        let order = Array.init size id |> Array.sortBy (fun i -> values[i])

        {
            Values = order |> Array.map (fun i -> values[i])
            Vectors = Array2D.init size size (fun i j -> evd.EigenVectors[i, order[j]])
        }

    /// The eigenpairs of a symmetric matrix.
    let of' (matrix: float[,]) = ofLeading (matrix.GetLength 0) matrix

module internal Symmetry =

    /// Raises OperatorException where vᵀAu and uᵀAv differ by more than rounding makes of `scale`, about ‖A‖.
    let check (operator: LinearOperator) (difference: float) (scale: float) =
        if difference > sqrt (SmallMatrices.epsilon operator.DType) * scale then
            Fail.operator
                $"{operator.Name}: it is claimed to be symmetric, and its products are not: vᵀAu and uᵀAv differ by {difference:g3} for unit vectors, where the largest seen is {scale:g3}"

/// The projection of a symmetric operator on a growing orthonormal basis: Lanczos with every vector orthogonalised twice against all
/// before it (Paige 1972; Parlett & Scott 1979 for the second pass). The basis is one array [capacity; n], of which rows are
/// written once and then only read. Vectors that are locked stay outside the space; `lockedScale` is what is known of ‖A‖ from them, beside
/// which rounding errors are judged.
[<Sealed>]
type internal KrylovSpace(operator: LinearOperator, capacity: int, locked: Tensor voption, lockedScale: float) =
    let n, dtype, device = operator.Columns, operator.DType, operator.Device
    let epsilon = SmallMatrices.epsilon dtype

    do
        if int64 capacity * int64 n > int64 Int32.MaxValue then
            Fail.range
                $"{operator.Name}: a basis of {capacity} vectors of {n} elements has more than {Int32.MaxValue}; ask for fewer steps"

    let storage = Storage.Allocate(device, { Shape = [| capacity; n |]; DType = dtype })
    let whole = Tensor.OfStorage storage
    let projection = Array2D.zeroCreate capacity capacity
    let mutable size = 0
    let mutable next: Tensor = null
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

    /// The vector to be multiplied next; null where the space is invariant.
    member _.Next = next

    /// ‖A v − projection‖ of the last vector: what couples the space to the rest.
    member _.Coupling = coupling

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
            elif isNull next then 0.0
            else coupling

        JacobiMatrix(Array.init size (fun i -> projection[i, i]), Array.init size coupling)

    /// Takes a first vector; one without length is an error.
    member _.Start(v: Tensor) =
        let v = outside (outside v)
        let length = Vectors.norm v

        if not (length > 0.0) then
            Fail.range $"{operator.Name}: a start vector must not be zero"

        next <- v * (1.0 / length)

    /// Takes the product of the operator with Next.
    member _.Accept(product: Tensor) =
        let j = size
        write j 0 (Tensor.unsqueeze 0 next)
        size <- j + 1
        let rows, product = vectors (), outside product
        let first = Vectors.dots rows product
        let rest = Vectors.subtract first rows product
        let second = Vectors.dots rows rest
        let rest = outside (Vectors.subtract second rows rest)
        let mutable column = 0.0

        for i in 0 .. j - 1 do
            asymmetry <- max asymmetry (abs (first[i] + second[i] - projection[i, j]))
            column <- column + abs projection[i, j]

        projection[j, j] <- first[j] + second[j]
        coupling <- Vectors.norm rest
        scale <- max scale (column + abs projection[j, j] + coupling)

        if size >= available || isRounding coupling then
            next <- null
        else
            next <- rest * (1.0 / coupling)

            if size < capacity then
                projection[j, size] <- coupling
                projection[size, j] <- coupling

    /// Continues an invariant space with a vector of which only the part outside counts.
    member _.Continue(fresh: Tensor) =
        let mutable rest = fresh * (1.0 / Vectors.norm fresh)

        for _ in 1..3 do
            rest <- rest |> outside |> Vectors.without (vectors ())
            rest <- rest * (1.0 / Vectors.norm rest)

        next <- rest
        coupling <- 0.0

    /// Ritz values and vectors of the projection.
    member _.Ritz = SmallEigen.ofLeading size projection

    /// ‖Ay − θy‖ for Ritz pair i, and as much as rounding may add.
    member _.ResidualBound(ritz: SmallEigen, i: int) =
        abs (coupling * ritz.Vectors[size - 1, i]) + float size * epsilon * scale

    /// Keeps some Ritz vectors only, and the vector that comes next (Wu & Simon 2000, thick restart).
    member _.Restart(ritz: SmallEigen, kept: int[]) =
        let c = Array2D.init kept.Length size (fun i j -> ritz.Vectors[j, kept[i]])
        let width = 1 <<< 16

        for start in 0..width .. n - 1 do
            let columns = Tensor.slice 1 start (min width (n - start)) (vectors ())
            write 0 start (Vectors.combinations c columns)

        let arrow = kept |> Array.map (fun i -> if isNull next then 0.0 else coupling * ritz.Vectors[size - 1, i])

        Array.Clear projection
        size <- kept.Length

        kept
        |> Array.iteri (fun i pair ->
            projection[i, i] <- ritz.Values[pair]

            if size < capacity then
                projection[i, size] <- arrow[i]
                projection[size, i] <- arrow[i])

    /// Raises OperatorException where the products turned out not to be those of a symmetric operator.
    member _.CheckSymmetry() = Symmetry.check operator asymmetry scale

module internal Krylov =

    /// Raises OperatorException for an operator that is not square or does not claim to be symmetric.
    let requireSymmetric what (operator: LinearOperator) =
        OperatorParts.requireSquare what operator

        if not operator.IsSymmetric then
            Fail.operator
                $"{what}: a symmetric operator is needed, and {operator.Name} does not claim to be; see LinearOperator.claim and LinearOperator.symmetricPart"

    let checkPositive what (name: string) (count: int) =
        if count < 1 then
            Fail.range $"{what}: {name} must be at least 1, and is {count}"

    /// Advances spaces side by side: one block product for each step. Returns how many products were taken.
    let advance (operator: LinearOperator) name steps (spaces: KrylovSpace[]) (goOn: unit -> bool) =
        let mutable active = spaces |> Array.indexed
        let mutable step, products = 0, 0

        while step < steps && active.Length > 0 && goOn () do
            let named row = name (fst active[row])

            if active.Length = 1 then
                let _, space = active[0]
                space.Accept(operator.Multiply(space.Next, named))
            else
                let block = active |> Array.map (fun (_, space) -> space.Next) |> List.ofArray |> Tensor.stack 0
                let product = operator.Multiply(block, named)
                active |> Array.iteri (fun row (_, space) -> space.Accept(Tensor.item 0 row product))

            products <- products + active.Length
            step <- step + 1
            active <- active |> Array.filter (fun (_, space) -> not (isNull space.Next) && space.Size < space.Capacity)

        products
