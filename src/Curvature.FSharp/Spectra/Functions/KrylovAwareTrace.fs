namespace Curvature.FSharp

open System
open Curvature

/// What a Krylov-aware trace knows of an operator so far: a third of the products that are allowed are for the space,
/// the others for vectors outside of it.
[<Sealed>]
type internal KrylovAwareIncremental(f: SpectralFunction, steps: int, operator: LinearOperator, keys: Key[], limit) =
    inherit Incremental<Estimate<float>>()
    let rules = ResizeArray<SpectralRule>()
    let mutable deflated: DeflatedSpace voption = ValueNone

    /// As quadrature calls the function: eigenvalues that rounding made negative are 0.
    let admitted x = f.Evaluate(if f.Definition.Domain = FunctionDomain.Nonnegative then max 0.0 x else x)

    let spent () =
        let ofSpace = deflated |> ValueOption.map _.Products |> ValueOption.defaultValue 0
        Cost.products (ofSpace + Seq.sumBy (fun (rule: SpectralRule) -> rule.Nodes.Length) rules)

    let isWhole () = deflated |> ValueOption.exists (fun space -> space.Basis.Count >= operator.Columns)

    let deflate () =
        let width = int (Math.Clamp(int64 limit / (6L * int64 steps), 1L, int64 operator.Columns))
        deflated <- ValueSome(KrylovDeflation.deflate f operator keys[0] width steps)

    /// The sum of what is known and what is sampled.
    let combine (ledger: Ledger) : Estimate<float> =
        let space = deflated.Value

        if isWhole () then
            Estimates.scalar space.Trace space.Open ledger
        elif rules.Count < 2 then
            let sampled = rules |> Seq.sumBy (fun rule -> rule.Mass * rule.Integrate admitted)
            Estimates.scalar (space.Trace + sampled) infinity ledger
        else
            let sample = StochasticLanczos.sampleOf operator steps (rules.ToArray()) ledger
            let integral = QuadratureError.integral admitted Derivatives.Unknown sample
            let bias = integral.Bias + space.Open
            let error = sqrt (integral.Random * integral.Random + bias * bias)

            let ends t =
                let struct (low, high) = integral.Ends t
                struct (low + space.Trace - space.Open, high + space.Trace + space.Open)

            Estimate(space.Trace + integral.Value, error, ends, ledger, bias)

    override _.Spent = spent ()
    override _.CostOfVector = steps
    override _.Samples = rules.Count
    override _.IsExact = isWhole ()

    override _.Advance count =
        match deflated with
        | ValueNone -> deflate ()
        | ValueSome space ->
            let width = min count (StochasticLanczos.lockstep RunOptions.Default operator steps)
            rules.AddRange(KrylovDeflation.rules f operator keys[1] space.Basis steps (rules.Count, width))

    override _.Summaries =
        let ledger = Ledgers.ofSamples rules.Count (spent ()) 0.0 StopReason.MatvecsSpent
        let found = combine ledger
        let error = if rules.Count < 2 then infinity else found.StandardError
        [| struct (Summaries.ofSketch rules.Count found.Value error false, true) |]

    override _.Finish ledger = combine ledger

/// tr f(A) by Krylov-aware deflation (Chen & Hallman 2022, "Krylov-aware stochastic trace estimation"):
/// exact on a block Krylov space Q of A, which serves f(A) as well as A, and by quadrature for random vectors outside.
[<RequireQualifiedAccess>]
module KrylovAwareTrace =

    let private name = "KrylovAwareTrace"

    /// The way as a value, for a function and rules of so many steps. A third of the products that a rule allows find
    /// an orthonormal basis Q of a block Krylov space of `steps` blocks, and T of twice as many, of which f(T) gives
    /// tr Qᵀf(A)Q. The others are rules of as many steps for normal vectors less their parts in Q, scaled to the length
    /// that they have there on average. It divides a number of products, which the rule must have, at least 4 times the
    /// steps. Raises ArgumentRangeException for less than one step.
    let estimator (f: SpectralFunction) (steps: int) : Estimator<Estimate<float>> =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        Krylov.checkPositive name "the number of steps" steps
        let least = int (min (int64 Int32.MaxValue - 1L) (4L * int64 steps))

        Procedure.Division(fun limit key operator ->
            Krylov.checkPositive name "the number of columns" operator.Columns

            if limit < least then
                Fail.range $"{name}: rules of {steps} steps need {least} products at least, and {limit} are allowed"

            KrylovAwareIncremental(f, steps, operator, key.Split 2, limit))
        |> Estimator.make name OperatorNeed.Symmetric least None

    /// The same with options for cancellation, progress, block size and a checkpoint. Cancelled after the space, it
    /// returns the estimate from the vectors that were taken until then; before, it raises OperationCanceledException.
    let estimateWith
        (options: RunOptions)
        (f: SpectralFunction)
        (steps: int)
        (matvecs: int)
        (key: Key)
        (operator: LinearOperator)
        : Estimate<float> =
        if matvecs < 1 then
            Fail.range $"{name}: rules of {steps} steps need {4L * int64 steps} products, and {matvecs} are allowed"

        Estimate.runWith options (estimator f steps) (StoppingRule.matvecs matvecs) key operator

    /// tr f(A) of a symmetric operator from about `matvecs` products; see `estimator`. Where few eigenvalues of f(A)
    /// outweigh the rest, the spread is a fraction of that of StochasticLanczos for the same products; where the
    /// spectrum is flat, it has two thirds of the vectors for nothing. The interval holds the spread over vectors and
    /// what both quadratures leave open (Estimate.Bias).
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, or has a Ritz value at which the function is not defined; ArgumentRangeException for less than one step, or
    /// fewer products than 4 times the steps; NonFiniteException for products and values that are not finite.
    let estimate
        (f: SpectralFunction)
        (steps: int)
        (matvecs: int)
        (key: Key)
        (operator: LinearOperator)
        : Estimate<float> =
        estimateWith RunOptions.Default f steps matvecs key operator
