namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// The locally optimal block preconditioned conjugate gradient method (Knyazev 2001): a block of vectors moves in the span of itself, its residuals and
/// its last move, with one block product a step.
[<RequireQualifiedAccess>]
module Lobpcg =

    /// Vectors and their products, rows in step.
    [<NoEquality; NoComparison>]
    type private Pair = { Vectors: Tensor; Products: Tensor }

    let private rows (t: Tensor) = t.Signature.Shape[0]

    let private map f (pair: Pair) = { Vectors = f pair.Vectors; Products = f pair.Products }

    /// Orthonormal combinations of the rows, without the directions that are rounding beside the largest; null where none is left. The Gram
    /// matrix of rows of unit length decides (Duersch, Shao, Yang & Gu 2018).
    let private orthonormal (block: Tensor) : float[,] =
        let gram = Vectors.gram block block
        let size = rows block
        let norms = Array.init size (fun i -> sqrt (max 0.0 gram[i, i]))
        let longest = Array.max norms
        let inverse = norms |> Array.map (fun norm -> if norm > 0.0 && norm > 1e-300 * longest then 1.0 / norm else 0.0)
        let eigen = SmallEigen.of' (Array2D.init size size (fun i j -> gram[i, j] * inverse[i] * inverse[j]))
        let smallest = (if block.DType = DType.Float64 then 1e-12 else 1e-5) * Array.last eigen.Values

        let kept =
            [|
                for i in 0 .. size - 1 do
                    if eigen.Values[i] > smallest then i
            |]

        Array2D.init kept.Length size (fun i j -> eigen.Vectors[j, kept[i]] * inverse[j] / sqrt eigen.Values[kept[i]])

    /// An orthonormal basis of the rows' span; nothing where there are no rows, or none of any length.
    let private tidy (block: Tensor) : Tensor voption =
        let c = if rows block = 0 then Array2D.zeroCreate 0 0 else orthonormal block

        if c.GetLength 0 = 0 then ValueNone else ValueSome(Vectors.combinations c block)

    let private outside (basis: Tensor) (block: Tensor) = block - Vectors.combinations (Vectors.gram block basis) basis

    let private norms (block: Tensor) = Array.init (rows block) (fun i -> Vectors.norm (Tensor.item 0 i block))

    let private choose (numbers: int[]) (block: Tensor) =
        Tensor.take 0 (Tensor.ofIndices [ numbers.Length ] numbers |> Tensor.toDevice block.Device) block

    /// Orthonormal directions of a block outside of orthonormal rows.
    let private directionsOutside (basis: Tensor) (block: Tensor) : Tensor voption =
        block
        |> outside basis
        |> tidy
        |> ValueOption.bind (fun first ->
            let second = outside basis first
            // What loses half of its length in the second pass was rounding of the first.
            let isKept = norms second |> Array.map (fun length -> length > 0.5)
            second |> choose ([| 0 .. isKept.Length - 1 |] |> Array.filter (fun i -> isKept[i])) |> tidy)

    let private join (a: Pair) (b: Pair) =
        {
            Vectors = Tensor.concat 0 [ a.Vectors; b.Vectors ]
            Products = Tensor.concat 0 [ a.Products; b.Products ]
        }

    /// Raises OperatorException where uᵀAv and vᵀAu differ for vectors of an orthonormal basis, by more than rounding of what is known of ‖A‖.
    let private checkSymmetry (operator: LinearOperator) known (projection: float[,]) =
        let size = projection |> Seq.cast<float> |> Seq.fold (fun most x -> max most (abs x)) known

        for i in 0 .. Array2D.length1 projection - 1 do
            for j in 0 .. i - 1 do
                Symmetry.check operator (abs (projection[i, j] - projection[j, i])) size

    /// Where the iteration stands: the least Ritz values, their vectors with products, and the last move, orthonormal to them.
    [<NoEquality; NoComparison>]
    type private Standing =
        {
            Values: float[]
            Block: Pair
            Move: Pair voption
            /// The largest |Ritz value| of the whole basis: at most ‖A‖.
            Scale: float
            /// Whether the products are those of these very vectors, and not combined from those of others.
            IsFresh: bool
        }

    /// What the first `own` basis vectors do not make of some combinations, as combinations that are orthonormal to those and to each other.
    /// They are found among coefficients, so that vectors and products are combined alike, and rounding that drives the two apart is not amplified
    /// (Hetmaniuk & Lehoucq 2006).
    let private moves own (c: float[,]) : float[,] =
        let size = c.GetLength 1
        let ritz = Array.init (c.GetLength 0) (fun i -> Array.init size (fun j -> c[i, j]))
        let dot = Array.fold2 (fun sum (a: float) b -> sum + a * b) 0.0
        let kept = ResizeArray ritz

        let unit (v: float[]) =
            let length = sqrt (dot v v)
            struct ((if length > 0.0 then v |> Array.map (fun x -> x / length) else v), length)

        let project (v: float[]) =
            kept
            |> Seq.fold
                (fun rest other -> let part = dot rest other in Array.map2 (fun x y -> x - part * y) rest other)
                v

        for row in ritz do
            let struct (start, length) = row |> Array.mapi (fun j x -> if j < own then 0.0 else x) |> unit
            let struct (next, remaining) = start |> project |> project |> unit

            if length > 0.0 && remaining > 1e-6 then
                kept.Add(let struct (next, _) = unit (project next) in next)

        Array2D.init (kept.Count - ritz.Length) size (fun i j -> kept[ritz.Length + i][j])

    /// The `count` smallest Ritz pairs of an orthonormal basis, and the part of them that the first `own` vectors do not make.
    let private rayleighRitz count own (basis: Pair) =
        let eigen = SmallEigen.of' (Vectors.gram basis.Vectors basis.Products)
        let c = Array2D.init count (rows basis.Vectors) (fun i j -> eigen.Vectors[j, i])
        let move = moves own c

        {
            Values = eigen.Values[.. count - 1]
            Block = map (Vectors.combinations c) basis
            Move =
                if move.GetLength 0 = 0 then
                    ValueNone
                else
                    ValueSome(map (Vectors.combinations move) basis)
            Scale = max (abs eigen.Values[0]) (abs (Array.last eigen.Values))
            IsFresh = false
        }

    /// The Ritz pairs in the span of orthonormal vectors, from products with them.
    let private fresh operator known (apply: Tensor -> Pair) (vectors: Tensor) =
        let size, pair = rows vectors, apply vectors
        checkSymmetry operator known (Vectors.gram pair.Vectors pair.Products)
        { rayleighRitz size size pair with IsFresh = true }

    /// The Ritz pairs in the span of the block, the last move, and the residuals' directions outside of both; nothing where there are none.
    let private advance (apply: Tensor -> Pair) (standing: Standing) (residuals: Tensor) : Standing voption =
        let own = rows standing.Block.Vectors

        let known = standing.Move |> ValueOption.map (join standing.Block) |> ValueOption.defaultValue standing.Block

        directionsOutside known.Vectors residuals
        |> ValueOption.map (fun directions -> rayleighRitz own own (join known (apply directions)))

    let private residualOf (standing: Standing) =
        let block = standing.Block.Products

        let theta =
            Tensor.ofArray [ standing.Values.Length; 1 ] standing.Values
            |> Tensor.convert block.DType
            |> Tensor.toDevice block.Device

        block - theta * standing.Block.Vectors

    let private iterate (options: EigenOptions) precondition count sign (operator: LinearOperator) =
        let n, size = operator.Columns, min operator.Columns (count + 2)
        let mutable products = 0

        let apply (v: Tensor) =
            products <- products + rows v

            {
                Vectors = v
                Products = sign * operator.Multiply(v, (fun row -> $"vector {row} of the block"))
            }

        let start = Probe.drawOn operator.Device Probe.gaussian options.Key n (0, size) operator.DType
        let again vectors = vectors |> tidy |> ValueOption.bind tidy |> ValueOption.defaultValue vectors
        let mutable standing, scale, result = fresh operator 0.0 apply (again start), 0.0, ValueNone

        while result.IsNone do
            let residual = residualOf standing
            let lengths, block = norms residual, standing.Block.Vectors
            scale <- max scale standing.Scale
            let isGood i = lengths[i] <= EigenOrder.allowed options operator.DType scale standing.Values[i]
            let good = Array.init count (fun i -> rows block = n || isGood i)

            // A step takes a block of products at most, and so does looking at its result afresh.
            let goOn =
                not (Array.forall id good)
                && products + 2 * size <= options.MaximumMatvecs
                && not options.Cancellation.IsCancellationRequested

            let next =
                if goOn then
                    // Converged vectors stay in the basis, and only the others send their residuals.
                    let active = [| 0 .. rows block - 1 |] |> Array.filter (isGood >> not)
                    let chosen = residual |> choose active |> precondition
                    Finite.check "Lobpcg: the preconditioned residual" chosen
                    advance apply standing chosen
                else
                    ValueNone

            match next with
            | ValueSome next -> standing <- next
            | ValueNone when standing.IsFresh -> result <- ValueSome(struct (standing.Values, block, lengths, good))
            | ValueNone -> standing <- fresh operator scale apply (again block)

        struct (result.Value, products)

    /// `count` eigenpairs at one end, Largest or Smallest, with options for tolerance and limits, and a preconditioner: a function of blocks [k; n]
    /// that approximates the inverse of the operator, shifted to be definite; `id` for none. See `find`.
    let findWith
        (options: EigenOptions)
        (precondition: Tensor -> Tensor)
        (wanted: SpectrumEnd)
        (count: int)
        (operator: LinearOperator)
        : EigenPairs =
        EigenOrder.checkCount "Lobpcg" count operator
        options.Cancellation.ThrowIfCancellationRequested()

        let sign =
            match wanted with
            | SpectrumEnd.Smallest -> 1.0
            | SpectrumEnd.Largest -> -1.0
            | other -> Fail.range $"Lobpcg: finds the end Largest or Smallest, and was asked for {other}"

        let watch = Stopwatch.StartNew()

        let struct (struct (values, vectors, residuals, good), products) =
            iterate options precondition count sign operator

        EigenPairs(
            values[.. count - 1] |> Array.map (fun value -> sign * value),
            Tensor.slice 0 0 count vectors,
            residuals[.. count - 1],
            good,
            products,
            watch.Elapsed.TotalSeconds,
            options.Cancellation.IsCancellationRequested && good |> Array.exists not
        )

    /// `count` eigenpairs at one end, Largest or Smallest, of a symmetric operator, with their residuals; copies of multiple eigenvalues included, as
    /// many as the block holds. A block of count + 2 products a step at most, one to begin and one at the end, and the memory of 6·(count + 2) vectors.
    /// It pays where a block product costs little more than a single one; otherwise ThickRestartLanczos needs fewer products.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to be, ArgumentRangeException for less than one pair or
    /// more than n, or another end, and NonFiniteException for products that are NaN or infinite.
    let find (wanted: SpectrumEnd) (count: int) (operator: LinearOperator) : EigenPairs =
        findWith EigenOptions.Default id wanted count operator
