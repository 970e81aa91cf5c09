namespace Curvature

open System
open System.Diagnostics
open System.Globalization
open MathNet.Numerics.Distributions
open Curvature.FSharp

/// One parameter of a fitted model.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Coefficient internal (name: string, estimate: float, standardError: float) =
    /// The name of its tensor with its position, such as `weight[0, 2]`; the name alone for a tensor of one element.
    member _.Name = name

    /// The fitted value.
    member _.Estimate = estimate

    /// Its standard error.
    member _.StandardError = standardError

    /// The estimate over its standard error.
    member _.Z = estimate / standardError

    /// The probability of a |Z| as large as this, were the parameter 0: 2(1 − Φ(|Z|)).
    member this.PValue = 2.0 * Normal.CDF(0.0, 1.0, -(abs this.Z))

    /// The interval estimate ± z·standardError, which has the confidence as the number of samples grows (Wald 1943).
    /// Raises ArgumentRangeException for a confidence outside (0, 1).
    member _.Interval(confidence: float) : Interval<float> =
        IntervalWidth.requireConfidence confidence
        let reach = IntervalWidth.ofRounding.Factor confidence * standardError
        Interval(estimate - reach, estimate + reach, confidence)

    override _.ToString() = $"{name} = {Numbers.withError standardError estimate}"

    member internal this.Text = this.ToString()

