namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// What can be found exactly up to rounding, from one product for each column, or one quadratic form where these are
/// enough and the operator has them. Standard errors are those of rounding: of products to their type, and of sums of
/// n numbers in Float64, √n units (Higham & Mary 2019). Cancellation raises OperationCanceledException: a part of the
/// columns is no exact result.
[<RequireQualifiedAccess>]
module Exact =

    let private takeAll (options: RunOptions) (pass: BasisPass) (operator: LinearOperator) : float =
        let watch, reporter, size = Stopwatch.StartNew(), ProgressReporter options, options.BlockSizeFor operator
        let width = IntervalWidth.ofSamples operator.Columns

        let report isLast =
            reporter.Report(
                isLast,
                fun () ->
                    let value = if pass.Taken = 0 then nan else pass.Sum
                    let expected = float operator.Columns

                    SamplingProgress(
                        pass.Taken,
                        value,
                        infinity,
                        watch.Elapsed.TotalSeconds,
                        RunForecast.OfSamples expected,
                        width
                    )
            )

        report false

        while not pass.IsComplete do
            options.Cancellation.ThrowIfCancellationRequested()
            pass.Advance size
            report pass.IsComplete

        watch.Elapsed.TotalSeconds

    /// `measure` with options for cancellation, progress, block size and a checkpoint.
    let measureWith (options: RunOptions) (measurement: Measurement<'T>) (operator: LinearOperator) : 'T =
        match measurement.Exact with
        | None ->
            Fail.operator
                $"Exact.measure: the products of {operator.Name} with basis vectors do not make this measurement exact"
        | Some exact ->
            // Starting it checks whether the measurement fits the operator.
            measurement.Start operator |> ignore

            Checkpoint.keeping options operator (fun options operator ->
                let pass = BasisPass(operator, exact.NeedsProduct)
                let seconds = takeAll options pass operator
                Ledgers.ofSamples operator.Columns pass.Spent seconds StopReason.Exact |> exact.Finish pass)

    /// What a measurement would learn from infinitely many random vectors. Raises OperatorException for a measurement
    /// that does not fit the operator, or that has no exact result, such as `Measurement.diagonalRatio`.
    let measure (measurement: Measurement<'T>) (operator: LinearOperator) : 'T =
        measureWith RunOptions.Default measurement operator

    /// The diagonal, Float64 [n]: n products, or n quadratic forms where the operator has them.
    let diagonal operator : Estimate<Tensor> = measure Measurement.diagonal operator

    /// The trace: n products, or n quadratic forms where the operator has them.
    let trace operator : Estimate<float> = measure Measurement.trace operator

    /// The traces of the diagonal blocks of ranges, at the cost of the diagonal.
    let blockTraces (blocks: ParameterBlock seq) operator : BlockTrace[] =
        measure (Measurement.blockTraces blocks) operator

    /// ‖A‖_F: n products.
    let frobenius operator : Estimate<float> = measure Measurement.frobenius operator

    /// The norm of each row, Float64 [m]: n products.
    let rowNorms operator : Estimate<Tensor> = measure Measurement.rowNorms operator
