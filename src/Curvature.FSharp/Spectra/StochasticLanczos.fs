namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Stochastic Lanczos quadrature (Bai, Fahey & Golub 1996; Ubaru, Chen & Saad 2017): Gauss's rule for ωᵀf(A)ω from k
/// steps of Lanczos, averaged over random vectors ω with E ωωᵀ = I. The recurrences run side by side, one block product
/// a step.
[<RequireQualifiedAccess>]
module StochasticLanczos =

    /// The most bytes of the bases of recurrences that run side by side.
    let private basisBytes = 1L <<< 31

    /// How many recurrences run side by side.
    let internal lockstep (options: RunOptions) (operator: LinearOperator) steps =
        let bytes = int64 steps * int64 operator.Columns * Storage.Bytes operator.DType
        min (options.BlockSizeFor operator) (int (max 1L (min 1024L (basisBytes / max 1L bytes))))

    let internal rule (space: KrylovSpace) mass : SpectralRule =
        let weights (eigen: SmallEigen) = Array.init eigen.Values.Length (fun i -> Math.Pow(eigen.Vectors[0, i], 2.0))
        let ritz, size = space.Ritz, space.Size
        let exact = space.IsInvariant
        let residuals = Array.init size (fun i -> if exact then 0.0 else space.ResidualBound(ritz, i))
        SpectralRule(ritz.Values, weights ritz, residuals, mass, space.Jacobi)

    let private exactRule (operator: LinearOperator) =
        let one = Tensor.ones operator.DType [ 1 ] |> Tensor.toDevice operator.Device
        let value = operator.Multiply(one, (fun _ -> "the basis vector")).ToScalar()
        SpectralRule([| value |], [| 1.0 |], [| 0.0 |], 1.0, JacobiMatrix([| value |], [| 0.0 |]))

    let private ledger samples products seconds reason =
        Ledgers.ofSamples samples (Cost.products products) seconds reason

    let internal sampleOf (operator: LinearOperator) steps rules cost =
        let sampled =
            {
                Name = operator.Name
                Size = operator.Columns
                DType = operator.DType
                IsSemidefinite = operator.IsPositiveSemidefinite
            }

        SpectralSample(sampled, steps, rules, SpectrumBounds.Unknown, cost)

    /// The bases side by side, a few vectors beside each, and the rules with their recurrences.
    let private forecast options (operator: LinearOperator) probes steps width =
        let vectors = float (min width probes) * float (steps + 4)
        let ofVectors = vectors * float operator.Columns * float (Storage.Bytes operator.DType)
        let ofRules = float probes * float steps * 48.0
        SpectralProgress(options, probes, float probes * float steps, ofVectors + ofRules)

    let private run (options: RunOptions) probe probes steps key (operator: LinearOperator) : SpectralSample =
        let watch, n = Stopwatch.StartNew(), operator.Columns

        if n <= 1 then
            let rules = if n = 0 then [||] else [| exactRule operator |]
            let cost = ledger n n watch.Elapsed.TotalSeconds StopReason.Exact
            sampleOf operator n rules cost
        else
            let steps = min steps n
            let width = lockstep options operator steps
            let rules = ResizeArray<SpectralRule>()
            let progress = forecast options operator probes steps width
            progress.Start()
            let mutable products, reason = 0, StopReason.MatvecsSpent

            while rules.Count < probes && reason <> StopReason.Cancelled do
                let first, count = rules.Count, min width (probes - rules.Count)
                let vectors = Probe.drawOn operator.Device probe key n (first, count) operator.DType
                let rows = Array.init count (fun i -> Tensor.item 0 i vectors)
                let spaces = rows |> Array.map (fun row -> Krylov.from row steps operator)
                let goOn () = not options.Cancellation.IsCancellationRequested
                let name i = $"a Lanczos vector of probe {first + i}"
                products <- products + Krylov.advance operator name steps spaces goOn
                let isWhole (space: KrylovSpace) = space.IsInvariant || space.Size = space.Capacity

                if spaces |> Array.forall isWhole then
                    spaces |> Array.iter (fun space -> space.CheckSymmetry())
                    let found = Array.map2 (fun space row -> rule space (Vectors.dot row row)) spaces rows
                    rules.AddRange found
                    let traces = found |> Array.map (fun rule -> rule.Mass * rule.Integrate id)
                    progress.Add(watch.Elapsed.TotalSeconds, traces)

                if options.Cancellation.IsCancellationRequested && rules.Count < probes then
                    if rules.Count = 0 then options.Cancellation.ThrowIfCancellationRequested()
                    reason <- StopReason.Cancelled

            progress.Finish watch.Elapsed.TotalSeconds
            let cost = ledger rules.Count products watch.Elapsed.TotalSeconds reason
            sampleOf operator steps (rules.ToArray()) cost

    /// Rules of `probes` random vectors of a distribution, with options for cancellation, progress, a checkpoint and
    /// how many run side by side; see `sample`. Progress tells before the first product how many products and bytes
    /// it will take, and after each block of vectors of the trace. Cancelled after some vectors, it returns the rules
    /// of those, with the reason Cancelled; before, it raises OperationCanceledException.
    let sampleWith
        (options: RunOptions)
        (probe: Probe)
        (probes: int)
        (steps: int)
        (key: Key)
        (operator: LinearOperator)
        : SpectralSample =
        Requirements.symmetric "StochasticLanczos" operator
        Krylov.checkPositive "StochasticLanczos" "the number of random vectors" probes
        Krylov.checkPositive "StochasticLanczos" "the number of steps" steps
        Checkpoint.keeping options operator (fun options -> run options probe probes steps key)

    /// Rules of `probes` sign vectors, of `steps` steps each: probes·steps products, about 8n·steps² operations a
    /// vector, and the memory of as many bases of `steps` vectors as run side by side (up to 16 within 2 GiB). More
    /// steps than n are as good as n.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, and NonFiniteException for products that are NaN or infinite.
    let sample (probes: int) (steps: int) (key: Key) (operator: LinearOperator) : SpectralSample =
        sampleWith RunOptions.Default Probe.rademacher probes steps key operator

    // ---- traces of functions

    let private finite name (f: float -> float) x =
        let y = f x

        if Double.IsFinite y then
            y
        else
            Fail.nonFinite $"{name}: the function is {Finite.name y} at the Ritz value {x:R}"

    /// All that is uncertain of tr f(A), where f is finite at every Ritz value.
    let private integrate name (f: float -> float) derivatives (sample: SpectralSample) =
        for rule in sample.Rules do
            for x in rule.Nodes do
                finite name f x |> ignore

        QuadratureError.integral f derivatives sample

    let private estimate name f derivatives (sample: SpectralSample) : Estimate<float> =
        let integral = integrate name f derivatives sample
        let error = sqrt (integral.Random * integral.Random + integral.Bias * integral.Bias)
        Estimate(integral.Value, error, integral.Ends, sample.Ledger, integral.Bias)

    /// tr f(A). The interval holds the spread over random vectors, and beside it what the quadrature and rounding
    /// leave open, by a bound (Estimate.Bias), which is infinite where steps and element type do not resolve the
    /// function: from Gauss–Radau rules at the ends of the spectrum (those stated, see `within`, or else of Ritz
    /// values and their residuals), and from how the values change over the steps. The standard error is the root of
    /// the sum of the squares of both. The function is called at Ritz values, a little beside them and at the ends;
    /// where it is not finite there, the bound is infinite. Raises NonFiniteException where it is not finite at a
    /// Ritz value.
    let trace (f: float -> float) (sample: SpectralSample) : Estimate<float> =
        estimate "StochasticLanczos.trace" f Derivatives.Unknown sample

    /// The same sample with bounds that the caller knows for all eigenvalues. With a lower bound, the named functions
    /// of a spectrum are between bounds that hold for every spectrum: Gauss's rule, and Gauss–Radau's with a node
    /// there. Raises OperatorException where a Ritz value lies outside by more than rounding.
    let within (bounds: SpectrumBounds) (sample: SpectralSample) : SpectralSample =
        ArgumentNullException.ThrowIfNull(bounds, nameof bounds)

        let refuse what (bound: float) (value: float) =
            Fail.operator
                $"within: {sample.Name} has a Ritz value of {value:g6}, and the {what} bound stated is {bound:g6}"

        if sample.Size > 0 then
            if sample.Least < bounds.Low - sample.Rounding then
                refuse "lower" bounds.Low sample.Least

            if sample.Largest > bounds.High + sample.Rounding then
                refuse "upper" bounds.High sample.Largest

        sample.Within bounds

    let private requirePositive what (sample: SpectralSample) =
        if sample.Size > 0 && sample.Least <= 0.0 then
            Fail.operator (
                $"{what}: a positive definite operator is needed, and {sample.Name} has a Ritz value of "
                + $"{sample.Least:g6}; see LinearOperator.shift"
            )

    let internal requireSemidefinite what (sample: SpectralSample) =
        if sample.Size > 0 && sample.Least < -sample.Rounding then
            Fail.operator (
                $"{what}: a positive semidefinite operator is needed, and {sample.Name} has a Ritz value of "
                + $"{sample.Least:g6}"
            )

    /// ln det A = tr ln A for a positive definite A. Raises OperatorException where a Ritz value is not positive.
    let logDeterminant (sample: SpectralSample) : Estimate<float> =
        requirePositive "StochasticLanczos.logDeterminant" sample
        estimate "StochasticLanczos.logDeterminant" log (Alternating(Double.Epsilon, 1.0, false)) sample

    /// ln det (A + λI). Raises OperatorException where a Ritz value is not above −λ.
    let logDeterminantShifted (lambda: float) (sample: SpectralSample) : Estimate<float> =
        if sample.Size > 0 && sample.Least + lambda <= 0.0 then
            Fail.operator (
                $"StochasticLanczos.logDeterminantShifted: {sample.Name} has a Ritz value of {sample.Least:g6}, which "
                + $"{lambda} does not make positive"
            )

        let derivatives = Alternating(Math.BitIncrement -lambda, 1.0, false)
        estimate "StochasticLanczos.logDeterminantShifted" (fun x -> log (x + lambda)) derivatives sample

    /// tr A⁻¹ for a positive definite A. Raises OperatorException where a Ritz value is not positive.
    let traceOfInverse (sample: SpectralSample) : Estimate<float> =
        requirePositive "StochasticLanczos.traceOfInverse" sample
        // Eigenvalues are above 0; below it is another branch of 1/x.
        let inverse x = if x > 0.0 then 1.0 / x else nan
        estimate "StochasticLanczos.traceOfInverse" inverse (Alternating(Double.Epsilon, 1.0, true)) sample

    /// −tr A ln A for a positive semidefinite A, in nats: von Neumann's entropy where tr A = 1. Raises
    /// OperatorException where a Ritz value is negative by more than rounding.
    let entropy (sample: SpectralSample) : Estimate<float> =
        requireSemidefinite "StochasticLanczos.entropy" sample
        let entropyOf x = if x <= 0.0 then 0.0 else -x * log x
        estimate "StochasticLanczos.entropy" entropyOf (Alternating(0.0, 1.0, false)) sample

    /// tr A(A + λI)⁻¹ for a positive semidefinite A and λ > 0: the number of directions that the curvature, rather than
    /// the damping, decides (MacKay 1992). Raises OperatorException where a Ritz value is negative by more than
    /// rounding.
    let effectiveDimension (lambda: float) (sample: SpectralSample) : Estimate<float> =
        if not (lambda > 0.0 && Double.IsFinite lambda) then
            Fail.range $"StochasticLanczos.effectiveDimension: a positive damping is needed, and it is {lambda}"

        requireSemidefinite "StochasticLanczos.effectiveDimension" sample
        let share x = let x = max 0.0 x in x / (x + lambda)
        estimate "StochasticLanczos.effectiveDimension" share (Alternating(0.0, 1.0, false)) sample

    /// (Σ|λᵢ|ᵖ)^(1/p) for p ≥ 1: the nuclear norm for 1, Frobenius's for 2. The interval's ends are the roots of those
    /// of the sum.
    let schattenNorm (p: float) (sample: SpectralSample) : Estimate<float> =
        if not (p >= 1.0 && Double.IsFinite p) then
            Fail.range $"StochasticLanczos.schattenNorm: p must be at least 1, and is {p}"

        // The derivative of order j has the sign of p(p − 1)…(p − j + 1), which alternates once j is above p.
        let derivatives = Alternating(0.0, p, int (Math.Floor p) % 2 = 1)
        let sum = integrate "StochasticLanczos.schattenNorm" (fun x -> Math.Pow(abs x, p)) derivatives sample
        let root (x: float) = Math.Pow(max 0.0 x, 1.0 / p)
        let value = root sum.Value
        let slope = if sum.Value > 0.0 then value / (p * sum.Value) else 0.0
        let error = sqrt (sum.Random * sum.Random + sum.Bias * sum.Bias)

        let ends factor =
            let struct (low, high) = sum.Ends factor
            struct (root low, root high)


        let scaled x = if x = 0.0 || Double.IsInfinity x then x else slope * x

        Estimate(value, scaled error, ends, sample.Ledger, scaled sum.Bias)
