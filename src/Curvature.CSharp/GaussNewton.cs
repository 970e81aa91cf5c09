namespace Curvature.CSharp;

/// <summary>The Gauss–Newton matrix JᵀH_ℓJ of a model's outputs under a convex loss ℓ (Schraudolph 2002): the Hessian without the
/// curvature of the model.</summary>
public static class GaussNewton
{
    /// <summary>The Gauss–Newton matrix, n×n, at θ. It is claimed semidefinite, which holds for every loss that is convex in the outputs, as
    /// squared error and both cross-entropies are. A product costs four matrix products a dense layer, where one with the Hessian
    /// costs six; a quadratic form two.</summary>
    /// <param name="model">From θ to outputs.</param>
    /// <param name="loss">From outputs to a scalar.</param>
    /// <param name="theta">Where to take it.</param>
    /// <exception cref="ShapeException">The loss is not a scalar.</exception>
    /// <exception cref="NonFiniteException">The loss is NaN or infinite.</exception>
    /// <exception cref="DifferentiationException">The model does not depend on θ, or the loss on the outputs.</exception>
    public static LinearOperator At(Func<Tensor, Tensor> model, Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.GaussNewton.at(model.ToFSharp(), loss.ToFSharp(), theta.NotNull());
}
