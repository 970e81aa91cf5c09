namespace Curvature

open Curvature.FSharp

/// The shape of the first random vectors of a run: how many of their elements are not 0, and whether those are
/// signs.
[<Sealed>]
type internal ProbeShape() =
    let mutable vectors = 0
    let mutable touched, elements = 0.0, 0.0
    let mutable isSign = true

    /// How many vectors count as the first.
    static member private Seen = 16

    /// Adds the rows of a block that are among the first vectors.
    member _.Add(block: Tensor) =
        for row in 0 .. (min block.Signature.Shape[0] (ProbeShape.Seen - vectors)) - 1 do
            let squares = Vectors.widened Tensor.square (Tensor.item 0 row block)

            /// The sum of an array that is needed for nothing else.
            let sum (t: Tensor) =
                let total = (Tensor.sum t).ToScalar()
                Vectors.release t
                total

            let size = float squares.Size
            let nonzero = sum (Tensor.greater squares (Tensor.zeros DType.Float64 [] |> Tensor.toDevice squares.Device))
            let fourthPowers = sum (Tensor.square squares)
            let length = sum squares

            isSign <-
                isSign && nonzero = size && abs (fourthPowers * nonzero - length * length) <= 1e-6 * length * length

            touched <- touched + nonzero
            elements <- elements + size

        vectors <- min ProbeShape.Seen (vectors + block.Signature.Shape[0])

    /// The share of the elements that are not 0; 1 before there was a vector.
    member _.Touched = if elements = 0.0 then 1.0 else max touched 0.5 / elements

    /// Whether all elements are of one size.
    member _.IsSign = isSign

    interface ISavable with
        member _.Save writer =
            writer.Write vectors
            writer.Write touched
            writer.Write elements
            writer.Write isSign

        member _.Restore reader =
            vectors <- reader.ReadWithin(reader.Samples, "vectors that were looked at")
            touched <- reader.ReadMagnitude "a number of elements"
            elements <- reader.ReadMagnitude "a number of elements"
            isSign <- reader.ReadBoolean()
