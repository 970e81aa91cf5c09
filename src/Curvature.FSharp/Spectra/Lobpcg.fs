namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// The locally optimal block preconditioned conjugate gradient method (Knyazev 2001). A block X of vectors moves in the
/// span of itself, of the directions W of its preconditioned residuals, and of its last move P, with one block product
/// a step.
[<RequireQualifiedAccess>]
module Lobpcg =

    /// Vectors V and their products AV, rows in step.
    [<NoEquality; NoComparison>]
    type private VectorsAndProducts = { Vectors: Tensor; Products: Tensor }

    let private rows (t: Tensor) = t.Signature.Shape[0]

    let private map f (block: VectorsAndProducts) = { Vectors = f block.Vectors; Products = f block.Products }

    /// Orthonormal combinations of the rows, without the directions that are rounding beside the largest; null where
    /// none is left. The Gram matrix of rows of unit length decides (Duersch, Shao, Yang & Gu 2018).
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

    /// An orthonormal basis of the span of the rows; nothing where there are no rows, or none of any length.
    let private basisOf (block: Tensor) : Tensor voption =
        let c = if rows block = 0 then Array2D.zeroCreate 0 0 else orthonormal block

        if c.GetLength 0 = 0 then ValueNone else ValueSome(Vectors.combinations c block)

    let private outside (basis: Tensor) (block: Tensor) = block - Vectors.combinations (Vectors.gram block basis) basis

    let private norms (block: Tensor) = Array.init (rows block) (fun i -> Vectors.norm (Tensor.item 0 i block))

    /// Orthonormal directions of a block outside of orthonormal rows.
    let private directionsOutside (basis: Tensor) (block: Tensor) : Tensor voption =
        block
        |> outside basis
        |> basisOf
        |> ValueOption.bind (fun first ->
            let second = outside basis first
            // What loses half of its length in the second pass was rounding of the first.
            let kept = norms second |> Array.indexed |> Array.filter (fun (_, length) -> length > 0.5)
            second |> Rows.choose [ for i, _ in kept -> i ] |> basisOf)

    let private join (a: VectorsAndProducts) (b: VectorsAndProducts) =
        {
            Vectors = Tensor.concat 0 [ a.Vectors; b.Vectors ]
            Products = Tensor.concat 0 [ a.Products; b.Products ]
        }

    /// The block between two steps: the least Ritz values Θ, their vectors X, and the last move P, orthonormal to them.
    [<NoEquality; NoComparison>]
    type private RitzBlock =
        {
            Theta: float[]
            X: VectorsAndProducts
            P: VectorsAndProducts voption
            /// The largest |Ritz value| of the whole basis: at most ‖A‖.
            Scale: float
            /// Whether the products are those of these very vectors, and not combined from those of others.
            IsFresh: bool
        }

    /// The move of Ritz vectors X⁺ = C S in a basis S whose first `sizeOfX` rows are X: the part of C that X does not
    /// make, orthonormal to C and in itself. It is found among coefficients, so that vectors and products are combined
    /// alike, and rounding that drives the two apart is not amplified (Hetmaniuk & Lehoucq 2006).
    let private moveOf sizeOfX (c: float[,]) : float[,] =
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
            let struct (start, length) = row |> Array.mapi (fun j x -> if j < sizeOfX then 0.0 else x) |> unit
            let struct (next, remaining) = start |> project |> project |> unit

            if length > 0.0 && remaining > 1e-6 then
                kept.Add(let struct (next, _) = unit (project next) in next)

        Array2D.init (kept.Count - ritz.Length) size (fun i j -> kept[ritz.Length + i][j])

    /// The `count` smallest Ritz pairs of an orthonormal basis S: eigenpairs (Θ, C) of SᵀAS, and X⁺ = C S. The first
    /// `sizeOfX` rows of S are X.
    let private rayleighRitz count sizeOfX (s: VectorsAndProducts) =
        let eigen = SmallEigen.of' (Vectors.gram s.Vectors s.Products)
        let c = Array2D.init count (rows s.Vectors) (fun i j -> eigen.Vectors[j, i])
        let p = moveOf sizeOfX c

        {
            Theta = eigen.Values[.. count - 1]
            X = map (Vectors.combinations c) s
            P =
                if p.GetLength 0 = 0 then
                    ValueNone
                else
                    ValueSome(map (Vectors.combinations p) s)
            Scale = max (abs eigen.Values[0]) (abs (Array.last eigen.Values))
            IsFresh = false
        }

    /// The Ritz pairs in the span of orthonormal vectors, from products with them.
    let private fresh (operator: LinearOperator) known (apply: Tensor -> VectorsAndProducts) (vectors: Tensor) =
        let size, s = rows vectors, apply vectors
        let rounding () = ProductRounding.ofRows operator s.Vectors
        SymmetryCheck.requireOf operator.Name operator.DType known (Rows.products s.Vectors s.Products) rounding
        { rayleighRitz size size s with IsFresh = true }

    /// The Ritz pairs in the span of X, P and the directions W of the residuals outside of both; nothing where there
    /// are no such directions.
    let private advance
        (apply: Tensor -> VectorsAndProducts)
        (state: RitzBlock)
        (residuals: Tensor)
        : RitzBlock voption =
        let size = rows state.X.Vectors
        let xp = state.P |> ValueOption.map (join state.X) |> ValueOption.defaultValue state.X

        directionsOutside xp.Vectors residuals
        |> ValueOption.map (fun w -> rayleighRitz size size (join xp (apply w)))

    /// R = AX − ΘX
    let private residualOf (state: RitzBlock) =
        state.X.Products - Rows.column state.X.Products state.Theta * state.X.Vectors

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
        let again vectors = vectors |> basisOf |> ValueOption.bind basisOf |> ValueOption.defaultValue vectors
        let mutable state, scale, result = fresh operator 0.0 apply (again start), 0.0, ValueNone

        while result.IsNone do
            let residual = residualOf state
            let lengths, x = norms residual, state.X.Vectors
            scale <- max scale state.Scale
            let isGood i = lengths[i] <= EigenOrder.allowed options operator.DType scale state.Theta[i]
            let good = Array.init count (fun i -> rows x = n || isGood i)

            // A step takes a block of products at most, and so do the products of its result.
            let goOn =
                not (Array.forall id good)
                && products + 2 * size <= options.MaximumMatvecs
                && not options.Cancellation.IsCancellationRequested

            let next =
                if goOn then
                    // Converged vectors stay in the basis, and only the others send their residuals.
                    let active = [ 0 .. rows x - 1 ] |> List.filter (isGood >> not)
                    let chosen = residual |> Rows.choose active |> precondition
                    Finite.check "Lobpcg: the preconditioned residual" chosen
                    advance apply state chosen
                else
                    ValueNone

            match next with
            | ValueSome next -> state <- next
            | ValueNone when state.IsFresh ->
                result <-
                    ValueSome
                        {
                            Values = state.Theta[.. count - 1] |> Array.map (fun value -> sign * value)
                            Vectors = Tensor.slice 0 0 count x
                            Residuals = lengths[.. count - 1]
                            IsGood = good
                        }
            | ValueNone -> state <- fresh operator scale apply (again x)

        struct (result.Value, products)

    /// `count` eigenpairs at one end, Largest or Smallest, with options for tolerance and limits, and a preconditioner:
    /// a function of blocks [k; n] that approximates the inverse of the operator, shifted to be definite; `id` for
    /// none. See `find`.
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
        let struct (pairs, products) = iterate options precondition count sign operator
        let cancelled = options.Cancellation.IsCancellationRequested && Array.contains false pairs.IsGood
        EigenPairs(pairs, products, watch.Elapsed.TotalSeconds, cancelled)

    /// `count` eigenpairs at one end, Largest or Smallest, of a symmetric operator, with their residuals. Copies of
    /// multiple eigenvalues are included, as many as the block holds. Costs a block of count + 2 products a step at
    /// most, one to begin and one at the end, and the memory of 6·(count + 2) vectors. It pays where a block product
    /// costs little more than a single one; otherwise ThickRestartLanczos needs fewer products.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, ArgumentRangeException for less than one pair or more than n, or another end, and NonFiniteException for
    /// products that are NaN or infinite.
    let find (wanted: SpectrumEnd) (count: int) (operator: LinearOperator) : EigenPairs =
        findWith EigenOptions.Default id wanted count operator
