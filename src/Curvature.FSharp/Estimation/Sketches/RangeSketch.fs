namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Random vectors that were drawn together, and which of them are kept.
[<NoEquality; NoComparison>]
type internal DrawnBlock = { Probe: Probe; First: int; Count: int; Kept: int list }

/// Random vectors Ω, an orthonormal basis Q of their images AΩ, and the images of that basis: what XTrace, XDiag,
/// Hutch++ and UDiag++ share. The images Z are AQ or AᵀQ.
///
/// Where an image has no part outside the basis, the basis holds the range of A, and everything is known. With signs
/// that can also be a coincidence: an operator with few nonzero rows gives the same image for many vectors of signs.
/// So after signs the vectors stay in the basis for good, and vectors of the sphere decide. Rounding can hide a part
/// of the range too: beside eigenvalues of 10⁷ in Float32 a bulk of eigenvalues near 1. So vectors outside the basis
/// estimate what is left, and it is complete where that is rounding.
[<Sealed>]
type internal RangeSketch(what: string, operator: LinearOperator, imagesOfBasis: LinearOperator, probe: Probe, key: Key)
    =
    let n, dtype = operator.Columns, operator.DType
    let basis = OrthonormalBasis(n, dtype)
    let images = Panels n
    let drawn = ResizeArray<DrawnBlock>()
    let coefficients = ResizeArray<Matrix<float>>()
    let mutable probe = probe
    let mutable number = 0
    let mutable spent = 0
    let mutable frozen = 0
    let mutable saturated = false
    let mutable complete = false
    let outsiders = ResizeArray<struct (Tensor * Tensor)>()

    let draw (block: DrawnBlock) =
        Probe.drawOn operator.Device block.Probe key n (block.First, block.Count) dtype |> Rows.choose block.Kept

    let multiply (a: LinearOperator) (vectors: Tensor) =
        let before = spent
        spent <- spent + Rows.count vectors
        a.Multiply(vectors, (fun row -> $"vector {before + row} of {what}"))

    let projected () = Rows.productsOf basis.Panels images

    /// Whether the images of the basis are those under A, and not under Aᵀ.
    let imagesAreOfOperator = obj.ReferenceEquals(imagesOfBasis, operator) || operator.IsSymmetric

    /// Vectors outside the basis, and what the basis has missed of their products: (I − QQᵀ)A(I − QQᵀ)z, or
    /// (I − QQᵀ)Az where AQ is not known.
    let missed () =
        [
            for struct (vectors, products) in outsiders do
                let outside =
                    if imagesAreOfOperator && basis.Rank > 0 then
                        products - Rows.combineAll ((Rows.productsWith basis.Panels vectors).Transpose()) images
                    else
                        products

                struct (vectors, outside |> Rows.without basis.Panels |> Rows.without basis.Panels)
        ]

    /// Their forms, whose mean is the trace that is added to tr H. What was missed is projected first, so that no large
    /// terms cancel.
    let formsOutside () =
        [|
            for struct (vectors, outside) in missed () do
                yield! (Products.rowDots vectors outside).ToArray()
        |]

    /// Their lengths, whose mean square is the squared Frobenius norm of what is left.
    let lengthsOutside () =
        [|
            for struct (_, outside) in missed () do
                yield! (Rows.products outside outside).Diagonal().ToArray() |> Array.map sqrt
        |]

    /// The standard error of their mean: each has variance 2‖B‖²_F at most, B what is left.
    let errorOutside () =
        let lengths = lengthsOutside ()

        if lengths.Length = 0 then
            0.0
        else
            sqrt 2.0 * Rounding.length lengths / float lengths.Length

    /// Decides whether the basis holds the range, once products have no part outside it above their rounding. The
    /// rounding of large products may hide a part of the range. Then the forms outside the basis are above the
    /// rounding of their own size, and the basis is saturated, but not complete.
    let judge () =
        let seen = abs (Array.average (formsOutside ())) + errorOutside ()
        let images = images.Blocks |> Seq.map (fun block -> sqrt ((Rows.products block block).Trace()))
        complete <- seen <= 20.0 * SmallMatrices.epsilon dtype * Rounding.length (Seq.toArray images)

    /// Q, as rows.
    member _.Basis = basis.Panels

    /// Z: the images of the basis vectors.
    member _.Images = images

    /// Products taken so far.
    member _.Spent = spent

    /// Whether the basis cannot be extended: what is left of the operator is below the rounding of its products.
    member _.IsSaturated = saturated

    /// A power of two near the products, where these are not 0 and yet gave no basis, because their squares vanish.
    member _.Unit: float voption =
        let largest (t: Tensor) = (Tensor.max (Tensor.abs t)).ToScalar()

        if basis.Rank > 0 || outsiders.Count = 0 then
            ValueNone
        else
            let size = outsiders |> Seq.map (fun struct (_, products) -> largest products) |> Seq.max

            if size > 0.0 then
                ValueSome(System.Math.ScaleB(1.0, System.Math.ILogB size))
            else
                ValueNone

    /// Whether the basis holds the range of the operator.
    member _.IsComplete = complete

    /// How many random vectors can be left out of the basis: those after the frozen ones.
    member _.Live = basis.Rank - frozen

    /// Whether some vectors stay in the basis for good.
    member _.HasFrozen = frozen > 0

    /// Whether the random vectors that can be left out look the same in every basis.
    member _.IsRotationInvariant = ProbeKind.isContinuous probe

    /// Multiplies this many more random vectors, and the basis vectors that they add; gives the images of these.
    member _.Grow(count: int) : Tensor =
        let block = { Probe = probe; First = number; Count = count; Kept = [ 0 .. count - 1 ] }
        number <- number + count
        let vectors = draw block
        let products = multiply operator vectors
        let extension = basis.Extend products

        let added =
            if extension.Kept.IsEmpty then
                extension.Vectors
            else
                multiply imagesOfBasis extension.Vectors

        if not extension.Kept.IsEmpty then
            images.Add added
            drawn.Add { block with Kept = extension.Kept }
            coefficients.Add extension.Coefficients

        if extension.Kept.Length < count then
            if ProbeKind.isContinuous probe then
                let others = block.Kept |> List.except extension.Kept
                outsiders.Add(struct (Rows.choose others vectors, Rows.choose others products))
                saturated <- true
                judge ()
            else
                frozen <- basis.Rank
                probe <- Probe.Sphere

        added

    /// Takes one product for a random vector that does not extend the basis. It may show that the basis is complete.
    member _.DrawOutsider() =
        let vector = Probe.drawOn operator.Device probe key n (number, 1) dtype
        number <- number + 1
        let image = multiply operator vector
        outsiders.Add(struct (vector, image))

        if basis.Contains image then
            saturated <- true
            judge ()

    /// The blocks of random vectors that can be left out, each with the number of its first basis vector. Drawn again
    /// where they are needed, because keeping them would cost half as much memory again.
    member _.LiveVectors: seq<struct (int * Tensor)> =
        seq {
            let mutable first = 0

            for block in drawn do
                if first >= frozen then struct (first, draw block)
                first <- first + block.Kept.Length
        }

    /// R with AΩ = QR for the vectors in the basis.
    member _.Triangle: Matrix<float> =
        let r = SmallMatrices.zeros basis.Rank basis.Rank
        let mutable first = 0

        for block in coefficients do
            r.SetSubMatrix(0, first, block)
            first <- first + block.ColumnCount

        r

    /// The random vectors that can be left out, with their products.
    member this.Samples: SampleBlock seq =
        let triangle = this.Triangle

        this.LiveVectors
        |> Seq.map (fun struct (first, omega) ->
            let coefficients = triangle.SubMatrix(0, triangle.RowCount, first, Rows.count omega)
            SampleBlock(omega, ValueSome(Rows.combineAll (coefficients.Transpose()) basis.Panels), ValueNone))

    /// Of a symmetric operator, the number of eigenvalues of one size that would have its sums of squares and of fourth
    /// powers, from the products of p vectors: ‖Aω‖² has the first as its mean, and (Aωᵢ)ᵀAωⱼ the second as its
    /// mean square. No more than the rank.
    member this.EffectiveRank: float =
        let gram = this.Triangle.TransposeThisAndMultiply this.Triangle
        let p = gram.RowCount

        if p < 2 then
            0.0
        else
            let squares = gram.Diagonal().Sum() / float p
            let onDiagonal = gram.Diagonal().PointwisePower(2.0).Sum()
            let fourth = (gram.FrobeniusNorm() ** 2.0 - onDiagonal) / float (p * (p - 1))
            if fourth > 0.0 then squares * squares / fourth else 0.0

    /// H = QᵀZ. Raises OperatorException where it shows that an operator that claims to be symmetric is not.
    member _.Projected: Matrix<float> =
        let h = projected ()
        if operator.IsSymmetric then Requirements.symmetricProducts what operator h
        h

    /// How many vectors have estimated what is outside the basis.
    member _.Outsiders = outsiders |> Seq.sumBy (fun struct (vectors, _) -> Rows.count vectors)

    /// tr(QᵀAQ) = tr H plus the trace outside the basis, as far as vectors outside have estimated it, with its
    /// standard error.
    member this.TraceInside(h: Matrix<float>) : struct (float * float) =
        let traceOutside = if outsiders.Count = 0 then 0.0 else Array.average (formsOutside ())
        struct (h.Trace() + traceOutside, Rounding.hypotenuse (errorOutside ()) (this.Rounding h))

    /// The standard error of tr H by rounding.
    member _.Rounding(h: Matrix<float>) = Rounding.ofProduct dtype (h.Diagonal().L1Norm())

    /// The standard deviation of one estimate of the trace outside the basis.
    member _.SpreadOutside: float = errorOutside () * sqrt (float (max 1 (lengthsOutside ()).Length))

    /// The elementwise products qᵢ∘zᵢ in blocks, whose sum over rows is diag(QQᵀA) where Z = AᵀQ.
    member _.DiagonalInside: Tensor seq = Seq.map2 (*) basis.Panels.Blocks images.Blocks

    /// Rows ω∘(I − QQᵀ)Aω for vectors outside the basis, where there are any: estimates of the diagonal outside it.
    member _.DiagonalOutside: Tensor voption =
        if outsiders.Count = 0 then
            ValueNone
        else
            [ for struct (vectors, products) in outsiders -> vectors * Rows.without basis.Panels products ]
            |> Tensor.concat 0
            |> ValueSome

    /// R⁻ᵀ with columns s of length 1. Q(I − ssᵀ)Qᵀ is the projection on the span of all images but one
    /// (Epperly, Tropp & Webber 2024, section 2.1).
    static member Directions(triangle: Matrix<float>) : Matrix<float> =
        (SmallMatrices.invertLower (triangle.Transpose())).NormalizeColumns 2.0
