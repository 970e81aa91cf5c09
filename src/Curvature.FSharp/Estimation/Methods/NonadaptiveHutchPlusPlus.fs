namespace Curvature.FSharp

open Curvature

/// Random vectors up to a number, and their products as far as they were taken.
[<NoEquality; NoComparison>]
type private MultipliedVectors = { Name: string; Key: Key; Target: int; Vectors: Panels; Products: Panels }

/// What NA-Hutch++ knows of an operator so far.
[<Sealed>]
type internal NonadaptiveIncremental(operator: LinearOperator, keys: Key[], limit: int) =
    inherit Incremental<Estimate<float>>()
    let n = operator.Columns

    /// Random vectors and their products: S, and then R.
    let part name key target =
        {
            Name = name
            Key = key
            Target = target
            Vectors = Panels n
            Products = Panels n
        }

    let s, r = part "S" keys[0] (limit / 6), part "R" keys[1] (limit / 3)
    let kept () = s.Vectors.Count + r.Vectors.Count
    let unfinished () = [ s; r ] |> List.tryFind (fun part -> part.Vectors.Count < part.Target)
    let mutable samples: Incremental<Estimate<float>> voption = ValueNone

    let outside () : Incremental<Estimate<float>> =
        let approximation = TwoSidedSketch.approximate (s.Vectors, s.Products) (r.Vectors, r.Products) operator
        let inner = approximation.M * Rows.productsOf approximation.W approximation.Z
        let rounding = Rounding.ofProduct operator.DType (inner.Diagonal().L1Norm())
        MeanOfSamples(Probe.Rademacher, TwoSidedSketch.missed approximation (inner.Trace()) rounding, keys[2], operator)

    /// Hutchinson's estimate from the vectors of the approximation, where nothing was sampled.
    let inside () =
        let forms = FormMoments()

        for part in [ s; r ] do
            for z, y in Seq.zip part.Vectors.Blocks part.Products.Blocks do
                forms.Add(z, (Products.rowDots z y).ToArray())

        forms

    let multiply part count =
        let first = part.Vectors.Count
        let place = first, min count (part.Target - first)
        let block = Probe.drawOn operator.Device Probe.Sphere part.Key n place operator.DType
        part.Vectors.Add block
        part.Products.Add(operator.Multiply(block, (fun row -> $"{part.Name} vector {first + row} of NA-Hutch++")))

    let sampled () = samples |> ValueOption.filter (fun samples -> samples.Samples > 0)

    override _.Spent =
        Cost.sum [ Cost.products (kept ()); yield! samples |> ValueOption.map _.Spent |> ValueOption.toList ]

    override _.TakesForms = samples |> ValueOption.exists _.TakesForms
    override _.IsExact = false
    override _.Samples = sampled () |> ValueOption.map _.Samples |> ValueOption.defaultWith kept

    override _.Advance count =
        match unfinished (), samples with
        | Some part, _ -> multiply part count
        | None, ValueSome samples -> samples.Advance count
        | None, ValueNone ->
            samples <- ValueSome(outside ())
            samples.Value.Advance count

    override _.Summaries =
        match sampled () with
        | ValueSome samples -> samples.Summaries
        | ValueNone -> [| struct (Summaries.ofForms (inside ()), true) |]

    override _.Finish ledger =
        match sampled () with
        | ValueSome samples -> samples.Finish ledger
        | ValueNone ->
            let forms = inside ()
            Estimates.sampled forms.Law forms.Mean forms.StandardError ledger

/// NA-Hutch++ (Meyer, Musco, Musco & Woodruff 2021, algorithm 2): Hutch++ without a product that depends on another
/// one, so that all can run at once. It needs more products than Hutch++ for the same error.
[<RequireQualifiedAccess>]
module NonadaptiveHutchPlusPlus =

    /// NA-Hutch++, with vectors of the sphere in the approximation and signs outside it.
    let estimator: Estimator<Estimate<float>> =
        Procedure.Division(fun limit key operator -> NonadaptiveIncremental(operator, key.Split 3, limit))
        |> Estimator.make "NA-Hutch++" OperatorNeed.Symmetric 6 Measurement.trace.Exact

    /// The trace of a symmetric operator from as many products as the rule allows: ⌊m/6⌋ and ⌊m/3⌋ for the
    /// approximation, the rest (or as many quadratic forms) for what it misses. Unbiased; given the approximation,
    /// the forms are independent, so that Student's interval holds. As many products as there are columns give an
    /// exact result.
    /// Raises OperatorException for an operator that does not claim to be symmetric, or whose products are not, and
    /// ArgumentRangeException for a rule that allows fewer than 6 products, or any number. Cancelled before the
    /// approximation is complete, it returns Hutchinson's estimate from its vectors; before the first product it
    /// raises OperationCanceledException.
    let estimate stop key (operator: LinearOperator) : Estimate<float> = Estimate.run estimator stop key operator
