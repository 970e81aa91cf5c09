namespace Curvature.FSharp

open Curvature

/// What Hutch++ knows of an operator so far.
[<Sealed>]
type internal HutchPlusPlusIncremental
    (operator: LinearOperator, probe: Probe, key: Key, sketch: RangeSketch, limit: int) =
    inherit ThreeParts<Estimate<float>>(sketch, limit)

    override _.Outside() =
        let h = sketch.Projected
        let forms = Deflation.forms sketch.Basis probe
        let measurement = KnownPart.scalar (h.Trace()) (sketch.Rounding h) forms
        MeanOfSamples(probe, measurement, key, Deflation.symmetric sketch.Basis operator)

    override _.Inside() = XTraceIncremental(operator, sketch)

    override _.Complete ledger =
        let struct (value, error) = sketch.TraceInside sketch.Projected
        Estimates.scalar value error ledger

/// Hutch++ (Meyer, Musco, Musco & Woodruff 2021, "Hutch++: optimal stochastic trace estimation", algorithm 1): the
/// trace is taken exactly on a sketch Q of the range of the operator, and by Hutchinson's estimator outside it. The
/// error falls like 1/m for semidefinite operators where Hutchinson's falls like 1/√m.
[<RequireQualifiedAccess>]
module HutchPlusPlus =

    /// Hutch++ with vectors of a probe outside the sketch. Forms of vectors of the sphere, or normal ones, are scaled
    /// to the length that the vectors ought to have there.
    let withProbe probe : Estimator<Estimate<float>> =
        Procedure.Division(fun limit key operator ->
            let keys = key.Split 2
            let sketch = RangeSketch("Hutch++", operator, operator, Probe.Sphere, keys[0])
            HutchPlusPlusIncremental(operator, probe, keys[1], sketch, limit))
        |> Estimator.make "Hutch++" OperatorNeed.Square 3 Measurement.trace.Exact

    /// Hutch++ with signs outside the sketch.
    let estimator = withProbe Probe.rademacher

    /// The trace of any square operator from as many products as the rule allows, or fewer where they exhaust its
    /// rank: ⌊m/3⌋ vectors of the sphere for the sketch, and signs outside it, by quadratic forms where the operator
    /// has them. Unbiased; given the sketch, the forms outside it are independent, so that the interval holds as for
    /// Hutchinson's estimator: with fewer than 3 of them, from 3 to 5 products, the error is not known. As many
    /// products as there are columns give an exact result.
    /// Raises OperatorException for an operator that is not square, or claims a symmetry that its products do not
    /// have, and ArgumentRangeException for a rule that allows fewer than 3 products, or any number. Cancelled before
    /// there is a vector outside the sketch, it returns what XTrace makes of the sketch; before the first product it
    /// raises OperationCanceledException.
    let estimate stop key (operator: LinearOperator) : Estimate<float> = Estimate.run estimator stop key operator
