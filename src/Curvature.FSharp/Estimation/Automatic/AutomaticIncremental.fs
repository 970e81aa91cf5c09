namespace Curvature.FSharp

open Curvature

/// Extends a sketch, and goes over to samples at an interim analysis where these are expected to be better.
[<Sealed>]
type internal AutomaticIncremental<'T>
    (candidates: Candidates<Estimate<'T>>, rule: StoppingRule, key: Key, operator: LinearOperator) =
    inherit Incremental<ChosenEstimate<'T>>()
    let keys = key.Split 2
    let limit = Stopping.limit rule
    let hasTarget = Stopping.hasTarget rule
    let usesForms = not candidates.Measurement.NeedsProduct && operator.HasQuadraticForms
    let schedule = AnalysisSchedule.ofSketch
    let hutchinson = "Hutchinson's estimator"
    let sampling measurement a = MeanOfSamples(candidates.Probe, measurement, keys[1], a)

    /// Samples of everything, beginning with the vectors of the sketch.
    let plain (sketch: SketchIncremental<Estimate<'T>>) =
        let samples = sampling candidates.Measurement operator
        sketch.AsSamples |> Seq.iter samples.Adopt
        samples

    /// Three vectors of the operator's size for each product, until the next analysis, is the most that a sketch takes.
    let fits products =
        let vectors = 3L * int64 (schedule.At(schedule.Next products))
        vectors * int64 operator.Columns * Storage.Bytes operator.DType <= candidates.Memory

    let struct (candidate, claim) = Candidates.fitting candidates operator

    let sketch: SketchIncremental<Estimate<'T>> voption =
        match candidate with
        | ValueSome candidate when fits 0 && limit >= min 4 operator.Columns ->
            ValueSome(candidate.Begin keys[0] operator)
        | _ -> ValueNone

    let sketchName = candidate |> ValueOption.map _.Name |> ValueOption.defaultValue hutchinson

    let mutable samples: Incremental<Estimate<'T>> voption =
        if sketch.IsSome then
            ValueNone
        else
            ValueSome(sampling candidates.Measurement operator)

    let mutable method, reason =
        if sketch.IsSome then
            sketchName, claim
        elif candidate.IsNone then
            hutchinson, claim
        elif not (fits 0) then
            hutchinson,
            $"{3 * schedule.At 0} vectors of {operator.Columns} elements are more than "
            + $"the {candidates.Memory} bytes that may be kept"
        else
            hutchinson, $"{limit} products are too few for anything else"

    let mutable history: Summary list = []

    let isSingle =
        match sketch with
        | ValueSome sketch -> sketch.CostOfVector = 1
        | ValueNone -> true

    let summaryOf (incremental: Incremental<Estimate<'T>>) : Summary =
        let struct (summary, _) = incremental.Summaries[0]
        summary

    let errorOf incremental = (summaryOf incremental).StandardError

    /// The sketch, or its vectors as samples of everything, whichever has the smaller error, and whether it is the
    /// samples.
    let better (sketch: SketchIncremental<Estimate<'T>>) : struct (Incremental<Estimate<'T>> * bool) =
        let plain = plain sketch

        if sketch.IsExact || plain.Samples < 3 || not (errorOf plain < errorOf sketch) then
            struct (sketch, false)
        else
            struct (plain, true)

    // Until more vectors come.
    let mutable compared: struct (Incremental<Estimate<'T>> * bool) voption = ValueNone

    let ofSketch sketch =
        let found = compared |> ValueOption.defaultWith (fun () -> better sketch)
        compared <- ValueSome found
        found

    let current () : Incremental<Estimate<'T>> =
        match samples, sketch with
        | ValueSome samples, _ when sketch.IsNone || samples.Samples > 0 -> samples
        | _, ValueSome sketch ->
            let struct (incremental, _) = ofSketch sketch
            incremental
        | _, ValueNone -> invalidOp "there is a sketch or there are samples"

    let outlook (sketch: SketchIncremental<Estimate<'T>>) : SketchOutlook =
        {
            Columns = operator.Columns
            Spent = sketch.Spent.Total
            CostOfVector = sketch.CostOfVector
            Price = if usesForms then WaysAhead.priceOfForm else 1.0
            History = history
            Spread = sketch.SpreadOutside
            PlainSpread = sketch.SpreadOfSamples
            Rank = sketch.Rank
            Plain = plain sketch |> summaryOf |> ValueSome |> ValueOption.filter (fun plain -> plain.Independent > 2)
        }

    let explain (outlook: SketchOutlook) (ways: WaysAhead) =
        let forms = if usesForms then ", by quadratic forms at half the work," else ""
        let words = WaysAhead.describe

        if hasTarget then
            let more = $"{sketchName} was expected {words ways.Sketch}"
            let outside = $"sampling what it missed{forms} {words ways.Outside}"
            let others = $"sampling everything {words ways.Plain}, and all columns {words ways.Columns}"
            $"{claim}; after {outlook.Spent} products, {more}, {outside}, {others}"
        else
            let found = $"the operator seems to have more large eigenvalues than {limit} products can find"
            $"{claim}; after {outlook.Spent} products, {found}"

    let leave (sketch: SketchIncremental<Estimate<'T>>) (outlook: SketchOutlook) ways =
        reason <- explain outlook ways

        let isPlain =
            if hasTarget then
                ways.Plain <= ways.Outside
            else
                outlook.PlainSpread <= outlook.Spread

        if isPlain then
            method <- hutchinson
            samples <- ValueSome(plain sketch)
        else
            let struct (outside, measurement) = sketch.Outside()
            method <- $"{hutchinson} outside a sketch by {sketchName}"
            samples <- ValueSome(sampling measurement outside)

    let choose (sketch: SketchIncremental<Estimate<'T>>) =
        let outlook = outlook sketch
        let ways = WaysAhead.forecast rule outlook

        let isBetter =
            if hasTarget then
                WaysAhead.isLeft outlook ways
            else
                WaysAhead.isFlat limit outlook

        if isBetter || not (fits outlook.Spent) then leave sketch outlook ways

    /// At an interim analysis: leaves the sketch where samples are better, or memory ends.
    let consider (sketch: SketchIncremental<Estimate<'T>>) =
        let spent = sketch.Spent.Total
        let isOpen = hasTarget || sketch.CostOfVector > 1 && spent < limit / 2

        if isOpen || not (fits spent) then
            // The analysis may show that the sketch is exact.
            history <- history @ [ summaryOf sketch ]
            if not sketch.IsExact then choose sketch

    /// A number of products, or vectors that cost two, are analysed twice before the first analysis of the schedule.
    let nextAnalysis spent =
        [ 8; 12 ]
        |> List.tryFind (fun early -> early > spent && not (hasTarget && isSingle))
        |> Option.defaultWith (fun () -> schedule.At(schedule.Next spent))

    let spent () =
        let ofSketch = sketch |> ValueOption.map _.Spent

        [ ofSketch; samples |> ValueOption.map _.Spent ] |> List.collect ValueOption.toList |> Cost.sum

    override _.CostOfVector = if samples.IsSome then 1 else current().CostOfVector
    override _.Spent = spent ()
    override _.TakesForms = samples |> ValueOption.exists _.TakesForms
    override _.MayFallFaster = samples.IsNone

    // Of a sketch, without asking whether its samples are better, which takes work.
    override _.Samples =
        match samples, compared, sketch with
        | ValueNone, ValueNone, ValueSome sketch -> sketch.Samples
        | _ -> current().Samples

    override _.IsExact =
        match samples, sketch with
        | ValueNone, ValueSome sketch -> sketch.IsExact
        | _ -> current().IsExact

    override _.HasBegunAnew = sketch.IsSome && samples |> ValueOption.exists (fun samples -> samples.Samples > 0)

    override _.IsIndependent =
        match samples, compared with
        | ValueSome samples, _ -> sketch.IsNone || samples.Samples > 0
        // The plan of samples has long steps, which double where each vector costs two products.
        | ValueNone, ValueSome(struct (_, isPlain)) -> isPlain && isSingle
        | ValueNone, ValueNone -> false

    override _.Advance count =
        match samples, sketch with
        | ValueSome samples, _ -> samples.Advance count
        | ValueNone, ValueSome sketch ->
            let analysis, cost = nextAnalysis sketch.Spent.Total, sketch.CostOfVector
            compared <- ValueNone
            sketch.Advance(max 1 (min count ((analysis - sketch.Spent.Total) / cost)))

            if sketch.Spent.Total + cost > analysis && not sketch.IsExact then
                consider sketch
        | ValueNone, ValueNone -> ()

    override _.Summaries = current().Summaries

    override _.Finish ledger =
        let method, reason =
            match samples, compared with
            | ValueNone, ValueSome(struct (_, true)) ->
                hutchinson, $"{reason}; the vectors of {method} say more as samples of everything"
            | _ -> method, reason

        ChosenEstimate(current().Finish ledger, method, reason)
