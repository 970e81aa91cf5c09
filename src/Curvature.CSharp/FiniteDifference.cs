namespace Curvature.CSharp;

/// <summary>Second derivatives from gradients at two neighbouring points: for gradients that cannot be differentiated, and for checking
/// those that can.</summary>
public static class FiniteDifference
{
    /// <summary>The Hessian at θ from any function that gives the gradient, by central differences: two gradients a product, with an
    /// error of about ε^⅔ of its size. The step follows the element type, and the scale of the function and the point.</summary>
    /// <exception cref="ShapeException">The gradient has another shape than the point.</exception>
    /// <exception cref="NonFiniteException">The gradient is NaN or infinite.</exception>
    /// <exception cref="DifferentiationException">The gradient is not deterministic.</exception>
    public static LinearOperator HessianFromGradient(Func<Tensor, Tensor> gradient, Tensor theta) =>
        FSharp.FiniteDifference.ofGradient(gradient.ToFSharp(), theta.NotNull());

    /// <summary>The Hessian of a scalar function at θ from differences of its gradient; see <see cref="HessianFromGradient"/>.</summary>
    public static LinearOperator Hessian(Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.FiniteDifference.hessian(loss.ToFSharp(), theta.NotNull());

    /// <summary>The step that <see cref="HessianFromGradient"/> takes: a length in the space of θ, found by trying several in one direction.
    /// Costs 12 gradients.</summary>
    public static double Step(Func<Tensor, Tensor> gradient, Tensor theta) =>
        FSharp.FiniteDifference.step(gradient.ToFSharp(), theta.NotNull());
}
