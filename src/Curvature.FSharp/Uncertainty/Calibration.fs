namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// Predictions whose confidence lies in one range, and how often they were right.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CalibrationBin internal (low: float, high: float, count: int, confidence: float, accuracy: float) =
    /// The lower end of the range of confidences.
    member _.Low = low

    /// The upper end.
    member _.High = high

    /// How many predictions have such a confidence.
    member _.Count = count

    /// Their mean confidence; NaN where there are none.
    member _.Confidence = confidence

    /// The share of them that was right; NaN where there are none.
    member _.Accuracy = accuracy

    override _.ToString() =
        $"confidence {Numbers.show low} to {Numbers.show high}: {count}, right {Numbers.show accuracy}"

    member internal this.Text = this.ToString()

/// How well predicted probabilities of classes fit labels that were held out.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ClassCalibration
    internal
    (bins: CalibrationBin[], error: struct (float * float * float), loss: struct (float * float), accuracy: float) =

    let struct (value, standardError, expected) = error
    let struct (mean, meanError) = loss

    /// The ranges of confidence, from the lowest on.
    member _.Bins: Collections.Generic.IReadOnlyList<CalibrationBin> = bins

    /// The number of predictions.
    member _.Samples = bins |> Array.sumBy _.Count

    /// The expected calibration error Σ (count/N)·|accuracy − confidence| over the bins (Naeini, Cooper & Hauskrecht
    /// 2015; Guo et al. 2017, eq. 3).
    member _.Error = value

    /// The standard error of Error, for bins whose gap keeps its sign.
    member _.StandardError = standardError

    /// The Error that is expected of N predictions whose probabilities are true: the plug-in is never 0, and an Error
    /// near this number shows no fault.
    member _.ErrorIfCalibrated = expected

    /// The mean of −ln p(label).
    member _.NegativeLogLikelihood = mean

    /// The standard error of NegativeLogLikelihood; infinite for a single prediction.
    member _.NegativeLogLikelihoodError = meanError

    /// The share of labels with the largest probability.
    member _.Accuracy = accuracy

    override this.ToString() =
        $"calibration error {Numbers.withError standardError value} ({Numbers.error expected} if calibrated), "
        + $"negative log-likelihood {Numbers.withError meanError mean}, accuracy {Numbers.show accuracy}, "
        + $"""on {Describe.count this.Samples "sample"}"""

    member internal this.Text = this.ToString()

