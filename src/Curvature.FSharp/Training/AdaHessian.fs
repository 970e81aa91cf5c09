namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Checks of the numbers of methods of descent.
module internal OptimizerNumber =

    let positive (name: string) (what: string) (value: float) =
        if not (value > 0.0 && value < infinity) then
            Fail.range $"{name}: {what} must be positive and finite, and is {value}"

    let notNegative (name: string) (what: string) (value: float) =
        if not (value >= 0.0 && value < infinity) then
            Fail.range $"{name}: {what} must be at least 0 and finite, and is {value}"

    let decay (name: string) (what: string) (value: float) =
        if not (value >= 0.0 && value < 1.0) then
            Fail.range $"{name}: {what} must be at least 0 and less than 1, and is {value}"

    let count (name: string) (what: string) (value: int) =
        if value < 1 then
            Fail.range $"{name}: {what} must be at least 1, and is {value}"

/// How AdaHessian steps. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type AdaHessianOptions =
    internal
        {
            Rate: float
            FirstDecay: float
            SecondDecay: float
            Damping: float
            Exponent: float
            Decay: float
            Every: int
            Spatial: ParameterLayout voption
            Seed: Key
        }

    /// Learning rate 0.15, β₁ 0.9, β₂ 0.999, ε 1e-4, Hessian power 1, no weight decay, a product in every step: the
    /// values of the paper's code. No averaging.
    static member Default =
        {
            Rate = 0.15
            FirstDecay = 0.9
            SecondDecay = 0.999
            Damping = 1e-4
            Exponent = 1.0
            Decay = 0.0
            Every = 1
            Spatial = ValueNone
            Seed = Key.OfSeed 0L
        }

    static member private Name = "AdaHessian"

    /// α. Positive.
    member options.LearningRate = options.Rate

    /// β₁, the decay of the mean of gradients. In [0, 1).
    member options.Beta1 = options.FirstDecay

    /// β₂, the decay of the mean of squared diagonals. In [0, 1).
    member options.Beta2 = options.SecondDecay

    /// ε, added to the denominator. Positive.
    member options.Epsilon = options.Damping

    /// k, the power of the diagonal: 1 divides by it, 0 is gradient descent with momentum.
    member options.HessianPower = options.Exponent

    /// λ of θ ← (1 − αλ)·θ before each step.
    member options.WeightDecay = options.Decay

    /// The steps from one estimate of the diagonal to the next.
    member options.Interval = options.Every

    /// Another learning rate. Raises ArgumentRangeException unless it is positive.
    member options.WithLearningRate(value: float) =
        OptimizerNumber.positive AdaHessianOptions.Name "the learning rate" value
        { options with Rate = value }

    /// Another β₁. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta1(value: float) =
        OptimizerNumber.decay AdaHessianOptions.Name "beta1" value
        { options with FirstDecay = value }

    /// Another β₂. Raises ArgumentRangeException outside [0, 1).
    member options.WithBeta2(value: float) =
        OptimizerNumber.decay AdaHessianOptions.Name "beta2" value
        { options with SecondDecay = value }

    /// Another ε. Raises ArgumentRangeException unless it is positive.
    member options.WithEpsilon(value: float) =
        OptimizerNumber.positive AdaHessianOptions.Name "epsilon" value
        { options with Damping = value }

    /// Another power of the diagonal. Raises ArgumentRangeException outside [0, 1].
    member options.WithHessianPower(value: float) =
        if not (value >= 0.0 && value <= 1.0) then
            Fail.range $"AdaHessian: the Hessian power must lie between 0 and 1, and is {value}"

        { options with Exponent = value }

    /// Another weight decay. Raises ArgumentRangeException unless it is at least 0.
    member options.WithWeightDecay(value: float) =
        OptimizerNumber.notNegative AdaHessianOptions.Name "the weight decay" value
        { options with Decay = value }

    /// The diagonal is estimated in every so many steps, and kept in between. Raises ArgumentRangeException for less
    /// than 1.
    member options.WithInterval(steps: int) =
        OptimizerNumber.count AdaHessianOptions.Name "the interval" steps
        { options with Every = steps }

    /// The estimate is averaged over the last two axes of every tensor of four in the layout, the kernels of
    /// convolutions (the paper's spatial averaging).
    member options.WithSpatialAveraging(layout: ParameterLayout) =
        System.ArgumentNullException.ThrowIfNull(layout, nameof layout)
        { options with Spatial = ValueSome layout }

    /// The key of the random signs; step number t draws from its fold with t.
    member options.WithKey(key: Key) = { options with Seed = key }

    override options.ToString() =
        let show = Numbers.show

        $"learning rate {show options.Rate}, β₁ {show options.FirstDecay}, β₂ {show options.SecondDecay}, "
        + $"ε {show options.Damping}, power {show options.Exponent}, every {options.Every}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// AdaHessian (Yao et al. 2021, "ADAHESSIAN: an adaptive second order optimizer for machine learning", algorithm 1):
