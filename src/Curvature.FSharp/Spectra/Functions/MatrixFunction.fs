namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Products f(A)v of functions of symmetric operators, with their errors, and f(A) as an operator.
[<RequireQualifiedAccess>]
module MatrixFunction =

    /// The most bytes of the bases of vectors that run side by side.
    let private basisBytes = 1L <<< 31

    let private nameOf (f: SpectralFunction) (a: LinearOperator) = $"{f.Name} of {a.Name}"

    let private check (f: SpectralFunction) (a: LinearOperator) (v: Tensor) =
        let shape = v.Signature.Shape

        if v.DType <> a.DType || v.Rank < 1 || v.Rank > 2 || Array.last shape <> a.Columns then
            Fail.shape (
                $"{nameOf f a}: vectors must be {a.DType}[{a.Columns}] or [k; {a.Columns}], "
                + $"and they are {v.DType}{Shape.show shape}"
            )

        Finite.check $"{nameOf f a}: the vector" v

    /// The result for a vector of zeros.
    let private zeroRow (v: Tensor) : FunctionRow =
        {
            Value = Tensor.zerosLike v
            Error = 0.0
            IsBound = true
            Length = 0.0
            Matvecs = 0
        }

    /// Lanczos on some vectors of length above 0, side by side, until the errors are small enough.
    let private lanczosRows (options: MatrixFunctionOptions) f (a: LinearOperator) (numbers: int[]) (rows: Tensor[]) =
        let limit = min options.MaximumMatvecs a.Columns
        let tolerance, token = options.ToleranceFor a.DType, options.Cancellation
        let spaces = rows |> Array.map (fun row -> Krylov.from row limit a)
        let norms = rows |> Array.map Vectors.norm
        let found: FunctionRow[] = Array.map zeroRow rows

        let rec advance (active: int[]) steps =
            // The error is computed after an eighth more steps, since that costs as much as steps do.
            let until = min limit (steps + max 1 (steps / 8))
            let goOn () = steps = 0 || not token.IsCancellationRequested
            let name row = $"a Lanczos vector of vector {numbers[active[row]]}"
            Krylov.advance a name (until - steps) (active |> Array.map (fun i -> spaces[i])) goOn |> ignore

            let isOpen i =
                spaces[i].CheckSymmetry()
                found[i] <- LanczosFunction.ofSpace options f a norms[i] spaces[i]
                let isOver = spaces[i].IsInvariant || until = limit || token.IsCancellationRequested
                not (isOver || found[i].IsWithin tolerance)

            let rest = active |> Array.filter isOpen
            if rest.Length > 0 then advance rest until

        advance [| 0 .. rows.Length - 1 |] 0
        found

    /// How many vectors run side by side: as many as their bases leave memory for.
    let private width (options: MatrixFunctionOptions) (a: LinearOperator) =
        let steps = int64 (min options.MaximumMatvecs a.Columns)
        let bytes = steps * int64 a.Columns * Storage.Bytes a.DType
        int (Math.Clamp(basisBytes / max 1L bytes, 1L, 64L))

    let private lanczos (options: MatrixFunctionOptions) f (a: LinearOperator) (rows: Tensor[]) : FunctionRow[] =
        let found = rows |> Array.map zeroRow

        let nonzero = rows |> Array.indexed |> Array.filter (fun (_, row) -> Vectors.norm row > 0.0) |> Array.map fst

        for numbers in Array.chunkBySize (width options a) nonzero do
            let part = numbers |> Array.map (fun i -> rows[i]) |> lanczosRows options f a numbers
            Array.iter2 (fun number row -> found[number] <- row) numbers part

        found

    /// From one Krylov space that grows until the errors of all vectors are small enough.
    let private blockRows (options: MatrixFunctionOptions) f (a: LinearOperator) (block: Tensor) : FunctionRow[] =
        let found = Array.init (Rows.count block) (fun i -> zeroRow (Tensor.item 0 i block))
        let lengths = (Tensor.rowNorms block).ToArray()

        let numbers =
            [
                for i in 0 .. found.Length - 1 do
                    if lengths[i] > 0.0 then i
            ]

        let tolerance, token = options.ToleranceFor a.DType, options.Cancellation

        let rec advance (space: BlockFunction) steps =
            // The error costs as much as some steps do.
            let until = min options.MaximumMatvecs (steps + max 1 (steps / 8))
            let mutable step = steps

            while step < until && not space.IsInvariant && (step = 0 || not token.IsCancellationRequested) do
                let taken = step
                space.Step(fun row -> $"vector {row} of step {taken} of {nameOf f a}")
                step <- taken + 1

            let rows = space.Rows()
            let isOver = space.IsInvariant || until = options.MaximumMatvecs || token.IsCancellationRequested

            if isOver || rows |> Array.forall _.IsWithin(tolerance) then
                rows
            else
                advance space step

        if not numbers.IsEmpty then
            let rows = advance (BlockFunction(f, a, Rows.choose numbers block)) 0
            Seq.iter2 (fun number row -> found[number] <- row) numbers rows

        found

    /// Checks what is common to all ways, and shapes the result like v.
    let private run what (options: MatrixFunctionOptions) (f: SpectralFunction) (a: LinearOperator) (v: Tensor) find =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        ArgumentNullException.ThrowIfNull(v, nameof v)
        Requirements.symmetric what a
        check f a v
        options.Cancellation.ThrowIfCancellationRequested()
        let watch = Stopwatch.StartNew()
        let block = if v.Rank = 1 then Tensor.unsqueeze 0 v else v
        let rows: FunctionRow[] = if block.Size = 0 then [||] else find block

        let value =
            if block.Size = 0 then v
            elif v.Rank = 1 then rows[0].Value
            else rows |> Array.map _.Value |> List.ofArray |> Tensor.stack 0

        let tolerance, cancelled = options.ToleranceFor a.DType, options.Cancellation.IsCancellationRequested
        FunctionProduct(nameOf f a, value, rows, tolerance, watch.Elapsed.TotalSeconds, cancelled)

    /// f(A)v with options for tolerance, limits and what is known of the spectrum; see `apply`.
    let applyWith
        (options: MatrixFunctionOptions)
        (f: SpectralFunction)
        (a: LinearOperator)
        (v: Tensor)
        : FunctionProduct =
        run "MatrixFunction" options f a v (fun block ->
            let rows = Array.init (Rows.count block) (fun i -> Tensor.item 0 i block)
            lanczos options f a rows)

    /// f(A)v for one vector v [n] or a block [k; n] by Lanczos with every vector orthogonalised twice, the vectors of a
    /// block side by side: ‖v‖·V f(T)e₁ after as many steps as the error needs, one product a step. In k steps it is
    /// exact for polynomials of degree k − 1.
    ///
    /// The error of a named function is a bound where the end of the spectrum that matters is known (see
    /// MatrixFunctionOptions.Bounds; sqrt of an operator that claims to be semidefinite needs nothing), and otherwise
    /// an estimate: that bound at the end that Ritz values show, and no less than what a power law through the values
    /// of fewer steps leaves. Any other function has that estimate alone, from eight steps on. Rounding is part of the
    /// error.
    ///
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, that has a Ritz value at which the function is not defined, or one outside of the stated bounds;
    /// ShapeException and NonFiniteException for vectors that do not fit or are not finite; NonFiniteException for
    /// products, and values of the function, that are not finite; OperationCanceledException where it was cancelled
    /// before the first product.
    let apply (f: SpectralFunction) (a: LinearOperator) (v: Tensor) : FunctionProduct =
        applyWith MatrixFunctionOptions.Default f a v

    /// f(A)v for a block from one Krylov space, with options for tolerance and limits; see `block`.
    let blockWith (options: MatrixFunctionOptions) (f: SpectralFunction) (a: LinearOperator) (v: Tensor) =
        run "MatrixFunction.block" options f a v (blockRows options f a)

    /// f(A)v for a block [k; n] by block Lanczos: all vectors share one Krylov space, a step of which takes a product
    /// with each, so that the space of a vector holds those of the others. Where few eigenvalues lie apart from the
    /// others, k vectors find them in fewer products than one after the other; where none do, `apply` takes fewer
    /// operations. It keeps k vectors a step, every one orthogonalised twice. The error is twice what a power
    /// law through the
    /// values of fewer steps leaves, from eight steps on, and what rounding may add: an estimate, with or without
    /// bounds of the spectrum; where the space is invariant, rounding alone. Errors are raised as by `apply`.
    let block (f: SpectralFunction) (a: LinearOperator) (v: Tensor) : FunctionProduct =
        blockWith MatrixFunctionOptions.Default f a v

    // ---- Chebyshev

    let private start = Key.OfSeed 0L

    /// The interval of a series, whether it was stated, and the products that finding it took.
    let private intervalOf (options: MatrixFunctionOptions) (a: LinearOperator) =
        let low, high = options.Bounds.Low, options.Bounds.High

        if Double.IsFinite low && Double.IsFinite high then
            let half = 0.5 * (high - low)
            let centre = 0.5 * (low + high)
            struct (centre, (if half > 0.0 then half else max 1e-3 (1e-3 * abs centre)), true, 0)
        else
            let struct (centre, half, products) = ChebyshevMoments.interval start a
            let knownLow = if a.IsPositiveSemidefinite then max 0.0 low else low
            let low, high = max knownLow (centre - half), min high (centre + half)
            struct (0.5 * (low + high), 0.5 * (high - low), false, products)

    /// f(A)v by a Chebyshev series, with options for tolerance, limits and the interval; see `chebyshev`.
    let chebyshevWith (options: MatrixFunctionOptions) (f: SpectralFunction) (a: LinearOperator) (v: Tensor) =
        run "MatrixFunction.chebyshev" options f a v (fun block ->
            let struct (centre, half, isStated, products) = intervalOf options a
            let multiply (t: Tensor) = a.Multiply(t, (fun row -> $"a Chebyshev vector of vector {row}"))

            let rec widen half spent =
                let series = ChebyshevSeries.ofFunction f centre half

                match ChebyshevFunction.sum options isStated series multiply block with
                | ChebyshevFunction.Outcome.Found rows ->
                    // The first vector pays for the interval.
                    rows[0] <- { rows[0] with Matvecs = rows[0].Matvecs + spent }
                    rows
                | ChebyshevFunction.Outcome.TooNarrow _ when isStated ->
                    Fail.operator $"{nameOf f a}: an eigenvalue lies outside of the stated bounds, {options.Bounds}"
                | ChebyshevFunction.Outcome.TooNarrow taken -> widen (1.5 * half) (spent + taken * Rows.count block)

            widen half products)

    /// f(A)v for one vector v [n] or a block [k; n] by a Chebyshev series on an interval that holds the spectrum, in
    /// the memory of four vectors each: the bounds of the options, or an interval found by 24 Lanczos steps with a
    /// margin. The error is the sum of the coefficients that are left out, times ‖v‖: a bound where the interval was
    /// stated. It costs as many products as terms, which is about √κ for smooth functions of an operator with the
    /// condition number κ; a function with a jump or a pole in the interval converges slowly or not at all.
    ///
    /// Raises OperatorException for an operator that is not square or does not claim to be symmetric, where the
    /// function is not finite in the interval, and where an eigenvalue shows itself outside of stated bounds; else as
    /// `apply`.
    let chebyshev (f: SpectralFunction) (a: LinearOperator) (v: Tensor) : FunctionProduct =
        chebyshevWith MatrixFunctionOptions.Default f a v

    // ---- as an operator

    /// f(A) as a symmetric operator, semidefinite where the function has no negative values. Every product is that of
    /// `apply`. Raises OperatorException for an operator that is not square or does not claim to be symmetric. Its
    /// products raise what `apply` raises, and OperatorException where an error is not within the tolerance of the
    /// options.
    let operatorWith (options: MatrixFunctionOptions) (f: SpectralFunction) (a: LinearOperator) : LinearOperator =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        Requirements.symmetric "MatrixFunction.operator" a
        let name = nameOf f a

        let product (v: Tensor) =
            let found = applyWith options f a v
            // Part of a product is none.
            if found.IsCancelled then options.Cancellation.ThrowIfCancellationRequested()

            if not found.IsConverged then
                Fail.operator $"{found}. Allow a larger tolerance or more products, or state bounds of the spectrum."

            found.Value

        LinearOperator.Of
            { OperatorParts.define name a.DType a.Rows a.Columns { Matvec = product; Matmat = product } with
                Device = a.Device
                Properties =
                    if f.Definition.IsNonnegative then
                        OperatorProperties.PositiveSemidefinite
                    else
                        OperatorProperties.Symmetric
                Warnings = a.Definition.Warnings
            }

    /// f(A) as a symmetric operator, with default options; see `operatorWith`.
    let operator (f: SpectralFunction) (a: LinearOperator) : LinearOperator =
        operatorWith MatrixFunctionOptions.Default f a
