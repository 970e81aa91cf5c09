namespace Curvature.FSharp

open Curvature

/// Orders of the rows of a data set, and their parts.
[<RequireQualifiedAccess>]
module Batches =

    /// The rows 0 … rows − 1 in an order drawn from a key, each order equally likely.
    /// Raises ArgumentRangeException for a negative count.
    let shuffled (key: Key) (rows: int) : int[] =
        if rows < 0 then
            raise (ArgumentRangeException $"shuffled: a count of rows cannot be negative, and this one is {rows}")

        let places = (Tensor.uniform key DType.Float64 [ rows ]).ToArray()
        // Ties, however unlikely, keep the order of the rows.
        [| 0 .. rows - 1 |] |> Array.sortBy (fun row -> struct (places[row], row))

    /// Consecutive parts of an order, each of `size` rows but for the last, which may be shorter.
    /// Raises ArgumentRangeException for a size less than 1.
    let cut (size: int) (order: int[]) : int[] list =
        if size < 1 then
            raise (ArgumentRangeException $"cut: a batch has at least one row, and {size} were asked for")

        order |> Array.chunkBySize size |> List.ofArray

    /// The given rows of a tensor, along its leading axis.
    let rows (batch: int[]) (data: Tensor) : Tensor =
        data |> Tensor.take 0 (Tensor.ofIndices [ batch.Length ] batch |> Tensor.toDevice data.Device)

    /// Consecutive batches of `size` samples of inputs and targets, but for the last, which may be smaller. They share the memory of the
    /// whole. Raises ArgumentRangeException for a size less than 1, DataException for no samples, ShapeException where there are not as
    /// many targets as inputs.
    let split (size: int) (inputs: Tensor) (targets: Tensor) : Batch list =
        if size < 1 then
            raise (ArgumentRangeException $"split: a batch has at least one sample, and {size} were asked for")

        let whole = Batch(inputs, targets)

        [
            for start in 0..size .. whole.Size - 1 do
                let part = Tensor.slice 0 start (min size (whole.Size - start))
                Batch(part inputs, part targets)
        ]
