namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// How Sophia estimates the diagonal of the Hessian.
[<RequireQualifiedAccess; NoComparison>]
type internal SophiaDiagonal =
    | Hutchinson
    | GaussNewtonBartlett of Likelihood

/// How Sophia steps. Immutable; begin with Hutchinson or GaussNewtonBartlett.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SophiaOptions =
    internal
        {
            Kind: SophiaDiagonal
            Rate: float
            FirstDecay: float
            SecondDecay: float
            Scale: float
            Damping: float
            Decay: float
            Every: int
            Seed: Key
        }

    static member private Name = "Sophia"

    /// Learning rate 0.001, β₁ 0.96, β₂ 0.99, γ 0.01, ε 1e-12, no weight decay, an estimate in every 10 steps, of
    /// u∘Hu for standard normal u (algorithm 1 of the paper).
    static member Hutchinson =
        {
            Kind = SophiaDiagonal.Hutchinson
            Rate = 1e-3
            FirstDecay = 0.96
            SecondDecay = 0.99
            Scale = 0.01
            Damping = 1e-12
            Decay = 0.0
            Every = 10
            Seed = Key.OfSeed 0L
        }

    /// The same with γ 0.05 and the Gauss–Newton–Bartlett estimate B·ĝ∘ĝ, with ĝ the gradient of the mean loss of B
    /// samples whose targets are drawn from the model (algorithm 2 of the paper). It estimates the diagonal of the
    /// Fisher matrix, without a product. The risk needs a model, and its criterion is taken to be the mean loss of
    /// this likelihood.
    static member GaussNewtonBartlett(likelihood: Likelihood) =
        System.ArgumentNullException.ThrowIfNull(likelihood, nameof likelihood)

        { SophiaOptions.Hutchinson with
            Kind = SophiaDiagonal.GaussNewtonBartlett likelihood
            Scale = 0.05
        }

    /// η, the longest step of a parameter. Positive.
    member options.LearningRate = options.Rate

    /// β₁, the decay of the mean of gradients. In [0, 1).
    member options.Beta1 = options.FirstDecay

    /// β₂, the decay of the mean of diagonals. In [0, 1).
    member options.Beta2 = options.SecondDecay

    /// γ: steps are m/(γ·h) where that is less than 1.
    member options.Gamma = options.Scale

    /// ε, the least denominator. Positive.
    member options.Epsilon = options.Damping

    /// λ of θ ← (1 − ηλ)·θ before each step.
    member options.WeightDecay = options.Decay

    /// k, the steps from one estimate of the diagonal to the next.
    member options.Interval = options.Every

    /// Another learning rate. Raises ArgumentRangeException unless it is positive.
    member options.WithLearningRate(value: float) =
        OptimizerNumber.positive SophiaOptions.Name "the learning rate" value
        { options with Rate = value }

    /// Another β₁. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta1(value: float) =
        OptimizerNumber.decay SophiaOptions.Name "beta1" value
        { options with FirstDecay = value }

    /// Another β₂. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta2(value: float) =
        OptimizerNumber.decay SophiaOptions.Name "beta2" value
        { options with SecondDecay = value }

    /// Another γ. Raises ArgumentRangeException unless it is positive.
    member options.WithGamma(value: float) =
        OptimizerNumber.positive SophiaOptions.Name "gamma" value
        { options with Scale = value }

    /// Another ε. Raises ArgumentRangeException unless it is positive.
    member options.WithEpsilon(value: float) =
        OptimizerNumber.positive SophiaOptions.Name "epsilon" value
        { options with Damping = value }

    /// Another weight decay. Raises ArgumentRangeException unless it is at least 0.
    member options.WithWeightDecay(value: float) =
        OptimizerNumber.notNegative SophiaOptions.Name "the weight decay" value
        { options with Decay = value }

    /// The diagonal is estimated in every so many steps. Raises ArgumentRangeException for less than 1.
    member options.WithInterval(steps: int) =
        OptimizerNumber.count SophiaOptions.Name "the interval" steps
        { options with Every = steps }

    /// The key of the random vectors or targets; step number t draws from its fold with t.
    member options.WithKey(key: Key) = { options with Seed = key }

    override options.ToString() =
        let show = Numbers.show

        let kind =
            if options.Kind = SophiaDiagonal.Hutchinson then
                "Hutchinson"
            else
                "Gauss-Newton-Bartlett"

        $"{kind}, learning rate {show options.Rate}, β₁ {show options.FirstDecay}, β₂ {show options.SecondDecay}, "
        + $"γ {show options.Scale}, every {options.Every}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Sophia (Liu, Li, Hall, Liang & Ma 2023, "Sophia: a scalable stochastic second-order optimizer for language model
/// pre-training", algorithm 3): steps of the mean gradient over the mean diagonal of the Hessian, clipped.
module internal Sophia =

    let private name = "Sophia"

    [<NoEquality; NoComparison>]
    type private State = { Count: int; First: Tensor; Diagonal: Tensor }

    let private start (theta: Tensor) : State =
        { Count = 0; First = Tensor.zerosLike theta; Diagonal = Tensor.zerosLike theta }

    let private estimate (options: SophiaOptions) (number: int) (point: StepPoint) : Tensor =
        let struct (losses, batch) = point.Require name
        let key = options.Seed.FoldIn(uint32 number)

        let diagonal =
            match options.Kind with
            | SophiaDiagonal.Hutchinson ->
                use hessian = losses.Hessian(point.Theta, batch)

                let u =
                    Probe.drawOn point.Theta.Device Probe.gaussian key point.Theta.Size (0, 1) point.Theta.DType
                    |> Tensor.reshape (List.ofArray point.Theta.Shape)

                u * hessian.Apply u
            | SophiaDiagonal.GaussNewtonBartlett likelihood ->
                let struct (gradient, samples) = losses.DrawnGradient(likelihood, key, point.Theta, batch)
                float samples * Tensor.square gradient

        Finite.check $"{name}: the diagonal of the Hessian" diagonal
        diagonal

    let private advance (options: SophiaOptions) (state: State) (point: StepPoint) : Tensor * State =
        if state.First.Signature <> point.Theta.Signature then
            Fail.shape (
                $"{name}: the parameters have shape {Shape.show point.Theta.Shape}, and the moments "
                + $"{Shape.show state.First.Shape}; the element types must be the same too"
            )

        let first = options.Beta1 * state.First + (1.0 - options.Beta1) * point.Gradient

        let diagonal =
            if state.Count % options.Every = 0 then
                options.Beta2 * state.Diagonal + (1.0 - options.Beta2) * estimate options state.Count point
            else
                state.Diagonal

        let rate = point.Factor * options.Rate
        let least = Tensor.fullLike diagonal options.Epsilon
        let ratio = first / Tensor.maximum (options.Gamma * diagonal) least
        let one = Tensor.onesLike ratio
        let clipped = Tensor.maximum -one (Tensor.minimum one ratio)

        let decayed =
            if options.Decay = 0.0 then
                point.Theta
            else
                (1.0 - rate * options.Decay) * point.Theta

        decayed - rate * clipped, { Count = state.Count + 1; First = first; Diagonal = diagonal }

    /// See `Optimizer.sophia`.
    let optimizer (options: SophiaOptions) : Optimizer =
        let rec from (state: State voption) =
            Optimizer(
                name,
                Optimizer.NoStableRate,
                fun point ->
                    let state = ValueOption.defaultWith (fun () -> start point.Theta) state
                    let next, state = advance options state point
                    next, from (ValueSome state)
            )

        from ValueNone
