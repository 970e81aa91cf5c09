namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature
open MathNet.Numerics.LinearAlgebra

/// tr f(A) by Krylov-aware deflation (Chen & Hallman 2022, "Krylov-aware stochastic trace estimation", algorithm 3.1):
/// exact on a block Krylov space Q of A, which serves f(A) as well as A, and by quadrature for random vectors outside.
[<RequireQualifiedAccess>]
module KrylovAwareTrace =

    /// What a block Krylov space knows: its first vectors Q, tr Qᵀf(A)Q, and what the depth leaves open of it.
    [<NoEquality; NoComparison>]
    type private Deflated = { Basis: Panels; Trace: float; Open: float; Products: int }

    let private name = "KrylovAwareTrace"

    /// tr of the leading `kept` rows and columns of f(T).
    let private traceOf (f: SpectralFunction) (a: LinearOperator) rounding (kept: int) (t: Matrix<float>) =
        let ritz = SmallEigen.of' (t.ToArray())
        let values = ritz.Values |> Array.map (LanczosFunction.admit f a rounding >> LanczosFunction.finite f)
        let weight i = Seq.sum (seq { for row in 0 .. kept - 1 -> ritz.Vectors[row, i] * ritz.Vectors[row, i] })
        Seq.sum (Seq.mapi (fun i value -> weight i * value) values)

    /// Blocks V₁, V₂, … of the Krylov space of a random block, of which all are multiplied and the first `steps` kept.
    let private deflate (f: SpectralFunction) (a: LinearOperator) (key: Key) width steps : Deflated =
        let space, kept, images = OrthonormalBasis(a.Columns, a.DType), Panels a.Columns, Panels a.Columns
        let omega = Probe.drawOn a.Device Probe.gaussian key a.Columns (0, width) a.DType

        // How many vectors were multiplied after each block.
        let rec grow (block: Tensor) (sizes: int list) =
            let depth = sizes.Length
            if depth < steps then kept.Add block
            let product = a.Multiply(block, (fun row -> $"vector {row} of block {depth} of {name}"))
            images.Add product
            let added = space.Extend product
            let sizes = images.Count :: sizes

            if added.Kept.IsEmpty || depth + 1 = 2 * steps then
                sizes
            else
                grow added.Vectors sizes

        let sizes = grow (space.Extend omega).Vectors [] |> List.rev
        let size = images.Count
        let projected = (Rows.productsOf space.Panels images).SubMatrix(0, size, 0, size)
        SymmetryCheck.requireOf a.Name a.DType 0.0 projected
        let t = SmallMatrices.symmetricPart projected
        let rounding = 10.0 * SmallMatrices.epsilon a.DType * t.FrobeniusNorm()
        let ofLeading size = traceOf f a rounding kept.Count (t.SubMatrix(0, size, 0, size))
        let trace = ofLeading size
        let isInvariant = (space.Rank = size)

        {
            Basis = kept
            Trace = trace
            // What a quarter of the depth changes.
            Open =
                if isInvariant then
                    0.0
                else
                    abs (trace - ofLeading sizes[3 * sizes.Length / 4 - 1])
            Products = size
        }

    /// A function as quadrature calls it: eigenvalues that rounding made negative are 0.
    let private admitted (f: SpectralFunction) x =
        f.Evaluate(if f.Definition.Domain = FunctionDomain.Nonnegative then max 0.0 x else x)

    /// Rules of quadrature for normal vectors, less their parts in a basis, and as long as they are on average there:
    /// as many as are wanted, or until it is cancelled.
    let private rules (options: RunOptions) f (a: LinearOperator) key (basis: Panels) (count, steps) : SpectralRule[] =
        let found = ResizeArray<SpectralRule>()
        let width = StochasticLanczos.lockstep options a steps
        let mass = float (a.Columns - basis.Count)

        while found.Count < count && not options.Cancellation.IsCancellationRequested do
            let first = found.Count
            let place = first, min width (count - first)
            let z = Probe.drawOn a.Device Probe.gaussian key a.Columns place a.DType
            let outside = z |> Rows.without basis |> Rows.without basis
            let starts = Array.init (Rows.count outside) (fun i -> Tensor.item 0 i outside)
            let spaces = starts |> Array.map (fun start -> Krylov.from start (min steps a.Columns) a)
            let label row = $"a Lanczos vector of probe {first + row} of {name}"
            Krylov.advance a label steps spaces (fun () -> true) |> ignore

            for space in spaces do
                space.CheckSymmetry()

                for x in space.Ritz.Values do
                    LanczosFunction.admit f a space.Rounding x |> LanczosFunction.finite f |> ignore

                found.Add(StochasticLanczos.rule space mass)

        found.ToArray()

    let private check (steps: int) (matvecs: int) (a: LinearOperator) =
        Requirements.symmetric name a
        Krylov.checkPositive name "the number of steps" steps
        Krylov.checkPositive name "the number of columns" a.Columns

        let least = 4L * int64 steps

        if int64 matvecs < least then
            Fail.range $"{name}: rules of {steps} steps need {least} products at least, and {matvecs} are allowed"

    /// The sum of what is known and what is sampled.
    let private combine (f: SpectralFunction) (a: LinearOperator) steps (deflated: Deflated) rules (ledger: Ledger) =
        let sample = StochasticLanczos.sampleOf a steps rules ledger
        let integral = QuadratureError.integral (admitted f) Derivatives.Unknown sample
        let bias = integral.Bias + deflated.Open
        let error = sqrt (integral.Random * integral.Random + bias * bias)

        let ends t =
            let struct (low, high) = integral.Ends t
            struct (low + deflated.Trace - deflated.Open, high + deflated.Trace + deflated.Open)

        Estimate(deflated.Trace + integral.Value, error, ends, ledger, bias)

    /// The same with options for cancellation and how many recurrences run side by side. Cancelled after some random
    /// vectors, it returns the estimate from those; before, it raises OperationCanceledException.
    let estimateWith
        (options: RunOptions)
        (f: SpectralFunction)
        (steps: int)
        (matvecs: int)
        (key: Key)
        (operator: LinearOperator)
        =
        ArgumentNullException.ThrowIfNull(f, nameof f)
        check steps matvecs operator
        let token, watch, keys = options.Cancellation, Stopwatch.StartNew(), key.Split 2
        token.ThrowIfCancellationRequested()
        let width = int (Math.Clamp(int64 matvecs / (6L * int64 steps), 1L, int64 operator.Columns))
        let deflated = deflate f operator keys[0] width steps
        token.ThrowIfCancellationRequested()

        if deflated.Basis.Count >= operator.Columns then
            let seconds = watch.Elapsed.TotalSeconds
            let cost = Cost.products deflated.Products
            Estimates.scalar deflated.Trace deflated.Open (Ledgers.ofSamples width cost seconds StopReason.Exact)
        else
            let count = max 2 ((matvecs - deflated.Products) / steps)
            let rules = rules options f operator keys[1] deflated.Basis (count, steps)
            if rules.Length = 0 then token.ThrowIfCancellationRequested()
            let taken = deflated.Products + Array.sumBy (fun (rule: SpectralRule) -> rule.Nodes.Length) rules
            let reason = if rules.Length < count then StopReason.Cancelled else StopReason.MatvecsSpent
            let ledger = Ledgers.ofSamples rules.Length (Cost.products taken) watch.Elapsed.TotalSeconds reason
            combine f operator steps deflated rules ledger

    /// tr f(A) of a symmetric operator from about `matvecs` products. A third of them find an orthonormal basis Q of a
    /// block Krylov space of `steps` blocks, and T of twice as many, of which f(T) gives tr Qᵀf(A)Q. The others are
    /// rules of as many steps for normal vectors less their parts in Q, scaled to the length that they have there on
    /// average. Where few eigenvalues of f(A) outweigh the rest,
    /// the spread is a fraction of that of StochasticLanczos for the same products; where the spectrum is flat, it has
    /// two thirds of the vectors for nothing. The interval holds the spread over vectors and what both quadratures
    /// leave open (Estimate.Bias).
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
