namespace Curvature.FSharp

open Curvature

/// Estimates from random vectors z with E zzᵀ = I and their products with an operator (Girard 1989, Hutchinson 1990).
/// The same key gives the same vectors whatever the block size and the number of threads.
[<RequireQualifiedAccess>]
module Hutchinson =

    /// The estimator of whatever a measurement learns from random vectors of a probe: one product for each, or one
    /// quadratic form where the measurement needs no more and the operator has them. Operators of no or one column
    /// give exact results. Run, it raises OperatorException where the measurement does not fit the operator.
    let estimator probe (measurement: Measurement<'T>) : Estimator<'T> =
        Procedure.Samples(probe, measurement) |> Estimator.make "Hutchinson" OperatorNeed.Nothing 1 measurement.Exact

    /// Measures until the rule says stop; see `estimator` and `Estimate.run`.
    let estimate probe (measurement: Measurement<'T>) stop key (operator: LinearOperator) : 'T =
        Estimate.run (estimator probe measurement) stop key operator

    /// The trace, from signs. Unbiased; the variance of one sample is twice the squared off-diagonal.
    let trace stop key operator : Estimate<float> = estimate Probe.rademacher Measurement.trace stop key operator

    /// The diagonal, from signs, with a standard error for each entry. Unbiased; the variance of one sample of entry
    /// i is Σ_{j≠i} A_ij².
    let diagonal stop key operator : Estimate<Tensor> = estimate Probe.rademacher Measurement.diagonal stop key operator
