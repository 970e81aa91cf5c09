namespace Curvature

open Curvature.FSharp
open Curvature.Kernels

/// Ratios Σx/Σw of vectors x and weights w that come one after the other, elementwise in Float64. Where every weight
/// is 0, so is the ratio.
[<Sealed>]
type internal RunningRatios(n: int, device: Device) =
    let zero = Tensor.zeros DType.Float64 [ n ] |> Tensor.toDevice device
    let mutable count = 0

    /// Σx, Σw, Σx², Σxw, Σw².
    let sums = Array.create 5 zero

    let ratio (a: Tensor) (b: Tensor) =
        Tensor.where (Tensor.greater b zero) (a / Tensor.where (Tensor.greater b zero) b (Tensor.onesLike b)) zero

    let add (x: Tensor) (w: Tensor) =
        count <- count + 1

        for i, term in List.indexed [ x; w; x * x; x * w; w * w ] do
            sums[i] <- sums[i] + term

    member _.Count = count

    /// The rows of two blocks, one after the other.
    member _.AddRows(x: Tensor, w: Tensor) =
        for row in 0 .. x.Signature.Shape[0] - 1 do
            let at t = Tensor.item 0 row t |> Tensor.convert DType.Float64
            add (at x) (at w)

    member _.Value: Tensor = ratio sums[0] sums[1]

    /// The standard error of a ratio of means; infinite where a single vector had a weight. The ratio takes up a
    /// share 1/m of the residuals, where m = (Σw)²/Σw² is the number of equal weights that would do as well.
    member this.StandardError: Tensor =
        let r = this.Value
        let residual = Tensor.relu (sums[2] - 2.0 * r * sums[3] + r * r * sums[4])
        let m = ratio (sums[1] * sums[1]) sums[4]
        let left = m - 1.0
        let some = Tensor.greater left (1e-9 * Tensor.onesLike left)
        let share = m / Tensor.where some left (Tensor.onesLike left)
        Tensor.where some (ratio (Tensor.sqrt (residual * share)) sums[1]) (Tensor.fullLike left infinity)

    /// How many elements never had a weight.
    member _.Untouched: int = sums[1].ToArray() |> Array.filter (fun seen -> seen = 0.0) |> Array.length

    interface ISavable with
        member _.Save writer =
            writer.Write count

            for sum in sums do
                SavedVector.write writer (sum.ToArray())

        member _.Restore reader =
            count <- reader.ReadCount()

            for i in 0..4 do
                sums[i] <- Tensor.ofArray [ n ] (SavedVector.read reader n) |> Tensor.toDevice device
