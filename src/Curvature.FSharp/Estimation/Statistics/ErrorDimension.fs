namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels

/// In how many directions the error of a mean of vectors lies: ν = (tr Σ)²/tr Σ² (Satterthwaite 1946, Box 1954), Σ
/// their covariance. For independent samples, differences of neighbours dₖ = x₂ₖ − x₂ₖ₋₁ have mean 0 and covariance
/// 2Σ, so that E ⟨dₖ, dₖ₊₁⟩² = 4 tr Σ²: tr Σ² from pairs of samples, as in Bai & Saranadasa 1996 and Chen & Qin 2010,
/// but from neighbours alone, in a memory of two vectors. Cosines weighted by squared lengths, in units of the first
/// one, are the same ratio and do not overflow. A vector costs half a scalar product, half a norm and half a
/// subtraction. The same bits however the vectors are cut into blocks.
[<Sealed>]
type internal ErrorDimension(n: int, device: Device) =
    let mutable count = 0
    let mutable directions = 0
    let mutable pairs = 0
    let mutable products = 0.0
    let mutable squares = 0.0
    let mutable unit = 0.0
    let mutable squaredLength = 0.0
    let zeros () = Tensor.zeros DType.Float64 [ n ] |> Tensor.toDevice device
    // The sample that waits for its neighbour, and the last difference, of length 1; zeros where there is none.
    let mutable waiting = zeros ()
    let mutable direction = zeros ()

    let addDifference (difference: Tensor) =
        let length = (Tensor.norm difference).ToScalar()

        if length > 0.0 && Double.IsFinite length then
            let next = difference / length
            if directions = 0 then unit <- length
            let nextSquare = Math.Pow(length / unit, 2.0)

            if directions > 0 then
                let product = next * direction
                let cosine = (Tensor.sum product).ToScalar()
                Vectors.release product
                pairs <- pairs + 1
                products <- products + cosine * cosine * squaredLength * nextSquare
                squares <- squares + squaredLength * nextSquare

            directions <- directions + 1
            Vectors.release direction
            direction <- next
            squaredLength <- nextSquare

    member _.Add(x: Tensor) =
        if n > 1 then
            count <- count + 1

            // Vectors may be as large as memory allows: what is not needed any more is given back at once.
            if count % 2 = 0 then
                let difference = x |> Vectors.widened (fun x -> x - waiting)
                addDifference difference
                Vectors.release difference
            else
                Vectors.release waiting
                waiting <- x |> Vectors.widened (fun x -> x + 0.0)

    /// The rows of a block, one after the other.
    member this.AddRows(block: Tensor) =
        for row in 0 .. block.Signature.Shape[0] - 1 do
            this.Add(Tensor.item 0 row block)

    /// ν, from 1 to n; 1 without a pair. It is lowered by 0.7 standard errors, since few pairs may be off, and too
    /// large a ν would make intervals too short.
    member _.Value: float =
        if pairs = 0 then
            1.0
        else
            let share = products / squares * (1.0 + 1.0 / sqrt (float pairs))
            Math.Clamp(1.0 / share, 1.0, float (max 1 n))

    interface ISavable with
        member _.Save writer =
            writer.Write count
            writer.Write directions
            writer.Write pairs
            [ products; squares; unit; squaredLength ] |> List.iter writer.Write
            SavedVector.write writer (waiting.ToArray())
            SavedVector.write writer (direction.ToArray())

        member _.Restore reader =
            let vector () = Tensor.ofArray [ n ] (SavedVector.read reader n) |> Tensor.toDevice device
            count <- reader.ReadCount()
            directions <- reader.ReadWithin(count, "directions")
            pairs <- reader.ReadWithin(count, "pairs")
            products <- reader.ReadMagnitude "a sum of squared products"
            squares <- reader.ReadMagnitude "a sum of squares"
            unit <- reader.ReadMagnitude "a unit"
            squaredLength <- reader.ReadMagnitude "a squared length"
            waiting <- vector ()
            direction <- vector ()
