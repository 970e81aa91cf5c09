namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// A method of descent with its state. Immutable: a step gives new parameters and the method with its next state.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Optimizer internal (name: string, step: float -> Tensor -> Tensor -> Tensor * Optimizer) =

    /// What it is, such as `Adam`.
    member _.Name = name

    /// The parameters after one step from θ with the gradient there, and the method's next state.
    /// Raises ShapeException where θ, the gradient and earlier steps do not have the same shape.
    member optimizer.Step(theta: Tensor, gradient: Tensor) : struct (Tensor * Optimizer) =
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)
        System.ArgumentNullException.ThrowIfNull(gradient, nameof gradient)

        if theta.Signature <> gradient.Signature then
            Fail.shape (
                $"{name}: the parameters are {theta.DType}{Shape.show theta.Signature.Shape}, and the gradient "
                + $"{gradient.DType}{Shape.show gradient.Signature.Shape}"
            )

        let next, optimizer = optimizer.StepScaled 1.0 theta gradient
        struct (next, optimizer)

    /// A step with a multiple of the learning rate. Arguments are not checked.
    member internal _.StepScaled (factor: float) (theta: Tensor) (gradient: Tensor) : Tensor * Optimizer =
        step factor theta gradient

    override _.ToString() = name

    member internal this.Text = this.ToString()

