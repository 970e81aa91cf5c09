namespace Curvature.FSharp

open System
open Curvature

/// Rounding of weights to few bits: symmetric and uniform. With b bits the levels are −L·s, …, 0, …, L·s with L =
/// 2^(b−1) − 1 and the step s = max|w|/L, so that the largest weight and 0 are levels. Weights go to the nearest level,
/// halves to the even one.
[<RequireQualifiedAccess>]
module Quantization =

    let private checkBits bits =
        if bits < 2 || bits > 32 then
            Fail.range $"Quantization: 2 to 32 bits are possible, and {bits} were asked for"

    let private checkWeights (weights: Tensor) =
        if weights.DType = DType.Int32 then
            Fail.dtype "Quantization: weights are Float32 or Float64, and these are Int32"

        Finite.check "Quantization: a weight" weights

    let private ofValues (like: Tensor) (values: float[]) : Tensor =
        Tensor.ofArray (List.ofArray like.Signature.Shape) values
        |> Tensor.convert like.DType
        |> Tensor.toDevice like.Device

    let private round bits (values: float[]) : float[] =
        let levels = Math.Pow(2.0, float (bits - 1)) - 1.0
        let largest = values |> Array.fold (fun most value -> max most (abs value)) 0.0

        if largest = 0.0 then
            values
        else
            let step = largest / levels
            values |> Array.map (fun value -> step * Math.Round(value / step, MidpointRounding.ToEven))

    /// Weights rounded to so many bits, with one step for the whole tensor. Raises ArgumentRangeException for fewer
    /// than 2 bits or more than 32, NonFiniteException for weights that are NaN or infinite.
    let perTensor (bits: int) (weights: Tensor) : Tensor =
        checkBits bits
        checkWeights weights
        weights.ToArray() |> round bits |> ofValues weights

    /// Weights rounded to so many bits, with a step for each row along the leading axis: each filter or neuron. Errors
    /// as `perTensor`.
    let perRow (bits: int) (weights: Tensor) : Tensor =
        checkBits bits
        checkWeights weights
        let rows = if weights.Rank = 0 then 1 else max 1 weights.Signature.Shape[0]

        weights.ToArray()
        |> Array.chunkBySize (max 1 (weights.Size / rows))
        |> Array.collect (round bits)
        |> ofValues weights
