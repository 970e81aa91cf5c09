namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// How natural gradient steps by K-FAC are made. Immutable; begin with a layout of parameters.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NaturalGradientOptions =
    internal
        {
            Layout: ParameterLayout
            Kfac: KfacOptions
            Rate: float
            Lambda: float
            IsHeuristic: bool
            Every: int
            Divergence: float voption
            Momentum: float
            Averaging: float
        }

    /// For parameters named by a layout: learning rate 0.1, damping 0.001 split between the factors, factors and their
    /// inverses anew in every 10 steps, averaged with decay 0.95, a divergence of at most 0.001 a step, momentum 0.9.
    static member Of(layout: ParameterLayout) =
        System.ArgumentNullException.ThrowIfNull(layout, nameof layout)

        {
            Layout = layout
            Kfac = KfacOptions.Default
            Rate = 0.1
            Lambda = 1e-3
            IsHeuristic = true
            Every = 10
            Divergence = ValueSome 1e-3
            Momentum = 0.9
            Averaging = 0.95
        }

    static member private Name = "natural gradient"

    /// α. Positive.
    member options.LearningRate = options.Rate

    /// λ. Positive.
    member options.Damping = options.Lambda

    /// T, the steps from one estimate of the factors to the next.
    member options.Interval = options.Every

    /// What is estimated.
    member options.KfacOptions = options.Kfac

    /// Another learning rate. Raises ArgumentRangeException unless it is positive.
    member options.WithLearningRate(value: float) =
        OptimizerNumber.positive NaturalGradientOptions.Name "the learning rate" value
        { options with Rate = value }

    /// K + λI with each block A ⊗ G as (A + π√λ I) ⊗ (G + √λ/π I) (Martens & Grosse 2015, section 6.3). Raises
    /// ArgumentRangeException unless λ is positive.
    member options.WithDamping(value: float) =
        OptimizerNumber.positive NaturalGradientOptions.Name "the damping" value
        { options with Lambda = value; IsHeuristic = true }

    /// K + λI as it is. Raises ArgumentRangeException unless λ is positive.
    member options.WithExactDamping(value: float) =
        OptimizerNumber.positive NaturalGradientOptions.Name "the damping" value
        { options with Lambda = value; IsHeuristic = false }

    /// Another number of steps between two estimates. Raises ArgumentRangeException for less than 1.
    member options.WithInterval(steps: int) =
        OptimizerNumber.count NaturalGradientOptions.Name "the interval" steps
        { options with Every = steps }

    /// Another estimate, such as that of a Fisher matrix, or EK-FAC.
    member options.WithKfac(value: KfacOptions) =
        System.ArgumentNullException.ThrowIfNull(value, nameof value)
        { options with Kfac = value }

    /// Steps are shortened to a divergence ½ΔᵀKΔ of at most κ. Raises ArgumentRangeException unless κ is positive.
    member options.WithLargestDivergence(kappa: float) =
        OptimizerNumber.positive NaturalGradientOptions.Name "the largest divergence" kappa
        { options with Divergence = ValueSome kappa }

    /// Steps of any divergence.
    member options.WithoutLargestDivergence() = { options with Divergence = ValueNone }

    /// Another momentum μ; 0 for none. Raises ArgumentRangeException outside [0, 1).
    member options.WithMomentum(value: float) =
        OptimizerNumber.decay NaturalGradientOptions.Name "the momentum" value
        { options with Momentum = value }

    /// The decay ρ of the running mean of the factors: at estimate number j it is min(1 − 1/j, ρ), so that the first
    /// ones count alike; 0 for the last estimate alone. Raises ArgumentRangeException outside [0, 1).
    member options.WithAveraging(decay: float) =
        OptimizerNumber.decay NaturalGradientOptions.Name "the decay of the averages" decay
        { options with Averaging = decay }

    override options.ToString() =
        let show = Numbers.show
        $"learning rate {show options.Rate}, damping {show options.Lambda}, {options.Kfac}, every {options.Every}"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open Curvature

/// Natural gradient steps with a Kronecker-factored matrix (Amari 1998; Martens & Grosse 2015, "Optimizing neural
/// networks with Kronecker-factored approximate curvature").
module internal NaturalGradient =

    let private name = "natural gradient"

    [<NoEquality; NoComparison>]
    type private State =
        {
            Count: int
            Estimates: int
            Matrix: KroneckerOperator
            Inverse: KroneckerOperator
            Velocity: Tensor voption
        }

    let private damped (options: NaturalGradientOptions) (matrix: KroneckerOperator) : KroneckerOperator =
        if options.IsHeuristic then
            matrix.DampedHeuristically options.Lambda
        else
            matrix.Damped options.Lambda

    /// The state with the factors of the batch, averaged with those before.
    let private refreshed (options: NaturalGradientOptions) (state: State voption) (point: StepPoint) : State =
        let struct (losses, batch) = point.Require name
        let found = Kfac.estimateWith options.Kfac options.Layout (losses.RiskOf batch) point.Theta

        let count, estimates, velocity, matrix =
            match state with
            | ValueSome state ->
                let number = state.Estimates + 1
                let decay = min (1.0 - 1.0 / float number) options.Averaging
                state.Count, number, state.Velocity, KroneckerAverage.mix decay state.Matrix found
            | ValueNone -> 0, 1, ValueNone, found

        {
            Count = count
            Estimates = estimates
            Matrix = matrix
            Inverse = (damped options matrix).Inverse()
            Velocity = velocity
        }

    /// The factor √(2κ/(α²·ΔᵀKΔ)) that brings ½α²ΔᵀKΔ down to κ, or 1.
    let private shortening (options: NaturalGradientOptions) rate (matrix: KroneckerOperator) (delta: Tensor) =
        match options.Divergence with
        | ValueNone -> 1.0
        | ValueSome kappa ->
            let form = rate * rate * Vectors.dot delta (matrix.Apply delta)
            if form > 2.0 * kappa then sqrt (2.0 * kappa / form) else 1.0

    let private advance (options: NaturalGradientOptions) (state: State voption) (point: StepPoint) : Tensor * State =
        let isDue =
            match state with
            | ValueSome state -> state.Count % options.Every = 0
            | ValueNone -> true

        let state = if isDue then refreshed options state point else state.Value
        let rate = point.Factor * options.Rate
        let natural = state.Inverse.Apply point.Gradient

        let delta =
            match state.Velocity with
            | ValueSome velocity -> options.Momentum * velocity + natural
            | ValueNone -> natural

        Finite.check $"{name}: the step" delta
        let nu = shortening options rate state.Matrix delta
        let state = { state with Count = state.Count + 1; Velocity = ValueSome delta }
        point.Theta - (rate * nu) * delta, state

    /// See `Optimizer.naturalGradient`.
    let optimizer (options: NaturalGradientOptions) : Optimizer =
        let rec from (state: State voption) =
            Optimizer(
                name,
                Optimizer.NoStableRate,
                fun point ->
                    let next, state = advance options state point
                    next, from (ValueSome state)
            )

        from ValueNone
