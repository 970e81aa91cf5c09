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

    /// <summary>Gauss–Newton matrices at point after point: recorded and compiled at the first.</summary>
    public static Func<Tensor, LinearOperator> Family(Func<Tensor, Tensor> model, Func<Tensor, Tensor> loss)
    {
        var family = FSharp.GaussNewton.family(model.ToFSharp(), loss.ToFSharp());
        return theta => family.Invoke(theta.NotNull());
    }

    /// <summary>The Gauss–Newton matrix over many batches, which are read as by <see cref="Hessian.OverBatches"/>, with the same
    /// errors.</summary>
    /// <param name="model">From inputs and θ to outputs.</param>
    /// <param name="loss">From targets and outputs to a scalar.</param>
    /// <param name="batches">The same data at every pass.</param>
    /// <param name="theta">Where to take it.</param>
    /// <param name="reduction">Whether the loss of a batch is the mean over its samples (batches then count by their size) or the
    /// sum.</param>
    public static LinearOperator OverBatches(
        Func<Tensor, Tensor, Tensor> model,
        Func<Tensor, Tensor, Tensor> loss,
        IEnumerable<Batch> batches,
        Tensor theta,
        Reduction reduction = Reduction.Mean) =>
        FSharp.GaussNewton.overBatches(reduction, model.ToFSharp(), loss.ToFSharp(), batches.NotNull(), theta.NotNull());
}