/// Adam with an estimate of the Hessian's diagonal in place of the gradient in the second moment.
module internal AdaHessian =

    let private name = "AdaHessian"

    [<NoEquality; NoComparison>]
    type private State =
        {
            /// The steps taken, and the estimates of the diagonal among them.
            Count: int
            Estimates: int
            First: Tensor
            Second: Tensor
        }

    let private start (theta: Tensor) : State =
        {
            Count = 0
            Estimates = 0
            First = Tensor.zerosLike theta
            Second = Tensor.zerosLike theta
        }

    /// The mean over the last two axes of tensors of four.
    let private average (layout: ParameterLayout) (diagonal: Tensor) : Tensor =
        let pieces = layout.Pieces diagonal

        [
            for tensor in layout.Tensors do
                let piece = pieces[tensor.Name]

                if tensor.Shape.Length = 4 then
                    let mean = Tensor.meanAxes [ 2; 3 ] piece |> Tensor.unsqueeze 2 |> Tensor.unsqueeze 3
                    Tensor.broadcastTo (List.ofArray tensor.Shape) mean |> Tensor.flatten
                else
                    Tensor.flatten piece
        ]
        |> Tensor.concat 0

    /// D = z∘Hz for signs z of the step, averaged.
    let private diagonal (options: AdaHessianOptions) (number: int) (point: StepPoint) : Tensor =
        let struct (losses, batch) = point.Require name
        use hessian = losses.Hessian(point.Theta, batch)

        let z =
            let key = options.Seed.FoldIn(uint32 number)

            Probe.drawOn point.Theta.Device Probe.rademacher key point.Theta.Size (0, 1) point.Theta.DType
            |> Tensor.reshape (List.ofArray point.Theta.Shape)

        let diagonal = z * hessian.Apply z
        Finite.check $"{name}: the diagonal of the Hessian" diagonal

        match options.Spatial with
        | ValueSome layout -> average layout diagonal
        | ValueNone -> diagonal

    let private advance (options: AdaHessianOptions) (state: State) (point: StepPoint) : Tensor * State =
        if state.First.Signature <> point.Theta.Signature then
            Fail.shape (
                $"{name}: the parameters have shape {Shape.show point.Theta.Shape}, and the moments "
                + $"{Shape.show state.First.Shape}; the element types must be the same too"
            )

        let count = state.Count + 1
        let first = options.Beta1 * state.First + (1.0 - options.Beta1) * point.Gradient

        let second, estimates =
            if state.Count % options.Every = 0 then
                let d = diagonal options state.Count point
                options.Beta2 * state.Second + (1.0 - options.Beta2) * Tensor.square d, state.Estimates + 1
            else
                state.Second, state.Estimates

        let rate = point.Factor * options.Rate
        let m = first / (1.0 - options.Beta1 ** float count)
        let v = second / (1.0 - options.Beta2 ** float estimates)
        let denominator = v ** (0.5 * options.Exponent) + options.Epsilon

        let decayed =
            if options.Decay = 0.0 then
                point.Theta
            else
                (1.0 - rate * options.Decay) * point.Theta

        let state = { Count = count; Estimates = estimates; First = first; Second = second }
        decayed - rate * m / denominator, state

    /// See `Optimizer.adaHessian`.
    let optimizer (options: AdaHessianOptions) : Optimizer =
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
