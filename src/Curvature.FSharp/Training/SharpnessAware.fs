namespace Curvature.FSharp

open Curvature

/// Sharpness-aware minimisation (Foret et al. 2021, "Sharpness-aware minimization for efficiently improving
/// generalization", algorithm 1).
module internal SharpnessAware =

    let private name = "sharpness-aware"

    /// θ + ρ·g/‖g‖, the worst point of the ball of radius ρ around θ to first order (eq. 2 there, with p = 2). The norm
    /// is over all parameters; where the gradient is 0 it is θ.
    let private ascend (radius: float) (theta: Tensor) (gradient: Tensor) : Tensor =
        let norm = (Tensor.norm gradient).ToScalar()
        if norm > 0.0 then theta + (radius / norm) * gradient else theta

    /// See `Optimizer.sharpnessAware`.
    let optimizer (radius: float) (inner: Optimizer) : Optimizer =
        if not (radius > 0.0 && radius < infinity) then
            Fail.range $"{name}: the radius must be positive and finite, and is {radius}"

        System.ArgumentNullException.ThrowIfNull(inner, nameof inner)
        let title = $"{name} {inner.Name}"

        let rec from (inner: Optimizer) =
            Optimizer(
                title,
                lazy inner.StableRate,
                fun point ->
                    let worst = ascend radius point.Theta point.Gradient
                    let struct (_, gradient) = point.GradientAt title worst
                    Finite.check $"{title}: the gradient at the worst point nearby" gradient
                    let next, inner = inner.StepFrom { point with Gradient = gradient }
                    next, from inner
            )

        from inner
