namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// How often 95 % intervals of stochastic Lanczos quadrature hold the truth, on spectra that are known.
module SpectralCoverage =

    let private n = 60

    let private fractions f = Array.init n (fun i -> f (float i / float (n - 1)))

    /// Without negative eigenvalues.
    let private semidefinite: (string * float[]) list =
        [
            "flat 1 to 1.3", fractions (fun t -> 1.0 + 0.3 * t)
            "uniform 0.01 to 1", fractions (fun t -> 0.01 + 0.99 * t)
            "log-uniform 1e-6 to 1", fractions (fun t -> Math.Pow(10.0, -6.0 * t))
            "1/i²", Array.init n (fun i -> Math.Pow(float (i + 1), -2.0))
            "0.97^i", Array.init n (fun i -> Math.Pow(0.97, float i))
            "rank 30 and 1e-3", Array.init n (fun i -> if i < 30 then 1.0 + float i / 30.0 else 1e-3 + 1e-5 * float i)
            "one of 1e-6", fractions (fun t -> if t = 0.0 then 1e-6 else 1.0 + t)
            "ten of 1e-4", Array.init n (fun i -> if i < 10 then 1e-4 else 1.0 + float i / float n)
            "five values", Array.init n (fun i -> Math.Pow(10.0, -float(i % 5)))
            "one of 1e6", fractions (fun t -> if t = 0.0 then 1e6 else 1.0 + t)
        ]

    let private indefinite: (string * float[]) list =
        [
            "−1 to 1", fractions (fun t -> -1.0 + 2.0 * t)
            "±1/i", Array.init n (fun i -> (if i % 2 = 0 then 1.0 else -1.0) / float (i + 1))
            "−0.5 to 0.5, one of 20", fractions (fun t -> if t = 0.0 then 20.0 else t - 0.5)
        ]

    /// What is asked of a sample, and the right answer.
    [<NoEquality; NoComparison>]
    type private Question = { Name: string; Truth: float; Ask: SpectralSample -> Interval<float> }

    let private interval (estimate: Estimate<float>) = estimate.Interval 0.95

    let private share (eigenvalues: float[]) part =
        let sorted = Array.sort eigenvalues
        // Between two that differ: on an eigenvalue, the answer hangs on rounding.
        let i = Seq.find (fun i -> sorted[i - 1] < sorted[i]) (seq { int (part * float n) .. n - 1 })
        let x = 0.5 * (sorted[i - 1] + sorted[i])

        {
            Name = $"share {part}"
            Truth = (sorted |> Array.filter (fun y -> y <= x) |> Array.length |> float) / float n
            Ask = fun sample -> (CumulativeDensity.ofSample sample).Band(x, 0.95)
        }

    let private traceOf name (eigenvalues: float[]) f ask =
        { Name = name; Truth = Array.sumBy f eigenvalues; Ask = ask >> interval }

    let private delegated name eigenvalues f = traceOf name eigenvalues f (StochasticLanczos.trace f)

    let private schatten (eigenvalues: float[]) p =
        {
            Name = $"Schatten {p}"
            Truth = Math.Pow(eigenvalues |> Array.sumBy (fun x -> Math.Pow(abs x, p)), 1.0 / p)
            Ask = StochasticLanczos.schattenNorm p >> interval
        }

    let private questions isSemidefinite (eigenvalues: float[]) : Question list =
        let ofAll =
            [
                schatten eigenvalues 1.0
                schatten eigenvalues 1.5
                delegated "sin 5x" eigenvalues (fun x -> sin (5.0 * x))
                share eigenvalues 0.05
                share eigenvalues 0.5
            ]

        if isSemidefinite then
            let middle = (Array.sort eigenvalues)[n / 2]
            let entropy x = -x * log x
            let dimension x = x / (x + middle)

            [
                traceOf "inverse" eigenvalues (fun x -> 1.0 / x) StochasticLanczos.traceOfInverse
                traceOf "log det" eigenvalues log StochasticLanczos.logDeterminant
                traceOf "entropy" eigenvalues entropy StochasticLanczos.entropy
                traceOf "dimension" eigenvalues dimension (StochasticLanczos.effectiveDimension middle)
                delegated "exp −x/m" eigenvalues (fun x -> exp (-x / middle))
                delegated "1/x, as a delegate" eigenvalues (fun x -> 1.0 / x)
            ]
            @ ofAll
        else
            [
                delegated "exp x" eigenvalues exp
                delegated "log (1 + x²)" eigenvalues (fun x -> log (1.0 + x * x))
            ]
            @ ofAll

    /// Two reflections of a diagonal matrix, so that signs do not see the eigenvectors.
    let private matrix dtype isSemidefinite (eigenvalues: float[]) : LinearOperator =
        let reflect seed (b: Tensor) =
            let v = Tensor.normal (Key.OfSeed seed) DType.Float64 [ n ]
            let v = v / Tensor.norm v
            b - 2.0 * Tensor.outer (Tensor.matmul b v) v

        let q = Tensor.eye DType.Float64 n |> reflect 77L |> reflect 78L
        let a = Tensor.matmul (Tensor.transpose q * Tensor.ofArray [ n ] eigenvalues) q

        let claims =
            if isSemidefinite then
                OperatorProperties.PositiveSemidefinite ||| OperatorProperties.Symmetric
            else
                OperatorProperties.Symmetric

        0.5 * (a + Tensor.transpose a)
        |> Tensor.convert dtype
        |> LinearOperator.ofMatrix
        |> LinearOperator.claim claims

    /// The sample that fewer steps of some of the vectors would have been.
    let private part (pool: SpectralSample) steps (rules: SpectralRule[]) : SpectralSample =
        let shorter (rule: SpectralRule) =
            if steps >= rule.Recurrence.Size then
                rule
            else
                let recurrence: JacobiMatrix = rule.Recurrence.Leading steps
                let nodes, weights = recurrence.Gauss steps |> Array.map (fun struct (x, w) -> x, w) |> Array.unzip

                let residuals = recurrence.Residuals |> Array.map (fun struct (_, r) -> r + float steps * pool.Unit)

                SpectralRule(nodes, weights, residuals, rule.Mass, recurrence)

        let cost = Ledgers.ofSamples rules.Length Cost.none 0.0 StopReason.MatvecsSpent
        pool.Of(steps, rules |> Array.map shorter, cost)

    /// How one question fared.
    [<NoEquality; NoComparison>]
    type Cell =
        {
            Spectrum: string
            Question: string
            DType: DType
            Steps: int
            Probes: int
            /// The share of intervals that hold the truth, of all; one without an end holds what lies on its other
            /// side.
            Held: float
            /// The share of intervals that have both ends.
            Resolved: float
            /// The share of those with both ends that hold the truth.
            HeldOfResolved: float
            /// The median width of those with both ends, beside the truth.
            Width: float
        }

    let private fare (question: Question) (samples: SpectralSample[]) =
        let slack = 1e-12 * abs question.Truth

        let answers =
            samples
            |> Array.map (fun sample ->
                try
                    let found = question.Ask sample
                    struct (found.Low, found.High)
                with :? OperatorException ->
                    struct (-infinity, infinity))

        let holds struct (low, high) = low - slack <= question.Truth && question.Truth <= high + slack
        let hasEnds struct (low, high) = Double.IsFinite low && Double.IsFinite high
        let resolved = answers |> Array.filter hasEnds

        let shareOf keep values =
            if Array.isEmpty values then
                1.0
            else
                Array.averageBy (fun x -> if keep x then 1.0 else 0.0) values

        let widths = resolved |> Array.map (fun struct (low, high) -> high - low) |> Array.sort

        let width =
            if widths.Length = 0 then
                infinity
            else
                widths[widths.Length / 2] / abs question.Truth

        struct (shareOf holds answers, float resolved.Length / float answers.Length, shareOf holds resolved, width)

    /// The cells of one matrix: each repetition takes vectors of a pool at random, which is so large that its mean is
    /// off by little.
    let private cellsOf repetitions pool counts (seed: int64) isSemidefinite (name, eigenvalues) dtype : Cell[] =
        let drawn = matrix dtype isSemidefinite eigenvalues |> StochasticLanczos.sample pool n (Key.OfSeed seed)

        [|
            for steps in [ 8; 20; n ] do
                let shorter = (part drawn steps drawn.Rules).Rules

                for probes in counts do
                    let random = Random(int seed + probes)

                    let samples =
                        Array.init repetitions (fun _ ->
                            shorter |> Array.randomSampleWith random probes |> part drawn steps)

                    for question in questions isSemidefinite eigenvalues do
                        let struct (held, resolved, heldOfResolved, width) = fare question samples

                        {
                            Spectrum = name
                            Question = question.Name
                            DType = dtype
                            Steps = steps
                            Probes = probes
                            Held = held
                            Resolved = resolved
                            HeldOfResolved = heldOfResolved
                            Width = width
                        }
        |]

    /// The cells of all matrices in both element types, for so many repetitions and vectors in a pool, and these
    /// numbers of vectors.
    let cells (repetitions: int) (pool: int) (counts: int list) (seed: int64) : Cell[] =
        [|
            for isSemidefinite, cases in [ true, semidefinite; false, indefinite ] do
                for case in cases do
                    for dtype in [ DType.Float64; DType.Float32 ] do
                        isSemidefinite, case, dtype
        |]
        |> Array.Parallel.collect (fun (isSemidefinite, case, dtype) ->
            cellsOf repetitions pool counts seed isSemidefinite case dtype)

    /// Whether a share of so many repetitions is below 93 % by chance less than once in 10⁶.
    let isTooRare (repetitions: int) (held: float) = held < 0.93 - 5.0 * sqrt (0.93 * 0.07 / float repetitions)

    /// Prints the table, and how many cells fall short.
    let run (repetitions: int) =
        printfn $"95 %% intervals, {repetitions} repetitions, n = {n}; width: median of the resolved, beside the truth"

        printfn
            "  spectrum                question             type    steps probes   held  resolved  of these     width"

        let mutable short, all = 0, 0

        for cell in cells repetitions (max 100 (min 1000 repetitions)) [ 3; 10 ] 1L do
            let isShort = cell.Held < 0.93
            all <- all + 1
            if isShort then short <- short + 1
            let mark = if isShort then " <" else ""

            printf $"  %-23s{cell.Spectrum} %-20s{cell.Question} {cell.DType} %5d{cell.Steps} %5d{cell.Probes}   "
            printf $"%7.3f{cell.Held} %9.3f{cell.Resolved} %9.3f{cell.HeldOfResolved} %10.3g{cell.Width}"
            printfn $"{mark}"

        printfn $"{short} of {all} cells are below 93 %%"
