namespace Curvature.FSharp

open System.Diagnostics
open MathNet.Numerics.LinearAlgebra
open Curvature

/// What can be found exactly up to rounding, from one product for each column, or one quadratic form where these are
/// enough and the operator has them. Standard errors are those of rounding: of products to their type, and of sums of
/// n numbers in Float64, √n units (Higham & Mary 2019). Cancellation raises OperationCanceledException: a part of the
/// columns is no exact result.
[<RequireQualifiedAccess>]
module Exact =

    /// A pass over all columns: how many were taken, what is told of them, and what takes so many more.
    [<NoEquality; NoComparison>]
    type private ColumnPass = { Taken: unit -> int; Told: unit -> float; Advance: int -> unit }

    let private takeAll (options: RunOptions) (pass: ColumnPass) (operator: LinearOperator) : float =
        let watch, reporter, size = Stopwatch.StartNew(), ProgressReporter options, options.BlockSizeFor operator
        let width = IntervalWidth.ofSamples operator.Columns

        let report isLast =
            reporter.Report(
                isLast,
                fun () ->
                    let value = if pass.Taken() = 0 then nan else pass.Told()
                    let expected = float operator.Columns

                    SamplingProgress(
                        pass.Taken(),
                        value,
                        infinity,
                        watch.Elapsed.TotalSeconds,
                        RunForecast.OfSamples expected,
                        width
                    )
            )

        report false

        let isComplete () = pass.Taken() = operator.Columns

        while not (isComplete ()) do
            options.Cancellation.ThrowIfCancellationRequested()
            pass.Advance size
            report (isComplete ())

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

                let columns =
                    {
                        Taken = (fun () -> pass.Taken)
                        Told = (fun () -> pass.Sum)
                        Advance = pass.Advance
                    }

                let seconds = takeAll options columns operator
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

    // ---- by a dense decomposition

    /// The most columns of an operator whose matrix is decomposed: 2048, which take 32 MiB and less than a minute.
    let largestDense = 2048

    let private requireDense what (operator: LinearOperator) =
        OperatorParts.requireSquare what operator

        if operator.Columns > largestDense then
            Fail.range (
                $"{what}: {operator.Name} has {operator.Columns:N0} columns, and a dense decomposition takes "
                + $"{largestDense:N0} at most; StochasticLanczos and ThickRestartLanczos do with products"
            )

    /// The matrix, and what it cost.
    let private denseWith (options: RunOptions) (operator: LinearOperator) : struct (float[,] * Ledger) =
        Checkpoint.keeping options operator (fun options operator ->
            let n = operator.Columns
            let matrix = Array2D.zeroCreate n n
            let mutable taken = 0

            let advance count =
                let first, count = taken, min count (n - taken)
                let basis = OperatorParts.basis operator.Device operator.DType n first count
                let rows = operator.Multiply(basis, (fun row -> $"basis vector {first + row}")).ToArray()

                for i in 0 .. count - 1 do
                    for j in 0 .. n - 1 do
                        matrix[j, first + i] <- rows[i * n + j]

                taken <- first + count

            let trace () = Seq.init taken (fun i -> matrix[i, i]) |> Seq.sum
            let columns = { Taken = (fun () -> taken); Told = trace; Advance = advance }
            let seconds = takeAll options columns operator
            struct (matrix, Ledgers.ofSamples n (Cost.products n) seconds StopReason.Exact))

    /// The standard error that rounding gives each eigenvalue or singular value of a matrix of this norm: products are
    /// rounded to their type, and the decomposition to Float64.
    let private roundingOf (operator: LinearOperator) (norm: float) =
        Rounding.ofProduct operator.DType norm
        + sqrt (float operator.Columns) * SmallMatrices.epsilon DType.Float64 * norm

    let private largestOf (values: float[]) = values |> Array.fold (fun most x -> max most (abs x)) 0.0

    /// Eigenvalues, ascending, what rounding may move them by, and what they cost.
    let private symmetricWith what options (operator: LinearOperator) : struct (float[] * float * Ledger) =
        Requirements.symmetric what operator
        requireDense what operator
        let struct (matrix, ledger) = denseWith options operator
        let dense = Matrix<float>.Build.DenseOfArray matrix
        SymmetryCheck.requireOf operator.Name operator.DType 0.0 dense (fun () -> ProductRounding.ofRandom operator)
        let values = if operator.Columns = 0 then [||] else (SmallEigen.of' matrix).Values
        struct (values, roundingOf operator (largestOf values), ledger)

    /// Rounding moves numbers by up to so many standard errors.
    let private roundings = 4.0

    /// `eigenvalues` with options for cancellation, progress, block size and a checkpoint.
    let eigenvaluesWith (options: RunOptions) (operator: LinearOperator) : Estimate<Tensor> =
        let struct (values, rounding, ledger) = symmetricWith "Exact.eigenvalues" options operator
        let n = values.Length
        Estimates.vector (Tensor.ofArray [ n ] values) (Tensor.full DType.Float64 [ n ] rounding) ledger

    /// All eigenvalues of a symmetric operator, Float64 [n], ascending, from its dense matrix: n products and about
    /// 10n³ operations (three seconds for n = 1024). Raises OperatorException for an operator that is not square, does
    /// not claim to be symmetric or turns out not to be, and ArgumentRangeException for more than `largestDense`
    /// columns.
    let eigenvalues operator : Estimate<Tensor> = eigenvaluesWith RunOptions.Default operator

    /// `logDeterminant` with options for cancellation, progress, block size and a checkpoint.
    let logDeterminantWith (options: RunOptions) (operator: LinearOperator) : Estimate<float> =
        let what = "Exact.logDeterminant"
        let struct (values, rounding, ledger) = symmetricWith what options operator

        if values.Length > 0 && values[0] <= roundings * rounding then
            Fail.operator (
                $"{what}: a positive definite operator is needed, and the least eigenvalue of {operator.Name} is "
                + $"{Numbers.withError rounding values[0]}; see LinearOperator.shift"
            )

        let error = values |> Array.map (fun x -> rounding / x) |> Rounding.length
        Estimates.scalar (Array.sumBy log values) error ledger

    /// ln det A of a positive definite A, the sum of the logarithms of its eigenvalues, at the cost of `eigenvalues`.
    /// Raises OperatorException where an eigenvalue is not above 0 by more than rounding, and what `eigenvalues`
    /// raises.
    let logDeterminant operator : Estimate<float> = logDeterminantWith RunOptions.Default operator

    /// `conditionNumber` with options for cancellation, progress, block size and a checkpoint.
    let conditionNumberWith (options: RunOptions) (operator: LinearOperator) : Estimate<float> =
        let what = "Exact.conditionNumber"
        requireDense what operator

        if operator.Columns = 0 then
            Fail.range $"{what}: {operator.Name} has no columns"

        let struct (sizes, rounding, ledger) =
            if operator.IsSymmetric then
                let struct (values, rounding, ledger) = symmetricWith what options operator
                struct (Array.map abs values, rounding, ledger)
            else
                let struct (matrix, ledger) = denseWith options operator
                let values = (Matrix<float>.Build.DenseOfArray matrix).Svd(false).S.ToArray()
                struct (values, roundingOf operator (largestOf values), ledger)

        let least, largest = Array.min sizes, Array.max sizes

        if least <= roundings * rounding then
            Fail.operator (
                $"{what}: {operator.Name} is singular up to rounding: its singular values go from "
                + $"{Numbers.show least} to {Numbers.show largest}, and rounding is {Numbers.error rounding}"
            )

        let share = Rounding.hypotenuse (rounding / least) (rounding / largest)
        Estimates.scalar (largest / least) (share * largest / least) ledger

    /// ‖A‖₂·‖A⁻¹‖₂, the largest singular value over the least, of a square operator, which need not be symmetric: n
    /// products, and about 10n³ operations. Raises OperatorException for an operator that is not square, or singular up
    /// to rounding, and ArgumentRangeException for one without columns or with more than `largestDense`.
    let conditionNumber operator : Estimate<float> = conditionNumberWith RunOptions.Default operator
