namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// What a block added to a basis.
[<NoEquality; NoComparison>]
type internal Extension =
    {
        /// The new orthonormal vectors, as many as there are kept rows.
        Vectors: Tensor
        /// The rows of the block that had a part outside the basis, above rounding.
        Kept: int list
        /// Their coefficients ⟨qᵢ, yⱼ⟩ in the whole basis, the new vectors included: a column for each.
        Coefficients: Matrix<float>
    }

/// An orthonormal basis of all the vectors that it was extended by, by block Gram–Schmidt with every projection done
/// twice. Inside a block, CholeskyQR (Yamamoto et al. 2015, "Roundoff error analysis of the CholeskyQR2 algorithm")
/// where its Gram matrix is well-conditioned; otherwise the block is halved. A vector counts as dependent on the others
/// where what is left of it is at most 10·eps times the largest such rest: beyond that it would be noise.
[<Sealed>]
type internal OrthonormalBasis(n: int, dtype: DType) =
    let panels = Panels n
    let epsilon = SmallMatrices.epsilon dtype

    /// Below this pivot CholeskyQR loses too much of the residual, which no second pass restores.
    let leastPivot = if dtype = DType.Float64 then 1e-6 else 1e-2
    let mutable largest = 0.0

    let normalize (block: Tensor) (norm: float) = Rows.combine (SmallMatrices.ofRows 1 1 [| 1.0 / norm |]) block

    /// Orthonormal vectors with the span of the rows, and the numbers of the rows that are longer than `floor` beside
    /// those before them.
    let rec orthonormalize floor (block: Tensor) : Tensor * int list =
        let size = Rows.count block
        let gram = Rows.products block block
        let norms = Array.init size (fun i -> sqrt (max 0.0 gram[i, i]))

        let long =
            [
                for i in 0 .. size - 1 do
                    if norms[i] > floor then i
            ]

        if long.IsEmpty then
            Rows.choose [] block, []
        elif long.Length < size then
            let vectors, kept = orthonormalize floor (Rows.choose long block)
            vectors, kept |> List.map (fun i -> long[i])
        elif size = 1 then
            normalize block norms[0], [ 0 ]
        else
            // Rows of unit length: only their directions decide whether the Gram matrix is well-conditioned.
            let scaled = gram.MapIndexed(fun i j value -> value / (norms[i] * norms[j]))

            match SmallMatrices.tryCholesky scaled with
            | ValueSome(struct (factor, pivot)) when pivot >= leastPivot ->
                let inverse = (SmallMatrices.invertLower factor).MapIndexed(fun _ j value -> value / norms[j])
                Rows.combine inverse block, [ 0 .. size - 1 ]
            | _ -> halve floor block

    and halve floor (block: Tensor) =
        let half = Rows.count block / 2
        let left, keptLeft = orthonormalize floor (Tensor.slice 0 0 half block)
        let basis = Panels n
        basis.Add left
        let rest = Tensor.slice 0 half (Rows.count block - half) block |> Rows.without basis |> Rows.without basis
        let right, keptRight = orthonormalize floor rest
        Tensor.concat 0 [ left; right ], keptLeft @ (keptRight |> List.map (fun i -> half + i))

    /// The basis vectors.
    member _.Panels = panels

    /// How many vectors it has.
    member _.Rank = panels.Count

    /// Whether a vector has no part outside the basis, above rounding.
    member _.Contains(vector: Tensor) =
        let rest = vector |> Rows.without panels |> Rows.without panels
        Rows.norm rest <= 10.0 * epsilon * largest

    /// Adds the directions of a block's rows that are new.
    member _.Extend(block: Tensor) : Extension =
        let square (block: Tensor) = (Rows.products block block).Diagonal().ToArray() |> Array.fold max 0.0
        let largestSquare = square block
        let unit = Rows.unit largestSquare block
        let scaled = if unit = 1.0 then block else block / unit
        let longest = sqrt (if unit = 1.0 then largestSquare else square scaled)
        // Before there is a basis, the longest vector is the largest rest.
        let floor = 10.0 * epsilon * (if panels.Count = 0 then longest else largest / unit)
        let first, kept = scaled |> Rows.without panels |> orthonormalize floor
        // A vector of the first pass that loses half of its length in the second was rounding error of the projection.
        let vectors, again = first |> Rows.without panels |> orthonormalize 0.5
        let kept = again |> List.map (fun i -> kept[i])
        panels.Add vectors
        let coefficients = Rows.productsWith panels (Rows.choose kept block)
        let rank = panels.Count - kept.Length

        for j in 0 .. kept.Length - 1 do
            largest <- max largest (abs coefficients[rank + j, j])

            // Later basis vectors have no part in earlier rows but rounding.
            for i in j + 1 .. kept.Length - 1 do
                coefficients[rank + i, j] <- 0.0

        { Vectors = vectors; Kept = kept; Coefficients = coefficients }
