namespace Curvature

open System.Diagnostics
open Curvature.FSharp

/// A method of descent with its state. Immutable: a step gives new parameters and the method with its next state, so
/// that a kept method goes on where it was.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Optimizer internal (name: string, stableRate: Lazy<float voption>, step: StepPoint -> Tensor * Optimizer) =

    /// What it is, such as `Adam`.
    member _.Name = name

    /// The learning rate of gradient descent that is stable up to the same curvature, in the next step: 2 over the
    /// largest eigenvalue of the Hessian at most. It is not known of methods that scale each parameter.
    member internal _.StableRate: float voption = stableRate.Value

    /// That of a method without one.
    static member internal NoStableRate: Lazy<float voption> = lazy ValueNone

    /// The parameters after one step from θ with the gradient there, and the method's next state.
    /// Raises ShapeException where θ, the gradient and earlier steps do not have the same shape, and OperatorException
    /// for a method that needs the loss, such as Sophia; a Descent steps with these.
    member optimizer.Step(theta: Tensor, gradient: Tensor) : struct (Tensor * Optimizer) =
        System.ArgumentNullException.ThrowIfNull(theta, nameof theta)
        System.ArgumentNullException.ThrowIfNull(gradient, nameof gradient)

        if theta.Signature <> gradient.Signature then
            Fail.shape (
                $"{name}: the parameters are {theta.DType}{Shape.show theta.Signature.Shape}, and the gradient "
                + $"{gradient.DType}{Shape.show gradient.Signature.Shape}"
            )

        let next, optimizer =
            optimizer.StepFrom
                {
                    Theta = theta
                    Loss = nan
                    Gradient = gradient
                    Factor = 1.0
                    Source = ValueNone
                }

        struct (next, optimizer)

    /// A step from a point. Arguments are not checked.
    member internal _.StepFrom(point: StepPoint) : Tensor * Optimizer = step point

    override _.ToString() = name

    member internal this.Text = this.ToString()
