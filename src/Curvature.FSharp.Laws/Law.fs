namespace Curvature.FSharp

open System
open Curvature
open MathNet.Numerics.Distributions

/// Checks of laws that estimators and operators obey, for estimators and operators of your own. Each draws what is
/// checked under keys made from that of the options, and gives a verdict, a score, the number of samples, and the key
/// that replays it. A law that holds is called violated at about the rate that the options say: scores are corrected
/// for the skewness of the samples, to second order. That was measured at rates of 1 and 5 %. Rates far below need more
/// samples where these are skewed. Samples without a third moment have no such rate.
[<RequireQualifiedAccess>]
module Law =

    let private check law verdict score samples (options: LawOptions) explanation =
        LawCheck(law, verdict, score, samples, options.Key, explanation)

    let private undecided law samples options explanation =
        check law LawVerdict.Undecided (struct (nan, nan)) samples options explanation

    let private violated law samples options explanation =
        check law LawVerdict.Violated (struct (infinity, nan)) samples options explanation

    let private measured law score limit samples options explanation =
        let verdict = if abs score <= limit then LawVerdict.Holds else LawVerdict.Violated
        check law verdict (struct (score, limit)) samples options explanation

    /// Sample i of what is checked, under the key folded with i.
    let private draw (options: LawOptions) (sample: Key -> 'T) : 'T[] =
        Array.init options.Samples (fun i ->
            options.Cancellation.ThrowIfCancellationRequested()
            sample (options.Key.FoldIn(uint32 i)))

    let private number (x: float) = x.ToString("G6", Globalization.CultureInfo.InvariantCulture)

    let private requireFinite law (what: string) (x: float) =
        if not (Double.IsFinite x) then
            raise (ArgumentRangeException $"{law}: {what} must be a finite number, and it is {x}")

    /// That samples have a mean; `size` is that of the numbers whose rounding is allowed for.
    let private hasMean law (options: LawOptions) (truth: float) (size: float) explanation (values: float[]) =
        match values |> Array.tryFindIndex (Double.IsFinite >> not) with
        | Some i -> violated law values.Length options $"sample {i} is {values[i]}"
        | None ->
            let score = MeanTest.score (options.Rounding * size) truth values
            measured law score (MeanTest.limit options.FalseAlarmRate) values.Length options explanation

    let private unbiasedOf (options: LawOptions) (truth: float) (values: float[]) =
        let law = "unbiased"
        requireFinite law "the truth" truth
        let mean = Array.average values
        let explanation = $"the mean is {number mean}, and the expectation {number truth}"
        hasMean law options truth (max (abs truth) (abs mean)) explanation values

    /// E x = truth for what `sample` draws. Costs `options.Samples` calls. Raises ArgumentRangeException for a truth
    /// that is not finite.
    let unbiased (options: LawOptions) (truth: float) (sample: Key -> float) : LawCheck =
        unbiasedOf options truth (draw options sample)

    /// E(x − mean)² = variance for what `sample` draws, whose expectation is `mean`. Costs `options.Samples` calls.
    /// Raises ArgumentRangeException for a mean that is not finite and a variance that is negative or not finite.
    let variance (options: LawOptions) (mean: float, variance: float) (sample: Key -> float) : LawCheck =
        let law = "variance"
        requireFinite law "the mean" mean
        requireFinite law "the variance" variance

        if variance < 0.0 then
            raise (ArgumentRangeException $"{law}: no variance is negative, and {variance} is claimed")

        let values = draw options sample
        let squares = values |> Array.map (fun x -> (x - mean) * (x - mean))
        let found = Array.average squares
        let explanation = $"the mean square of deviations is {number found}, and the variance {number variance}"
        // The square of a deviation is as exact as the numbers that it is the difference of.
        let rounding = max variance (options.Rounding * mean * mean)
        hasMean law options variance rounding explanation squares

    let private standardErrorOf (options: LawOptions) (truth: float) (values: (float * float)[]) =
        let law = "standard error"
        requireFinite law "the truth" truth

        if values |> Array.exists (snd >> Double.IsPositiveInfinity) then
            undecided law values.Length options "a standard error is not known"
        else
            let claimed = values |> Array.averageBy (fun (_, error) -> error * error)
            let seen = values |> Array.averageBy (fun (x, _) -> (x - truth) * (x - truth))

            let explanation =
                $"standard errors say a mean square of {number claimed}, and deviations have {number seen}"

            values
            |> Array.map (fun (x, error) -> (x - truth) * (x - truth) - error * error)
            |> hasMean law options 0.0 (max claimed (options.Rounding * truth * truth)) explanation

    /// E e² = E(x − truth)² for values x and standard errors e that `sample` draws: standard errors are neither too
    /// small nor too large on the whole. Undecided where a standard error is infinite. Costs `options.Samples` calls.
    /// Raises ArgumentRangeException for a truth that is not finite.
    let standardError (options: LawOptions) (truth: float) (sample: Key -> float * float) : LawCheck =
        standardErrorOf options truth (draw options sample)

    let private coverageOf (options: LawOptions) (confidence: float) (truth: float) (intervals: (float * float)[]) =
        let law = "coverage"
        requireFinite law "the truth" truth

        if not (confidence > 0.0 && confidence < 1.0) then
            raise (ArgumentRangeException $"{law}: a confidence lies between 0 and 1, and this one is {confidence}")

        let trials = intervals.Length
        let slack = options.Rounding * abs truth

        let hits =
            intervals |> Array.filter (fun (low, high) -> low - slack <= truth && truth <= high + slack) |> Array.length

        let endless =
            intervals
            |> Array.filter (fun (low, high) -> Double.IsInfinity low && Double.IsInfinity high)
            |> Array.length

        if endless = trials then
            undecided law trials options "all intervals are without end"
        else
            let share = 100.0 * float hits / float trials
            let without = if endless = 0 then "" else $", {endless} of them without end"

            let explanation =
                $"{number share} %% of intervals hold the truth{without}, and {number (100.0 * confidence)} %% should"

            let p = MeanTest.atMost hits trials confidence
            let expected = confidence * float trials
            let normal = (float hits - expected) / sqrt (expected * (1.0 - confidence))
            let score = if p < 0.5 then Normal.InvCDF(0.0, 1.0, p) else max 0.0 normal
            let verdict = if p < options.FalseAlarmRate then LawVerdict.Violated else LawVerdict.Holds
            let limit = -Normal.InvCDF(0.0, 1.0, options.FalseAlarmRate)
            check law verdict (struct (score, limit)) trials options explanation

    /// Intervals [low, high] that `sample` draws hold the truth at least as often as `confidence` says, by the exact
    /// binomial law. The score is the normal one. Intervals without end hold it too, and are counted in the
    /// explanation; the law is undecided where all are so. Costs `options.Samples` calls. Raises
    /// ArgumentRangeException for a confidence outside (0, 1) and a truth that is not finite.
    let coverage (options: LawOptions) (confidence: float) (truth: float) (sample: Key -> float * float) : LawCheck =
        coverageOf options confidence truth (draw options sample)

    /// Every x that `sample` draws is the truth, to a relative `tolerance`. Costs `options.Samples` calls. Raises
    /// ArgumentRangeException for a truth that is not finite and a tolerance that is not positive.
    let exact (options: LawOptions) (tolerance: float) (truth: float) (sample: Key -> float) : LawCheck =
        let law = "exact"
        requireFinite law "the truth" truth

        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            raise (ArgumentRangeException $"{law}: a positive tolerance is needed, and it is {tolerance}")

        let values = draw options sample
        let size = if truth = 0.0 then 1.0 else abs truth

        let worst =
            values |> Array.map (fun x -> if Double.IsFinite x then abs (x - truth) / size else infinity) |> Array.max

        let explanation = $"values differ from {number truth} by up to {number worst} of it"
        measured law (worst / tolerance) 1.0 values.Length options explanation

    /// The worst of many laws about expectations, one for each entry of a vector, at a rate of false alarms for all of
    /// them together (Bonferroni).
    let private everyEntry law (options: LawOptions) (truth: float[]) (describe: int -> string) (samples: float[][]) =
        let limit = MeanTest.limit (options.FalseAlarmRate / float (max 1 truth.Length))

        let score i =
            let values = samples |> Array.map (Array.item i)

            if Array.forall Double.IsFinite values then
                let size = values |> Array.averageBy abs
                MeanTest.score (options.Rounding * max size (abs truth[i])) truth[i] values
            else
                infinity

        if truth.Length = 0 then
            undecided law samples.Length options "there are no entries"
        else
            let scores = Array.init truth.Length score
            let worst = Seq.maxBy (fun i -> abs scores[i]) (seq { 0 .. truth.Length - 1 })
            let mean = samples |> Array.averageBy (Array.item worst)

            let explanation =
                $"{describe worst} is farthest off: its mean is {number mean}, its expectation {number truth[worst]}"

            measured law scores[worst] limit samples.Length options explanation

    /// E x = truth for each entry of the tensors that `sample` draws, all at the rate of false alarms together. Costs
    /// `options.Samples` calls, and the memory of so many tensors. Raises ShapeException for a sample of another shape.
    let unbiasedEntries (options: LawOptions) (truth: Tensor) (sample: Key -> Tensor) : LawCheck =
        let law = "unbiased entries"

        let entries key =
            let drawn = sample key

            if drawn.Shape <> truth.Shape then
                raise (
                    ShapeException
                        $"{law}: samples of shape %A{truth.Shape} are needed, and one has shape %A{drawn.Shape}"
                )

            drawn.ToArray()

        draw options entries |> everyEntry law options (truth.ToArray()) (fun i -> $"entry {i}")

    /// E zzᵀ = I for random vectors z [n] that `sample` draws, as Hutchinson's and related estimators need. Costs
    /// `options.Samples` vectors and their n(n + 1)/2 products. Raises ArgumentRangeException for n outside 1 … 64, and
    /// ShapeException for a vector of another length.
    let isotropic (options: LawOptions) (n: int) (sample: Key -> Tensor) : LawCheck =
        let law = "isotropic"

        if n < 1 || n > 64 then
            raise (ArgumentRangeException $"{law}: a length from 1 to 64 is needed, and it is {n}")

        let pairs =
            [|
                for i in 0 .. n - 1 do
                    for j in 0..i -> struct (i, j)
            |]

        let products key =
            let z = (sample key).ToArray()

            if z.Length <> n then
                raise (ShapeException $"{law}: vectors of {n} elements are needed, and one has {z.Length}")

            pairs |> Array.map (fun (struct (i, j)) -> z[i] * z[j])

        let truth = pairs |> Array.map (fun (struct (i, j)) -> if i = j then 1.0 else 0.0)

        let describe p =
            let struct (i, j) = pairs[p]
            $"z{i}·z{j}"

        draw options products |> everyEntry law options truth describe

    /// The laws of an estimator of a number: unbiased, with standard errors and 95 % intervals that hold, under a rule
    /// for one operator whose truth is known. Costs `options.Samples` runs, once for all three.
    let estimator
        (options: LawOptions)
        (estimator: Estimator<Estimate<float>>)
        (stop: StoppingRule)
        (truth: float)
        (operator: LinearOperator)
        : LawCheck list =
        let runs = draw options (fun key -> Estimate.run estimator stop key operator)

        let ends (run: Estimate<float>) =
            let interval = run.Interval 0.95
            interval.Low, interval.High

        [
            runs |> Array.map _.Value |> unbiasedOf options truth
            runs |> Array.map (fun run -> run.Value, run.StandardError) |> standardErrorOf options truth
            runs |> Array.map ends |> coverageOf options 0.95 truth
        ]

    let private ofOperatorCheck law (options: LawOptions) (vectors: int) (found: OperatorCheck) : LawCheck =
        match found.Outcome with
        | CheckOutcome.Skipped -> undecided law vectors options found.Explanation
        | _ when Double.IsNaN found.Tolerance || found.Tolerance = 0.0 ->
            let verdict =
                if found.Outcome = CheckOutcome.Passed then
                    LawVerdict.Holds
                else
                    LawVerdict.Violated

            check law verdict (struct (found.Error, found.Tolerance)) vectors options found.Explanation
        | _ -> measured law (found.Error / found.Tolerance) 1.0 vectors options found.Explanation

    let private diagnosed law (pick: Diagnosis -> OperatorCheck) (options: LawOptions) (diagnosis: Diagnosis) vectors =
        let products = diagnosis.Products

        if products.Outcome = CheckOutcome.Failed then
            violated law vectors options products.Explanation
        else
            ofOperatorCheck law options vectors (pick diagnosis)

    let private vectors = 8

    let private diagnose (options: LawOptions) =
        DiagnoseOptions.Default.WithKey(options.Key).WithProbes(vectors).WithCancellation options.Cancellation

    /// A(2u − 3v) = 2Au − 3Av for 8 pairs of random vectors, to the rounding of the element type.
    let linear (options: LawOptions) (operator: LinearOperator) : LawCheck =
        diagnosed "linear" _.Linearity options (Diagnose.run (diagnose options) operator) vectors

    /// ⟨u, Av⟩ = ⟨Au, v⟩ for pairs of 8 random vectors, to the rounding of the element type, whether symmetry is
    /// claimed or not. Undecided for an operator that is not square.
    let symmetric (options: LawOptions) (operator: LinearOperator) : LawCheck =
        let law = "symmetric"

        if not operator.IsSquare then
            undecided law 0 options $"the operator has shape [{operator.Rows}; {operator.Columns}]"
        else
            let claimed = LinearOperator.claim OperatorProperties.Symmetric operator
            diagnosed law _.Symmetry options (Diagnose.run (diagnose options) claimed) vectors

    /// ⟨u, Av⟩ = ⟨Aᵀu, v⟩ for 8 pairs of random vectors, to the rounding of the element type. Undecided where the
    /// operator has no transpose.
    let transposed (options: LawOptions) (operator: LinearOperator) : LawCheck =
        diagnosed "transposed" _.Transpose options (Diagnose.run (diagnose options) operator) vectors

    /// Products with the operator are differences of the gradient at θ, as those of a Hessian are, to the accuracy that
    /// differences have: for 4 random vectors. Undecided where differences tell nothing.
    let finiteDifferences
        (options: LawOptions)
        (gradient: Tensor -> Tensor)
        (theta: Tensor)
        (operator: LinearOperator)
        : LawCheck =
        let diagnosis = Diagnose.againstGradient (diagnose options) gradient theta operator
        diagnosed "finite differences" _.FiniteDifferences options diagnosis 4

    /// Av = Bv for 8 random vectors, to a relative `tolerance`. Raises ShapeException for operators of different shapes
    /// or types, and ArgumentRangeException for a tolerance that is not positive.
    let same (options: LawOptions) (tolerance: float) (a: LinearOperator) (b: LinearOperator) : LawCheck =
        let law = "same products"

        if not (tolerance > 0.0 && Double.IsFinite tolerance) then
            raise (ArgumentRangeException $"{law}: a positive tolerance is needed, and it is {tolerance}")

        if a.Rows <> b.Rows || a.Columns <> b.Columns || a.DType <> b.DType then
            raise (ShapeException $"{law}: two operators of one shape and type are needed, and they are {a} and {b}")

        let v = Tensor.normal options.Key a.DType [ vectors; a.Columns ]
        let left, right = Tensor.convert DType.Float64 (a.Apply v), Tensor.convert DType.Float64 (b.Apply v)
        let size = max ((Tensor.norm left).ToScalar()) ((Tensor.norm right).ToScalar())
        let difference = (Tensor.norm (left - right)).ToScalar()
        let relative = if difference = 0.0 then 0.0 else difference / size
        measured law (relative / tolerance) 1.0 vectors options $"products differ by {number relative} of their norm"
