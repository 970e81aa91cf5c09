namespace Curvature.Samples.Report

open System
open Curvature
open Curvature.FSharp

/// The charts of a report.
[<RequireQualifiedAccess>]
module Pictures =

    let private wide = (1040, 400)
    let private half = (500, 300)

    /// A number well below the density of a single eigenvalue, where the logarithmic axis ends.
    let private floorOf (report: Report) (density: SpectralDensity) =
        let single = 1.0 / (float report.Spectrum.Size * density.Width * sqrt (2.0 * Math.PI))
        Math.Pow(10.0, floor (log10 (0.1 * single)))

    let private ritz (spectrum: SpectralSample) : Series =
        let nodes = spectrum.Rules |> Array.collect (fun rule -> Array.zip rule.Nodes rule.Weights)

        let note (node: float, weight: float) = $"λ {Typeset.value node}\nweight {Typeset.value weight}"

        let name = if spectrum.Ledger.IsExact then "eigenvalues" else "Ritz values"
        (Series.rug name (Array.map fst nodes)).WithNotes(Array.map note nodes).WithAccent 2

    /// Smoothed eigenvalue density on a logarithmic axis, with the Ritz values it was made of.
    let density (report: Report) (curves: SpectralCurves) : Chart =
        let density = curves.Density
        let values, grid, band = density.Values, density.Grid, density.Band 0.95
        let floor = floorOf report density
        let share = (Axis.logarithmic "density (share per unit of λ)").WithRange(floor, 3.0 * Array.max values)

        (Chart.create
            "Eigenvalue density of the Hessian"
            (Axis.linear "eigenvalue λ")
            share
            [
                if not density.Ledger.IsExact then
                    (Series.band "95 % band" grid band.Low band.High).WithAccent 1
                (Series.line "density" grid values).WithAccent 1
                ritz report.Spectrum
            ])
            .WithSize
            wide

    /// The share of eigenvalues up to each number, which no smoothing changes, with its band.
    let cumulative (report: Report) (curves: SpectralCurves) : Chart =
        let curve = curves.AroundZero

        (Chart.create
            "Cumulative density of eigenvalues"
            (Axis.symmetricLogarithmic curves.Threshold "eigenvalue λ (logarithmic on both sides of 0)")
            ((Axis.linear "share of eigenvalues ≤ λ").WithRange(-0.02, 1.02))
            [
                if not report.Spectrum.Ledger.IsExact then
                    (Series.band "95 % band" curve.Grid curve.Low curve.High).WithAccent 3
                (Series.line "share" curve.Grid curve.Values).WithAccent 3
            ])
            .WithSize
            wide

    let private numbered (pairs: EigenPairs) =
        Axis.categories [ for i in 1 .. pairs.Values.Length -> $"λ{i}" ] "eigenpair"

    let private places (pairs: EigenPairs) = Array.init pairs.Values.Length float

    /// The largest eigenvalues.
    let eigenvalues (pairs: EigenPairs) : Chart =
        let low, high = Array.map2 (-) pairs.Values pairs.Residuals, Array.map2 (+) pairs.Values pairs.Residuals

        (Chart.create
            "Largest eigenvalues"
            (numbered pairs)
            (Axis.linear "eigenvalue λ")
            [
                (Series.errorBars "" (places pairs) pairs.Values low high).WithAccent 4
                (Series.horizontal "" 0.0).WithAccent 8
            ])
            .WithSize
            half

    /// A residual of no more than this share of the largest eigenvalue is rounding.
    let private roundingShare = 1e-8

    /// Whether residuals say nothing but that all pairs are as good as rounding lets them be.
    let areRounding (pairs: EigenPairs) : bool =
        let largest = pairs.Values |> Array.map abs |> Array.max
        pairs.Residuals |> Array.forall (fun residual -> residual <= roundingShare * largest)

    /// How far each pair is from an eigenpair.
    let residuals (pairs: EigenPairs) : Chart =
        // Whole powers of ten, so that residuals at the level of rounding do not look different.
        let exponents = pairs.Residuals |> Array.map (fun residual -> log10 (max 1e-300 residual))
        let low, high = floor (Array.min exponents - 0.3), ceil (Array.max exponents + 0.3)

        (Chart.create
            "Their residuals ‖Hv − λv‖"
            (numbered pairs)
            ((Axis.logarithmic "residual (units of λ)").WithRange(Math.Pow(10.0, low), Math.Pow(10.0, high)))
            [ (Series.points "" (places pairs) pairs.Residuals).WithAccent 4 ])
            .WithSize
            half

    /// At most so many of a list, evenly, the last among them.
    let private thinned (most: int) (items: 'T[]) =
        let stride = max 1 ((items.Length + most - 1) / most)
        items |> Array.indexed |> Array.filter (fun (i, _) -> (items.Length - 1 - i) % stride = 0) |> Array.map snd

    /// The trace after more and more random vectors, with its interval.
    let convergence (report: Report) : Chart =
        // Of the first few vectors no error is known.
        let isKnown (point: TracePoint) = Double.IsFinite point.Low && Double.IsFinite point.High
        let points = report.TraceHistory |> Array.filter isKnown |> thinned 300
        let samples = points |> Array.map (fun point -> float point.Samples)
        let column pick = points |> Array.map pick

        let middle = report.Trace.Value
        let half = points |> Array.map (fun point -> point.High - point.Low)
        // The interval of the first two vectors is so wide that nothing else would be seen.
        let reach = if half.Length = 0 then 1.0 else 1.2 * (Array.sort half)[half.Length / 2]
        let reach = max reach (1e-9 * (1.0 + abs middle))

        (Chart.create
            "Convergence of the trace"
            (Axis.linear "random vectors")
            ((Axis.linear "trace of the Hessian").WithRange(middle - reach, middle + reach))
            [
                (Series.band "95 % interval" samples (column _.Low) (column _.High)).WithAccent 1
                (Series.line "estimate" samples (column _.Value)).WithAccent 1
                match report.Exact with
                | Some exact -> (Series.horizontal "exact" exact.Value).WithAccent 2
                | None -> ()
            ])
            .WithSize
            wide

    /// The trace of each parameter tensor with its interval.
    let blockTraces (report: Report) : Chart =
        let blocks = report.BlockTraces
        let values = blocks |> Array.map _.Trace.Value

        // Where the error is not known, there is no bar.
        let ends pick =
            blocks
            |> Array.map (fun block ->
                let place: float = pick (block.Trace.Interval 0.95)
                if Double.IsFinite place then place else block.Trace.Value)

        let note (block: BlockTrace) =
            let size = Typeset.count block.Block.Size
            $"{block.Block.Name}\ntrace {Typeset.estimate block.Trace}\n{size} parameters"

        let traces = Series.errorBars "" values (Array.init blocks.Length float) (ends _.Low) (ends _.High)

        (Chart.create
            "Trace of each parameter tensor, with 95 % intervals"
            (Axis.linear "trace of the diagonal block")
            (Axis.categories (blocks |> Array.map _.Block.Name) "parameter tensor")
            [ (Series.vertical "" 0.0).WithAccent 8; traces.WithNotes(Array.map note blocks).WithAccent 1 ])
            .WithSize(fst wide, 110 + 18 * blocks.Length)

    /// The loss along a direction, and its quadratic model.
    let line (found: LossLine) : Chart =
        let losses = found.Losses |> Array.map (fun loss -> if Double.IsFinite loss then loss else nan)
        let model = found.ModelLosses
        let seen = losses |> Array.filter (Double.IsNaN >> not)
        let low, high = Array.min (Array.append model seen), Array.max seen
        let room = 0.06 * max (high - low) (1e-9 * (1.0 + abs high))

        (Chart.create
            $"Loss along {found.Direction.Name}"
            (Axis.linear $"distance along {found.Direction.Name}")
            ((Axis.linear "loss in nats").WithRange(low - room, high + room))
            [
                (Series.line "loss" found.Positions losses).WithAccent 1
                (Series.dashed "quadratic model" found.Positions model).WithAccent 2
            ])
            .WithSize
            half

    /// How many pieces each side of a cell of the landscape is cut into for contours.
    let private pieces = 6

    /// Numbers between the points of a grid, by Catmull and Rom's cubics (1974): through all points, and smooth.
    let private refined (values: float[]) : float[] =
        let last = values.Length - 1
        // Beyond an end, as far again.
        let at i =
            if i < 0 then 2.0 * values[0] - values[1]
            elif i > last then 2.0 * values[last] - values[last - 1]
            else values[i]

        Array.init (pieces * last + 1) (fun k ->
            let i, t = k / pieces, float (k % pieces) / float pieces

            if t = 0.0 then
                values[i]
            else
                let a, b, c, d = at (i - 1), at i, at (i + 1), at (i + 2)
                let linear, square, cube = c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a
                b + 0.5 * t * (linear + t * (square + t * cube)))

    /// Between the points of both axes.
    let private refinedPlane (z: float[,]) : float[,] =
        let across = [| for row in 0 .. Array2D.length1 z - 1 -> refined z[row, *] |]

        let columns =
            [| for column in 0 .. across[0].Length - 1 -> across |> Array.map (fun r -> r[column]) |> refined |]

        Array2D.init columns[0].Length columns.Length (fun row column -> columns[column][row])

    /// The loss in the plane of two directions.
    let plane (found: LossPlane) : Chart =
        // The first direction goes across, while rows of contours go up.
        let losses = found.Losses
        let z = Array2D.init (Array2D.length2 losses) (Array2D.length1 losses) (fun row column -> losses[column, row])
        let across, up = refined found.FirstPositions, refined found.SecondPositions

        (Chart.create
            "Loss around θ"
            (Axis.linear $"distance along {found.First.Name}")
            (Axis.linear $"distance along {found.Second.Name}")
            [
                Series.contours "loss in nats" across up (refinedPlane z)
                (Series.points "θ" [| 0.0 |] [| 0.0 |]).WithAccent 2
            ])
            .WithSize(fst half, 440)
            .WithEqualScales()
