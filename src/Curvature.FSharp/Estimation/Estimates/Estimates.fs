namespace Curvature

open System
open Curvature.FSharp

/// Estimates from values and standard errors.
module internal Estimates =

    /// Products are finite, which is checked where they are made, but their sums and squares may overflow.
    let private checkFinite (value: float) (error: float) =
        if not (Double.IsFinite value) || Double.IsNaN error then
            Fail.nonFinite (
                $"the estimate is {Finite.name value} and its standard error {error}, from finite products: "
                + "their sums overflow; scale the operator"
            )

    let private checkFiniteVectors (value: Tensor) (error: Tensor) =
        Finite.check "the estimate, a sum of finite products that overflows," value

        match Finite.tryFind error with
        | ValueSome(struct (i, number)) when Double.IsNaN number ->
            Fail.nonFinite $"the standard error is NaN at element {i}: squares of products overflow"
        | _ -> ()

    /// Of independent samples of a law: quantiles of the intervals' ends, from Student's.
    let private quantiles (law: SampleLaw) (ledger: Ledger) (t: float) : struct (float * float) =
        // What interim analyses add is more than what skewness asks for.
        if ledger.IsExact || ledger.IsSequential then
            struct (t, t)
        else
            SampleLaw.reach law ledger.Samples t

    let private isKnown (law: SampleLaw) (ledger: Ledger) = ledger.IsExact || (ledger.HasErrorBar && law.IsKnown)

    /// The mean of independent samples of a law.
    let sampled (law: SampleLaw) (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        checkFinite value standardError
        let known = ledger.IsExact || (isKnown law ledger && Double.IsFinite standardError)

        // One vector that determines the result has no spread.
        let error =
            if not known then infinity
            elif ledger.IsExact && not (Double.IsFinite standardError) then 0.0
            else standardError

        let ends t =
            let struct (below, above) = quantiles law ledger t
            struct (value - below * error, value + above * error)

        Estimate(value, error, ends, ledger, known)

    let scalar (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        sampled SampleLaw.symmetric value standardError ledger

    /// A number times an estimate.
    let scaled (factor: float) (estimate: Estimate<float>) : Estimate<float> =
        if factor = 0.0 then
            scalar 0.0 0.0 estimate.Ledger
        else
            let ends t =
                let struct (low, high) = estimate.Ends t

                if factor > 0.0 then
                    struct (factor * low, factor * high)
                else
                    struct (factor * high, factor * low)

            let error = abs factor * estimate.StandardError
            Estimate(factor * estimate.Value, error, ends, estimate.Ledger, estimate.IsErrorKnown)

    /// A known number, from so much more work, plus an estimate.
    let shifted (known: float) (cost: Cost) (seconds: float) (estimate: Estimate<float>) : Estimate<float> =
        let ends t =
            let struct (low, high) = estimate.Ends t
            struct (known + low, known + high)

        let ledger = estimate.Ledger.After(cost, seconds)
        Estimate(known + estimate.Value, estimate.StandardError, ends, ledger, estimate.IsErrorKnown)

    /// The mean of independent vectors whose elements are of a law.
    let sampledVector (law: SampleLaw) (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        checkFiniteVectors value standardError
        let known = isKnown law ledger
        let error = if known then standardError else Tensor.fullLike standardError infinity

        let ends t =
            let struct (below, above) = quantiles law ledger t
            struct (value - below * error, value + above * error)

        Estimate(value, error, ends, ledger, known)

    let vector (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        sampledVector SampleLaw.symmetric value standardError ledger

    /// The root of a quantity that cannot be negative. The interval's ends are the roots of its ends.
    let scalarRoot (law: SampleLaw) (value: float) (standardError: float) (ledger: Ledger) : Estimate<float> =
        let square = sampled law value standardError ledger
        let root = sqrt value

        let ends t =
            let struct (low, high) = square.Ends t
            struct (sqrt (max 0.0 low), sqrt high)

        let error =
            if root > 0.0 then
                square.StandardError / (2.0 * root)
            else
                sqrt square.StandardError

        Estimate(root, error, ends, ledger, square.IsErrorKnown)

    /// The elementwise root of quantities that cannot be negative.
    let vectorRoot (law: SampleLaw) (value: Tensor) (standardError: Tensor) (ledger: Ledger) : Estimate<Tensor> =
        let square = sampledVector law value standardError ledger
        let root = Tensor.sqrt value
        let safe = Tensor.where (Tensor.greater root (Tensor.zerosLike root)) root (Tensor.onesLike root)

        let ends t =
            let struct (low, high) = square.Ends t
            struct (Tensor.sqrt (Tensor.relu low), Tensor.sqrt high)

        Estimate(root, square.StandardError / (2.0 * safe), ends, ledger, square.IsErrorKnown)
