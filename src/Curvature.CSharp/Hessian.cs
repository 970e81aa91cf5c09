namespace Curvature.CSharp;

/// <summary>The Hessian of a scalar function or of a risk, known by its products and its quadratic forms (Pearlmutter 1994).</summary>
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

    extension(EmpiricalRisk risk)
    {
        /// <summary>The Hessian of a risk at a point. Over batches, data are read anew for every block of vectors, all of which go through
        /// one batch before the next is read: memory holds one batch at a time.</summary>
        /// <exception cref="DataException">There are no batches, or the source gives other data at a later pass.</exception>
        /// <exception cref="ArgumentRangeException">The loss is reduced in another way than was said.</exception>
        /// <exception cref="ShapeException">The loss is not a scalar.</exception>
        /// <exception cref="NonFiniteException">The loss or its gradient is NaN or infinite; the message names the batch.</exception>
        /// <exception cref="DifferentiationException">The loss does not depend on θ, or gives different values for the same
        /// point.</exception>
        public LinearOperator Hessian(Tensor theta) => FSharp.Hessian.ofRisk(risk.NotNull(), theta.NotNull());

        /// <summary>The value of a risk, its gradient and its Hessian at a point; see <see cref="Hessian"/> for cost and errors.</summary>
        public LossPoint Evaluate(Tensor theta) => FSharp.Hessian.evaluate(risk.NotNull(), theta.NotNull());

        /// <summary>The value, gradient and Hessian at any point of one shape. The loss is recorded and compiled at the first point;
        /// moving on to another costs one gradient and a linearization of each batch.</summary>
        public Func<Tensor, LossPoint> LossPoints()
        {
            var family = FSharp.Hessian.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }
    }
}
