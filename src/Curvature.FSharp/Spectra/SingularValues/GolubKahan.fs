namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// The largest singular values of an operator and their vectors, by Golub and Kahan's bidiagonalisation (1965) with
/// thick restarts (Baglama & Reichel 2005): when the bases are full, the best triplets are kept and the spaces grow
/// again from them.
[<RequireQualifiedAccess>]
module GolubKahan =

    /// The products and random vectors of a search.
    type private Budget(options: EigenOptions) =
        let mutable products, drawn = 0, 0
        member _.Products = products
        member _.IsSpent = products >= options.MaximumMatvecs || options.Cancellation.IsCancellationRequested

        member _.Multiply (operator: LinearOperator) (block: Tensor) =
            products <- products + Rows.count block
            operator.Multiply(block, (fun row -> $"row {row} of a singular vector's block, after {products} products"))

        /// [1; length]
        member _.Random(a: LinearOperator, length: int) =
            drawn <- drawn + 1
            Probe.drawOn a.Device Probe.gaussian options.Key length (drawn - 1, 1) a.DType

    let private fill (budget: Budget) (a: LinearOperator) (space: BidiagonalSpace) =
        while not (space.IsFull || space.IsWhole || budget.IsSpent && space.Size > 0) do
            if space.IsInvariant then space.Continue(budget.Random(a, a.Columns))
            space.Advance(fun () -> budget.Random(a, a.Rows))

    /// The residual that counts as converged; see EigenOrder.allowed.
    let private isGood (options: EigenOptions) (a: LinearOperator) (scale: float) (sigma: float) residual =
        residual <= EigenOrder.allowed options a.DType scale sigma

    /// Residuals by products with the vectors, and what rounding may add to them.
    let private residuals (budget: Budget) (a: LinearOperator) rounding (values: float[]) left right =
        let sigma = Rows.column left values
        let norms (block: Tensor) = (Tensor.rowNorms block).ToArray() |> Array.map (fun norm -> norm + rounding)

        struct (norms (budget.Multiply a right - sigma * left),
                norms (budget.Multiply a.Transposed left - sigma * right))

    let private finish options (budget: Budget) (a: LinearOperator) (space: BidiagonalSpace) count =
        let svd = space.Decompose()
        let found = min count space.Size
        let values = Array.init found (fun i -> svd.S[i])
        let struct (left, right) = space.Vectors(svd, found)
        let rounding = 4.0 * SmallMatrices.epsilon a.DType * space.Scale
        let struct (ofLeft, ofRight) = residuals budget a rounding values left right
        let good i = isGood options a space.Scale values[i] (max ofLeft[i] ofRight[i])

        {
            Values = values
            Left = left
            Right = right
            LeftResiduals = ofLeft
            RightResiduals = ofRight
            IsGood = Array.init found good
        }

    /// A search for an operator that has no more columns than rows.
    let private search (options: EigenOptions) (budget: Budget) count (a: LinearOperator) : FoundTriplets =
        let isChosen = options.BasisSize <> EigenOptions.AutomaticBasisSize
        let basis = if isChosen then options.BasisSize else 2 * count + 10
        let capacity = min a.Columns (max basis (count + 2))
        let space = BidiagonalSpace(a, capacity, budget.Multiply)

        let rec go () =
            fill budget a space
            let svd = space.Decompose()
            let best = min count space.Size
            let good i = isGood options a space.Scale svd.S[i] (space.Residual(svd, i))
            let converged = Seq.init best id |> Seq.filter good |> Seq.length

            if converged < best && not (space.IsWhole || budget.IsSpent) then
                // Some room beyond the wanted ones speeds up the last of them, as for eigenvalues.
                space.Restart(svd, min (count + min converged ((space.Size - count) / 2)) (space.Size - 1))
                go ()

        go ()
        finish options budget a space count

    /// Left and right change places.
    let private turned (found: FoundTriplets) =
        { found with
            Left = found.Right
            Right = found.Left
            LeftResiduals = found.RightResiduals
            RightResiduals = found.LeftResiduals
        }

    /// The `count` largest singular triplets, with options for tolerance, limits and the basis; see `largest`. Products
    /// with the operator and with its transpose both count, and those that give the residuals of cancelled or limited
    /// searches come on top.
    let largestWith (options: EigenOptions) (count: int) (operator: LinearOperator) : SingularTriplets =
        let most = min operator.Rows operator.Columns

        if count < 1 || count > most then
            Fail.range $"GolubKahan: {count} singular triplets were asked for, and {operator.Name} has {most}"

        let transposed = operator.Transposed
        options.Cancellation.ThrowIfCancellationRequested()
        let watch, budget = Stopwatch.StartNew(), Budget options

        let found =
            if operator.Columns <= operator.Rows then
                search options budget count operator
            else
                search options budget count transposed |> turned

        let cancelled = options.Cancellation.IsCancellationRequested && Array.exists not found.IsGood
        SingularTriplets(found, budget.Products, watch.Elapsed.TotalSeconds, cancelled)

    /// The `count` largest singular values σ of an operator of any shape, with orthonormal u and v of Av = σu and Aᵀu =
    /// σv, and their residuals. Two products a step, and two for each triplet at the end; the memory of 2·count + 10
    /// vectors of each length. Triplets that the limit of products leaves unfinished are returned as not converged. A
    /// multiple singular value is found once for certain, and its copies by rounding. Raises OperatorException for an
    /// operator without a transpose, ArgumentRangeException for less than one triplet or more than there are, and
    /// NonFiniteException for products that are NaN or infinite.
    let largest (count: int) (operator: LinearOperator) : SingularTriplets =
        largestWith EigenOptions.Default count operator
