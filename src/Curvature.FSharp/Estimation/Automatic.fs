namespace Curvature

open Curvature.FSharp

/// An estimate by a method that was chosen on the way.
[<Sealed; NoEquality; NoComparison>]
type ChosenEstimate<'T> internal (estimate: Estimate<'T>, method: string, reason: string) =
    /// The value, its error bar and all that it cost, the choice included.
    member _.Estimate = estimate

    /// What the method is called.
    member _.Method = method

    /// Why it was chosen.
    member _.Reason = reason

    override _.ToString() = $"{estimate} by {method}: {reason}"

namespace Curvature.FSharp

open System
open Curvature

/// What to do next, as products that each way is expected to cost, or, without an error to reach, as the error at the end of
/// each way.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Forecast =
    {
        HasGoal: bool
        /// To go on keeping vectors.
        Growing: float
        /// To sample what these have missed.
        Sampling: float
        /// To sample everything.
        Plain: float
        /// To take all columns.
        Exact: float
    }

/// What a forecast rests on: a look, and how the error fell until then.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Outlook =
    {
        Columns: int
        /// What a sample costs, in products.
        Price: float
        Products: int
        Seconds: float
        Value: float
        Error: float
        /// The standard deviation of one sample of what the vectors so far have missed.
        Spread: float
        /// The standard deviation of one sample of everything.
        PlainSpread: float
        /// The error falls like 1/m to this power.
        Power: float
    }

module internal Forecast =

    /// A quadratic form takes half of the work of a product: a pass forward, and none backward.
    let priceOfForm = 0.5

    /// Before the error was seen to fall, it is taken to do so like 1/m², as for eigenvalues 1, 1/4, 1/9, …
    let private firstPower = 2.0

    /// The power of 1/m by which the error fell since the look before the last: at least that of independent samples.
    let power (looks: struct (int * float) list) : float =
        match looks with
        | struct (products, error) :: before when not before.IsEmpty ->
            let struct (products', error') = before[min 1 (before.Length - 1)]

            if error > 0.0 && Double.IsFinite error' then
                log (error' / error) / log (float products / float products') |> max 0.5 |> min 50.0
            else
                firstPower
        | _ -> firstPower

    /// The samples of the first look of a plan, from one on, that is enough.
    let private search (plan: LookPlan) first (isEnough: int -> int -> bool) : float =
        Seq.initInfinite (fun i -> first + i)
        |> Seq.map (fun look -> struct (look, plan.At look))
        |> Seq.find (fun struct (look, at) -> at > Stopping.ceiling || isEnough look at)
        |> fun struct (_, at) -> if at > Stopping.ceiling then infinity else float at

    /// Where an error is to be reached: half the width of the interval at a confidence.
    let private toGoal (outlook: Outlook) left allowed confidence : Forecast =
        let products, next = float outlook.Products, Looks.growing.Next outlook.Products
        let factor samples look = Looks.quantile samples (Looks.share look (1.0 - confidence))

        let grown =
            search Looks.growing next (fun look at ->
                let error = outlook.Error * Math.Pow(products / float at, outlook.Power)
                factor at look * error <= allowed)

        let within cost count = if count > left then infinity else cost * count

        let sampled spread =
            search Looks.sampling 0 (fun look at -> factor at (next + look) * spread / sqrt (float at) <= allowed)
            |> within outlook.Price

        {
            HasGoal = true
            Growing = grown - products
            Sampling = sampled outlook.Spread
            Plain = sampled outlook.PlainSpread
            Exact = within outlook.Price (float outlook.Columns)
        }

    /// Where what is left is spent in any case.
    let private toEnd (outlook: Outlook) left : Forecast =
        let products = float outlook.Products

        {
            HasGoal = false
            Growing = outlook.Error * Math.Pow(products / (products + left), outlook.Power)
            Sampling = outlook.Spread / sqrt left
            Plain = outlook.PlainSpread / sqrt left
            Exact = if float outlook.Columns <= left then 0.0 else infinity
        }

    /// What each way is expected to bring under a rule.
    let make (rule: StoppingRule) (outlook: Outlook) : Forecast =
        let products = float outlook.Products
        let left = float (Stopping.limit rule) - products

        match Stopping.error outlook.Value rule with
        | ValueSome(struct (allowed, confidence)) when allowed > 0.0 -> toGoal outlook left allowed confidence
        | _ ->
            let ofTime = products * (Stopping.seconds rule / outlook.Seconds - 1.0)
            toEnd outlook (max 1.0 (min left ofTime))

    /// What is expected of a way, in words.
    let describe (forecast: Forecast) (expected: float) =
        if Double.IsInfinity expected then "not to get there"
        elif forecast.HasGoal then $"to cost the work of {expected:F0} products more"
        else $"to end with an error of {expected:G2}"

