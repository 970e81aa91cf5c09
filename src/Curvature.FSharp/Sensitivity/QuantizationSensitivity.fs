namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
open Curvature.FSharp

/// How much a loss is expected to grow when one tensor is quantised, at several numbers of bits.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type QuantizationScore internal (row: TensorCurvature, bits: int[], squaredErrors: float[], scores: Estimate<float>[]) =
    let indexOf (count: int) =
        match Array.IndexOf(bits, count) with
        | -1 ->
            let known = String.Join(", ", bits)
            Fail.range $"{row.Name}: there are scores for {known} bits, and {count} were asked for"
        | i -> i

    /// The tensor.
    member _.Tensor = row.Tensor

    /// Its full name.
    member _.Name = row.Name

    /// How many weights it has.
    member _.Size = row.Size

    /// The mean of the diagonal of its block of the Hessian.
    member _.MeanDiagonal = row.MeanDiagonal

    /// The numbers of bits, ascending.
    member _.Bits = Array.copy bits

    /// ‖Q(w) − w‖² at a number of bits. Raises ArgumentRangeException for one that was not asked for.
    member _.SquaredError(count: int) = squaredErrors[indexOf count]

    /// The mean of the diagonal times ‖Q(w) − w‖² at a number of bits, with the error of the trace. Raises
    /// ArgumentRangeException for a number of bits that was not asked for.
    member _.Score(count: int) = scores[indexOf count]

    member internal _.Curvature = row
    member internal _.SquaredErrors = squaredErrors

    override _.ToString() =
        let score (b: int) (found: Estimate<float>) = $"{b} bits {found.Brief}"
        $"{row.Name}: " + String.Join(", ", Array.map2 score bits scores)

    member internal this.Text = this.ToString()

/// A number of bits for each tensor.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type BitAssignment
    internal (names: string[], bits: int[], sizes: int[], budget: int64, score: Estimate<float>, agreement: float[]) =
    /// The tensors.
    member _.Names: IReadOnlyList<string> = names

    /// The bits of each tensor.
    member _.Bits: IReadOnlyList<int> = bits

    /// The bits of a tensor by name. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): int =
            bits[Named.find "tensor in the assignment" (fun i -> names[i]) (Seq.init names.Length id) name]

    /// The size of all weights, in bits.
    member _.TotalBits = Array.fold2 (fun sum b size -> sum + int64 b * int64 size) 0L bits sizes

    /// The size that was allowed, in bits.
    member _.Budget = budget

    /// The sum of the tensors' scores at their bits, with its standard error, which takes account of the correlation
    /// between tensors.
    member _.Score = score

    /// For each tensor, the share of draws of the traces, within their errors, for which the best assignment gives it
    /// the same bits.
    member _.Agreement: IReadOnlyList<float> = agreement

    override this.ToString() =
        let row name (b: int) (share: float) = $"{name}: {b} bits (in {share:P0} of draws)"
        let total = $"{this.TotalBits:N0} of {budget:N0} bits, score {score.Brief}"
        Describe.lines (Seq.append [ total ] (Array.map3 row names bits agreement))

    member internal this.Text = this.ToString()

