namespace Curvature

open System
open Curvature.FSharp

/// Mean and variance of numbers that come one after the other (Welford 1962): exact for equal ones, and the same bits however the
/// numbers are cut into blocks.
[<Sealed>]
type internal RunningMoments() =
    let mutable count = 0
    let mutable mean = 0.0
    let mutable squares = 0.0

    member _.Count = count
    member _.Mean = mean

    member _.Add(x: float) =
        count <- count + 1
        let difference = x - mean
        mean <- mean + difference / float count
        squares <- squares + difference * (x - mean)

    /// The standard error of the mean; infinite for fewer than two numbers.
    member _.StandardError =
        if count < 2 then
            infinity
        else
            Math.Sqrt(squares / float (count - 1) / float count)

/// The same for each element of vectors, in Float64.
[<Sealed>]
type internal RunningVectorMoments(n: int, device: Kernels.Device) =
    let zeros = Tensor.zeros DType.Float64 [ n ] |> Tensor.toDevice device
    let mutable count = 0
    let mutable mean = zeros
    let mutable squares = zeros

    member _.Count = count
    member _.Mean = mean

    member _.Add(x: Tensor) =
        let x = Tensor.convert DType.Float64 x
        count <- count + 1
        let difference = x - mean
        mean <- mean + difference / float count
        squares <- squares + difference * (x - mean)

    /// The rows of a block, one after the other.
    member this.AddRows(block: Tensor) =
        for row in 0 .. block.Signature.Shape[0] - 1 do
            this.Add(Tensor.item 0 row block)

    /// The standard error of each mean; zeros for fewer than two vectors.
    member _.StandardError =
        if count < 2 then
            mean.FillLike 0.0
        else
            Tensor.sqrt (squares / (float (count - 1) * float count))

    /// The norms of the means and of the standard errors; an infinite error for fewer than two vectors.
    member this.Norms: struct (float * float) =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        struct (norm mean, (if count < 2 then infinity else norm this.StandardError))