/// How Adam steps. Immutable; begin with Default.
[<DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type AdamOptions =
    internal
        {
            Rate: float
            FirstDecay: float
            SecondDecay: float
            Damping: float
        }

    /// Learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-8: the values of the paper.
    static member Default = { Rate = 1e-3; FirstDecay = 0.9; SecondDecay = 0.999; Damping = 1e-8 }

    /// The length of a step in each parameter, while gradients keep their sign. Positive.
    member options.LearningRate = options.Rate

    /// β₁, the decay of the mean of gradients. In [0, 1).
    member options.Beta1 = options.FirstDecay

    /// β₂, the decay of the mean of squared gradients. In [0, 1).
    member options.Beta2 = options.SecondDecay

    /// ε, added to the root of the mean square. Positive.
    member options.Epsilon = options.Damping

    static member private Positive name value =
        if not (value > 0.0 && value < infinity) then
            Fail.range $"Adam: {name} must be positive and finite, and is {value}"

    static member private Decay name value =
        if not (value >= 0.0 && value < 1.0) then
            Fail.range $"Adam: {name} must be at least 0 and less than 1, and is {value}"

    /// Another learning rate. Raises ArgumentRangeException unless it is positive.
    member options.WithLearningRate(value: float) =
        AdamOptions.Positive "the learning rate" value
        { options with Rate = value }

    /// Another β₁. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta1(value: float) =
        AdamOptions.Decay "beta1" value
        { options with FirstDecay = value }

    /// Another β₂. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta2(value: float) =
        AdamOptions.Decay "beta2" value
        { options with SecondDecay = value }

    /// Another ε. Raises ArgumentRangeException unless it is positive.
    member options.WithEpsilon(value: float) =
        AdamOptions.Positive "epsilon" value
        { options with Damping = value }

    override options.ToString() =
        let show = FSharp.Numbers.show

        $"learning rate {show options.Rate}, β₁ {show options.FirstDecay}, β₂ {show options.SecondDecay}, "
        + $"ε {show options.Damping}"

    member internal this.Text = this.ToString()

/// The state of Adam after a number of steps.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type AdamState =
    internal
        {
            Count: int
            First: Tensor
            Second: Tensor
        }

    /// The number of steps taken.
    member state.Steps = state.Count

    /// m, the decaying mean of gradients, not corrected for its start at 0.
    member state.FirstMoment = state.First

    /// v, the decaying mean of squared gradients, not corrected for its start at 0.
    member state.SecondMoment = state.Second

    override state.ToString() =
        $"""Adam after {Describe.count state.Count "step"} with {Describe.count state.First.Size "parameter"}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Adam (Kingma & Ba 2015, algorithm 1), step by step.
[<RequireQualifiedAccess>]
module Adam =

    /// The state before the first step from θ: moments 0.
    let start (theta: Tensor) : AdamState =
        { Count = 0; First = Tensor.zerosLike theta; Second = Tensor.zerosLike theta }

    /// The parameters after one step, and the next state:
    /// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − α·m̂/(√v̂ + ε), where m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ).
    let step (options: AdamOptions) (state: AdamState) (theta: Tensor) (gradient: Tensor) : Tensor * AdamState =
        if state.First.Signature <> theta.Signature || gradient.Signature <> theta.Signature then
            Fail.shape (
                $"Adam: the parameters have shape {Shape.show theta.Shape}, the gradient {Shape.show gradient.Shape} "
                + $"and the moments {Shape.show state.First.Shape}; the element types must be the same too"
            )

        let count = state.Count + 1
        let first = state.First * options.Beta1 + gradient * (1.0 - options.Beta1)
        let second = state.Second * options.Beta2 + Tensor.square gradient * (1.0 - options.Beta2)
        let rate = options.LearningRate / (1.0 - options.Beta1 ** float count)
        let root = sqrt (1.0 - options.Beta2 ** float count)
        let next = theta - rate * first / (Tensor.sqrt second / root + options.Epsilon)

        next, { Count = count; First = first; Second = second }

/// Methods of descent before their first step.
[<RequireQualifiedAccess>]
module Optimizer =

    /// Adam after the parameters were made smaller by a share for each step, which is the learning rate times the
    /// decay.
    let private decayingAdam name (options: AdamOptions) (decay: float) : Optimizer =
        let rec from (state: AdamState option) =
            Optimizer(
                name,
                fun factor theta gradient ->
                    let state = state |> Option.defaultWith (fun () -> Adam.start theta)
                    let scaled = { options with Rate = factor * options.Rate }
                    let decayed = if decay = 0.0 then theta else theta * (1.0 - scaled.Rate * decay)
                    let next, state = Adam.step scaled state decayed gradient
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
                fun factor theta gradient ->
                    let velocity =
                        match velocity with
                        | Some v when v.Signature <> theta.Signature ->
                            Fail.shape (
                                $"momentum: the parameters have shape {Shape.show theta.Shape}, and the velocity "
                                + $"{Shape.show v.Shape}"
                            )
                        | Some v -> v * decay + gradient
                        | None -> gradient

                    theta - velocity * (factor * learningRate), from (Some velocity)
            )

        from None

    /// Gradient descent: θ ← θ − αg.
    let gradientDescent (learningRate: float) : Optimizer = momentum learningRate 0.0

    /// Another method with its gradients changed before each step.
    let private changingGradients (name: string) (change: Tensor -> Tensor) (optimizer: Optimizer) : Optimizer =
        let rec from (inner: Optimizer) =
            Optimizer(
                name,
                fun factor theta gradient ->
                    let next, inner = inner.StepScaled factor theta (change gradient)
                    next, from inner
            )

        from optimizer

    /// The same method with its learning rate times a factor in each step: `schedule` is given the number of the step,
    /// from 0, as the functions of `LearningRate` are. Schedules of a scheduled method multiply. Raises
    /// ArgumentRangeException, in a step, for a factor that is negative or not finite.
    let scheduled (schedule: int -> float) (optimizer: Optimizer) : Optimizer =
        let rec from number (inner: Optimizer) =
            Optimizer(
                inner.Name,
                fun factor theta gradient ->
                    let scheduled = schedule number

                    if not (scheduled >= 0.0 && scheduled < infinity) then
                        Fail.range (
                            $"{inner.Name}: a schedule gives factors of at least 0 and finite, and that of step "
                            + $"{number} is {scheduled}"
                        )

                    let next, inner = inner.StepScaled (factor * scheduled) theta gradient
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
