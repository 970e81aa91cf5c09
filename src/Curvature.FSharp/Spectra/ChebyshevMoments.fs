namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// Chebyshev moments of a spectrum: the means of Tⱼ((λ − centre)/halfWidth) over all eigenvalues, j = 0, 1, …
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ChebyshevSample internal (name: string, centre: float, halfWidth: float, moments: float[][], ledger: Ledger) =
    let count = moments[0].Length

    /// What the operator is called.
    member _.Name = name

    /// The middle of the interval that is mapped to [−1, 1].
    member _.Centre = centre

    /// Half of its width.
    member _.HalfWidth = halfWidth

    /// The moments of each random vector.
    member internal _.OfProbes = moments

    /// The mean moments, of which number 0 is 1.
    member _.Moments = Array.init count (fun j -> moments |> Array.averageBy (fun ofProbe -> ofProbe[j]))

    /// The standard error of each moment. Raises ArgumentRangeException for a single random vector.
    member _.StandardErrors =
        ledger.RequireErrorBar()

        Array.init count (fun j ->
            if moments.Length < 2 then
                0.0
            else
                Statistics.standardError (moments |> Array.map (fun ofProbe -> ofProbe[j])))

    /// What it cost.
    member _.Ledger = ledger

    override _.ToString() =
        let low, high = Numbers.show (centre - halfWidth), Numbers.show (centre + halfWidth)
        let vectors = Describe.count moments.Length "random vector"
        $"""{Describe.count count "moment"} of {name} on [{low}, {high}] from {vectors}; {ledger}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open System.Diagnostics
open System.Threading
open Curvature

/// The kernel polynomial method (Weiße, Wellein, Alvermann & Fehske 2006, "The kernel polynomial method"): densities
/// from Chebyshev moments, without a basis. Memory of three vectors a probe, whatever the number of moments.
[<RequireQualifiedAccess>]
module ChebyshevMoments =

    /// The ends of the spectrum are estimated by this many Lanczos steps, with a margin on both sides.
    let private boundSteps = 24

    let private margin = 0.05

    /// An interval that holds the spectrum: the outermost Ritz values, moved out by their residuals and the margin.
    let internal interval key (operator: LinearOperator) =
        let found = Lanczos.run boundSteps key operator
        let values, residuals = found.RitzValues, found.ResidualBounds
        let low, high = values[0] - residuals[0], Array.last values + Array.last residuals
        let size = max (abs low) (abs high)
        let half = max ((1.0 + 2.0 * margin) * 0.5 * (high - low)) (if size > 0.0 then margin * size else 1.0)
        struct (0.5 * (low + high), half, found.Matvecs)

    /// What a block of probes gives.
    [<RequireQualifiedAccess; NoEquality; NoComparison>]
    type private Outcome =
        | Moments of float[][]
        /// A vector grew, which it does only if an eigenvalue lies outside of the interval.
        | TooNarrow
        | Cancelled

    /// Moments of a block of probes.
    let private momentsOf
        count
        (cancellation: CancellationToken)
        (centre: float)
        (half: float)
        (multiply: Tensor -> Tensor)
        (start: Tensor)
        : Outcome =
        let probes = start.Signature.Shape[0]
        let rows (t: Tensor) = Array.init probes (fun i -> Tensor.item 0 i t)
        let dots a b = Array.map2 Vectors.dot (rows a) (rows b)
        let apply (v: Tensor) : Tensor = (multiply v - centre * v) * (1.0 / half)
        let moments = Array.init probes (fun _ -> Array.zeroCreate count)
        let squares = dots start start

        let put j (values: float[]) =
            if j < count then
                Array.iteri (fun i value -> moments[i][j] <- value / squares[i]) values

        let mutable before, current = start, apply start
        put 0 squares
        put 1 (dots start current)
        let mutable step, inside = 1, true

        // From t_j and t_{j+1} come the moments 2j and 2j + 1: twice as many as there are products.
        while inside && 2 * step < count && not cancellation.IsCancellationRequested do
            let current2 = dots current current
            inside <- Array.forall2 (fun length square -> length <= 1.01 * square) current2 squares
            put (2 * step) (Array.mapi (fun i value -> 2.0 * value - squares[i]) current2)

            if inside && 2 * step + 1 < count then
                let next = 2.0 * apply current - before
                let first = Array.mapi (fun i square -> moments[i][1] * square) squares
                put (2 * step + 1) (Array.map2 (fun value first -> 2.0 * value - first) (dots next current) first)
                before <- current
                current <- next

            step <- step + 1

        if not inside then Outcome.TooNarrow
        elif 2 * step < count then Outcome.Cancelled
        else Outcome.Moments moments

    let private check (probes: int) (count: int) (operator: LinearOperator) =
        Requirements.symmetric "ChebyshevMoments" operator
        Krylov.checkPositive "ChebyshevMoments" "the number of random vectors" probes
        Krylov.checkPositive "ChebyshevMoments" "the number of columns" operator.Columns

        if count < 2 then
            Fail.range $"ChebyshevMoments: two moments at least are needed, and {count} were asked for"

        Count.between 2 Count.limit "ChebyshevMoments" count

    /// The products of a run that finds the ends of the spectrum at once; the basis that finds them, or five vectors
    /// a probe; and the moments.
    let private forecast options (operator: LinearOperator) probes count width =
        let ends, n = min boundSteps operator.Columns, float operator.Columns
        let vectors = max (float ends + 4.0) (5.0 * float (min width probes))
        let bytes = vectors * n * float (Storage.Bytes operator.DType) + 8.0 * float probes * float count
        SpectralProgress(options, probes, float ends + float probes * float (count / 2), bytes)

    let private run (options: RunOptions) probe probes count (key: Key) (operator: LinearOperator) : ChebyshevSample =
        let token, n = options.Cancellation, operator.Columns
        token.ThrowIfCancellationRequested()
        let watch, keys = Stopwatch.StartNew(), key.Split 2
        let width = options.BlockSizeFor operator
        let progress = forecast options operator probes count width
        progress.Start()
        token.ThrowIfCancellationRequested()
        let struct (centre, least, spent) = interval keys[0] operator
        let found = ResizeArray<float[]>()
        let mutable products, half, reason = spent, least, StopReason.MatvecsSpent

        let multiply first (block: Tensor) =
            products <- products + block.Signature.Shape[0]
            operator.Multiply(block, (fun row -> $"a Chebyshev vector of probe {first + row}"))

        while found.Count < probes && reason <> StopReason.Cancelled do
            let first = found.Count
            let place = first, min width (probes - first)
            let start = Probe.drawOn operator.Device probe keys[1] n place operator.DType

            match momentsOf count token centre half (multiply first) start with
            | Outcome.Moments moments ->
                found.AddRange moments

                let traces = moments |> Array.map (fun ofProbe -> float n * (centre + half * ofProbe[1]))
                progress.Add(watch.Elapsed.TotalSeconds, traces)
            | Outcome.TooNarrow ->
                // An eigenvalue that Lanczos did not see lies outside: every eigenvalue is within some wider interval.
                half <- 1.5 * half
                found.Clear()
                progress.Restart()
            | Outcome.Cancelled -> ()

            if token.IsCancellationRequested && found.Count < probes then
                if found.Count = 0 then token.ThrowIfCancellationRequested()
                reason <- StopReason.Cancelled

        progress.Finish watch.Elapsed.TotalSeconds
        let cost = Ledgers.ofSamples found.Count (Cost.products products) watch.Elapsed.TotalSeconds reason
        ChebyshevSample(operator.Name, centre, half, found.ToArray(), cost)

    /// `count` moments from each of `probes` random vectors of a distribution, with options for cancellation,
    /// progress and how many run side by side; see `sample`. Progress tells before the first product how many
    /// products and bytes it will take (more where the interval of the spectrum has to be widened), and after each
    /// block of vectors of the trace. Cancelled after some vectors, it returns the moments of those, with the reason
    /// Cancelled; before, it raises OperationCanceledException.
    let sampleWith
        (options: RunOptions)
        (probe: Probe)
        (probes: int)
        (count: int)
        (key: Key)
        (operator: LinearOperator)
        : ChebyshevSample =
        check probes count operator
        Checkpoint.keeping options operator (fun options -> run options probe probes count key)

    /// `count` moments from each of `probes` sign vectors, by about count/2 products a vector and 24 for the ends of
    /// the spectrum.
    /// Raises OperatorException for an operator that is not square, does not claim to be symmetric or turns out not to
    /// be, ArgumentRangeException for less than two moments or one vector, or an operator without eigenvalues, and
    /// NonFiniteException for products that are NaN or infinite.
    let sample (probes: int) (count: int) (key: Key) (operator: LinearOperator) : ChebyshevSample =
        sampleWith RunOptions.Default Probe.rademacher probes count key operator

    /// Jackson's factors g_j (1912), which make the truncated series of a measure that is not negative a function that
    /// is not negative.
    /// Raises ArgumentRangeException for a negative count.
    let jackson (count: int) : float[] =
        if count < 0 then
            Fail.range $"ChebyshevMoments.jackson: a count cannot be negative, and it is {count}"

        Count.between 0 Count.limit "ChebyshevMoments.jackson" count
        let n = float (count + 1)

        Array.init count (fun j ->
            let angle = Math.PI * float j / n
            ((n - float j) * cos angle + sin angle / tan (Math.PI / n)) / n)

    /// The density at `points` Chebyshev nodes, never negative, with an error bar from the spread over random vectors.
    /// A single eigenvalue becomes a peak of width about π·halfWidth/count. Raises ArgumentRangeException for less than
    /// two points.
    let density (points: int) (sample: ChebyshevSample) : SpectralDensity =
        if points < 2 then
            Fail.range $"ChebyshevMoments.density: two points at least are needed, and {points} were asked for"

        Count.between 2 Count.limit "ChebyshevMoments.density" points
        let probes = sample.OfProbes
        let count = probes[0].Length
        let damping = jackson count
        // Ascending in x = cos φ, where T_j(x) = cos jφ.
        let angles = Array.init points (fun i -> Math.PI * (float (points - i) - 0.5) / float points)

        let curve (moments: float[]) =
            angles
            |> Array.map (fun angle ->
                let mutable sum = moments[0]

                for j in 1 .. count - 1 do
                    sum <- sum + 2.0 * damping[j] * moments[j] * cos (float j * angle)

                sum / (Math.PI * sin angle * sample.HalfWidth))

        let curves = probes |> Array.map curve
        let at i = curves |> Array.map (fun curve -> curve[i])
        let grid = angles |> Array.map (fun angle -> sample.Centre + sample.HalfWidth * cos angle)
        let values = Array.init points (fun i -> Statistics.mean (at i))
        let error i = if probes.Length < 2 then 0.0 else Statistics.standardError (at i)
        let width = Math.PI * sample.HalfWidth / float count
        SpectralDensity(grid, values, Array.init points error, width, sample.Ledger)
