namespace Curvature.FSharp

open Curvature

/// Estimates from random vectors z with E zzᵀ = I and their products with an operator (Girard 1989, Hutchinson 1990). The same key gives
/// the same vectors whatever the block size and the number of threads.
[<RequireQualifiedAccess>]
module Hutchinson =

    /// Measures until the rule says stop, with options for cancellation, progress and block size; see `estimate`.
    let estimateWith
        (options: SamplingOptions)
        probe
        (measurement: Measurement<'T>)
        stop
        key
        (operator: LinearOperator)
        : 'T =
        Sampling.run options probe measurement stop key operator

    /// Measures until the rule says stop: one product for each random vector, or one quadratic form where the measurement needs no more
    /// and the operator has them. Operators of no or one column give exact results.
    /// Raises OperatorException where a measurement does not fit the operator, NonFiniteException for products that are NaN or infinite
    /// (naming the probe), and OperationCanceledException when cancelled before anything was found; later, what was found is
    /// returned with the reason Cancelled.
    let estimate probe (measurement: Measurement<'T>) stop key (operator: LinearOperator) : 'T =
        estimateWith SamplingOptions.Default probe measurement stop key operator

    /// The trace, from signs. Unbiased; the variance of one sample is twice the squared off-diagonal.
    let trace stop key operator : Estimate<float> = estimate Probe.rademacher Measurement.trace stop key operator

    /// The diagonal, from signs, with a standard error for each entry. Unbiased; the variance of one sample of entry i is Σ_{j≠i} A_ij².
    let diagonal stop key operator : Estimate<Tensor> = estimate Probe.rademacher Measurement.diagonal stop key operator

/// What can be found exactly up to rounding, from one product or quadratic form for each column. Standard errors are
/// those of rounding: of products to their type, and of sums of n numbers in Float64, √n units (Higham & Mary 2019).
/// Cancellation raises OperationCanceledException: part of an exact result is none.
[<RequireQualifiedAccess>]
module Exact =

    let private ledger (operator: LinearOperator) products forms seconds =
        Ledger(
            operator.Columns,
            products,
            forms,
            int64 products * int64 operator.Definition.Gradients,
            seconds,
            StopReason.Exact,
            ValueNone
        )

    /// Shows each block of basis vectors to a function, which says how far the result is.
    let private overBasis (options: SamplingOptions) (operator: LinearOperator) (f: int -> Tensor -> float) =
        let watch = System.Diagnostics.Stopwatch.StartNew()
        let size, n = Sampling.blockSize options operator, operator.Columns

        for start in 0..size .. n - 1 do
            options.Cancellation.ThrowIfCancellationRequested()
            let count = min size (n - start)
            let soFar = f start (OperatorParts.basis operator.Device operator.DType n start count)

            if not (isNull options.Progress) then
                let completed = float (start + count) / float n

                options.Progress.Report(
                    SamplingProgress(start + count, soFar, 0.0, watch.Elapsed.TotalSeconds, completed)
                )

        watch.Elapsed.TotalSeconds

    /// The entries A_ii, by quadratic forms where there are any, and what they cost.
    let private entries what options (operator: LinearOperator) =
        OperatorParts.requireSquare what operator
        let values = Array.zeroCreate operator.Columns
        let mutable sum = 0.0

        let seconds =
            overBasis options operator (fun start basis ->
                let name row = $"basis vector {start + row}"

                let own =
                    match operator.FormsNamed with
                    | ValueSome forms -> forms name basis
                    | ValueNone -> Products.rowDots basis (operator.Multiply(basis, name))

                let own = own.ToArray()
                Array.blit own 0 values start own.Length
                sum <- sum + Array.sum own
                sum)

        let products = if operator.FormsNamed.IsSome then 0 else operator.Columns
        values, ledger operator products (operator.Columns - products) seconds

    /// The diagonal, Float64 [n], with options for cancellation, progress and block size.
    let diagonalWith (options: SamplingOptions) (operator: LinearOperator) : Estimate<Tensor> =
        let values, ledger = Checkpoint.keeping options operator (entries "Exact.diagonal")
        let diagonal = Tensor.ofArray [ values.Length ] values
        Estimates.vector diagonal (Rounding.ofElements operator.DType diagonal) ledger

    /// The diagonal, Float64 [n]: n products, or n quadratic forms where the operator has them.
    let diagonal operator = diagonalWith SamplingOptions.Default operator

    /// The trace, with options for cancellation, progress and block size.
    let traceWith (options: SamplingOptions) (operator: LinearOperator) : Estimate<float> =
        let values, ledger = Checkpoint.keeping options operator (entries "Exact.trace")
        Estimates.scalar (Array.sum values) (Rounding.ofSum operator.DType values) ledger

    /// The trace: n products, or n quadratic forms where the operator has them.
    let trace operator = traceWith SamplingOptions.Default operator

    /// The traces of the diagonal blocks of ranges, at the cost of the diagonal.
    let blockTraces (blocks: ParameterBlock seq) (operator: LinearOperator) : BlockTrace[] =
        let blocks = Seq.toArray blocks
        Measurement.checkBlocks "Exact.blockTraces" blocks operator
        let values, ledger = entries "Exact.blockTraces" SamplingOptions.Default operator

        blocks
        |> Array.map (fun block ->
            let own = values[block.Offset .. block.Offset + block.Size - 1]
            BlockTrace(block, Estimates.scalar (Array.sum own) (Rounding.ofSum operator.DType own) ledger))

    /// The squares of all entries, summed over rows or over everything.
    let private squares (operator: LinearOperator) =
        let mutable total = Tensor.zeros DType.Float64 [ operator.Rows ] |> Tensor.toDevice operator.Device

        let seconds =
            overBasis SamplingOptions.Default operator (fun _ basis ->
                let product = operator.Apply basis |> Tensor.convert DType.Float64
                total <- total + Tensor.sumAxes [ 0 ] (Tensor.square product)
                (Tensor.sum total).ToScalar())

        total, ledger operator operator.Columns 0 seconds

    /// ‖A‖_F: n products.
    let frobenius (operator: LinearOperator) : Estimate<float> =
        let total, ledger = squares operator
        let norm = sqrt (Array.sum (total.ToArray()))
        let share = Rounding.ofNorm operator.DType (float operator.Rows * float operator.Columns)
        Estimates.scalar norm (share * norm) ledger

    /// The norm of each row, Float64 [m]: n products.
    let rowNorms (operator: LinearOperator) : Estimate<Tensor> =
        let total, ledger = squares operator
        let norms = Tensor.sqrt total
        Estimates.vector norms (Rounding.ofNorm operator.DType (float operator.Columns) * norms) ledger
