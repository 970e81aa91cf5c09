namespace Curvature.CSharp;

/// <summary>The Hessian of a scalar function, known by its products and its quadratic forms (Pearlmutter 1994).
/// Those of risks are members of <see cref="Risk"/>.</summary>
public static class Hessian
{
    /// <inheritdoc cref="FSharp.Hessian.at"/>
    public static LinearOperator At(Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.Hessian.at(loss.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.Hessian.evaluate"/>
    public static LossPoint Evaluate(Func<Tensor, Tensor> loss, Tensor theta) => Risk.OfFunction(loss).Evaluate(theta);
}

/// <summary>The Gauss–Newton matrix JᵀH_ℓJ of a model's outputs under a convex loss ℓ (Schraudolph 2002): the Hessian
/// without the curvature of the model.</summary>
public static class GaussNewton
{
    /// <inheritdoc cref="FSharp.GaussNewton.at"/>
    public static LinearOperator At(Func<Tensor, Tensor> model, Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.GaussNewton.at(model.ToFSharp(), loss.ToFSharp(), theta.NotNull());
}

/// <summary>The first derivative of a function with many outputs, as an operator.</summary>
public static class Jacobian
{
    /// <inheritdoc cref="FSharp.Jacobian.at"/>
    public static LinearOperator At(Func<Tensor, Tensor> f, Tensor x) => FSharp.Jacobian.at(f.ToFSharp(), x.NotNull());
}

/// <summary>Second derivatives from gradients at two neighbouring points: for gradients that cannot be differentiated,
/// and for checking those that can.</summary>
public static class FiniteDifference
{
    /// <inheritdoc cref="FSharp.FiniteDifference.ofGradient"/>
    public static LinearOperator HessianFromGradient(Func<Tensor, Tensor> gradient, Tensor theta) =>
        FSharp.FiniteDifference.ofGradient(gradient.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.FiniteDifference.hessian"/>
    public static LinearOperator Hessian(Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.FiniteDifference.hessian(loss.ToFSharp(), theta.NotNull());

    /// <inheritdoc cref="FSharp.FiniteDifference.step"/>
    public static double Step(Func<Tensor, Tensor> gradient, Tensor theta) =>
        FSharp.FiniteDifference.step(gradient.ToFSharp(), theta.NotNull());
}
