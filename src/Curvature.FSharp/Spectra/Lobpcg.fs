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

    let private outside (basis: Tensor) (block: Tensor) =
        if rows block = 0 then
            block
        else
            block - Vectors.combinations (Vectors.gram block basis) basis

    /// Directions of a block outside of orthonormal rows; the same combinations may be taken of their products.
    let private extend (basis: Pair) (block: Pair) : Pair voption =
        let project (pair: Pair) =
            let c = Vectors.gram pair.Vectors basis.Vectors

            {
                Vectors = pair.Vectors - Vectors.combinations c basis.Vectors
                Products = pair.Products - Vectors.combinations c basis.Products
            }

        let tidy (pair: Pair) =
            let c = orthonormal pair.Vectors

            if c.GetLength 0 = 0 then
                ValueNone
            else
                ValueSome(map (Vectors.combinations c) pair)

        block |> project |> tidy |> ValueOption.bind (project >> tidy)

    let private join (a: Pair) (b: Pair) =
        {
            Vectors = Tensor.concat 0 [ a.Vectors; b.Vectors ]
            Products = Tensor.concat 0 [ a.Products; b.Products ]
        }

    /// The smallest Ritz pairs of an orthonormal basis, and the part of them that the first `own` vectors do not make.
    let private rayleighRitz count own (basis: Pair) =
        let eigen = SmallEigen.of' (Vectors.gram basis.Vectors basis.Products)
        let c = Array2D.init count (rows basis.Vectors) (fun i j -> eigen.Vectors[j, i])
        let move = Array2D.mapi (fun _ j value -> if j < own then 0.0 else value) c
        struct (eigen.Values[.. count - 1], map (Vectors.combinations c) basis, map (Vectors.combinations move) basis)

    let private iterate (options: EigenOptions) (precondition: Tensor -> Tensor) count sign (operator: LinearOperator) =
        let n, block = operator.Columns, min operator.Columns (count + 2)
        let mutable products = 0

        let apply (v: Tensor) =
            products <- products + rows v

            {
                Vectors = v
                Products = sign * operator.Multiply(v, (fun row -> $"vector {row} of the block"))
            }

        let start = Probe.drawOn operator.Device Probe.gaussian options.Key n (0, block) operator.DType
        let first = Vectors.combinations (orthonormal start) start
        let first = apply (Vectors.combinations (orthonormal first) first)
        let mutable struct (values, x, _) = rayleighRitz (rows first.Vectors) (rows first.Vectors) first
        let mutable direction, result = ValueNone, ValueNone

        while result.IsNone do
            let theta =
                Tensor.ofArray [ values.Length; 1 ] values
                |> Tensor.convert operator.DType
                |> Tensor.toDevice operator.Device

            let residual = x.Products - theta * x.Vectors
            let norms = Array.init values.Length (fun i -> Vectors.norm (Tensor.item 0 i residual))
            let scale = values |> Array.fold (fun most value -> max most (abs value)) (Array.max norms)
            let good = Array.init count (fun i -> norms[i] <= EigenOrder.allowed options operator.DType scale values[i])
            let spent = products >= options.MaximumMatvecs || options.Cancellation.IsCancellationRequested

            // Converged vectors stay in the basis, and only the others send their residuals.
            let active =
                [|
                    for i in 0 .. values.Length - 1 do
                        if norms[i] > EigenOrder.allowed options operator.DType scale values[i] then i
                |]

            let search =
                if Array.forall id good || spent || rows x.Vectors = n then
                    ValueNone
                else
                    let index = Tensor.ofIndices [ active.Length ] active |> Tensor.toDevice operator.Device
                    let chosen = Tensor.take 0 index residual |> precondition
                    Finite.check "Lobpcg: the preconditioned residual" chosen
                    let outer = chosen |> outside x.Vectors
                    let c = orthonormal outer

                    if c.GetLength 0 = 0 then
                        ValueNone
                    else
                        ValueSome(Vectors.combinations c outer |> outside x.Vectors)

            match search with
            | ValueNone ->
                let converged = if rows x.Vectors = n then Array.create count true else good
                result <- ValueSome(struct (values, x.Vectors, norms, converged, spent))
            | ValueSome w ->
                let own = rows x.Vectors
                let basis = extend x (apply w) |> ValueOption.map (join x) |> ValueOption.defaultValue x

                let basis =
                    match direction |> ValueOption.bind (extend basis) with
                    | ValueSome p -> join basis p
                    | ValueNone -> basis

                let struct (next, vectors, move) = rayleighRitz own own basis
                values <- next
                x <- vectors
                direction <- ValueSome move

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
            | other ->
                raise (ArgumentRangeException $"Lobpcg: finds the end Largest or Smallest, and was asked for {other}")

        let watch = Stopwatch.StartNew()

        let struct (struct (values, vectors, residuals, good, spent), products) =
            iterate options precondition count sign operator

        EigenPairs(
            values[.. count - 1] |> Array.map (fun value -> sign * value),
            Tensor.slice 0 0 count vectors,
            residuals[.. count - 1],
            good,
            products,
            watch.Elapsed.TotalSeconds,
            spent && options.Cancellation.IsCancellationRequested
        )

    /// `count` eigenpairs at one end, Largest or Smallest, of a symmetric operator, with their residuals; copies of multiple eigenvalues included, as
    /// many as the block holds. A block of count + 2 products a step at most, and the memory of 6·(count + 2) vectors. It pays where a block
    /// product costs little more than a single one; otherwise ThickRestartLanczos needs fewer products.
    /// Raises OperatorException for an operator that is not square or does not claim to be symmetric, ArgumentRangeException for less than one pair or
    /// more than n, or another end, and NonFiniteException for products that are NaN or infinite.
    let find (wanted: SpectrumEnd) (count: int) (operator: LinearOperator) : EigenPairs =
        findWith EigenOptions.Default id wanted count operator