/// An estimator that keeps vectors, and how to sample what it misses.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal Candidate<'T> =
    {
        Name: string
        /// What speaks for it at the beginning.
        Claim: string
        Incremental: Incremental<'T>
        /// The standard deviation of one sample of what the vectors so far have missed.
        Spread: unit -> float
        /// An operator, and a measurement of which each sample is an independent estimate of the whole.
        Outside: unit -> struct (LinearOperator * Measurement<'T>)
        /// The standard deviation of one sample of everything.
        PlainSpread: unit -> float
        /// The measurement of everything.
        Plain: Measurement<'T>
    }

/// Choosing between growing, sampling what was missed, and all columns, at the looks of a run.
[<Sealed>]
type internal Choice<'T>
    (
        options: RunOptions,
        memory: int64,
        key: Key,
        operator: LinearOperator,
        usesForms: bool,
        candidate: Candidate<Estimate<'T>>
    ) =
    let mutable method = candidate.Name
    let mutable reason = candidate.Claim
    let mutable looks: struct (int * float) list = []
    // It does not depend on the number of vectors: those of the first look are enough.
    let plainSpread = lazy (candidate.PlainSpread())

    let turn way products (forecast: Forecast) =
        let words = Forecast.describe forecast
        let forms = if usesForms then ", by quadratic forms at half the work," else ""

        reason <-
            $"{candidate.Claim}; after {products} products, {candidate.Name} was expected {words forecast.Growing}, sampling what it missed{forms} {words forecast.Sampling}, sampling everything {words forecast.Plain}, and all columns {words forecast.Exact}"

        method <- way

    /// Samples with what is left of the rule.
    let sample (struct (outside, measurement: Measurement<Estimate<'T>>)) (point: RunPoint) =
        let rest = Stopping.after point.Spent.Total point.Seconds point.Rule
        let estimator = Hutchinson.estimator Probe.Rademacher measurement
        let estimate: Estimate<'T> = Estimate.runWith options estimator rest key outside
        estimate.After(point.Spent, point.Seconds)

    let outlook (point: RunPoint) : Outlook =
        looks <- struct (point.Spent.Total, point.Summary.StandardError) :: looks

        {
            Columns = operator.Columns
            Price = if usesForms then Forecast.priceOfForm else 1.0
            Products = point.Spent.Total
            Seconds = point.Seconds
            Value = point.Summary.Value
            Error = point.Summary.StandardError
            Spread = candidate.Spread()
            PlainSpread = plainSpread.Value
            Power = Forecast.power looks
        }

    /// A spectrum may hide a fall behind a plateau, and growing can be left later, while the other ways cannot: so they are
    /// taken only when growing has cost a share of what they will.
    let patience = 0.25

    /// Three vectors of the operator's size for each product, as far as the next look, is the most that growing takes.
    static member Fits(memory: int64, operator: LinearOperator, products: int) =
        3L
        * int64 (Looks.growing.At(Looks.growing.Next products))
        * int64 operator.Columns
        * Storage.Bytes operator.DType
        <= memory

    member _.Method = method
    member _.Reason = reason

    /// At a look: whether another way ends the run better than going on.
    member _.Take(point: RunPoint) : Estimate<'T> voption =
        let products = point.Spent.Total
        let forecast = outlook point |> Forecast.make point.Rule
        let another = min forecast.Exact (min forecast.Sampling forecast.Plain)
        let isDue = not forecast.HasGoal || float products >= patience * another

        if Choice<'T>.Fits(memory, operator, products) && not (isDue && another < forecast.Growing) then
            ValueNone
        elif forecast.Exact <= another && Double.IsFinite forecast.Exact then
            turn "all columns" products forecast
            let exact = Exact.measureWith options candidate.Plain operator
            ValueSome(exact.After(point.Spent, point.Seconds))
        elif forecast.Plain <= forecast.Sampling then
            turn "Hutchinson's estimator" products forecast
            ValueSome(sample (struct (operator, candidate.Plain)) point)
        else
            turn $"Hutchinson's estimator outside a sketch by {candidate.Name}" products forecast
            ValueSome(sample (candidate.Outside()) point)

/// Estimates for those who do not want to choose.
[<RequireQualifiedAccess>]
module Automatic =

    /// Bytes that vectors which are kept may take, unless another number is given: 4 GiB.
    let memory = 1L <<< 32

    let private hutchinson options measurement stop key operator reason : ChosenEstimate<'T> =
        let estimate = Estimate.runWith options (Hutchinson.estimator Probe.rademacher measurement) stop key operator
        ChosenEstimate(estimate, "Hutchinson's estimator", reason)

    let private grow
        options
        memory
        stop
        (key: Key)
        (operator: LinearOperator)
        usesForms
        (candidate: Candidate<Estimate<'T>>)
        =
        let choice = Choice(options, memory, key, operator, usesForms, candidate)
        let alternative = Some { Plan = Looks.growing; Take = choice.Take }

        let estimator =
            Estimator.keepingVectors candidate.Name OperatorNeed.Square 2 candidate.Plain.Exact (fun _ _ ->
                candidate.Incremental)

        let estimate = Estimate.runBeside alternative options estimator stop key operator

        if
            estimate.IsExact
            && estimate.Matvecs + estimate.QuadraticForms >= operator.Columns
            && choice.Method = candidate.Name
        then
            ChosenEstimate(
                estimate,
                "all columns",
                $"there are only {operator.Columns}, and as many products are allowed"
            )
        else
            ChosenEstimate(estimate, choice.Method, choice.Reason)

    /// Grows a candidate, where memory and the rule allow.
    let private choose
        what
        (options: RunOptions)
        memory
        stop
        (key: Key)
        (operator: LinearOperator)
        measurement
        usesForms
        (candidate: LinearOperator -> Key -> Candidate<Estimate<'T>>)
        =
        OperatorParts.requireSquare what operator

        if memory < 0L then
            raise (ArgumentRangeException $"{what}: memory cannot be negative, and it is {memory}")

        if not (Choice<'T>.Fits(memory, operator, 0)) then
            let vectors = 3 * Looks.growing.At 0

            hutchinson
                options
                measurement
                stop
                key
                operator
                $"{vectors} vectors of {operator.Columns} elements are more than the {memory} bytes that may be kept"
        elif Stopping.limit stop < min 4 operator.Columns then
            hutchinson
                options
                measurement
                stop
                key
                operator
                $"{Stopping.limit stop} products are too few for anything else"
        else
            let keys = key.Split 2

            Checkpoint.keeping options operator (fun options operator ->
                grow options memory stop keys[1] operator usesForms (candidate operator keys[0]))

    let private semidefinite = "the operator claims to be semidefinite"
    let private other = "the operator does not claim to be semidefinite"

    /// `trace` with another number of bytes for vectors that are kept, and options for cancellation, progress and block size.
    let traceWith (options: RunOptions) memory stop key (operator: LinearOperator) : ChosenEstimate<float> =
        let candidate (operator: LinearOperator) key : Candidate<Estimate<float>> =
            if operator.IsPositiveSemidefinite then
                let growing = XNysTraceIncremental(operator, Probe.Sphere, key)

                {
                    Name = "XNysTrace"
                    Claim = semidefinite
                    Incremental = growing
                    Spread = fun () -> growing.Spread
                    Outside = growing.Outside
                    PlainSpread = fun () -> growing.PlainSpread
                    Plain = Measurement.trace
                }
            else
                let growing = XTraceIncremental(operator, RangeSketch("XTrace", operator, operator, Probe.Sphere, key))

                {
                    Name = "XTrace"
                    Claim = other
                    Incremental = growing
                    Spread = fun () -> growing.Spread
                    Outside = growing.Outside
                    PlainSpread = fun () -> growing.PlainSpread
                    Plain = Measurement.trace
                }

        let forms = operator.HasQuadraticForms
        choose "Automatic.trace" options memory stop key operator Measurement.trace forms candidate

    /// The trace of a square operator by the method that fits it, and why that was taken. It begins with XNysTrace where the operator
    /// claims to be semidefinite, and with XTrace elsewhere. At each look (after 16, 24, 32, 40, 48, 64 … products) it compares what going on is
    /// expected to cost, by how the error fell from look to look, with sampling what the vectors so far have missed, or everything (by quadratic
    /// forms, where the operator has them), and with taking all columns. Where the rule has no error to reach, it compares the
    /// errors at the end. A change loses nothing of what was spent, and pays for the looks before it. Hutchinson's estimator is taken where there is
    /// no memory to keep vectors (4 GiB).
    /// Raises OperatorException for an operator that is not square, or whose products contradict its claims, and NonFiniteException for
    /// products that are NaN or infinite.
    let trace stop key operator : ChosenEstimate<float> = traceWith RunOptions.Default memory stop key operator

    /// `diagonal` with another number of bytes for vectors that are kept, and options for cancellation, progress and block size.
    let diagonalWith (options: RunOptions) memory stop key (operator: LinearOperator) : ChosenEstimate<Tensor> =
        let candidate (operator: LinearOperator) key : Candidate<Estimate<Tensor>> =
            let goal = DiagonalGoal.entries operator

            if operator.IsPositiveSemidefinite then
                let growing = XNysDiagIncremental(goal, operator, Probe.Rademacher, key)

                {
                    Name = "XNysDiag"
                    Claim = semidefinite
                    Incremental = growing
                    Spread = fun () -> growing.Spread
                    Outside = growing.Outside
                    PlainSpread = fun () -> growing.PlainSpread
                    Plain = Measurement.diagonal
                }
            else
                let sketch = RangeSketch("XDiag", operator, operator.Transposed, Probe.Rademacher, key)
                let growing = XDiagIncremental(goal, operator, sketch)

                {
                    Name = "XDiag"
                    Claim = other
                    Incremental = growing
                    Spread = fun () -> growing.Spread
                    Outside = growing.Outside
                    PlainSpread = fun () -> growing.PlainSpread
                    Plain = Measurement.diagonal
                }

        if operator.IsSquare && (LinearOperator.AdjointOf operator.Definition).IsNone then
            hutchinson options Measurement.diagonal stop key operator "the products of the transpose are not known"
        else
            choose "Automatic.diagonal" options memory stop key operator Measurement.diagonal false candidate

    /// The diagonal of a square operator, Float64 [n], by the method that fits it, and why that was taken: as `trace`, between XNysDiag or XDiag,
    /// sampling with signs what these have missed, and all columns. Hutchinson's estimator is taken where there is no memory to keep vectors (4 GiB), or
    /// the transpose is not known. A rule on errors looks at the norms of values and standard errors.
    /// Raises OperatorException for an operator that is not square, or whose products contradict its claims, and NonFiniteException for
    /// products that are NaN or infinite.
    let diagonal stop key operator : ChosenEstimate<Tensor> = diagonalWith RunOptions.Default memory stop key operator
