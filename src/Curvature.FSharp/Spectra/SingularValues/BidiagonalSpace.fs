namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Orthonormal bases V and U of growing spaces with AV = UB and AᵀU = VBᵀ + βv eᵀ, where v comes next: Golub and
/// Kahan's bidiagonalisation with every vector orthogonalised twice against all of its kind. After a restart, B has a
/// row of couplings beside the diagonal (Baglama & Reichel 2005, "Augmented implicitly restarted Lanczos
/// bidiagonalization methods", section 2). A has no more columns than rows.
[<Sealed>]
type internal BidiagonalSpace(a: LinearOperator, capacity: int, multiply: LinearOperator -> Tensor -> Tensor) =
    let epsilon = SmallMatrices.epsilon a.DType
    let mutable v, u = Panels a.Columns, Panels a.Rows
    let mutable next: Tensor voption = ValueNone
    let mutable coupling, scale = 0.0, 0.0
    let b = Array2D.zeroCreate capacity capacity

    let isRounding length = length <= float (min a.Columns 100) * epsilon * scale

    /// The coefficients of a row in a basis, and what is left of it.
    let project (basis: Panels) (row: Tensor) : struct (float[] * Tensor) =
        if basis.Count = 0 then
            struct ([||], row)
        else
            let h = Rows.productsWith basis row
            let rest = row - Rows.combineAll (h.Transpose()) basis
            let correction = Rows.productsWith basis rest
            struct ((h + correction).Column(0).ToArray(), rest - Rows.combineAll (correction.Transpose()) basis)

    let unit (row: Tensor) = row * (1.0 / Rows.norm row)

    /// A unit vector outside of a basis, from a random one.
    let fresh (basis: Panels) (random: Tensor) =
        let mutable row = unit random

        for _ in 1..3 do
            row <- row |> Rows.without basis |> unit

        row

    /// B as far as it is known.
    let projection () = Matrix<float>.Build.Dense(v.Count, v.Count, (fun i j -> b[i, j]))

    /// How many right vectors there are.
    member _.Size = v.Count

    member _.IsFull = (v.Count = capacity)

    /// Whether all right singular vectors are in the space.
    member _.IsWhole = (v.Count = a.Columns)

    /// About ‖A‖, as far as it was seen.
    member _.Scale = scale

    /// Whether nothing of AᵀU lies outside of the space.
    member _.IsInvariant = next.IsNone

    /// Takes a first vector, or one that goes on where the space is invariant.
    member _.Continue(random: Tensor) =
        next <- ValueSome(fresh v random)
        coupling <- 0.0

    /// Adds a pair of vectors, by a product with A and one with Aᵀ. The random vector [1; rows] stands in where Av has
    /// no part outside of U.
    member _.Advance(random: unit -> Tensor) =
        let j = v.Count
        let row = next.Value
        v.Add row
        let struct (h, rest) = project u (multiply a row)
        let length = Rows.norm rest
        h |> Array.iteri (fun i x -> b[i, j] <- x)
        scale <- max scale (sqrt (length * length + Array.sumBy (fun x -> x * x) h))
        let isNew = length > 0.0 && not (isRounding length)
        b[j, j] <- if isNew then length else 0.0
        let left = if isNew then rest * (1.0 / length) else fresh u (random ())
        u.Add left
        let struct (_, rest) = project v (multiply a.Transposed left)
        coupling <- Rows.norm rest
        scale <- max scale coupling

        if v.Count = a.Columns || coupling = 0.0 || isRounding coupling then
            next <- ValueNone
            coupling <- 0.0
        else
            next <- ValueSome(rest * (1.0 / coupling))

    /// The singular values of B in descending order, with its singular vectors as columns.
    member _.Decompose() = (projection ()).Svd true

    /// ‖Aᵀu − σv‖ for triplet i, by what comes next.
    member _.Residual(svd: Factorization.Svd<float>, i: int) = abs (coupling * svd.U[v.Count - 1, i])

    /// The first `count` left and right vectors of the decomposition, as rows.
    member _.Vectors(svd: Factorization.Svd<float>, count: int) : struct (Tensor * Tensor) =
        let leading (m: Matrix<float>) = m.SubMatrix(0, count, 0, v.Count)
        struct (Rows.combineAll (leading (svd.U.Transpose())) u, Rows.combineAll (leading svd.VT) v)

    /// Keeps the first triplets only, and the vector that comes next. Their couplings to it are Av's coefficients,
    /// which the next step finds.
    member space.Restart(svd: Factorization.Svd<float>, kept: int) =
        let struct (left, right) = space.Vectors(svd, kept)
        u <- Panels a.Rows
        v <- Panels a.Columns
        u.Add left
        v.Add right
        System.Array.Clear b

        for i in 0 .. kept - 1 do
            b[i, i] <- svd.S[i]
