namespace Curvature.FSharp

open System
open Curvature

/// The one loop: draw and multiply until the next interim analysis, ask the rule, forecast, and take all columns
/// where that is cheaper.
[<Sealed>]
type internal SequentialRun<'T>
    (options: RunOptions, definition: EstimatorDefinition<'T>, stop: StoppingRule, key: Key, operator: LinearOperator) =
    let n = operator.Columns
    let rule = Stopping.bounded stop
    let size = options.BlockSizeFor operator
    let incremental = definition.Start rule key operator
    let isIndependent () = not definition.KeepsVectors || incremental.IsIndependent
    let mutable hasBegunAnew = false
    let pass = BasisPass(operator, definition.Exact |> Option.exists _.NeedsProduct)
    let analyses = InterimAnalyses(rule, isIndependent)

    let kept =
        let withAnalyses (run: SavedRun) = { run with Parts = [ analyses :> ISavable; pass ] @ run.Parts }
        KeptRun(options, size, incremental.Saved |> ValueOption.map withAnalyses, operator)

    let reporter = ProgressReporter options
    let mutable newest: Summary voption = ValueNone
    let mutable before: float[] = [||]

    let spent () = incremental.Spent.Total
    let independent () = if spent () = 0 then 0 else incremental.Samples

    let watched () =
        incremental.Summaries
        |> Array.choose (fun struct (summary, isWatched) -> if isWatched then Some summary else None)

    /// Of the first quantity that is watched, or of the first.
    let first (summaries: struct (Summary * bool)[]) =
        summaries
        |> Array.tryFind (fun struct (_, isWatched) -> isWatched)
        |> Option.orElse (Array.tryHead summaries)
        |> Option.map (fun struct (summary, _) -> summary)

    let width (final: Summary) : IntervalWidth =
        if Stopping.comparesMeans rule && analyses.History.IsEmpty then
            { IntervalWidth.ofAnalyses [ final ] final with IsSequential = false }
        else
            IntervalWidth.ofAnalyses analyses.History final

    // ---- forecasts

    let expected () =
        let byRule = analyses.Expected(spent (), incremental.CostOfVector, independent (), kept.Seconds)

        if Double.IsNaN incremental.Expected then
            byRule
        else
            min byRule incremental.Expected

    /// The forecast for reports. Before the first analysis it is the number of products that the rule allows, if
    /// there is one.
    let told () =
        let limit = Stopping.limit stop
        let isBlind = analyses.HasTargets && analyses.History.IsEmpty
        let number = if isBlind && limit < Int32.MaxValue then float limit else expected ()

        if isBlind && limit = Int32.MaxValue || Double.IsInfinity number then
            nan
        else
            max number (float (spent () + 1))

    /// A quadratic form is half the work of a product.
    let work (cost: Cost) = float cost.Products + 0.5 * float cost.Forms

    /// A spectrum may hide a fall of the error behind a plateau. So a run with an estimator that keeps vectors turns
    /// to all columns only when it has cost this share of them.
    let patience = 0.25

    /// Whether all columns take no more work than random vectors are expected to take from now on, and the rule
    /// allows so many.
    let isExactCheaper () =
        match definition.Exact with
        | Some exact ->
            let isWanted = analyses.HasTargets || definition.KeepsVectors
            let isTimed = Double.IsFinite(Stopping.seconds rule)
            let isAllowed = Stopping.limit rule - spent () >= n && (spent () > 0 || not isTimed)
            let price = if incremental.TakesForms then 0.5 else 1.0
            let ofColumns = work (BasisPass.CostOf(operator, exact.NeedsProduct, n))

            let mayFallFaster = definition.KeepsVectors && incremental.MayFallFaster
            let isDue = not mayFallFaster || spent () = 0 || work incremental.Spent >= patience * ofColumns
            let isSmall = spent () = 0 && n <= definition.FirstStage
            let isCheap = isSmall || (expected () - float (spent ())) * price >= ofColumns
            isWanted && isAllowed && isDue && isCheap
        | None -> false

    // ---- reports and results

    let report isLast =
        reporter.Report(
            isLast,
            fun () ->
                let isCheap = isIndependent () && spent () > 0
                let summary = if isCheap then first incremental.Summaries else None
                let products = spent () + pass.Taken
                let expected = if isLast then float products else told ()

                let tell value error width =
                    SamplingProgress(products, value, error, kept.Seconds, RunForecast.OfSamples expected, width)

                match Option.orElse (ValueOption.toOption newest) summary with
                | Some summary -> tell summary.Value summary.StandardError (width summary)
                | None -> tell nan infinity (IntervalWidth.ofSamples products)
        )

    let ledger samples reason width =
        let question = if incremental.TakesForms then { Cost.none with Forms = 1 } else Cost.products 1
        let cost = Cost.sum [ incremental.Spent; pass.Spent; yield! List.replicate kept.Questions question ]
        (Ledgers.ofSamples samples cost kept.Seconds reason).WithIntervals width

    let finish reason : 'T =
        // An analysis may show that everything is known.
        let summaries = if incremental.IsExact then [||] else incremental.Summaries
        newest <- first summaries |> ValueOption.ofOption
        report true
        kept.Save(spent (), true)

        if incremental.IsExact then
            incremental.Finish(ledger n StopReason.Exact (IntervalWidth.ofSamples n))
        else
            let width =
                match newest with
                // Each entry of a vector has an interval for itself.
                | ValueSome final -> width { final with Dimension = 1.0 }
                | ValueNone -> IntervalWidth.ofSamples incremental.Samples

            incremental.Finish(ledger incremental.Samples reason width)

    /// Takes all columns, and what was found until then where the time ends or the run is cancelled before.
    let takeAllColumns (exact: ExactResult<'T>) : 'T =
        let forecast = if analyses.History.IsEmpty then nan else expected ()

        try
            while not pass.IsComplete && kept.Seconds < Stopping.seconds rule do
                options.Cancellation.ThrowIfCancellationRequested()
                pass.Advance size
                report false
                kept.Save(spent (), false)

            if pass.IsComplete then
                newest <- ValueNone
                report true
                kept.Save(spent (), true)
                let ledger = ledger n StopReason.Exact (IntervalWidth.ofSamples n)
                exact.Finish pass (ledger.WithForecast forecast)
            else
                finish StopReason.TimeSpent
        with :? OperationCanceledException ->
            kept.Save(spent (), true)
            if spent () = 0 then reraise () else finish StopReason.Cancelled

    // ---- the loop

    /// Why to stop after so many products, which may be an interim analysis.
    let reason products isAnalysis =
        Stopping.reason
            (isIndependent ())
            rule
            {
                Products = products
                Seconds = kept.Seconds
                IsReached = fun target -> isAnalysis && analyses.IsReached target
                Values = lazy (watched () |> Array.map _.Value)
                Before = before
            }

    let analyse () =
        newest <- first incremental.Summaries |> ValueOption.ofOption
        if analyses.HasTargets then analyses.Record(watched ())

    /// Whether samples have just taken the place of vectors: their analyses begin anew.
    let isNewBeginning () =
        let isNew = incremental.HasBegunAnew && not hasBegunAnew

        if isNew then
            hasBegunAnew <- true
            analyses.Restart()

        isNew

    let rec next () : 'T =
        let analysis = analyses.NextCheck(spent (), incremental.CostOfVector, independent ())
        let ofMeans = if Stopping.comparesMeans rule then spent () + 1 else Int32.MaxValue
        let check = int (min (min analysis (float ofMeans)) (float Int32.MaxValue))

        if Stopping.comparesMeans rule && spent () > 0 then
            before <- watched () |> Array.map _.Value

        incremental.Advance(max 1 (min size ((check - spent ()) / incremental.CostOfVector)))

        // What is left before the check may be too little for one more vector.
        let isCheck = check - spent () < incremental.CostOfVector
        let isNew = isNewBeginning ()
        let isAnalysis = isCheck && float check >= analysis && not isNew
        if isAnalysis then analyse ()

        if incremental.IsExact then
            finish StopReason.Exact
        elif incremental.IsDone then
            finish StopReason.ErrorReached
        else
            report false

            match reason (if isCheck then check else spent ()) isAnalysis with
            | ValueSome reason -> finish reason
            | ValueNone when options.Cancellation.IsCancellationRequested -> finish StopReason.Cancelled
            | ValueNone ->
                kept.Save(spent (), false)

                proceed (isAnalysis || not (Double.IsNaN incremental.Expected))

    /// Goes on with random vectors, or with all columns where something new says that they are cheaper.
    and proceed isNew : 'T =
        if isNew && isExactCheaper () then
            takeAllColumns definition.Exact.Value
        else
            next ()

    /// Grows until the rule, or the caller, says stop.
    member _.Run() : 'T =
        if incremental.IsExact then
            finish StopReason.Exact
        else
            report false
            options.Cancellation.ThrowIfCancellationRequested()
            let isAnalysis = kept.IsResumed && analyses.IsNewest(independent ())

            match if spent () > 0 then reason (spent ()) isAnalysis else ValueNone with
            | ValueSome reason -> finish reason
            | ValueNone when pass.Taken > 0 -> takeAllColumns definition.Exact.Value
            | ValueNone -> proceed true
