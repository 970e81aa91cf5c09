namespace Curvature

open System
open System.Diagnostics

/// How a data set is cut into batches, and what is done to each. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type BatchOptions =
    internal
        {
            Samples: int
            Order: Key voption
            Change: Tensor -> Tensor
        }

    /// 100 samples, in the order of the data set, as they are.
    static member Default = { Samples = 100; Order = ValueNone; Change = id }

    /// The number of samples in a batch; the last batch may be smaller. Raises ArgumentRangeException if it is less
    /// than 1.
    member options.WithSize(samples: int) =
        if samples < 1 then
            Fail.range $"batches: a batch has at least one sample, and {samples} were asked for"

        { options with Samples = samples }

    /// Takes the samples in an order drawn from a key, each order equally likely: the same key gives the same batches.
    member options.WithShuffling(key: Key) = { options with Order = ValueSome key }

    /// What is done to the inputs of each batch, such as to bring channels to comparable sizes. It must give the same
    /// for the same inputs, and keep the leading axis.
    member options.WithTransform(change: Func<Tensor, Tensor>) = { options with Change = change.Invoke }

    override options.ToString() =
        let order =
            match options.Order with
            | ValueNone -> "in the order of the data"
            | ValueSome key -> $"shuffled by {key}"

        $"""batches of {FSharp.Describe.count options.Samples "sample"}, {order}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Orders of the rows of a data set, their parts, and batches that are made of these when they are asked for.
[<RequireQualifiedAccess>]
module Batches =

    /// The rows 0 … rows − 1 in an order drawn from a key, each order equally likely.
    /// Raises ArgumentRangeException for a negative count.
    let shuffled (key: Key) (rows: int) : int[] =
        if rows < 0 then
            Fail.range $"shuffled: a count of rows cannot be negative, and this one is {rows}"

        let places = (Tensor.uniform key DType.Float64 [ rows ]).ToArray()
        // Ties, however unlikely, keep the order of the rows.
        [| 0 .. rows - 1 |] |> Array.sortBy (fun row -> struct (places[row], row))

    /// Consecutive parts of an order, each of `size` rows but for the last, which may be shorter.
    /// Raises ArgumentRangeException for a size less than 1.
    let cut (size: int) (order: int[]) : int[] list =
        if size < 1 then
            Fail.range $"cut: a batch has at least one row, and {size} were asked for"

        order |> Array.chunkBySize size |> List.ofArray

    /// The given rows of a tensor, along its leading axis.
    let rows (batch: int[]) (data: Tensor) : Tensor = TensorSelection.takeAt 0 batch data

    /// Consecutive batches of `size` samples of inputs and targets, but for the last, which may be smaller. They
    /// share the memory of the whole. Raises ArgumentRangeException for a size less than 1, DataException for no
    /// samples, ShapeException where there are not as many targets as inputs.
    let split (size: int) (inputs: Tensor) (targets: Tensor) : Batch list =
        if size < 1 then
            Fail.range $"split: a batch has at least one sample, and {size} were asked for"

        let whole = Batch(inputs, targets)

        [
            for start in 0..size .. whole.Size - 1 do
                let part = Tensor.slice 0 start (min size (whole.Size - start))
                Batch(part inputs, part targets)
        ]

    /// The batches of a data set, each made when it is asked for, and the same at every pass over the sequence.
    let private stream (options: BatchOptions) (samples: int) (make: int[] -> Batch) : Batch seq =
        if samples = 0 then Fail.data "batches: the data set has no samples"

        let order =
            match options.Order with
            | ValueSome key -> shuffled key samples
            | ValueNone -> [| 0 .. samples - 1 |]

        let parts = cut options.Samples order
        parts |> Seq.map make

    /// Batches of inputs and targets, whose leading axes are the samples. Each is made when it is asked for, and is
    /// the same at every pass over the sequence. Raises DataException for no samples, and ShapeException where there
    /// are not as many targets as inputs, or the transform of the options changes the number of samples.
    let ofTensors (options: BatchOptions) (inputs: Tensor) (targets: Tensor) : Batch seq =
        let whole = Batch(inputs, targets)

        stream options whole.Size (fun part -> Batch(options.Change(rows part inputs), rows part targets))

    /// Batches of `size` rows of inputs and targets for training: each pass, by its number, takes the rows in another
    /// order, drawn from the key's fold with the number. Where all rows fit into one batch, they keep their order.
    /// Errors are those of `ofTensors`.
    let shuffledEachPass (size: int) (key: Key) (inputs: Tensor) (targets: Tensor) : int -> Batch seq =
        let whole, options = Batch(inputs, targets), BatchOptions.Default.WithSize size

        fun pass ->
            if size >= whole.Size then
                Seq.singleton whole
            else
                ofTensors (options.WithShuffling(key.FoldIn(uint32 pass))) inputs targets

    /// Batches of images [batch; channels; height; width] of numbers from 0 to 1, Float32 or Float64, before the
    /// transform of the options, with their classes, Int32 [batch]. Only the images of one batch are numbers at a
    /// time. Raises DataException for no images, DTypeException for Int32, and ShapeException where the transform
    /// changes the number of samples.
    let ofImages (options: BatchOptions) (dtype: DType) (images: ImageSet) : Batch seq =
        if dtype = DType.Int32 then
            Fail.dtype "batches: images are Float32 or Float64, and Int32 was asked for"

        stream options images.Count (fun part ->
            let chosen = images.Pick part
            Batch(options.Change(chosen.ToTensor dtype), chosen.Labels))
