namespace Curvature.CSharp;

/// <summary>The Hessian of a scalar function, known by its products and its quadratic forms (Pearlmutter 1994).
/// Those of risks are members of <see cref="Risk"/>.</summary>
public static class Hessian
{
    /// <summary>The Hessian of a scalar function at a point of n elements, as an n×n operator. It costs one gradient and one
    /// linearization; then a product Hv costs about two gradients, and a quadratic form vᵀHv less than one.</summary>
    /// <exception cref="ShapeException">The loss is not a scalar.</exception>
    /// <exception cref="DTypeException">The point is <see cref="DType.Int32"/>.</exception>
    /// <exception cref="NonFiniteException">The loss or its gradient is NaN or infinite; the message says where that began.</exception>
    /// <exception cref="DifferentiationException">The loss does not depend on the point.</exception>
    public static LinearOperator At(Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.Hessian.at(loss.ToFSharp(), theta.NotNull());

    /// <summary>The loss, its gradient and its Hessian at a point; see <see cref="At"/> for cost and errors.</summary>
    public static LossPoint Evaluate(Func<Tensor, Tensor> loss, Tensor theta) => Risk.OfFunction(loss).Evaluate(theta);
}
