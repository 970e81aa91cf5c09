namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Eigenpairs at the ends of a spectrum by Lanczos with thick restarts (Wu & Simon 2000): when the basis is full, the
/// best Ritz vectors are kept and the space grows again from them.
[<RequireQualifiedAccess>]
module ThickRestartLanczos =

    /// The products and random vectors of a search.
    type private Budget(options: EigenOptions, operator: LinearOperator) =
        let mutable products, drawn = 0, 0
        member _.Products = products

        member _.IsSpent = products >= options.MaximumMatvecs || options.Cancellation.IsCancellationRequested

        member _.Multiply(v: Tensor) =
            products <- products + 1
            operator.Multiply(v, (fun _ -> $"the Lanczos vector of product {products}"))

        member _.Random() =
            drawn <- drawn + 1
            EigenOrder.randomVector options.Key (drawn - 1) operator

    let private fill (budget: Budget) (space: KrylovSpace) =
        while space.Size < space.Capacity && not space.IsWhole && not (budget.IsSpent && space.Size > 0) do
            if space.IsInvariant then space.Continue(budget.Random())
            space.Accept(budget.Multiply space.Next.Value)

    /// One search outside of the locked pairs, whose residuals add to those found here.
    let private search
        (options: EigenOptions)
        (wanted: SpectrumEnd)
        count
        (operator: LinearOperator)
        budget
        (locked: FoundPairs voption)
        =
        let n = operator.Columns

        let struct (available, lockedScale, lockedResidual) =
            match locked with
            | ValueSome found ->
                let largest = found.Values |> Array.fold (fun most value -> max most (abs value)) 0.0
                struct (n - found.Values.Length, largest, sqrt (found.Residuals |> Array.sumBy (fun r -> r * r)))
            | ValueNone -> struct (n, 0.0, 0.0)

        let isChosen = options.BasisSize <> EigenOptions.AutomaticBasisSize
        let basis = if isChosen then options.BasisSize else 2 * count + 10
        let capacity = min available (max basis (count + 2))
        let space = Krylov.outside (locked |> ValueOption.map _.Vectors) lockedScale capacity operator
        space.Start((budget: Budget).Random())
        let mutable result = ValueNone

        while result.IsNone do
            fill budget space
            let ritz = space.Ritz
            let order = EigenOrder.rank wanted ritz.Values
            let best = order[.. min count space.Size - 1]

            let withLocked (outside: float) = sqrt (outside * outside + lockedResidual * lockedResidual)
            // More steps do not lessen what products lack of symmetry.
            let reached i = withLocked (space.CouplingBound(ritz, i))
            let residual i = withLocked (space.ResidualBound(ritz, i))

            let isWithin (residual: int -> float) i =
                residual i <= EigenOrder.allowed options operator.DType space.Scale ritz.Values[i] + lockedResidual

            let converged = best |> Array.filter (isWithin reached) |> Array.length

            if converged = best.Length || space.IsWhole || budget.IsSpent then
                let c = Array2D.init best.Length space.Size (fun i j -> ritz.Vectors[j, best[i]])
                space.CheckSymmetry()

                result <-
                    ValueSome
                        {
                            Values = best |> Array.map (fun i -> ritz.Values[i])
                            Vectors = Vectors.combinations c space.Vectors
                            Residuals = best |> Array.map residual
                            IsGood = best |> Array.map (fun i -> space.IsWhole || isWithin residual i)
                        }
            else
                // Some room beyond the wanted ones speeds up the last of them (Wu & Simon 2000, section 5).
                let keep = min (count + min converged ((space.Size - count) / 2)) (space.Size - 1)
                space.Restart(ritz, order[.. keep - 1])

        result.Value

    let private join wanted count (a: FoundPairs) (b: FoundPairs) =
        let values = Array.append a.Values b.Values
        let order = EigenOrder.rank wanted values
        let order = order[.. min count order.Length - 1]
        let pick (x: 'T[]) (y: 'T[]) = let both = Array.append x y in order |> Array.map (fun i -> both[i])
        let rows = Tensor.concat 0 [ a.Vectors; b.Vectors ]

        {
            Values = pick a.Values b.Values
            Vectors = Tensor.take 0 (Tensor.ofIndices [ order.Length ] order |> Tensor.toDevice rows.Device) rows
            Residuals = pick a.Residuals b.Residuals
            IsGood = pick a.IsGood b.IsGood
        }

    /// Searches outside of all pairs that were found, until nothing found there belongs among the wanted.
    let private complete
        (options: EigenOptions)
        wanted
        count
        (operator: LinearOperator)
        (budget: Budget)
        (found: FoundPairs)
        =
        let mutable wantedSoFar, all, goOn = found, found, true
        // At both ends, one further pair is looked for at each.
        let extra = if wanted = SpectrumEnd.BothEnds then 2 else 1

        while goOn && all.Values.Length < operator.Columns && not budget.IsSpent do
            let extra = min extra (operator.Columns - all.Values.Length)
            let more = search options wanted extra operator budget (ValueSome all)
            let next = join wanted count wantedSoFar more
            goOn <- next.Values <> wantedSoFar.Values
            wantedSoFar <- next
            all <- join wanted Int32.MaxValue all more

        // A search that was cut short may have missed some.
        if goOn && budget.IsSpent then
            { wantedSoFar with IsGood = wantedSoFar.IsGood |> Array.map (fun _ -> false) }
        else
            wantedSoFar

    /// `count` eigenpairs at an end of the spectrum of a symmetric operator, with options for tolerance, limits and
    /// multiplicities; see `find`.
    let findWith (options: EigenOptions) (wanted: SpectrumEnd) (count: int) (operator: LinearOperator) : EigenPairs =
        EigenOrder.checkCount "ThickRestartLanczos" count operator
        options.Cancellation.ThrowIfCancellationRequested()
        let watch, budget = Stopwatch.StartNew(), Budget(options, operator)
        let found = search options wanted count operator budget ValueNone

        let found =
            if options.FindsMultiplicities && found.IsGood |> Array.forall id then
                complete options wanted count operator budget found
            else
                found

        let cancelled = options.Cancellation.IsCancellationRequested && found.IsGood |> Array.exists not
        let seconds = watch.Elapsed.TotalSeconds
        EigenPairs(found, budget.Products, seconds, cancelled)

    /// `count` eigenpairs at an end of the spectrum of a symmetric operator, each with a bound on its residual and none
    /// a ghost of another. One product a step, the memory of 2·count + 10 basis vectors. Pairs that the limit of
    /// products leaves unfinished are returned as not converged. A multiple eigenvalue is found once for certain: see
    /// EigenOptions.WithMultiplicities.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, ArgumentRangeException for less than one pair or more than n, and NonFiniteException for products that are
    /// NaN or infinite.
    let find (wanted: SpectrumEnd) (count: int) (operator: LinearOperator) : EigenPairs =
        findWith EigenOptions.Default wanted count operator
