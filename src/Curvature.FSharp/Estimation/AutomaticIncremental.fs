namespace Curvature.FSharp

open System
open Curvature

/// An estimator that keeps vectors, begun, and how to sample what these miss.
[<NoEquality; NoComparison>]
type internal BegunSketch<'T> =
    {
        Incremental: Incremental<'T>
        /// The standard deviation of one sample of what the vectors so far have missed.
        Spread: unit -> float
        /// The standard deviation of one sample of everything.
        PlainSpread: unit -> float
        /// An operator, and a measurement of which each sample is an independent estimate of the whole.
        Outside: unit -> struct (LinearOperator * Measurement<'T>)
        /// The vectors so far, as samples of everything; none where they are not kept as such.
        Samples: unit -> SampleBlock seq
        /// A number that the rank is not below, as far as the vectors show.
        Rank: unit -> float
    }

/// An estimator that keeps vectors, for operators of some kind.
[<NoEquality; NoComparison>]
type internal SketchCandidate<'T> =
    {
        Name: string
        /// What speaks for it.
        Claim: string
        Fits: LinearOperator -> bool
        Begin: Key -> LinearOperator -> BegunSketch<'T>
    }

/// What is estimated, and by which methods: the first that fits an operator.
[<NoEquality; NoComparison>]
type internal AutomaticGoal<'T> =
    {
        Name: string
        Candidates: SketchCandidate<'T> list
        /// Why none of them may fit.
        WithoutCandidate: string
        /// The measurement of everything.
        Plain: Measurement<'T>
    }

/// Extends a sketch, and goes over to samples at a look where these are expected to be better.
[<Sealed>]
type internal AutomaticIncremental<'T>
    (goal: AutomaticGoal<Estimate<'T>>, memory: int64, rule: StoppingRule, key: Key, operator: LinearOperator) =
    inherit Incremental<ChosenEstimate<'T>>()
    let keys = key.Split 2
    let limit = Stopping.limit rule
    let hasTarget = Stopping.hasTarget rule
    let usesForms = not goal.Plain.NeedsProduct && operator.HasQuadraticForms
    let plan = Looks.growing
    let hutchinson = "Hutchinson's estimator"
    let sampling measurement a = MeanOfSamples(Probe.Rademacher, measurement, keys[1], a)

    /// Samples of everything, with those that a sketch is made of.
    let plain (begun: BegunSketch<Estimate<'T>>) =
        let samples = sampling goal.Plain operator
        begun.Samples() |> Seq.iter samples.Adopt
        samples

    /// Three vectors of the operator's size for each product, until the next look, is the most that a sketch takes.
    let fits products =
        let vectors = 3L * int64 (plan.At(plan.Next products))
        vectors * int64 operator.Columns * Storage.Bytes operator.DType <= memory

    let candidate = goal.Candidates |> List.tryFind (fun candidate -> candidate.Fits operator)

    let sketch =
        match candidate with
        | Some candidate when fits 0 && limit >= min 4 operator.Columns ->
            ValueSome(struct (candidate, candidate.Begin keys[0] operator))
        | _ -> ValueNone

    let mutable samples: Incremental<Estimate<'T>> voption =
        if sketch.IsSome then ValueNone else ValueSome(sampling goal.Plain operator)

    let mutable method, reason =
        match sketch, candidate with
        | ValueSome(struct (candidate, _)), _ -> candidate.Name, candidate.Claim
        | ValueNone, None -> hutchinson, goal.WithoutCandidate
        | ValueNone, Some _ when not (fits 0) ->
            hutchinson,
            $"{3 * plan.At 0} vectors of {operator.Columns} elements are more than the {memory} bytes that may be kept"
        | ValueNone, Some _ -> hutchinson, $"{limit} products are too few for anything else"

    let mutable history: Summary list = []

    let isSingle =
        match sketch with
        | ValueSome(struct (_, begun)) -> begun.Incremental.CostOfVector = 1
        | ValueNone -> true

    let summaryOf (incremental: Incremental<Estimate<'T>>) : Summary =
        let struct (summary, _) = incremental.Summaries[0]
        summary

    let errorOf incremental = (summaryOf incremental).StandardError

    /// Of a sketch, and of its vectors as samples of everything, the one of the smaller error.
    let better (begun: BegunSketch<Estimate<'T>>) : struct (Incremental<Estimate<'T>> * bool) =
        let plain = plain begun

        if begun.Incremental.IsExact || plain.Samples < 3 || not (errorOf plain < errorOf begun.Incremental) then
            struct (begun.Incremental, false)
        else
            struct (plain, true)

    // Until more vectors come.
    let mutable compared: struct (Incremental<Estimate<'T>> * bool) voption = ValueNone

    let ofSketch begun =
        let found = compared |> ValueOption.defaultWith (fun () -> better begun)
        compared <- ValueSome found
        found

    let current () : Incremental<Estimate<'T>> =
        match samples, sketch with
        | ValueSome samples, _ when sketch.IsNone || samples.Samples > 0 -> samples
        | _, ValueSome(struct (_, begun)) ->
            let struct (incremental, _) = ofSketch begun
            incremental
        | _, ValueNone -> invalidOp "there is a sketch or there are samples"

    let outlook (begun: BegunSketch<Estimate<'T>>) : SketchOutlook =
        {
            Columns = operator.Columns
            Spent = begun.Incremental.Spent.Total
            CostOfVector = begun.Incremental.CostOfVector
            Price = if usesForms then WaysAhead.priceOfForm else 1.0
            History = history
            Spread = begun.Spread()
            PlainSpread = begun.PlainSpread()
            Rank = begun.Rank()
            Plain = plain begun |> summaryOf |> ValueSome |> ValueOption.filter (fun plain -> plain.Independent > 2)
        }

    let explain (candidate: SketchCandidate<_>) (outlook: SketchOutlook) (ways: WaysAhead) =
        let forms = if usesForms then ", by quadratic forms at half the work," else ""
        let words = WaysAhead.describe

        if hasTarget then
            let more = $"{candidate.Name} was expected {words ways.Growing}"
            let outside = $"sampling what it missed{forms} {words ways.Outside}"
            let others = $"sampling everything {words ways.Plain}, and all columns {words ways.Columns}"
            $"{candidate.Claim}; after {outlook.Spent} products, {more}, {outside}, {others}"
        else
            let found = $"the operator seems to have more large eigenvalues than {limit} products can find"
            $"{candidate.Claim}; after {outlook.Spent} products, {found}"

    let leave (candidate: SketchCandidate<_>) (begun: BegunSketch<Estimate<'T>>) (outlook: SketchOutlook) ways =
        reason <- explain candidate outlook ways

        let isPlain =
            if hasTarget then
                ways.Plain <= ways.Outside
            else
                outlook.PlainSpread <= outlook.Spread

        if isPlain then
            method <- hutchinson
            samples <- ValueSome(plain begun)
        else
            let struct (outside, measurement) = begun.Outside()
            method <- $"{hutchinson} outside a sketch by {candidate.Name}"
            samples <- ValueSome(sampling measurement outside)

    let choose candidate begun =
        let outlook = outlook begun
        let ways = WaysAhead.forecast rule outlook

        let isBetter =
            if hasTarget then
                WaysAhead.isLeft outlook ways
            else
                WaysAhead.isFlat limit outlook

        if isBetter || not (fits outlook.Spent) then leave candidate begun outlook ways

    /// At a look: leaves the sketch where samples are better, or memory ends.
    let consider (candidate: SketchCandidate<_>) (begun: BegunSketch<Estimate<'T>>) =
        let spent = begun.Incremental.Spent.Total
        let isOpen = hasTarget || begun.Incremental.CostOfVector > 1 && spent < limit / 2

        if isOpen || not (fits spent) then
            // It may show that the sketch is all that is needed.
            history <- history @ [ summaryOf begun.Incremental ]

            if not begun.Incremental.IsExact then choose candidate begun

    /// A number of products, or vectors that cost two, are looked at twice before the first look of the plan.
    let nextLook spent =
        let early = [ 8; 12 ] |> List.filter (fun look -> look > spent && not (hasTarget && isSingle))
        early |> List.tryHead |> Option.defaultWith (fun () -> plan.At(plan.Next spent))

    let spent () =
        let ofSketch = sketch |> ValueOption.map (fun struct (_, begun) -> begun.Incremental.Spent)

        [ ofSketch; samples |> ValueOption.map _.Spent ] |> List.collect ValueOption.toList |> Cost.sum

    override _.CostOfVector = if samples.IsSome then 1 else current().CostOfVector
    override _.Spent = spent ()
    override _.TakesForms = samples |> ValueOption.exists _.TakesForms
    override _.MayFallFaster = samples.IsNone

    // Of a sketch, without a look at what is better, which takes work.
    override _.Samples =
        match samples, compared, sketch with
        | ValueNone, ValueNone, ValueSome(struct (_, begun)) -> begun.Incremental.Samples
        | _ -> current().Samples


    override _.IsExact =
        match samples, sketch with
        | ValueNone, ValueSome(struct (_, begun)) -> begun.Incremental.IsExact
        | _ -> current().IsExact

    override _.HasBegunAnew = sketch.IsSome && samples |> ValueOption.exists (fun samples -> samples.Samples > 0)

    override _.IsIndependent =
        match samples, compared with
        | ValueSome samples, _ -> sketch.IsNone || samples.Samples > 0
        // The plan of samples has long steps, which double where each vector costs two products.
        | ValueNone, ValueSome(struct (_, isPlain)) -> isPlain && isSingle
        | ValueNone, ValueNone -> false


    override this.Advance count =
        match samples, sketch with
        | ValueSome samples, _ -> samples.Advance count
        | ValueNone, ValueSome(struct (candidate, begun)) ->
            let spent, cost = begun.Incremental.Spent.Total, begun.Incremental.CostOfVector
            let look = nextLook spent
            compared <- ValueNone
            begun.Incremental.Advance(max 1 (min count ((look - spent) / cost)))

            if begun.Incremental.Spent.Total + cost > look && not begun.Incremental.IsExact then
                consider candidate begun
        | ValueNone, ValueNone -> ()

    override _.Summaries = current().Summaries

    override _.Finish ledger =
        let method, reason =
            match samples, compared with
            | ValueNone, ValueSome(struct (_, true)) ->
                hutchinson, $"{reason}; the vectors of {method} say more as samples of everything"
            | _ -> method, reason

        ChosenEstimate(current().Finish ledger, method, reason)

module internal AutomaticEstimator =

    /// Before so many products a run does not change its mind.
    let firstStage = Looks.growing.At 0

    /// What a result of all columns says of itself.
    let private ofColumns (estimate: Estimate<'T>) =
        let forecast = estimate.Ledger.Forecast

        let reason =
            if Double.IsFinite forecast then
                $"there are {estimate.Samples}, and other ways were expected to take about {forecast:N0} products"
            else
                $"there are only {estimate.Samples}, and as many products are allowed"

        ChosenEstimate(estimate, "all columns", reason)

    let make (goal: AutomaticGoal<Estimate<'T>>) (memory: int64) : Estimator<ChosenEstimate<'T>> =
        if memory < 0L then
            Fail.range $"{goal.Name}: memory cannot be negative, and it is {memory}"

        Estimator
            {
                Name = goal.Name
                Need = OperatorNeed.Square
                Least = 1
                FirstStage = firstStage
                KeepsVectors = true
                NeedsLimit = false
                Exact = goal.Plain.Exact |> Option.map (ExactResult.map ofColumns)
                Start = fun rule key operator -> AutomaticIncremental(goal, memory, rule, key, operator)
            }
