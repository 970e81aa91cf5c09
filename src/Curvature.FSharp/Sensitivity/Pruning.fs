namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic
open Curvature.FSharp

/// What the loss is expected to change by when single weights are set to 0: ½·H_ii·w_i² (LeCun, Denker & Solla 1990).
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Saliencies internal (theta: Tensor, positions: int[], values: Estimate<Tensor>, ranking: Lazy<int[]>) =
    /// The point.
    member _.Theta = theta

    /// The places in θ of the weights that may be set to 0.
    member _.Positions = Array.copy positions

    /// The saliency of each of these weights, Float64, with its standard error.
    member _.Values = values

    /// The places in θ in the order in which weights are set to 0: from the least saliency, in absolute value, on.
    member _.Order = ranking.Value |> Array.map (fun i -> positions[i])

    /// The same order as numbers of the weights.
    member internal _.Ranking = ranking.Value

    override _.ToString() = $"""saliencies of {Describe.count positions.Length "weight"}: {values}"""

    member internal this.Text = this.ToString()

/// The loss with some weights set to 0, as predicted and as it is.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type PruningPoint internal (count: int, share: float, predicted: Estimate<float>, measured: float) =
    /// How many weights are 0.
    member _.Count = count

    /// The share of the weights that may be set to 0.
    member _.Share = share

    /// The loss at the point and the saliencies of these weights. The standard error is a bound on that of the sum, for
    /// probes of signs.
    member _.Predicted = predicted

    /// The loss as it is.
    member _.Measured = measured

    override _.ToString() =
        let known = Numbers.within (if predicted.IsErrorKnown then predicted.StandardError else nan) measured
        $"{share:P0} of the weights: predicted {predicted.Brief}, measured {known}"

    member internal this.Text = this.ToString()

/// How often a ranking of saliencies keeps its lower end when they are drawn again within their errors.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type PruningStability internal (shares: float[], overlaps: float[], taus: float[]) =
    /// Shares of the weights that are set to 0.
    member _.Shares: IReadOnlyList<float> = shares

    /// For each share, how much of the weights set to 0 would be among them again, on average over the draws.
    member _.Overlaps: IReadOnlyList<float> = overlaps

    /// Kendall's τ between the ranking and that of each draw, ascending.
    member _.KendallTaus = Array.sort taus

    /// The mean of Kendall's τ over the draws.
    member _.MeanTau = Array.average taus

    override this.ToString() =
        let rows = Array.map2 (fun (share: float) (kept: float) -> $"{share:P0}: {kept:P0} kept") shares overlaps
        $"Kendall's τ {this.MeanTau:F3} on average; " + String.Join(", ", rows)

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.Threading
open Curvature

