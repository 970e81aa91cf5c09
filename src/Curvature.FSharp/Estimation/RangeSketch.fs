namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Random vectors that were drawn together, and which of them are kept.
[<NoEquality; NoComparison>]
type internal DrawnBlock = { Probe: Probe; First: int; Count: int; Kept: int list }

/// Random vectors Ω, an orthonormal basis Q of their images AΩ, and the images of that basis: what XTrace, XDiag, Hutch++ and UDiag++
/// share. The images Z are AQ or AᵀQ.
///
/// Where an image has no part outside the basis, the basis holds the range of A, and everything is known. Signs can hit such a
/// coincidence without that being so: an operator with few nonzero rows sees few different vectors of signs. Then the vectors so far
/// stay in the basis for good, and others, of the sphere, decide.
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
    let mutable complete = false
    let mutable outsiders: struct (Tensor * Tensor) voption = ValueNone

    let draw (block: DrawnBlock) =
        Probe.drawOn operator.Device block.Probe key n (block.First, block.Count) dtype |> Rows.choose block.Kept

    let multiply (a: LinearOperator) (vectors: Tensor) =
        let before = spent
        spent <- spent + Rows.count vectors
        a.Multiply(vectors, (fun row -> $"vector {before + row} of {what}"))

    /// Q, as rows.
    member _.Basis = basis.Panels

    /// Z: the images of the basis vectors.
    member _.Images = images

    /// Products taken so far.
    member _.Spent = spent

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
                outsiders <- ValueSome(struct (Rows.choose others vectors, Rows.choose others products))
                complete <- true
            else
                frozen <- basis.Rank
                probe <- Probe.Sphere

        added

    /// Takes one product for a random vector that does not extend the basis. It may show that the basis is complete.
    member _.DrawOutsider() =
        let vector = Probe.drawOn operator.Device probe key n (number, 1) dtype
        number <- number + 1
        let image = multiply operator vector
        complete <- basis.Contains image
        outsiders <- ValueSome(struct (vector, image))

    /// The blocks of random vectors that can be left out, each with the number of its first basis vector. Drawn again where they are
    /// needed, because keeping them would cost half as much memory again.
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

    /// ω∘Aω for the random vectors that can be left out, as rows.
    member this.Weighted: Tensor seq =
        let triangle = this.Triangle

        this.LiveVectors
        |> Seq.map (fun struct (first, omega) ->
            let coefficients = triangle.SubMatrix(0, triangle.RowCount, first, Rows.count omega)
            omega * Rows.combineAll (coefficients.Transpose()) basis.Panels)

    /// H = QᵀZ. Raises OperatorException where it shows that an operator that claims to be symmetric is not.
    member _.Projected: Matrix<float> =
        let h = Rows.productsOf basis.Panels images
        if operator.IsSymmetric then Requirements.symmetricProducts what operator h
        h

    /// tr(QᵀAQ) = tr H, and the trace of the rest as vectors outside the basis see it, where there are any.
    member _.TraceInside(h: Matrix<float>) : float =
        match outsiders with
        | ValueNone -> h.Trace()
        | ValueSome(struct (vectors, products)) ->
            let w = Rows.productsWith basis.Panels vectors
            let t = Rows.productsWith images vectors
            let y = Rows.productsWith basis.Panels products
            let own = (Rows.products vectors products).Trace()
            let cross = SmallMatrices.columnDots (y + t - h * w) w |> Array.sum
            h.Trace() + (own - cross) / float (Rows.count vectors)

    /// The standard deviation of the trace outside the basis B as one vector sees it: √2·‖B‖_F, where E‖Bω‖² = ‖B‖²_F.
    member _.SpreadOutside: float =
        match outsiders with
        | ValueNone -> 0.0
        | ValueSome(struct (vectors, products)) ->
            let inside = Rows.combineAll ((Rows.productsWith basis.Panels vectors).Transpose()) images
            let rest = products - inside |> Rows.without basis.Panels |> Rows.squares
            sqrt (2.0 * Array.average rest / float rest.Length)

    /// The elementwise products qᵢ∘zᵢ in blocks, whose sum over rows is diag(QQᵀA) where Z = AᵀQ.
    member _.DiagonalInside: Tensor seq = Seq.map2 (*) basis.Panels.Blocks images.Blocks

    /// Rows ω∘(I − QQᵀ)Aω for vectors outside the basis, where there are any: the diagonal of the rest as they see it.
    member _.DiagonalOutside: Tensor voption =
        outsiders |> ValueOption.map (fun struct (vectors, products) -> vectors * Rows.without basis.Panels products)

    /// R⁻ᵀ with columns s of length 1. Q(I − ssᵀ)Qᵀ is the projection on the span of all images but one
    /// (Epperly, Tropp & Webber 2024, section 2.1).
    static member Directions(triangle: Matrix<float>) : Matrix<float> =
        (SmallMatrices.invertLower (triangle.Transpose())).NormalizeColumns 2.0
