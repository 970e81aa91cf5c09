namespace Curvature

open System.Diagnostics
open Curvature.FSharp

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
