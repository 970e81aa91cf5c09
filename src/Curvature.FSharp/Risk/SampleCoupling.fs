namespace Curvature.FSharp

open System.Globalization
open Curvature

/// What is seen of a batch at θ.
[<NoEquality; NoComparison>]
type internal Observation =
    /// The loss of the batch, reduced over its samples.
    | BatchLoss of Tensor
    /// Numbers that belong to samples, [N; …], such as the outputs of a model.
    | SampleRows of Tensor

/// Whether the samples of a batch are independent. A mean or a sum over batches is that of the whole data set only
/// where they are; batch normalisation in training, for one, couples them. If they are independent, values of two
/// parts of a batch make up those of the whole.
module internal SampleCoupling =

    /// Differences that rounding explains, relative to the numbers.
    let private tolerance (t: Tensor) = if t.DType = DType.Float64 then 1e-8 else 1e-3

    let private largest (t: Tensor) =
        if t.Size = 0 then
            0.0
        else
            (Tensor.max (Tensor.flatten (Tensor.abs t))).ToScalar()

    /// How far two tensors are apart, relative to the larger.
    let private distance (a: Tensor) (b: Tensor) =
        if a.Signature.Shape <> b.Signature.Shape then
            infinity
        else
            let size = max (largest a) (largest b)
            if size = 0.0 then 0.0 else largest (a - b) / size

    let private percent (share: float) =
        if share < infinity then
            $"""off by {share.ToString("P2", CultureInfo.InvariantCulture)}"""
        else
            "of another shape"

    let private advice =
        "samples of a batch are coupled, as by batch normalisation in training or dropout, "
        + "and the matrix depends on how the data are cut into batches"

    /// The loss of a whole from those of its parts, each of which holds a share of the samples.
    let private combine reduction (first: Tensor, second: Tensor) (share: float) =
        match reduction with
        | Reduction.Sum -> first + second
        | _ -> share * first + (1.0 - share) * second

    let private lossWarning name reduction (whole: Tensor) parts share =
        let distanceAs reduction = distance whole (combine reduction parts share)
        let fits reduction = distanceAs reduction <= tolerance whole

        let other =
            match reduction with
            | Reduction.Sum -> Reduction.Mean
            | _ -> Reduction.Sum

        if fits reduction then
            None
        elif fits other then
            Fail.range (
                $"{name}: the reduction {reduction} was given, "
                + $"and the loss of a batch is the {string(other).ToLowerInvariant()} over its samples"
            )
        else
            let reduced = $"the {string(reduction).ToLowerInvariant()} of the losses of its parts"

            Some(
                $"{name}: the loss of a batch is not {reduced} ({percent (distanceAs reduction)}): {advice}; "
                + "or a part of the loss belongs to no sample"
            )

    let private rowsWarning name (whole: Tensor) (first: Tensor, second: Tensor) =
        let off =
            if whole.Rank = 0 || first.Rank <> whole.Rank || second.Rank <> whole.Rank then
                infinity
            else
                distance whole (Tensor.concat 0 [ first; second ])

        if off <= tolerance whole then
            None
        else
            Some $"{name}: outputs for a batch are not those for its parts ({percent off}): {advice}"

    /// The warnings that a batch of two samples or more gives reason for: its whole is compared with its two parts.
    /// Raises ArgumentRangeException where the loss is reduced in another way than was said.
    let warnings name reduction (observe: Batch -> Observation list) (batch: Batch) : string list =
        let half = (batch.Size + 1) / 2

        let part start count =
            let cut = Tensor.slice 0 start count
            observe (Batch(cut batch.Inputs, cut batch.Targets))

        let parts =
            try
                Ok(List.zip (part 0 half) (part half (batch.Size - half)))
            with :? CurvatureException as error ->
                Error error.Message

        match parts with
        | Error message ->
            [
                $"{name}: a part of a batch cannot be evaluated, "
                + $"so that it is not known whether samples are independent ({message})"
            ]
        | Ok parts ->
            List.zip (observe batch) parts
            |> List.choose (fun (whole, parts) ->
                match whole, parts with
                | BatchLoss whole, (BatchLoss first, BatchLoss second) ->
                    lossWarning name reduction whole (first, second) (float half / float batch.Size)
                | SampleRows whole, (SampleRows first, SampleRows second) -> rowsWarning name whole (first, second)
                | _ -> None)
