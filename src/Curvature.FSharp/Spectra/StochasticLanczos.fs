namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Stochastic Lanczos quadrature (Bai, Fahey & Golub 1996; Ubaru, Chen & Saad 2017): Gauss's rule for ωᵀf(A)ω from k steps of
/// Lanczos, averaged over random vectors ω with E ωωᵀ = I. The recurrences run side by side, one block product a step.
[<RequireQualifiedAccess>]
module StochasticLanczos =

    /// Bytes that the bases of recurrences side by side may take.
    let private basisBytes = 1L <<< 31

    let private lockstep (options: SamplingOptions) (operator: LinearOperator) steps =
        let bytes = int64 steps * int64 operator.Columns * Storage.Bytes operator.DType
        min (Sampling.blockSize options operator) (int (max 1L (min 1024L (basisBytes / max 1L bytes))))

    let private rule (space: KrylovSpace) mass : SpectralRule =
        let weights (eigen: SmallEigen) = Array.init eigen.Values.Length (fun i -> Math.Pow(eigen.Vectors[0, i], 2.0))
        let ritz, size = space.Ritz, space.Size
        let exact = isNull space.Next
        let residuals = Array.init size (fun i -> if exact then 0.0 else space.ResidualBound(ritz, i))
        let leading = Array2D.init size size (fun i j -> space.Projection[i, j])

        let shorter count =
            let eigen = SmallEigen.ofLeading count leading
            Array.map2 (fun x w -> struct (x, w)) eigen.Values (weights eigen)

        let fewer parts = max 1 (min ((parts * size + 3) / 4) (size - 1))

        let rules =
            if exact then
                ValueNone
            else
                ValueSome { Half = fewer 2; ThreeQuarters = fewer 3; Whole = size; Rule = shorter }

        SpectralRule(ritz.Values, weights ritz, residuals, mass, rules)

    let private exactRule (operator: LinearOperator) =
        let one = Tensor.ones operator.DType [ 1 ] |> Tensor.toDevice operator.Device
        let value = operator.Multiply(one, (fun _ -> "the basis vector")).ToScalar()
        SpectralRule([| value |], [| 1.0 |], [| 0.0 |], 1.0, ValueNone)

    let private ledger (operator: LinearOperator) samples products seconds reason =
        Ledger(samples, products, 0, int64 products * int64 operator.Definition.Gradients, seconds, reason, ValueNone)

    let private run (options: SamplingOptions) probe probes steps key (operator: LinearOperator) : SpectralSample =
        let watch, n = Stopwatch.StartNew(), operator.Columns

        if n <= 1 then
            let rules = if n = 0 then [||] else [| exactRule operator |]
            let cost = ledger operator n n watch.Elapsed.TotalSeconds StopReason.Exact
            SpectralSample(operator.Name, n, operator.DType, n, rules, cost)
        else
            let steps = min steps n
            let width = lockstep options operator steps
            let rules = ResizeArray<SpectralRule>()
            let mutable products, reason = 0, StopReason.MatvecsSpent

            while rules.Count < probes && reason <> StopReason.Cancelled do
                let first, count = rules.Count, min width (probes - rules.Count)
                let vectors = Probe.drawOn operator.Device probe key n (first, count) operator.DType
                let rows = Array.init count (fun i -> Tensor.item 0 i vectors)
                let spaces = rows |> Array.map (fun _ -> KrylovSpace(operator, steps, ValueNone, 0.0))
                Array.iter2 (fun (space: KrylovSpace) row -> space.Start row) spaces rows
                let goOn () = not options.Cancellation.IsCancellationRequested
                let name i = $"a Lanczos vector of probe {first + i}"
                products <- products + Krylov.advance operator name steps spaces goOn
                let isWhole (space: KrylovSpace) = isNull space.Next || space.Size = space.Capacity

                if spaces |> Array.forall isWhole then
                    spaces |> Array.iter (fun space -> space.CheckSymmetry())
                    rules.AddRange(Array.map2 (fun space row -> rule space (Vectors.dot row row)) spaces rows)

                    [| for rule in rules -> rule.Mass * rule.Integrate id |]
                    |> SpectralProgress.tell options probes watch.Elapsed.TotalSeconds

                if options.Cancellation.IsCancellationRequested && rules.Count < probes then
                    if rules.Count = 0 then options.Cancellation.ThrowIfCancellationRequested()
                    reason <- StopReason.Cancelled

            let cost = ledger operator rules.Count products watch.Elapsed.TotalSeconds reason
            SpectralSample(operator.Name, n, operator.DType, steps, rules.ToArray(), cost)

    /// Rules of `probes` random vectors of a distribution, with options for cancellation, progress (which tells of the trace), a checkpoint
    /// and how many run side by side; see `sample`.
    /// Cancelled after some vectors, it returns the rules of those, with the reason Cancelled; before, it raises OperationCanceledException.
    let sampleWith
        (options: SamplingOptions)
        (probe: Probe)
        (probes: int)
        (steps: int)
        (key: Key)
        (operator: LinearOperator)
        : SpectralSample =
        Krylov.requireSymmetric "StochasticLanczos" operator
        Krylov.checkPositive "StochasticLanczos" "the number of random vectors" probes
        Krylov.checkPositive "StochasticLanczos" "the number of steps" steps
        Checkpoint.keeping options operator (fun options -> run options probe probes steps key)

    /// Rules of `probes` sign vectors, of `steps` steps each: probes·steps products, about 8n·steps² operations a vector, and the memory of
    /// as many bases of `steps` vectors as run side by side (up to 16 within 2 GiB). More steps than n are as good as n.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to be, and NonFiniteException
    /// for products that are NaN or infinite.
    let sample (probes: int) (steps: int) (key: Key) (operator: LinearOperator) : SpectralSample =
        sampleWith SamplingOptions.Default Probe.rademacher probes steps key operator

    // ---- traces of functions

    let private finite name (f: float -> float) x =
        let y = f x

        if Double.IsFinite y then
            y
        else
            raise (NonFiniteException $"{name}: the function is {Finite.name y} at the Ritz value {x:R}")

    /// The value, its standard error and what they cost, of the mean of mass·Σ w f(θ).
    let private integrate name (f: float -> float) (sample: SpectralSample) =
        let f, rules = finite name f, sample.Rules
        let integrals = rules |> Array.map (fun rule -> struct (rule.Mass, rule.Integrals f))
        let mean pick = integrals |> Array.map (fun struct (mass, values) -> mass * pick values) |> Statistics.mean
        let values = integrals |> Array.map (fun struct (mass, struct (_, _, whole)) -> mass * whole)

        let truncation =
            match rules |> Array.tryPick (fun rule -> ValueOption.toOption rule.Lengths) with
            | Some lengths ->
                let half, threeQuarters = mean (fun struct (x, _, _) -> x), mean (fun struct (_, x, _) -> x)
                Truncation.error lengths half threeQuarters (Statistics.mean values)
            | None -> 0.0

        let random = if rules.Length < 2 then 0.0 else Statistics.standardError values
        struct (Statistics.mean values, sqrt (random * random + truncation * truncation))

    /// tr f(A). The standard error is that of the mean over random vectors, together with an estimate of what
    /// the quadrature leaves open, from its values after half, three quarters and all of the steps. Raises NonFiniteException where f is not finite at a Ritz value.
    let trace (f: float -> float) (sample: SpectralSample) : Estimate<float> =
        let struct (value, error) = integrate "StochasticLanczos.trace" f sample
        Estimates.scalar value (if sample.Ledger.IsExact then 0.0 else error) sample.Ledger

    let private requirePositive what (sample: SpectralSample) =
        if sample.Size > 0 && sample.Least <= 0.0 then
            raise (
                OperatorException
                    $"{what}: a positive definite operator is needed, and {sample.Name} has a Ritz value of {sample.Least:g6}; see LinearOperator.shift"
            )

    let private requireSemidefinite what (sample: SpectralSample) =
        if sample.Size > 0 && sample.Least < -sample.Rounding then
            raise (
                OperatorException
                    $"{what}: a positive semidefinite operator is needed, and {sample.Name} has a Ritz value of {sample.Least:g6}"
            )

    /// ln det A = tr ln A for a positive definite A. Raises OperatorException where a Ritz value is not positive.
    let logDeterminant (sample: SpectralSample) : Estimate<float> =
        requirePositive "StochasticLanczos.logDeterminant" sample
        trace log sample

    /// ln det (A + λI). Raises OperatorException where a Ritz value is not above −λ.
    let logDeterminantShifted (lambda: float) (sample: SpectralSample) : Estimate<float> =
        if sample.Size > 0 && sample.Least + lambda <= 0.0 then
            raise (
                OperatorException
                    $"StochasticLanczos.logDeterminantShifted: {sample.Name} has a Ritz value of {sample.Least:g6}, which {lambda} does not make positive"
            )

        trace (fun x -> log (x + lambda)) sample

    /// tr A⁻¹ for a positive definite A. Raises OperatorException where a Ritz value is not positive.
    let traceOfInverse (sample: SpectralSample) : Estimate<float> =
        requirePositive "StochasticLanczos.traceOfInverse" sample
        trace (fun x -> 1.0 / x) sample

    /// −tr A ln A for a positive semidefinite A, in nats: von Neumann's entropy where tr A = 1. Raises OperatorException where a
    /// Ritz value is negative by more than rounding.
    let entropy (sample: SpectralSample) : Estimate<float> =
        requireSemidefinite "StochasticLanczos.entropy" sample
        trace (fun x -> if x <= 0.0 then 0.0 else -x * log x) sample

    /// tr A(A + λI)⁻¹ for a positive semidefinite A and λ > 0: the number of directions that the curvature, rather than the damping,
    /// decides (MacKay 1992). Raises OperatorException where a Ritz value is negative by more than rounding.
    let effectiveDimension (lambda: float) (sample: SpectralSample) : Estimate<float> =
        if not (lambda > 0.0 && Double.IsFinite lambda) then
            raise (
                ArgumentRangeException
                    $"StochasticLanczos.effectiveDimension: a positive damping is needed, and it is {lambda}"
            )

        requireSemidefinite "StochasticLanczos.effectiveDimension" sample
        trace (fun x -> let x = max 0.0 x in x / (x + lambda)) sample

    /// (Σ|λᵢ|ᵖ)^(1/p) for p ≥ 1: the nuclear norm for 1, Frobenius's for 2. The interval's ends are the roots of those of the sum.
    let schattenNorm (p: float) (sample: SpectralSample) : Estimate<float> =
        if not (p >= 1.0 && Double.IsFinite p) then
            raise (ArgumentRangeException $"StochasticLanczos.schattenNorm: p must be at least 1, and is {p}")

        let struct (sum, error) = integrate "StochasticLanczos.schattenNorm" (fun x -> Math.Pow(abs x, p)) sample

        let root (x: float) = Math.Pow(max 0.0 x, 1.0 / p)
        let value = root sum
        let slope = if sum > 0.0 then value / (p * sum) else 0.0

        let error =
            if sample.Ledger.IsExact then 0.0
            elif sample.Ledger.HasErrorBar then error
            else infinity

        let ends factor = struct (root (sum - factor * error), root (sum + factor * error))
        Estimate(value, slope * error, ends, sample.Ledger)