/// The parameters of a fitted model with their standard errors, as statisticians print them.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CoefficientTable
    internal (origin: string, names: string[], estimates: float[], covariance: Tensor, distance: float) =
    let variances = (Tensor.diagonal covariance).ToArray()

    let rows =
        Array.map3 (fun name value variance -> Coefficient(name, value, sqrt variance)) names estimates variances

    /// The parameters, in the order of the flat vector.
    member _.Rows: Collections.Generic.IReadOnlyList<Coefficient> = rows

    /// The covariance of the estimates, Float64 [n; n].
    member _.Covariance = covariance

    /// The standard errors, [n].
    member _.StandardErrors = rows |> Array.map _.StandardError

    /// ½gᵀH⁻¹g with the gradient g of the whole loss: what the quadratic model expects it to fall by on the way to the
    /// minimum. Where it is not small, θ is not fitted, and the errors are not those of the fit.
    member _.DistanceFromMinimum = distance

    /// A parameter by its name. Raises ParameterException where there is none.
    member _.Item
        with get (name: string): Coefficient =
            match rows |> Array.tryFind (fun row -> row.Name = name) with
            | Some row -> row
            | None ->
                let known = String.Join(", ", names |> Array.truncate 20)
                Fail.parameter $"there is no parameter \"{name}\"; there are: {known}"

    /// A line for each parameter with estimate, standard error, z, p and 95 % interval; of long tables the first.
    override _.ToString() =
        let number (format: string) (x: float) = x.ToString(format, CultureInfo.InvariantCulture)

        let cells =
            [|
                [| "parameter"; "estimate"; "std. error"; "z"; "p"; "95 % interval" |]
                for row in Array.truncate 100 rows do
                    let interval = row.Interval 0.95
                    let write = Numbers.within row.StandardError

                    [|
                        row.Name
                        write row.Estimate
                        Numbers.error row.StandardError
                        number "F2" row.Z
                        (if row.PValue < 1e-4 then "<1e-4" else number "F4" row.PValue)
                        $"[{write interval.Low}, {write interval.High}]"
                    |]
            |]

        let widths = Array.init 6 (fun column -> cells |> Array.map (fun line -> line[column].Length) |> Array.max)

        let line (cells: string[]) =
            let padded =
                cells
                |> Array.mapi (fun column cell ->
                    if column = 0 then cell.PadRight widths[column] else cell.PadLeft widths[column])

            String.Join("  ", padded).TrimEnd()

        $"standard errors from {origin}\n" + Describe.lines (cells |> Array.map line)

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// Standard errors of the parameters of a fitted model. The loss of each sample is its negative log-likelihood, such as
/// a cross-entropy, or `Likelihood.loss`; a term without data counts as a part of the whole. Costs n products and O(n³)
/// operations. Raises ShapeException where the layout does not fit θ, DataException for a risk without
/// data, ArgumentRangeException for matrices above LinearOperator.denseLimit, and OperatorException where the Hessian
/// is not positive definite, as away from a minimum or for parameters that the data do not determine.
[<RequireQualifiedAccess>]
module CoefficientTable =

    let private name = "CoefficientTable"

    /// The names of the elements of a flat vector.
    let internal names (layout: ParameterLayout) : string[] =
        [|
            for tensor in layout.Tensors do
                if tensor.Size = 1 then
                    tensor.Name
                else
                    let strides = Shape.rowMajor tensor.Shape

                    for i in 0 .. tensor.Size - 1 do
                        let place = Array.map2 (fun stride length -> i / stride % length) strides tensor.Shape
                        $"""{tensor.Name}[{System.String.Join(", ", place)}]"""
        |]

    let internal requireFit (what: string) (layout: ParameterLayout) (theta: Tensor) =
        Linearization.checkPoint what theta

        if theta.Signature.Shape <> [| layout.Size |] then
            Fail.shape $"{what}: the layout needs a θ of shape [{layout.Size}], and it has shape {theta.ShapeText}"

    let private samples (risk: EmpiricalRisk) (theta: Tensor) : int =
        if not risk.HasData then
            Fail.data $"{name}: the risk is a function of θ alone, and standard errors need samples"

        RiskPass.batches name theta.Device 0 risk.Definition |> Seq.sumBy _.Size

    /// What makes the loss of all samples of a risk: their number for a mean.
    let internal weight (risk: EmpiricalRisk) (theta: Tensor) : float =
        let samples = samples risk theta
        if risk.Reduction = Reduction.Sum then 1.0 else float samples

    /// A⁻¹ of the Hessian A of the whole loss, and ½gᵀA⁻¹g.
    let private inverseAndDistance (risk: EmpiricalRisk) (theta: Tensor) : struct (Tensor * float) =
        let weight = weight risk theta
        let point = Hessian.evaluate risk theta
        use hessian = point.Hessian
        let n = theta.Size
        let matrix = weight * HostNumbers.wide (LinearOperator.dense hessian)

        match SmallMatrices.tryCholesky (SmallMatrices.symmetricPart (SmallMatrices.ofRows n n (matrix.ToArray()))) with
        | ValueNone ->
            Fail.operator (
                $"{name}: the Hessian is not positive definite: θ is no minimum, or the data do not determine all "
                + "parameters"
            )
        | ValueSome(struct (factor, _)) ->
            let root = SmallMatrices.invertLower factor
            let inverse = root.TransposeThisAndMultiply root
            let g = weight * HostNumbers.wide (Tensor.flatten point.Gradient)
            let half = root * Vector<float>.Build.DenseOfArray(g.ToArray())
            struct (Tensor.ofArray [ n; n ] (inverse.ToRowMajorArray()), 0.5 * (half * half))

    let private make origin layout (theta: Tensor) covariance distance : CoefficientTable =
        CoefficientTable(origin, names layout, (Tensor.flatten theta).ToArray(), covariance, distance)

    /// From the inverse of the Hessian of the whole negative log-likelihood at θ, the observed information (Fisher
    /// 1925; Efron & Hinkley 1978): right where the likelihood is that of the data.
    let inverseHessian (layout: ParameterLayout) (risk: EmpiricalRisk) (theta: Tensor) : CoefficientTable =
        requireFit name layout theta
        let struct (inverse, distance) = inverseAndDistance risk theta
        make "the inverse Hessian" layout theta inverse distance

    /// From the sandwich A⁻¹BA⁻¹ with the Hessian A and B = Σ gᵢgᵢᵀ of the gradients of the samples (Huber 1967; White
    /// 1980, without a correction for small samples): right for independent samples, whatever their likelihood. Costs a
    /// pass of per-sample gradients too; coupled samples raise DifferentiationException.
    let sandwich
        (options: SampleOptions)
        (layout: ParameterLayout)
        (risk: EmpiricalRisk)
        (theta: Tensor)
        : CoefficientTable =
        requireFit name layout theta
        let struct (inverse, distance) = inverseAndDistance risk theta
        let sums = TreeSum()

        for struct (_, gradients) in SampleGradients.blocks options risk theta do
            let rows = HostNumbers.wide gradients
            sums.Add(Tensor.einsum "ki,kj->ij" rows rows)

        let covariance = Tensor.matmul inverse (Tensor.matmul sums.Total.Value inverse)
        make "the sandwich (Huber-White)" layout theta covariance distance
