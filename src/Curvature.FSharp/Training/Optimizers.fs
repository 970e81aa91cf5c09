namespace Curvature.FSharp

open Curvature

/// Methods of descent before their first step.
[<RequireQualifiedAccess>]
module Optimizer =

    /// Adam after the parameters were made smaller by a share for each step, which is the learning rate times the
    /// decay.
    let private decayingAdam name (options: AdamOptions) (decay: float) : Optimizer =
        let rec from (state: AdamState option) =
            Optimizer(
                name,
                Optimizer.NoStableRate,
                fun point ->
                    let state = state |> Option.defaultWith (fun () -> Adam.start point.Theta)
                    let scaled = { options with Rate = point.Factor * options.Rate }
                    let decayed = if decay = 0.0 then point.Theta else point.Theta * (1.0 - scaled.Rate * decay)
                    let next, state = Adam.step scaled state decayed point.Gradient
                    next, from (Some state)
            )

        from None

    /// Adam (Kingma & Ba 2015).
    let adamWith (options: AdamOptions) : Optimizer = decayingAdam "Adam" options 0.0

    /// Adam with the paper's β₁ 0.9, β₂ 0.999 and ε 1e-8. Raises ArgumentRangeException unless the learning rate is
    /// positive.
    let adam (learningRate: float) : Optimizer = adamWith (AdamOptions.Default.WithLearningRate learningRate)

    /// AdamW: Adam with weight decay λ apart from the gradient, θ ← (1 − αλ)·θ before each step with learning rate α
    /// (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW, whose λ is 0.01 where nothing is said. A schedule
    /// of the learning rate acts on both. Raises ArgumentRangeException unless λ is at least 0 and finite.
    let adamWWith (options: AdamOptions) (weightDecay: float) : Optimizer =
        if not (weightDecay >= 0.0 && weightDecay < infinity) then
            Fail.range $"AdamW: the weight decay must be at least 0 and finite, and is {weightDecay}"

        decayingAdam "AdamW" options weightDecay

    /// AdamW with the paper's β₁ 0.9, β₂ 0.999 and ε 1e-8; see `adamWWith`. Raises ArgumentRangeException unless the
    /// learning rate is positive and the weight decay at least 0.
    let adamW (learningRate: float) (weightDecay: float) : Optimizer =
        adamWWith (AdamOptions.Default.WithLearningRate learningRate) weightDecay

    /// Gradient descent with momentum μ, as torch.optim.SGD: v ← μv + g, θ ← θ − αv. Raises ArgumentRangeException
    /// unless the learning rate α is positive and μ at least 0 and less than 1.
    let momentum (learningRate: float) (decay: float) : Optimizer =
        if not (learningRate > 0.0 && learningRate < infinity && decay >= 0.0 && decay < 1.0) then
            Fail.range (
                $"momentum: a positive learning rate and a decay in [0, 1) are needed, and they are {learningRate} "
                + $"and {decay}"
            )

        let rec from (velocity: Tensor option) =
            Optimizer(
                "momentum",
                // Heavy balls are stable up to 2(1 + μ)/α (Polyak 1964).
                lazy (ValueSome(learningRate / (1.0 + decay))),
                fun point ->
                    let velocity =
                        match velocity with
                        | Some v when v.Signature <> point.Theta.Signature ->
                            Fail.shape (
                                $"momentum: the parameters have shape {Shape.show point.Theta.Shape}, and the velocity "
                                + $"{Shape.show v.Shape}"
                            )
                        | Some v -> v * decay + point.Gradient
                        | None -> point.Gradient

                    point.Theta - velocity * (point.Factor * learningRate), from (Some velocity)
            )

        from None

    /// Gradient descent: θ ← θ − αg.
    let gradientDescent (learningRate: float) : Optimizer = momentum learningRate 0.0

    /// Another method with its gradients changed before each step.
    let private changingGradients (name: string) (change: Tensor -> Tensor) (optimizer: Optimizer) : Optimizer =
        let rec from (inner: Optimizer) =
            Optimizer(
                name,
                lazy inner.StableRate,
                fun point ->
                    let next, inner = inner.StepFrom { point with Gradient = change point.Gradient }
                    next, from inner
            )

        from optimizer

    /// The same method with its learning rate times a factor in each step: `schedule` is given the number of the step,
    /// from 0, as the functions of `LearningRate` are. Schedules of a scheduled method multiply. Raises
    /// ArgumentRangeException, in a step, for a factor that is negative or not finite.
    let scheduled (schedule: int -> float) (optimizer: Optimizer) : Optimizer =
        let factorOf name number =
            let scheduled = schedule number

            if not (scheduled >= 0.0 && scheduled < infinity) then
                Fail.range (
                    $"{name}: a schedule gives factors of at least 0 and finite, and that of step {number} is "
                    + $"{scheduled}"
                )

            scheduled

        let rec from number (inner: Optimizer) =
            Optimizer(
                inner.Name,
                lazy (inner.StableRate |> ValueOption.map (fun rate -> rate * schedule number)),
                fun point ->
                    let factor = point.Factor * factorOf inner.Name number
                    let next, inner = inner.StepFrom { point with Factor = factor }
                    next, from (number + 1) inner
            )

        from 0 optimizer

    /// The same method for gradients g·min(1, c/‖g‖), whose norm is at most c: torch.nn.utils.clip_grad_norm_ before
    /// each step. The norm is over all parameters (Pascanu et al. 2013, algorithm 1).
    /// Raises ArgumentRangeException unless c is positive.
    let clipNorm (most: float) (optimizer: Optimizer) : Optimizer =
        if not (most > 0.0 && most < infinity) then
            Fail.range $"clipNorm: the largest norm must be positive and finite, and is {most}"

        let clip (gradient: Tensor) =
            let norm = Tensor.norm gradient
            gradient * Tensor.minimum (Tensor.onesLike norm) (most / norm)

        changingGradients $"{optimizer.Name}, norms at most {most}" clip optimizer

    /// The same method for gradients whose elements are brought into [−c, c]: torch.nn.utils.clip_grad_value_ before
    /// each step. Raises ArgumentRangeException unless c is positive.
    let clipValue (most: float) (optimizer: Optimizer) : Optimizer =
        if not (most > 0.0 && most < infinity) then
            Fail.range $"clipValue: the largest value must be positive and finite, and is {most}"

        let clip (gradient: Tensor) =
            let bound = Tensor.fullLike gradient most
            Tensor.maximum -bound (Tensor.minimum bound gradient)

        changingGradients $"{optimizer.Name}, values at most {most}" clip optimizer

    /// The parameters after one step from θ with the gradient there, and the method's next state.
    let step (optimizer: Optimizer) (theta: Tensor) (gradient: Tensor) : Tensor * Optimizer =
        let struct (next, optimizer) = optimizer.Step(theta, gradient)
        next, optimizer

    /// Sharpness-aware minimisation (Foret et al. 2021, algorithm 1): Another method with the gradient at θ + ρ·g/‖g‖
    /// in place of that at θ, for the same batch. A step costs two gradients. The paper's ρ is 0.05. What changes
    /// gradients, such as clipping, belongs inside: around this method it would change the ascent alone. Raises
    /// ArgumentRangeException unless ρ is positive; a step raises OperatorException where the gradient alone is known,
    /// and NonFiniteException where the gradient there is NaN or infinite.
    let sharpnessAware (radius: float) (inner: Optimizer) : Optimizer = SharpnessAware.optimizer radius inner

    /// AdaHessian (Yao et al. 2021, algorithm 1): Adam with an estimate of the Hessian's diagonal in place of the
    /// gradient in the second moment. m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)D², θ ← θ − α·m̂/(v̂^{k/2} + ε), with m̂
    /// and v̂ corrected for their start at 0 and D = z∘Hz for random signs z, an unbiased estimate of the Hessian's
    /// diagonal (section 3 of the paper). A step costs a gradient and, in every `Interval`-th, a product with the
    /// Hessian of the batch. A step raises OperatorException where the gradient alone is known, ShapeException for
    /// parameters of another shape or that do not fit the layout of the averaging, and NonFiniteException for a
    /// diagonal that is not finite.
    let adaHessian (options: AdaHessianOptions) : Optimizer = AdaHessian.optimizer options

    /// Sophia (Liu et al. 2023, algorithm 3): clipped steps of the mean gradient over the mean diagonal of the Hessian.
    /// m ← β₁m + (1 − β₁)g; in every k-th step h ← β₂h + (1 − β₂)ĥ; θ ← θ − η·clip(m/max(γh, ε), 1), elementwise. Where
    /// the diagonal is not positive, a step is η against the sign of m. A step costs a gradient and, in every k-th, a
    /// product with the Hessian of the batch, or for Gauss–Newton–Bartlett a forward pass and a gradient. A step raises
    /// OperatorException where the gradient alone is known, or, for Gauss–Newton–Bartlett, the risk has no model;
    /// ShapeException for parameters of another shape, and NonFiniteException for a diagonal that is not finite.
    let sophia (options: SophiaOptions) : Optimizer = Sophia.optimizer options

    /// Damped Newton steps by truncated conjugate gradients (Martens 2010; Nocedal & Wright 2006, algorithm 7.1 for
    /// negative curvature). p solves (B + λI)p = −g for the Gauss–Newton matrix or the Hessian B of the batch, and the
    /// step is the longest of p, 0.8·p, 0.8²·p, … that lowers the loss of the batch enough; where none does, the
    /// parameters stay. A schedule multiplies p. λ grows by 3/2 where the loss falls by less than a quarter of what the
    /// quadratic model without damping says, and shrinks by 2/3 where it falls by more than three quarters (Levenberg
    /// 1944, Marquardt 1963; section 4.1 of the paper). Solves end by the paper's rule on the progress of the model. A
    /// step costs a gradient, at most `MaximumProducts` products and one more, and two losses or more. Batches should
    /// be large: the step trusts them. A step raises OperatorException where the gradient alone is known, or the
    /// Gauss–Newton matrix is asked for and the risk has no model; ShapeException for parameters of another shape than
    /// before, and NonFiniteException for products that are not finite.
    let newtonCg (options: NewtonCgOptions) : Optimizer = NewtonCg.optimizer options

    /// Natural gradient steps by K-FAC (Amari 1998; Martens & Grosse 2015). Δ ← μΔ + (K + λI)⁻¹g, θ ← θ − α·ν·Δ with ν
    /// = min(1, √(2κ/(α²ΔᵀKΔ))): K is the K-FAC matrix of the batch of every T-th step, averaged with those before, and
    /// ½ΔᵀKΔ is to second order the divergence of the model's distributions before and after a step Δ, where K is that
    /// of the Fisher matrix of the mean loss. A step costs a gradient and two products with Kronecker factors; every
    /// T-th costs an estimate of K and its decomposition. A step raises OperatorException where the gradient alone is
    /// known, ShapeException for θ that does not fit the layout, NonFiniteException for a step that is not finite, and
    /// whatever `Kfac.estimateWith` raises.
    let naturalGradient (options: NaturalGradientOptions) : Optimizer = NaturalGradient.optimizer options
