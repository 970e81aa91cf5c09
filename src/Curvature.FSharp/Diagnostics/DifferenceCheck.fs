namespace Curvature.FSharp

open System
open Curvature

/// Comparing products with differences of a gradient.
module internal DifferenceCheck =

    let private name = "finite differences"

    /// Differences with a larger relative error than this tell nothing.
    let private mostDoubt = 0.1

    let private norm (t: Tensor) = (Tensor.norm (Tensor.convert DType.Float64 t)).ToScalar()

    /// Compares products of some vectors with differences of the gradient at θ. The error of a difference is what
    /// halving the step changes.
    let run
        (gradient: Tensor -> Tensor)
        (theta: Tensor)
        (tolerance: float)
        (vectors: Tensor)
        (products: Tensor)
        : OperatorCheck =
        try
            let step = FiniteDifference.step gradient theta
            Determinism.require name gradient theta
            let mutable error, doubt = 0.0, 0.0

            for row in 0 .. min 4 vectors.Signature.Shape[0] - 1 do
                let v = Tensor.item 0 row vectors
                let length = norm v
                let along h = Tensor.flatten (FiniteDifference.difference gradient theta h (v / length))
                let expected = Tensor.item 0 row products / length
                let wide, narrow = along step, along (step / 2.0)
                let size = max (norm expected) (norm wide)
                let relative (t: Tensor) = if size = 0.0 then 0.0 else norm t / size
                error <- max error (relative (wide - expected))
                doubt <- max doubt (relative (wide - narrow))

            let explanation = $"products and differences of the gradient with step {step:G3}, relative to their norms"

            if doubt > mostDoubt && error <= 10.0 * doubt then
                OperatorCheck(
                    name,
                    CheckOutcome.Skipped,
                    error,
                    nan,
                    $"{explanation}; differences change by {doubt:P0} with the step and tell nothing"
                )
            else
                // What halving the step changes is three quarters of the truncation, and all of the rounding.
                OperatorChecks.Measured name error (max tolerance (10.0 * doubt)) explanation
        with
        | :? DifferentiationException
        | :? NonFiniteException as found -> OperatorChecks.Failed name found.Message
