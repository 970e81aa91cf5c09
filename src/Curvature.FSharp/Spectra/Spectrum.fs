namespace Curvature.FSharp

open Curvature

/// The whole spectrum of a symmetric operator, by whichever way is cheaper.
[<RequireQualifiedAccess>]
module Spectrum =

    /// `exact` with options for cancellation, progress, block size and a checkpoint.
    let exactWith (options: RunOptions) (operator: LinearOperator) : SpectralSample =
        let found = Exact.eigenvaluesWith options operator
        let values, n = found.Value.ToArray(), operator.Columns

        let sampled =
            {
                Name = operator.Name
                Size = n
                DType = operator.DType
                IsSemidefinite = operator.IsPositiveSemidefinite
            }

        let rules =
            if n = 0 then
                [||]
            else
                let weights, zeros = Array.create n (1.0 / float n), Array.zeroCreate n
                [| SpectralRule(values, weights, zeros, float n, JacobiMatrix(values, zeros)) |]

        SpectralSample(sampled, n, rules, SpectrumBounds.Unknown, found.Ledger)

    /// All eigenvalues as a sample of the spectrum, a single rule whose weights are 1/n: what is made of it (traces of
    /// functions, densities, counts) is exact up to rounding. Costs and raises what `Exact.eigenvalues` does.
    let exact (operator: LinearOperator) : SpectralSample = exactWith RunOptions.Default operator

    /// `automatic` with options for cancellation, progress, a checkpoint and how many run side by side, and with
    /// random vectors of another distribution.
    let automaticWith
        (options: RunOptions)
        (probe: Probe)
        (probes: int)
        (steps: int)
        (key: Key)
        (operator: LinearOperator)
        : SpectralSample =
        Krylov.checkPositive "Spectrum.automatic" "the number of random vectors" probes
        Krylov.checkPositive "Spectrum.automatic" "the number of steps" steps
        let n = int64 operator.Columns

        if n <= int64 Exact.largestDense && n <= int64 probes * int64 steps then
            exactWith options operator
        else
            StochasticLanczos.sampleWith options probe probes steps key operator

    /// `exact` where the operator has no more columns than a sample would take products, probes·steps, and at most
    /// `Exact.largestDense`; elsewhere `StochasticLanczos.sample` of `probes` sign vectors of `steps` steps each.
    /// Whether it is exact, the ledger says. Raises ArgumentRangeException for less than one vector or step, and what
    /// these two raise.
    let automatic (probes: int) (steps: int) (key: Key) (operator: LinearOperator) : SpectralSample =
        automaticWith RunOptions.Default Probe.rademacher probes steps key operator
