namespace Curvature.FSharp

open System
open Curvature

/// A third of the products for a basis of the range, a third for its images, a third for what is outside.
module internal ThreeParts =

    /// The basis from k random vectors of the sphere, in blocks, with 2k products, or fewer where it is complete. Signs would not do: they can repeat
    /// themselves on an operator with few nonzero rows.
    let sketch
        what
        (options: SamplingOptions)
        k
        key
        (operator: LinearOperator)
        (imagesOfBasis: LinearOperator)
        : RangeSketch =
        let sketch = RangeSketch(what, operator, imagesOfBasis, Probe.Sphere, key)
        let size = Sampling.blockSize options operator
        let mutable rest = k

        options.Cancellation.ThrowIfCancellationRequested()
        sketch.Grow(min size rest) |> ignore
        rest <- rest - size

        while rest > 0 && not sketch.IsSaturated && not options.Cancellation.IsCancellationRequested do
            sketch.Grow(min size rest) |> ignore
            rest <- rest - size

        sketch

    /// Estimates what is outside the sketch with the products that are left.
    let finish
        options
        probe
        measurement
        matvecs
        key
        (watch: Diagnostics.Stopwatch)
        (sketch: RangeSketch)
        (operator: LinearOperator)
        outside
        =
        let seconds = watch.Elapsed.TotalSeconds
        let gradients = int64 sketch.Spent * int64 operator.Definition.Gradients
        let stop = StoppingRule.Matvecs(matvecs - sketch.Spent)
        let estimate: Estimate<'T> = Sampling.run options probe measurement stop key outside
        estimate.After(sketch.Spent, gradients, seconds)

    /// A result that rests on samples outside the sketch; where it is cancelled before the first of them, what the vectors of the sketch
    /// tell when each in turn is left out.
    let orSketchAlone
        (sampled: unit -> 'T)
        (operator: LinearOperator)
        (growing: unit -> Growing<'T>)
        (watch: Diagnostics.Stopwatch)
        =
        try
            sampled ()
        with :? OperationCanceledException ->
            GrowthEnd.conclude (growing ()) operator StopReason.Cancelled ValueNone watch.Elapsed.TotalSeconds

    /// Raises ArgumentRangeException for fewer products than the parts need.
    let requireProducts what least (matvecs: int) =
        if matvecs < least then
            raise (ArgumentRangeException $"{what}: {least} products at least are needed, and there are {matvecs}")

/// Hutch++ (Meyer, Musco, Musco & Woodruff 2021, "Hutch++: optimal stochastic trace estimation", algorithm 1): the trace is taken exactly on a sketch Q of
/// the range of the operator, and by Hutchinson's estimator outside it. The error falls like 1/m for semidefinite operators where
/// Hutchinson's falls like 1/√m.
[<RequireQualifiedAccess>]
module HutchPlusPlus =

    let private fromSketch options probe matvecs (key: Key) (operator: LinearOperator) : Estimate<float> =
        let watch = Diagnostics.Stopwatch.StartNew()
        let keys = key.Split 2
        let sketch = ThreeParts.sketch "Hutch++" options (matvecs / 3) keys[0] operator operator
        let h = sketch.Projected

        if sketch.IsComplete then
            let struct (value, error) = sketch.TraceInside h
            Estimates.scalar value error (sketch.ExactLedger watch.Elapsed.TotalSeconds)
        else
            let measurement = Deflation.trace sketch.Basis probe (h.Trace()) (sketch.Rounding h)
            let outside = Deflation.symmetric sketch.Basis operator
            let sampled () = ThreeParts.finish options probe measurement matvecs keys[1] watch sketch operator outside
            ThreeParts.orSketchAlone sampled operator (fun () -> XTraceGrowth(operator, sketch)) watch

    /// Hutch++ with another probe for the part outside the sketch, and options for cancellation, progress and block size. Forms of
    /// vectors of the sphere, or normal ones, are scaled to the length that the vectors ought to have there.
    let estimateWith (options: SamplingOptions) probe (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        OperatorParts.requireSquare "Hutch++" operator

        if matvecs >= operator.Columns then
            Exact.traceWith options operator
        else
            ThreeParts.requireProducts "Hutch++" 3 matvecs
            Checkpoint.keeping options operator (fun options -> fromSketch options probe matvecs key)

    /// The trace of any square operator from this many products, or fewer where they exhaust its rank: ⌊m/3⌋ vectors
    /// of the sphere for the sketch, and signs outside it, by quadratic forms where the operator has them. Unbiased;
    /// given the sketch, the forms outside it are independent, so that the interval holds as for Hutchinson's
    /// estimator: with fewer than 3 of them, from 3 to 5 products, the error is not known. As many products as there
    /// are columns give an exact result.
    /// Raises OperatorException for an operator that is not square, or claims a symmetry that its products do not
    /// have, and ArgumentRangeException for fewer than 3 products. Cancelled before there is a vector outside the
    /// sketch, it returns what XTrace makes of the sketch; before the first product it raises
    /// OperationCanceledException.
    let estimate (matvecs: int) key (operator: LinearOperator) : Estimate<float> =
        estimateWith SamplingOptions.Default Probe.rademacher matvecs key operator
