namespace Curvature.CSharp;

/// <summary>The Hessian of a scalar function, known by its products and its quadratic forms (Pearlmutter 1994).</summary>
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
    public static LossPoint Evaluate(Func<Tensor, Tensor> loss, Tensor theta) =>
        FSharp.Hessian.evaluate(loss.ToFSharp(), theta.NotNull());

    /// <summary>The loss, gradient and Hessian at any point of one shape. The function is recorded and compiled at the first point, so
    /// its control flow must not depend on values; moving on to another point costs one gradient and a linearization.</summary>
    public static Func<Tensor, LossPoint> Family(Func<Tensor, Tensor> loss)
    {
        var family = FSharp.Hessian.family(loss.ToFSharp());
        return theta => family.Invoke(theta.NotNull());
    }

    /// <summary>The Hessian of a loss over many batches. The loss of one batch is the mean over its samples (batches then count by
    /// their size) or the sum. The batches are read once at once, and anew for every block of vectors, all of which go through one
    /// batch before the next is read: memory holds one batch at a time.</summary>
    /// <param name="loss">From a batch and θ to a scalar, which depends on that batch alone.</param>
    /// <param name="batches">The same data at every pass.</param>
    /// <param name="theta">Where to take it.</param>
    /// <param name="reduction">Whether the loss of a batch is the mean over its samples or the sum.</param>
    /// <exception cref="DataException">There are no batches, or the source gives other data at a later pass.</exception>
    /// <exception cref="ShapeException">The loss is not a scalar.</exception>
    /// <exception cref="NonFiniteException">The loss or its gradient is NaN or infinite; the message names the batch.</exception>
    /// <exception cref="DifferentiationException">The loss does not depend on θ, or gives different values for the same point.</exception>
    public static LinearOperator OverBatches(
        Func<Batch, Tensor, Tensor> loss, IEnumerable<Batch> batches, Tensor theta, Reduction reduction = Reduction.Mean) =>
        FSharp.Hessian.overBatches(reduction, loss.ToFSharp(), batches.NotNull(), theta.NotNull());

    /// <summary>The loss, gradient and Hessian of a loss over many batches; see <see cref="OverBatches"/>.</summary>
    public static LossPoint EvaluateOverBatches(
        Func<Batch, Tensor, Tensor> loss, IEnumerable<Batch> batches, Tensor theta, Reduction reduction = Reduction.Mean) =>
        FSharp.Hessian.evaluateOverBatches(reduction, loss.ToFSharp(), batches.NotNull(), theta.NotNull());
}
