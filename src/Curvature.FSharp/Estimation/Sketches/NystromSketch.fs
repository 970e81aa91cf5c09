namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// The Nyström approximation FᵀF of a shifted semidefinite operator A + νI, from its products with random vectors Ω.
[<NoEquality; NoComparison>]
type internal NystromFactors =
    {
        /// ν, about as small as rounding allows (Tropp, Yurtsever, Udell & Cevher 2017, algorithm 3).
        Shift: float
        /// F = L⁻¹(Y + νΩ), as rows, where H = Ω(Y + νΩ)ᵀ = LLᵀ.
        Factor: Panels
        /// FFᵀ
        Approximation: Matrix<float>
        /// The columns u of L⁻¹ with length 1: uᵢᵀF is zᵢ, what random vector i alone adds to the approximation.
        Directions: Matrix<float>
        /// (zᵢᵀωᵢ)² = 1/(H⁻¹)ᵢᵢ.
        Forms: float[]
        /// ΩΩᵀ
        Gram: Matrix<float>
    }

/// Random vectors Ω and their images Y = AΩ under a semidefinite operator: what XNysTrace and XNysDiag share.
[<Sealed>]
type internal NystromSketch(what: string, operator: LinearOperator, probe: Probe, key: Key) =
    let n, dtype = operator.Columns, operator.DType
    let epsilon = SmallMatrices.epsilon dtype
    let images = Panels n
    let drawn = ResizeArray<struct (int * int)>()

    /// For an operator with few nonzero rows, all vectors of signs can miss the same direction, and then their
    /// estimates agree on a wrong value. So the last vector of each block is of the sphere.
    let draw (struct (first, count)) =
        if ProbeKind.isContinuous probe then
            Probe.drawOn operator.Device probe key n (first, count) dtype
        else
            [
                if count > 1 then
                    Probe.drawOn operator.Device probe key n (first, count - 1) dtype
                Probe.drawOn operator.Device Probe.Sphere key n (first + count - 1, 1) dtype
            ]
            |> Tensor.concat 0

    /// The Cholesky factor of H + νΩΩᵀ with the smallest of the shifts ν, 10ν, … that has one.
    let rec factorize (h: Matrix<float>) (gram: Matrix<float>) shift : struct (float * Matrix<float>) =
        match SmallMatrices.tryCholesky (h + shift * gram) with
        | ValueSome(struct (factor, _)) -> struct (shift, factor)
        | ValueNone ->
            Requirements.nonnegativeRitzValues what operator (h.Evd(Symmetricity.Symmetric).EigenValues.Real())
            factorize h gram (10.0 * shift)

    /// L⁻¹(Y + νΩ) by forward substitution, block by block: an explicit inverse would lose the digits of the small
    /// pivots.
    let substitute (vectors: Panels) (factor: Matrix<float>) shift =
        let result = Panels n

        for struct (first, image), omega in Seq.zip images.Numbered vectors.Blocks do
            let count = Rows.count image

            let residual =
                result.Numbered
                |> List.fold
                    (fun residual struct (column, solved) ->
                        residual - Rows.combine (factor.SubMatrix(first, count, column, Rows.count solved)) solved)
                    (image + shift * omega)

            result.Add(Rows.combine (SmallMatrices.invertLower (factor.SubMatrix(first, count, first, count))) residual)

        result

    /// Whether the random vectors look the same in every basis.
    member _.IsRotationInvariant = ProbeKind.isContinuous probe

    /// Products taken so far, one for each random vector.
    member _.Spent = images.Count

    /// The random vectors, drawn again.
    member _.Vectors: Panels =
        let vectors = Panels n

        for block in drawn do
            vectors.Add(draw block)

        vectors

    /// Which of `count` random vectors from number `first` on are of the probe, and not of the sphere in its place.
    member _.OfProbe(first: int, count: int) : int list =
        let others =
            if ProbeKind.isContinuous probe then
                []
            else
                [ for struct (start, size) in drawn -> start + size - 1 ]

        [ 0 .. count - 1 ] |> List.filter (fun i -> not (List.contains (first + i) others))

    /// The random vectors of the probe, with their forms.
    member this.Samples: SampleBlock seq =
        Seq.map2
            (fun struct (first, omega) image ->
                let ofProbe = this.OfProbe(first, Rows.count omega)
                let vectors = Rows.choose ofProbe omega
                SampleBlock(vectors, ValueSome(Rows.choose ofProbe image), ValueNone))
            this.Vectors.Numbered
            images.Blocks

    /// Multiplies this many more random vectors.
    member _.Grow(count: int) =
        let first = images.Count

        images.Add(
            operator.Multiply(draw (struct (first, count)), (fun row -> $"random vector {first + row} of {what}"))
        )

        drawn.Add(struct (first, count))

    /// The factors; nothing for an operator whose products are all zero. Raises OperatorException where the products
    /// show that the operator is not symmetric, or not semidefinite.
    member this.Factorize() : NystromFactors voption =
        let squares = images.Blocks |> Seq.sumBy (fun block -> (Rows.products block block).Trace())

        if squares = infinity then
            Fail.nonFinite $"{what}: squares of the products of {operator} overflow; scale the operator"
        elif squares = 0.0 then
            ValueNone
        else
            let vectors = this.Vectors
            let products, gram = Rows.productsOf vectors images, Rows.productsOf vectors vectors
            Requirements.symmetricProducts what operator products

            let struct (shift, factor) =
                factorize (SmallMatrices.symmetricPart products) gram (epsilon * sqrt (squares / float n))

            let inverse = SmallMatrices.invertLower factor
            let f = substitute vectors factor shift

            ValueSome
                {
                    Shift = shift
                    Factor = f
                    Approximation = Rows.productsOf f f
                    Directions = inverse.NormalizeColumns 2.0
                    Forms = inverse.ColumnNorms(2.0).ToArray() |> Array.map (fun length -> 1.0 / (length * length))
                    Gram = gram
                }