/// How well predicted normal laws fit numbers that were held out.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NumberCalibration
    internal (samples: int, loss: struct (float * float), confidences: float[], coverages: float[], meanSquare: float) =

    let struct (mean, meanError) = loss

    /// The number of targets.
    member _.Samples = samples

    /// The mean of −ln p(target).
    member _.NegativeLogLikelihood = mean

    /// The standard error of NegativeLogLikelihood; infinite for a single target.
    member _.NegativeLogLikelihoodError = meanError

    /// The confidences 0.5, 0.9 and 0.95 of central intervals.
    member _.Confidences = Array.copy confidences

    /// The share of targets within the interval of each confidence.
    member _.Coverages = Array.copy coverages

    /// The standard error of each coverage, had it the confidence that it should have.
    member _.CoverageErrors = confidences |> Array.map (fun p -> sqrt (p * (1.0 - p) / float samples))

    /// The mean of (target − mean)²/variance, which is 1 on average for variances that are right.
    member _.MeanSquaredResidual = meanSquare

    override this.ToString() =
        let covered (confidence: float) (coverage: float) (error: float) =
            $"{Numbers.withError error coverage} for {Numbers.show confidence}"

        let coverages = Array.map3 covered confidences coverages this.CoverageErrors |> String.concat ", "

        $"negative log-likelihood {Numbers.withError meanError mean}; coverage {coverages}; mean squared residual "
        + $"""{Numbers.show meanSquare}; on {Describe.count samples "target"}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.Distributions

/// Whether predicted probabilities and variances are right, on data that were held out.
[<RequireQualifiedAccess>]
module Calibration =

    let private name = "Calibration"

    /// A mean and its standard error.
    let private mean (values: float[]) : struct (float * float) =
        let n, middle = float values.Length, Array.average values
        let squares = values |> Array.sumBy (fun x -> (x - middle) * (x - middle))
        struct (middle, (if values.Length < 2 then infinity else sqrt (squares / (n - 1.0) / n)))

    /// Probabilities of each class, as rows. A single column is the probability of class 1 of two.
    let private rowsOf (probabilities: Tensor) : float[][] =
        let shape = probabilities.Signature.Shape

        if probabilities.DType = DType.Int32 || shape.Length < 1 || shape.Length > 2 || probabilities.Size = 0 then
            Fail.shape (
                $"{name}: probabilities must be [samples; classes] or [samples], and they are "
                + probabilities.Signature.Text
            )

        let columns = if shape.Length = 1 then 1 else shape[1]
        let rows = probabilities.ToArray() |> Array.chunkBySize columns

        rows
        |> Array.iteri (fun row values ->
            if values |> Array.exists (fun p -> not (p >= 0.0 && p <= 1.0 + 1e-6)) then
                Fail.data $"{name}: row {row} has a number that is no probability"

            if columns > 1 && abs (Array.sum values - 1.0) > 1e-4 then
                Fail.data $"{name}: the probabilities of row {row} sum up to {Array.sum values}")

        if columns = 1 then
            rows |> Array.map (fun p -> [| 1.0 - p[0]; p[0] |])
        else
            rows

    let private labelsOf (labels: Tensor) (rows: float[][]) : int[] =
        if labels.DType <> DType.Int32 || labels.Size <> rows.Length then
            Fail.shape $"{name}: {rows.Length} Int32 labels are needed, and they are {labels.Signature.Text}"

        let labels = labels.ToInt32Array()

        match labels |> Array.tryFindIndex (fun label -> label < 0 || label >= rows[0].Length) with
        | Some row -> Fail.data $"{name}: label {labels[row]} of row {row} is not among {rows[0].Length} classes"
        | None -> labels

    /// Expected calibration error, negative log-likelihood and accuracy of probabilities, [N; classes], or [N] and [N;
    /// 1] for the probability of class 1 of two, with Int32 labels [N]. Confidences, the largest probability of each
    /// row, are put into `bins` ranges of equal width; 15 are usual. The standard error is that of the mean of the
    /// signed gaps (confidence − right) of the samples. Raises ShapeException and DataException for labels and
    /// probabilities that do not fit or are none, ArgumentRangeException for bins outside 1 … 10,000.
    let classes (bins: int) (labels: Tensor) (probabilities: Tensor) : ClassCalibration =
        Count.between 1 10_000 $"{name}.classes: bins" bins
        let rows = rowsOf probabilities
        let labels = labelsOf labels rows
        let n = float rows.Length
        let choices = rows |> Array.map (fun row -> Array.IndexOf(row, Array.max row))
        let confidences = Array.map2 (fun (row: float[]) choice -> row[choice]) rows choices
        let isRight = Array.map2 (fun label choice -> if label = choice then 1.0 else 0.0) labels choices
        let binOf confidence = min (bins - 1) (int (confidence * float bins))
        let members = Array.init bins (fun _ -> ResizeArray<int>())
        confidences |> Array.iteri (fun i confidence -> members[binOf confidence].Add i)
        let signed = Array.zeroCreate<float> rows.Length
        let mutable expected = 0.0

        let found =
            members
            |> Array.mapi (fun bin items ->
                let average (values: float[]) =
                    if items.Count = 0 then nan else Seq.averageBy (fun i -> values[i]) items

                let low, high = float bin / float bins, float (bin + 1) / float bins
                CalibrationBin(low, high, items.Count, average confidences, average isRight))

        for items in members do
            let sign = Math.Sign(items |> Seq.sumBy (fun i -> confidences[i] - isRight[i])) |> float

            for i in items do
                signed[i] <- sign * (confidences[i] - isRight[i])

            // The mean of |x| for a normal x of that variance.
            let variance = items |> Seq.sumBy (fun i -> confidences[i] * (1.0 - confidences[i]))
            expected <- expected + sqrt (2.0 / Math.PI * max 0.0 variance) / n

        let struct (error, standardError) = mean signed
        let losses = Array.map2 (fun (row: float[]) label -> -log row[label]) rows labels
        ClassCalibration(found, struct (error, standardError, expected), mean losses, Array.average isRight)

    /// Negative log-likelihood and coverage of normal laws with these means and variances for targets, all of one
    /// shape: `TargetVariance` is the variance of targets. Raises ShapeException for shapes that differ or have no
    /// elements, and ArgumentRangeException for a variance that is not above 0.
    let numbers (targets: Tensor) (means: Tensor) (variances: Tensor) : NumberCalibration =
        for other in [ targets; variances ] do
            if other.Signature.Shape <> means.Signature.Shape || other.DType = DType.Int32 || other.Size = 0 then
                Fail.shape (
                    $"{name}: targets, means and variances must be numbers of one shape, and they are "
                    + $"{targets.Signature.Text}, {means.Signature.Text} and {variances.Signature.Text}"
                )

        let variances = variances.ToArray()

        match variances |> Array.tryFindIndex (fun v -> not (v > 0.0 && v < infinity)) with
        | Some i ->
            Fail.range $"{name}: a variance must be above 0 and finite, and that of element {i} is {variances[i]}"
        | None -> ()

        let squares = Array.map3 (fun t m v -> (t - m) * (t - m) / v) (targets.ToArray()) (means.ToArray()) variances
        let losses = Array.map2 (fun square v -> 0.5 * (square + log (2.0 * Math.PI * v))) squares variances
        let confidences = [| 0.5; 0.9; 0.95 |]

        let coverage confidence =
            let bound = Normal.InvCDF(0.0, 1.0, 0.5 + 0.5 * confidence)
            squares |> Array.averageBy (fun square -> if square <= bound * bound then 1.0 else 0.0)

        NumberCalibration(
            squares.Length,
            mean losses,
            confidences,
            Array.map coverage confidences,
            Array.average squares
        )
