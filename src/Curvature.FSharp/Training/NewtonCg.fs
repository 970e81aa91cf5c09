namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// Which matrix Newton steps solve with.
type NewtonMatrix =
    /// The Gauss–Newton matrix where the risk has a model, and else the Hessian.
    | Automatic = 0
    /// The Hessian, whose negative curvature ends a solve.
    | Hessian = 1
    /// The Gauss–Newton matrix, of a risk with a model.
    | GaussNewton = 2

/// How damped Newton steps are made. Immutable; begin with Default.
[<NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type NewtonCgOptions =
    internal
        {
            Kind: NewtonMatrix
            Initial: float
            Adapts: bool
            Most: int
            Progress: float
            Momentum: float
        }

    /// λ 1 at first, adapted; at most 50 products a step, which end where the model falls by less than a share 0.0005
    /// an iteration; starting from 0.95 times the last step.
    static member Default =
        {
            Kind = NewtonMatrix.Automatic
            Initial = 1.0
            Adapts = true
            Most = 50
            Progress = 5e-4
            Momentum = 0.95
        }

    static member private Name = "Newton-CG"

    /// Which matrix is solved with.
    member options.Matrix = options.Kind

    /// λ in the first step.
    member options.InitialDamping = options.Initial

    /// Whether λ follows the ratio of the decrease to that of the model.
    member options.AdaptsDamping = options.Adapts

    /// The most products of a step.
    member options.MaximumProducts = options.Most

    /// ε of the rule that ends a solve.
    member options.Tolerance = options.Progress

    /// What a solve starts from, as a share of the last step.
    member options.StartShare = options.Momentum

    /// Another matrix. Raises ArgumentRangeException for one that there is not.
    member options.WithMatrix(value: NewtonMatrix) =
        if value < NewtonMatrix.Automatic || value > NewtonMatrix.GaussNewton then
            Fail.range $"Newton-CG: the matrix is Automatic, Hessian or GaussNewton, and this is {int value}"

        { options with Kind = value }

    /// λ of the first step, adapted from there. Raises ArgumentRangeException unless it is positive.
    member options.WithDamping(value: float) =
        OptimizerNumber.positive NewtonCgOptions.Name "the damping" value
        { options with Initial = value; Adapts = true }

    /// The same λ in every step. Raises ArgumentRangeException unless it is at least 0.
    member options.WithFixedDamping(value: float) =
        OptimizerNumber.notNegative NewtonCgOptions.Name "the damping" value
        { options with Initial = value; Adapts = false }

    /// Another limit of products. Raises ArgumentRangeException for less than 1.
    member options.WithMaximumProducts(count: int) =
        OptimizerNumber.count NewtonCgOptions.Name "the limit of products" count
        { options with Most = count }

    /// Another ε; 0 solves to rounding or to the limit. Raises ArgumentRangeException unless it is at least 0.
    member options.WithTolerance(value: float) =
        OptimizerNumber.notNegative NewtonCgOptions.Name "the tolerance" value
        { options with Progress = value }

    /// Solves start from this share of the last step; 0 for 0. Raises ArgumentRangeException outside [0, 1].
    member options.WithStartShare(value: float) =
        if not (value >= 0.0 && value <= 1.0) then
            Fail.range $"Newton-CG: the share of the last step must lie between 0 and 1, and is {value}"

        { options with Momentum = value }

    override options.ToString() =
        let damping = if options.Adapts then "adapted from" else "fixed at"
        $"{options.Kind} matrix, damping {damping} {Numbers.show options.Initial}, at most {options.Most} products"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Newton steps with a damped matrix, solved by truncated conjugate gradients: Hessian-free optimisation (Martens 2010,
/// "Deep learning via Hessian-free optimization"; Nocedal & Wright 2006, algorithm 7.1 for negative curvature).
module internal NewtonCg =

    let private name = "Newton-CG"

    [<NoEquality; NoComparison>]
    type private State = { Lambda: float; Last: Tensor voption }

    let private dot (a: Tensor) (b: Tensor) : float = Vectors.dot (Tensor.flatten a) (Tensor.flatten b)

    /// A solve of Bp = −g: the iterate, the residual r = −g − Bp, the direction, and φ(p) = ½pᵀBp + gᵀp so far.
    [<NoEquality; NoComparison>]
    type private Solve = { P: Tensor; R: Tensor; D: Tensor; Phi: float list }

    /// Whether k iterations have lowered φ by less than a share kε: k = max(10, i/10), as in section 4.4 of the paper.
    let private hasStalled (options: NewtonCgOptions) (phi: float list) =
        let i = phi.Length - 1
        let k = max 10 (i / 10)
        i > k && phi.Head < 0.0 && (phi.Head - phi[k]) / phi.Head < float k * options.Progress

    /// p with Bp ≈ −g. Where the matrix curves downward along a direction, the iterate before it, or −g where there is
    /// none.
    let private solve (options: NewtonCgOptions) (apply: Tensor -> Tensor) (gradient: Tensor) (start: Tensor voption) =
        let smallest = 4.0 * SmallMatrices.epsilon gradient.DType * sqrt (dot gradient gradient)

        let rec iterate products (state: Solve) =
            let square = dot state.R state.R

            if sqrt square <= smallest || products >= options.Most || hasStalled options state.Phi then
                state.P
            else
                let bd = apply state.D
                let curvature = dot state.D bd

                if not (curvature > 0.0) then
                    if state.Phi.Length = 1 && state.Phi.Head >= 0.0 then -gradient else state.P
                else
                    let alpha = square / curvature
                    let p, r = state.P + alpha * state.D, state.R - alpha * bd
                    let beta = dot r r / square
                    // φ(p) = −½pᵀ(r − g), as Bp = −g − r.
                    let phi = -0.5 * dot p (r - gradient)
                    iterate (products + 1) { P = p; R = r; D = r + beta * state.D; Phi = phi :: state.Phi }

        match start with
        | ValueSome p when options.Momentum > 0.0 ->
            let p = options.Momentum * p
            let r = -gradient - apply p
            let phi = -0.5 * dot p (r - gradient)
            // A start that is higher than 0 is worse than none.
            if phi < 0.0 then
                iterate 1 { P = p; R = r; D = r; Phi = [ phi ] }
            else
                iterate 1 { P = Tensor.zerosLike p; R = -gradient; D = -gradient; Phi = [ 0.0 ] }
        | _ -> iterate 0 { P = Tensor.zerosLike gradient; R = -gradient; D = -gradient; Phi = [ 0.0 ] }

    /// The longest of the steps α, α·0.8, α·0.8², … that lowers the loss by 0.01 of what its slope promises (section
    /// 4.6 of the paper), with the loss there; nothing where none of 60 does.
    let private backtrack (lossAt: Tensor -> float) (point: StepPoint) (p: Tensor) =
        let slope = dot point.Gradient p

        let rec search tries (alpha: float) =
            let next = point.Theta + alpha * p
            let loss = lossAt next

            if Double.IsFinite loss && loss <= point.Loss + 0.01 * alpha * slope then
                ValueSome struct (next, loss)
            elif tries = 0 then
                ValueNone
            else
                search (tries - 1) (0.8 * alpha)

        if slope < 0.0 then search 60 point.Factor else ValueNone

    let private adapted (options: NewtonCgOptions) (lambda: float) (ratio: float) =
        if not options.Adapts then lambda
        elif Double.IsNaN ratio || ratio < 0.25 then lambda * 1.5
        elif ratio > 0.75 then lambda / 1.5
        else lambda

    let private advance (options: NewtonCgOptions) (state: State) (point: StepPoint) : Tensor * State =
        let struct (losses, batch) = point.Require name

        match state.Last with
        | ValueSome last when last.Signature <> point.Theta.Signature ->
            Fail.shape (
                $"{name}: the parameters are {point.Theta.DType}{Shape.show point.Theta.Shape}, and the last step "
                + $"{last.DType}{Shape.show last.Shape}"
            )
        | _ -> ()

        let usesHessian =
            match options.Kind with
            | NewtonMatrix.Hessian -> true
            | NewtonMatrix.GaussNewton -> false
            | _ -> losses.Definition.Model.IsNone

        use matrix =
            if usesHessian then
                losses.Hessian(point.Theta, batch)
            else
                losses.GaussNewton(point.Theta, batch)

        let multiply (v: Tensor) =
            let product = matrix.Apply v
            Finite.check $"{name}: a product" product
            product

        let p = solve options (fun v -> multiply v + state.Lambda * v) point.Gradient state.Last
        // Along the model without damping, as the ratio is to say how good that is.
        let promised = dot point.Gradient p + 0.5 * dot p (multiply p)

        let lossAt theta =
            try
                losses.Loss(theta, batch)
            with :? NonFiniteException ->
                nan

        let ratio =
            let full = lossAt (point.Theta + p)
            if promised < 0.0 then (full - point.Loss) / promised else nan

        let lambda = adapted options state.Lambda ratio

        match backtrack lossAt point p with
        | ValueSome struct (next, _) -> next, { Lambda = lambda; Last = ValueSome p }
        | ValueNone -> point.Theta, { Lambda = lambda; Last = ValueNone }

    /// See `Optimizer.newtonCg`.
    let optimizer (options: NewtonCgOptions) : Optimizer =
        let rec from (state: State) =
            Optimizer(
                name,
                Optimizer.NoStableRate,
                fun point ->
                    let next, state = advance options state point
                    next, from state
            )

        from { Lambda = options.Initial; Last = ValueNone }
