namespace Curvature.FSharp

open System
open Curvature

/// UDiag++ (algorithm 2 of Baston & Nakatsukasa 2022, "Stochastic diagonal estimation: probabilistic bounds and an improved algorithm", in the unbiased form of Epperly 2025, chapter 16):
/// diag(QQᵀA) exactly on a sketch Q of the range, and diag((I − QQᵀ)A) by signs.
/// The older form, with the projection on both sides, drops the cross terms and is biased.
[<RequireQualifiedAccess>]
module UDiagPlusPlus =

    /// diag(QQᵀA), and what is outside as far as the sketch has seen it.
    let private known (sketch: RangeSketch) (operator: LinearOperator) : Tensor =
        let sum (rows: Tensor) = Tensor.sumAxes [ 0 ] (Tensor.convert DType.Float64 rows)
        let zero = Tensor.zeros DType.Float64 [ operator.Columns ] |> Tensor.toDevice operator.Device
        let inside = sketch.DiagonalInside |> Seq.fold (fun total rows -> total + sum rows) zero

        match sketch.DiagonalOutside with
        | ValueSome rows when sketch.IsComplete -> inside + sum rows / float (Rows.count rows)
        | _ -> inside

    let private fromSketch options matvecs (key: Key) (operator: LinearOperator) : Estimate<Tensor> =
        let watch = Diagnostics.Stopwatch.StartNew()
        let keys = key.Split 2
        let sketch = ThreeParts.sketch "UDiag++" options (matvecs / 3) keys[0] operator operator.Transposed
        let known = known sketch operator
        if operator.IsSymmetric then sketch.Projected |> ignore

        if sketch.IsComplete then
            let largest = (Tensor.max (Tensor.abs known)).ToScalar()
            let error = Tensor.fullLike known (Rounding.ofProduct operator.DType largest)
            Estimates.vector known error (sketch.ExactLedger watch.Elapsed.TotalSeconds)
        else
            let measurement = Deflation.diagonal operator.DType known
            let outside = Deflation.left sketch.Basis operator

            let sampled () =
                ThreeParts.finish options Probe.Rademacher measurement matvecs keys[1] watch sketch operator outside

            let growing () = XDiagGrowth(DiagonalGoal.entries operator, operator, sketch)
            ThreeParts.orSketchAlone sampled operator (fun () -> growing ()) watch

    /// UDiag++ with options for cancellation, progress and block size.
    let estimateWith (options: SamplingOptions) (matvecs: int) key (operator: LinearOperator) : Estimate<Tensor> =
        OperatorParts.requireSquare "UDiag++" operator

        if matvecs >= operator.Columns then
            Exact.diagonalWith options operator
        else
            ThreeParts.requireProducts "UDiag++" 3 matvecs
            Checkpoint.keeping options operator (fun options -> fromSketch options matvecs key)

    /// The diagonal of a square operator with a known transpose, Float64 [n], from this many products, or fewer where they exhaust its rank. Unbiased, with a
    /// standard error for each entry. As many products as there are columns give an exact result.
    /// Raises OperatorException for an operator that is not square, has no known transpose, or claims a symmetry that its products do not
    /// have, and ArgumentRangeException for fewer than 3 products. Cancelled before there is a vector outside the sketch, it returns what XDiag makes of
    /// the sketch; before the first product it raises OperationCanceledException.
    let estimate (matvecs: int) key (operator: LinearOperator) : Estimate<Tensor> =
        estimateWith SamplingOptions.Default matvecs key operator
