namespace Curvature.FSharp

open System
open Curvature

/// Second derivatives from gradients at two neighbouring points: for gradients that cannot be differentiated, and for
/// checking those that can.
[<RequireQualifiedAccess>]
module FiniteDifference =

    let private name = "finite-difference Hessian"

    /// The direction in which steps are tried. It is random, since no function is likely to single out such a
    /// direction.
    let private trialKey = Key.OfSeed 1729L

    /// (g(θ + hu) − g(θ − hu))/2h for a direction u of length 1.
    let internal difference (gradient: Tensor -> Tensor) (theta: Tensor) (h: float) (u: Tensor) : Tensor =
        let displacement = h * Tensor.reshape (List.ofArray theta.Signature.Shape) u
        (gradient (theta + displacement) - gradient (theta - displacement)) / (2.0 * h)

    /// What a gradient gives at a point near θ: shapes are checked, numbers are not.
    let private checkedGradient (gradient: Tensor -> Tensor) (theta: Tensor) (x: Tensor) : Tensor =
        let g = gradient x

        if g.Signature <> theta.Signature then
            Fail.shape (
                $"{name}: the gradient must be {theta.DType}{Shape.show theta.Signature.Shape}, like the point, "
                + $"and it is {g.DType}{Shape.show g.Signature.Shape}"
            )

        g

    /// The step h, a length in the space of θ, that differences of a gradient at θ should take. Rounding makes small
    /// steps noise (in Float32, h = 1e-6 loses everything), truncation makes large ones wrong. For functions that
    /// vary over distances like those between θ and 0 the balance is near ∛ε(1 + ‖θ‖), with ε the distance of 1 from
    /// the next number of θ's type. Steps of 4, 1, ¼, … 4⁻⁴ times that are tried in one direction, and the one
    /// between the two whose differences agree best is taken. Costs 12 gradients.
    /// Raises NonFiniteException where the gradient is NaN or infinite at θ, or for all steps.
    let step (gradient: Tensor -> Tensor) (theta: Tensor) : float =
        Linearization.checkPoint name theta
        let gradient = checkedGradient gradient theta
        let u = Tensor.normal trialKey DType.Float64 [ theta.Size ] |> Tensor.convert theta.DType
        let u = Tensor.toDevice theta.Device (u / (Tensor.norm u).ToScalar())
        let scale = 1.0 + (Tensor.norm (Tensor.convert DType.Float64 theta)).ToScalar()
        let middle = Math.Cbrt(SmallMatrices.epsilon theta.DType) * scale
        let steps = [ for power in 1..-1..-4 -> middle * Math.Pow(4.0, float power) ]
        let differences = steps |> List.map (fun h -> h, difference gradient theta h u)

        let disagreement ((_, wide): float * Tensor, (_, narrow): float * Tensor) =
            let d = (Tensor.norm (wide - narrow)).ToScalar()
            if Double.IsFinite d then d else infinity

        let (wide, _), (narrow, _) as best = List.pairwise differences |> List.minBy disagreement

        if disagreement best = infinity then
            Fail.nonFinite $"{name}: the gradient is NaN or infinite near the point, at every step tried"

        sqrt (wide * narrow)

    /// The Hessian at θ from any function that gives the gradient, in the shape of θ: Hv ≈ (g(θ + hv) − g(θ − hv))/2h
    /// with the step h that `step` finds once, for v of length 1. A product costs two gradients, one vector after the
    /// other; its error is about ε^⅔ of the size of H. The Hessian is claimed symmetric, which differences are only
    /// nearly. Raises ShapeException for a gradient of another shape, NonFiniteException for one that is NaN or
    /// infinite, DifferentiationException for one that is not deterministic.
    let ofGradient (gradient: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        Linearization.checkPoint name theta
        let gradient, n = checkedGradient gradient theta, theta.Size
        Finite.check $"{name}: the gradient" (gradient theta)
        Determinism.require name gradient theta
        let step = step gradient theta

        let product (v: Tensor) =
            // The largest element first, so that squares neither vanish nor overflow.
            let largest = (Tensor.max (Tensor.abs v)).ToScalar()

            if largest = 0.0 then
                v
            else
                let direction = v / largest
                let length = (Tensor.norm direction).ToScalar()
                difference gradient theta step (direction / length) |> Tensor.flatten |> (*) (length * largest)

        let block (vectors: Tensor) =
            match vectors.Signature.Shape[0] with
            | 0 -> vectors
            | count -> List.init count (fun row -> product (Tensor.item 0 row vectors)) |> Tensor.stack 0

        LinearOperator.Of
            { OperatorParts.define name theta.DType n n { Matvec = product; Matmat = block } with
                Device = theta.Device
                Properties = OperatorProperties.Symmetric
            }

    /// The Hessian of a scalar function at θ from differences of its gradient; see `ofGradient`.
    let hessian (loss: Tensor -> Tensor) (theta: Tensor) : LinearOperator =
        Linearization.checkPoint name theta
        // Before the gradient is compiled, which would fix what a random function drew.
        Determinism.require name loss theta
        let compiled = Compile.func (grad loss)

        let gradient =
            try
                compiled theta |> ignore
                compiled
            with :? AbstractValueException ->
                // The loss asks for values, so that it cannot be recorded without them.
                grad loss

        ofGradient gradient theta