/// Optimal Brain Damage: which weights may be set to 0 (LeCun, Denker & Solla 1990).
[<RequireQualifiedAccess>]
module Pruning =

    /// The least in absolute value first, and of equal ones the first.
    let private rank (values: float[]) : int[] =
        Resampling.order (values |> Array.map abs) (Array.init values.Length float)

    /// The saliencies ½·H_ii·w_i² of the weights in tensors for which a predicate holds; see `saliencies`.
    /// Raises ParameterException where no weight is left.
    let salienciesWhere (isPruned: ParameterTensor -> bool) (theta: Tensor) (table: CurvatureByTensor) : Saliencies =
        table.RequireFit("Pruning", theta)

        let positions =
            [|
                for row in table.Tensors do
                    if isPruned row.Tensor then
                        yield! seq { row.Tensor.Offset .. row.Tensor.Offset + row.Size - 1 }
            |]

        if positions.Length = 0 then
            Fail.parameter "Pruning: there are no weights that may be set to 0"

        let index = Tensor.ofIndices [ positions.Length ] positions
        let take (t: Tensor) = Tensor.take 0 (Tensor.toDevice t.Device index) t
        let weights = Tensor.flatten theta |> take |> Tensor.convert DType.Float64
        let factors = 0.5 * Tensor.square weights
        let diagonal = table.Diagonal
        let values = factors * take diagonal.Value
        let errors = factors * take diagonal.StandardError
        let estimate = Estimates.vector values errors diagonal.Ledger
        Saliencies(theta, positions, estimate, lazy (rank (values.ToArray())))

    /// The saliencies ½·H_ii·w_i² of the weights in tensors of two or more axes, from the diagonal of a table, with
    /// standard errors. The formula takes θ for a minimum and leaves out what weights do to each other. Away from a
    /// minimum, or by chance, some are negative; so weights come in the order of absolute values: a large negative
    /// saliency does not mean that the loss falls.
    /// Raises ShapeException where θ does not fit the table, ParameterException where there is no such tensor.
    let saliencies (theta: Tensor) (table: CurvatureByTensor) : Saliencies =
        salienciesWhere (fun tensor -> tensor.Shape.Length >= 2) theta table

    /// The same saliencies in the order of others of the same weights. Where the order comes from random vectors of
    /// another key, the predictions are unbiased, because chance in the order is independent of chance in the values.
    /// Raises ParameterException for saliencies of other weights.
    let orderedBy (other: Saliencies) (saliencies: Saliencies) : Saliencies =
        if other.Positions <> saliencies.Positions then
            Fail.parameter "Pruning.orderedBy: the saliencies are of different weights"

        Saliencies(saliencies.Theta, saliencies.Positions, saliencies.Values, lazy other.Ranking)

    let private checkShares (shares: float seq) =
        let shares = Seq.toArray shares

        if shares.Length = 0 then Fail.range "Pruning: there are no shares"

        for share in shares do
            if not (share >= 0.0 && share <= 1.0) then
                Fail.range $"Pruning: a share of weights lies between 0 and 1, and this one is {share}"

        shares

    let private countOf (saliencies: Saliencies) share = int (Math.Round(share * float saliencies.Positions.Length))

    /// θ with the first weights of the order set to 0.
    let private pruned (saliencies: Saliencies) count : Tensor =
        let theta = saliencies.Theta
        let order = saliencies.Order
        let mask = Array.create theta.Size 1.0
        order[.. count - 1] |> Array.iter (fun i -> mask[i] <- 0.0)

        Tensor.ofArray (List.ofArray theta.Signature.Shape) mask
        |> Tensor.convert theta.DType
        |> Tensor.toDevice theta.Device
        |> (*) theta

    /// The loss at a point and sums of saliencies. The entries of z∘Hz for signs z have the covariance H_ij², so that
    /// the variance of a sum is at most twice the sum of variances, by the inequality of the means.
    let private predict (saliencies: Saliencies) (loss: float) (counts: int[]) : Estimate<float>[] =
        let errors = saliencies.Values.StandardError.ToArray()
        let ordered (values: float[]) = saliencies.Ranking |> Array.map (fun i -> values[i])
        let sums = ordered (saliencies.Values.Value.ToArray()) |> Array.scan (+) 0.0
        let variances = ordered errors |> Array.scan (fun sum error -> sum + 2.0 * error * error) 0.0

        counts
        |> Array.map (fun count ->
            Estimates.scalar (loss + sums[count]) (sqrt variances[count]) saliencies.Values.Ledger)

    /// The value of a risk with shares of the weights set to 0, those of the least saliency first: predicted as the
    /// value at θ and the sum of their saliencies, and measured. The standard errors do not include that the weights
    /// were chosen by these same estimates: `orderedBy` avoids that, and `stability` tells how much of the choice is
    /// chance. Costs one loss for each share; batches are read once, one in memory at a time. The token ends the work
    /// with an OperationCanceledException.
    /// Raises ArgumentRangeException for no shares or one outside [0, 1], DataException for no batches, and
    /// NonFiniteException where the risk is NaN or infinite.
    let curveWith
        (token: CancellationToken)
        (risk: EmpiricalRisk)
        (shares: float seq)
        (saliencies: Saliencies)
        : PruningPoint list =
        let shares = checkShares shares
        let counts = shares |> Array.map (countOf saliencies)
        let points = Array.append [| saliencies.Theta |] (counts |> Array.map (pruned saliencies))
        let losses = LossGrid.losses token "Pruning" points risk

        let place i = if i = 0 then "at the point" else $"with {counts[i - 1]} weights set to 0"

        match losses |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i -> Fail.nonFinite $"Pruning: the loss {place i} is {Finite.name losses[i]}"
        | None -> ()

        let predictions = predict saliencies losses[0] counts

        List.init counts.Length (fun i ->
            let share = float counts[i] / float saliencies.Positions.Length
            PruningPoint(counts[i], share, predictions[i], losses[i + 1]))

    /// The value of a risk with shares of the weights set to 0; see `curveWith`.
    let curve (risk: EmpiricalRisk) (shares: float seq) (saliencies: Saliencies) : PruningPoint list =
        curveWith CancellationToken.None risk shares saliencies

    /// How sure the order is: saliencies are drawn again `draws` times within their standard errors, independently of
    /// each other, since the covariance of two entries of an estimated diagonal is H_ij²/m, one of the n − 1 terms of
    /// their variances.
    /// Raises ArgumentRangeException for no draws, no shares, a share outside [0, 1], or a single sample.
    let stability (key: Key) (draws: int) (shares: float seq) (saliencies: Saliencies) : PruningStability =
        let shares = checkShares shares
        let counts = shares |> Array.map (countOf saliencies)
        let numbers, samples = saliencies.Values.Value.ToArray(), saliencies.Values.Samples
        let errors = saliencies.Values.StandardError.ToArray()
        let sizesNow = numbers |> Array.map abs
        let places = Array.zeroCreate<int> numbers.Length
        saliencies.Ranking |> Array.iteri (fun place i -> places[i] <- place)

        let overlap (order: int[]) count =
            if count = 0 then
                1.0
            else
                let again = order[.. count - 1] |> Array.filter (fun i -> places[i] < count)
                float again.Length / float count

        let found =
            Resampling.independent key draws (samples - 1) numbers errors
            |> Seq.map (fun drawn ->
                let sizes = drawn |> Array.map abs
                counts |> Array.map (overlap (rank drawn)), Resampling.kendallTau sizesNow sizes)
            |> Seq.toArray

        PruningStability(
            shares,
            shares |> Array.mapi (fun i _ -> found |> Array.averageBy (fun (overlaps, _) -> overlaps[i])),
            found |> Array.map snd
        )