/// How much a loss is expected to grow when each tensor of weights is quantised.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type QuantizationSensitivity internal (tensors: QuantizationScore[], bits: int[], ledger: Ledger) =
    /// The tensors, in the order of the layout.
    member _.Tensors: IReadOnlyList<QuantizationScore> = tensors

    /// The numbers of bits for which there are scores, ascending.
    member _.Bits = Array.copy bits

    /// The row of a tensor by name. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): QuantizationScore =
            Named.find "score for" (fun (row: QuantizationScore) -> row.Name) tensors name

    /// What the traces cost.
    member _.Ledger = ledger

    override _.ToString() = Describe.lines (tensors |> Array.map string)

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Which tensors of weights may be stored in few bits: scores of HAWQ-V2 (Dong et al. 2020), and the bits that they
/// lead to.
[<RequireQualifiedAccess>]
module QuantizationSensitivity =

    let private checkBits (bits: int list) =
        if bits.IsEmpty then
            Fail.range "QuantizationSensitivity: there are no numbers of bits"

        bits |> List.distinct |> List.sort |> List.toArray

    let private score quantize (bits: int[]) (theta: Tensor) (row: TensorCurvature) : QuantizationScore =
        let tensor = row.Tensor

        let weights = Tensor.slice 0 tensor.Offset tensor.Size theta |> Tensor.reshape (List.ofArray tensor.Shape)

        let squaredError count =
            let rounded: Tensor = quantize count weights

            if rounded.Signature <> weights.Signature then
                Fail.shape (
                    $"QuantizationSensitivity: {tensor.Name} is {weights.DType}{Shape.show tensor.Shape}, and "
                    + $"quantised to {count} bits {rounded.DType}{Shape.show rounded.Signature.Shape}"
                )

            let difference = Tensor.convert DType.Float64 rounded - Tensor.convert DType.Float64 weights
            (Tensor.sum (Tensor.square difference)).ToScalar()

        let errors = bits |> Array.map squaredError
        QuantizationScore(row, bits, errors, errors |> Array.map (fun error -> Estimates.scaled error row.MeanDiagonal))

    /// Scores of the tensors that a predicate chooses, by any quantiser, a function from bits and weights to rounded
    /// weights such as `Quantization.perRow`; see `scores`. Raises ParameterException where no tensor is left.
    let scoresWith
        (quantize: int -> Tensor -> Tensor)
        (isQuantized: ParameterTensor -> bool)
        (bits: int list)
        (theta: Tensor)
        (table: CurvatureByTensor)
        : QuantizationSensitivity =
        let bits = checkBits bits
        table.RequireFit("QuantizationSensitivity", theta)

        match table.Tensors |> Seq.filter (fun row -> row.Size > 0 && isQuantized row.Tensor) |> Seq.toArray with
        | [||] -> Fail.parameter "QuantizationSensitivity: no tensor is to be quantised"
        | rows ->
            QuantizationSensitivity(rows |> Array.map (score quantize bits (Tensor.flatten theta)), bits, table.Ledger)

    /// The score of HAWQ-V2 for each tensor of two or more axes and each number of bits: Ω = (tr H/n)·‖Q(w) − w‖², with
    /// the trace of the tensor's block from a table, and Q symmetric and uniform with one step for a tensor
    /// (`Quantization.perTensor`). Half of it is the change of the loss to be expected at a minimum from an error of
    /// that size in a random direction. The standard error is that of the trace. Biases and the parameters of
    /// normalisation layers are taken to stay as they are.
    /// Raises ArgumentRangeException for no numbers of bits or such that Quantization refuses, ShapeException where θ
    /// does not fit the table.
    let scores (bits: int list) (theta: Tensor) (table: CurvatureByTensor) : QuantizationSensitivity =
        scoresWith Quantization.perTensor (fun tensor -> tensor.Shape.Length >= 2) bits theta table

    let private draw key draws (sensitivity: QuantizationSensitivity) =
        let rows = sensitivity.Tensors |> Seq.map _.Curvature |> Seq.toArray
        Resampling.means key draws (rows |> Array.map _.Trace.Value) (rows |> Array.map _.Samples)

    let private factors (bits: int) (sensitivity: QuantizationSensitivity) =
        sensitivity.Tensors |> Seq.map (fun row -> row.SquaredError bits / float row.Size) |> Seq.toArray

    /// How sure the ranking of the tensors by their scores at a number of bits is: the traces are drawn again `draws`
    /// times, from Student's t about the estimates with the covariance of their samples, since all tensors shared their
    /// random vectors.
    /// Raises ArgumentRangeException for no draws, for a single sample, or for a number of bits without scores.
    let stability (key: Key) (draws: int) (bits: int) (sensitivity: QuantizationSensitivity) : RankingStability =
        Resampling.checkDraws draws
        let factors = factors bits sensitivity

        draw key draws sensitivity
        |> Array.map (Array.map2 (*) factors)
        |> Resampling.stability
            (sensitivity.Tensors |> Seq.map _.Name |> Seq.toArray)
            (sensitivity.Tensors |> Seq.map (fun row -> row.Score(bits).Value) |> Seq.toArray)

    /// The best bits for each tensor, as positions in the list of bits, for these traces. A negative trace counts as 0.
    let private best budget (sensitivity: QuantizationSensitivity) (traces: float[]) =
        let items =
            sensitivity.Tensors
            |> Seq.mapi (fun i row ->
                let mean = max 0.0 traces[i] / float row.Size

                {
                    BitAllocation.Costs = sensitivity.Bits |> Array.map (fun bits -> int64 bits * int64 row.Size)
                    BitAllocation.Scores = row.SquaredErrors |> Array.map ((*) mean)
                })
            |> Seq.toArray

        match BitAllocation.solve budget items with
        | Some choices -> choices
        | None ->
            let least = items |> Array.sumBy (fun item -> Array.min item.Costs)

            Fail.range $"QuantizationSensitivity.assign: the smallest size is {least} bits, and the budget {budget}"

    /// The sum of scores at chosen bits, with the error that the common samples give it.
    let private total (sensitivity: QuantizationSensitivity) (choices: int[]) : Estimate<float> =
        let rows = Seq.toArray sensitivity.Tensors

        let factors =
            Array.map2 (fun (row: QuantizationScore) choice -> row.SquaredErrors[choice] / float row.Size) rows choices

        let value =
            Array.map2 (fun factor (row: QuantizationScore) -> factor * row.Curvature.Trace.Value) factors rows
            |> Array.sum

        let moments = RunningMoments()

        for j in 0 .. rows[0].Curvature.Samples.Length - 1 do
            Array.map2 (fun factor (row: QuantizationScore) -> factor * row.Curvature.Samples[j]) factors rows
            |> Array.sum
            |> moments.Add

        Estimates.scalar value moments.StandardError sensitivity.Ledger

    /// The bits for each tensor of least total score among those whose weights fit into `budget` bits: optimal, by
    /// dynamic programming with bounds. A tensor whose estimated trace is negative counts as one without curvature; a
    /// table of the Gauss–Newton matrix has none but by chance. The same is done for `draws` sets of traces drawn
    /// within their errors, to tell how often each tensor gets the same bits.
    /// Raises ArgumentRangeException for a budget below the smallest size, and for no draws.
    let assign (key: Key) (draws: int) (budget: int64) (sensitivity: QuantizationSensitivity) : BitAssignment =
        Resampling.checkDraws draws
        let rows = Seq.toArray sensitivity.Tensors
        let choices = best budget sensitivity (rows |> Array.map _.Curvature.Trace.Value)

        let others = draw key draws sensitivity |> Array.map (best budget sensitivity)

        BitAssignment(
            rows |> Array.map _.Name,
            choices |> Array.map (fun choice -> sensitivity.Bits[choice]),
            rows |> Array.map _.Size,
            budget,
            total sensitivity choices,
            choices
            |> Array.mapi (fun i choice ->
                others |> Array.averageBy (fun other -> if other[i] = choice then 1.0 else 0.0))
        )
