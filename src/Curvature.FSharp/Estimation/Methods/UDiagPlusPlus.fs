namespace Curvature.FSharp

open Curvature

/// What UDiag++ knows of an operator so far.
[<Sealed>]
type internal UDiagPlusPlusIncremental(operator: LinearOperator, key: Key, sketch: RangeSketch, limit: int) =
    inherit ThreeParts<Estimate<Tensor>>(sketch, limit)
    let entries = DiagonalGoal.entries operator

    /// diag(QQᵀA), and the diagonal outside the basis as far as the sketch has estimated it.
    let known () : Tensor =
        if operator.IsSymmetric then sketch.Projected |> ignore
        let sum = DiagonalGoal.sum entries
        let zero = Tensor.zeros DType.Float64 [ operator.Columns ] |> Tensor.toDevice operator.Device
        let inside = sketch.DiagonalInside |> Seq.fold (fun total rows -> total + sum rows) zero

        match sketch.DiagonalOutside with
        | ValueSome rows when sketch.IsComplete -> inside + sum rows / float (Rows.count rows)
        | _ -> inside

    override _.Outside() =
        let measurement = KnownPart.diagonal entries operator.DType (known ()) _.Weighted
        MeanOfSamples(Probe.Rademacher, measurement, key, Deflation.left sketch.Basis operator)

    override _.Inside() = XDiagIncremental(entries, operator, sketch)

    override _.Complete ledger =
        let known = known ()
        let largest = (Tensor.max (Tensor.abs known)).ToScalar()
        let error = Tensor.fullLike known (Rounding.ofProduct operator.DType largest)
        Estimates.vector known error ledger

/// UDiag++ (algorithm 2 of Baston & Nakatsukasa 2022, "Stochastic diagonal estimation: probabilistic bounds and an
/// improved algorithm", in the unbiased form of Epperly 2025, chapter 16): diag(QQᵀA) exactly on a sketch Q of the
/// range, and diag((I − QQᵀ)A) by signs. The form with the projection on both sides is biased, because it drops cross
/// terms.
[<RequireQualifiedAccess>]
module UDiagPlusPlus =

    /// UDiag++, with vectors of the sphere in the sketch and signs outside it.
    let estimator: Estimator<Estimate<Tensor>> =
        Procedure.Division(fun limit key operator ->
            let keys = key.Split 2
            let sketch = RangeSketch("UDiag++", operator, operator.Transposed, Probe.Sphere, keys[0])
            UDiagPlusPlusIncremental(operator, keys[1], sketch, limit))
        |> Estimator.make "UDiag++" OperatorNeed.SquareWithTranspose 3 Measurement.diagonal.Exact

    /// The diagonal of a square operator with a known transpose, Float64 [n], from as many products as the rule
    /// allows, or fewer where they exhaust its rank. Unbiased, with a standard error for each entry. As many products
    /// as there are columns give an exact result.
    /// Raises OperatorException for an operator that is not square, has no known transpose, or claims a symmetry that
    /// its products do not have, and ArgumentRangeException for a rule that allows fewer than 3 products, or any
    /// number. Cancelled before there is a vector outside the sketch, it returns what XDiag makes of the sketch;
    /// before the first product it raises OperationCanceledException.
    let estimate stop key (operator: LinearOperator) : Estimate<Tensor> = Estimate.run estimator stop key operator
