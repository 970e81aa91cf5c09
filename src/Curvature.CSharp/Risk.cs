namespace Curvature.CSharp;

/// <summary>Making risks: a loss, the data it is over, and how it is reduced. A risk is a value: nothing is read or computed before
/// somebody asks for a number, and then one batch is in memory at a time.</summary>
public static class Risk
{
    /// <summary>A scalar function of θ.</summary>
    public static EmpiricalRisk OfFunction(Func<Tensor, Tensor> loss) => FSharp.Risk.ofFunction(loss.ToFSharp());

    /// <summary>A scalar criterion of the outputs of a model, without data of their own. Gauss–Newton and Fisher matrices need the two
    /// apart.</summary>
    /// <param name="model">From θ to outputs.</param>
    /// <param name="criterion">From outputs to a scalar.</param>
    public static EmpiricalRisk OfOutputs(Func<Tensor, Tensor> model, Func<Tensor, Tensor> criterion) =>
        FSharp.Risk.ofOutputs(model.ToFSharp(), criterion.ToFSharp());

    /// <summary>A loss over batches. Whatever needs another pass reads them anew, and a source that gives other data there is refused.
    /// Sums are in Float64, along a tree that depends on the number of batches alone.</summary>
    /// <param name="loss">From a batch and θ to a scalar, which depends on that batch alone.</param>
    /// <param name="batches">The same data at every pass.</param>
    /// <param name="reduction">Whether the loss of a batch is the mean over its samples (batches then count by their size) or the sum.</param>
    public static EmpiricalRisk OfBatches(
        Func<Batch, Tensor, Tensor> loss, IEnumerable<Batch> batches, Reduction reduction = Reduction.Mean) =>
        FSharp.Risk.ofBatches(reduction, loss.ToFSharp(), batches.NotNull());

    /// <summary>A risk over batches whose model and criterion are known apart, as Gauss–Newton and Fisher matrices need them.</summary>
    /// <param name="model">From inputs and θ to outputs.</param>
    /// <param name="criterion">From targets and outputs to a scalar.</param>
    /// <param name="batches">The same data at every pass.</param>
    /// <param name="reduction">Whether the criterion is the mean over the samples of a batch or the sum.</param>
    public static EmpiricalRisk OfModel(
        Func<Tensor, Tensor, Tensor> model,
        Func<Tensor, Tensor, Tensor> criterion,
        IEnumerable<Batch> batches,
        Reduction reduction = Reduction.Mean) =>
        FSharp.Risk.ofModel(reduction, model.ToFSharp(), criterion.ToFSharp(), batches.NotNull());

    /// <summary>How many batches make a group of the tree along which sums over batches are taken.</summary>
    public static int GroupSize => FSharp.Risk.groupSize;

    extension(EmpiricalRisk risk)
    {
        /// <summary>The same loss over the batches that each pass takes from a source, by its number from 0 on. Training may so have another
        /// order at every pass; whatever needs the same data at every pass takes pass 0.</summary>
        /// <exception cref="DataException">The risk has no data.</exception>
        public EmpiricalRisk WithPasses(Func<int, IEnumerable<Batch>> batches) =>
            FSharp.Risk.withPasses(batches.ToFSharp(), risk.NotNull());

        /// <summary>The same risk and a scalar function of θ, such as weight decay, which is added once, whatever the data.</summary>
        public EmpiricalRisk WithTerm(Func<Tensor, Tensor> term) => FSharp.Risk.withTerm(term.ToFSharp(), risk.NotNull());

        /// <summary>The risk of φ ↦ θ(φ): other parameters of the same loss.</summary>
        public EmpiricalRisk Compose(Func<Tensor, Tensor> parameters) =>
            FSharp.Risk.compose(parameters.ToFSharp(), risk.NotNull());

        /// <summary>The risk as a function of some of the tensors of θ by name, with the others held at their values in a point. Its
        /// products cost only those tensors.</summary>
        /// <exception cref="ParameterException">There is no such name in the layout, or no name at all.</exception>
        /// <exception cref="ShapeException">θ does not fit the layout.</exception>
        public EmpiricalRisk RestrictTo(IEnumerable<string> names, ParameterLayout layout, Tensor theta) =>
            FSharp.Risk.restrictTo(names.NotNull(), layout.NotNull(), theta.NotNull(), risk.NotNull());

        /// <summary>The value at θ, in Float64 over batches: one pass.</summary>
        /// <exception cref="DataException">There are no batches.</exception>
        /// <exception cref="NonFiniteException">The value is NaN or infinite.</exception>
        public double Value(Tensor theta) => FSharp.Risk.value(risk.NotNull(), theta.NotNull());

        /// <summary>The sum of weight · part over the batches of one group, in Float64.</summary>
        /// <exception cref="ArgumentRangeException">The number of the group is negative.</exception>
        /// <exception cref="DataException">There is no such group.</exception>
        public Tensor PartialSum(int group, Func<Batch, Tensor> part, Kernels.Device device) =>
            FSharp.Risk.partialSum(group, part.ToFSharp(), device.NotNull(), risk.NotNull());

        /// <summary>The value and its gradient at θ: one gradient of each batch.</summary>
        /// <exception cref="NonFiniteException">Loss or gradient are NaN or infinite.</exception>
        public LossGradient Gradient(Tensor theta) => FSharp.Gradient.ofRisk(risk.NotNull(), theta.NotNull());

        /// <summary>Value and gradient at point after point: recorded and compiled at the first.</summary>
        public Func<Tensor, LossGradient> Gradients()
        {
            var family = FSharp.Gradient.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <summary>The Hessian of a risk at a point. Over batches, data are read anew for every block of vectors, all of which go through
        /// one batch before the next is read: memory holds one batch at a time.</summary>
        /// <exception cref="DataException">There are no batches, or the source gives other data at a later pass.</exception>
        /// <exception cref="ArgumentRangeException">The loss is reduced in another way than was said.</exception>
        /// <exception cref="ShapeException">The loss is not a scalar.</exception>
        /// <exception cref="NonFiniteException">The loss or its gradient is NaN or infinite; the message names the batch.</exception>
        /// <exception cref="DifferentiationException">The loss does not depend on θ, or gives different values for the same
        /// point.</exception>
        public LinearOperator Hessian(Tensor theta) => FSharp.Hessian.ofRisk(risk.NotNull(), theta.NotNull());

        /// <summary>The value of a risk, its gradient and its Hessian at a point; see <see cref="Hessian(EmpiricalRisk, Tensor)"/> for cost and errors.</summary>
        public LossPoint Evaluate(Tensor theta) => FSharp.Hessian.evaluate(risk.NotNull(), theta.NotNull());

        /// <summary>The value, gradient and Hessian at any point of one shape. The loss is recorded and compiled at the first point;
        /// moving on to another costs one gradient and a linearization of each batch.</summary>
        public Func<Tensor, LossPoint> LossPoints()
        {
            var family = FSharp.Hessian.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <summary>The Gauss–Newton matrix of a risk whose model and criterion are known apart; batches are read as by
        /// <see cref="Hessian(EmpiricalRisk, Tensor)"/>, with the same errors.</summary>
        /// <exception cref="OperatorException">The risk has no model.</exception>
        public LinearOperator GaussNewton(Tensor theta) => FSharp.GaussNewton.ofRisk(risk.NotNull(), theta.NotNull());

        /// <summary>Gauss–Newton matrices at point after point: recorded and compiled at the first.</summary>
        /// <exception cref="OperatorException">The risk has no model.</exception>
        public Func<Tensor, LinearOperator> GaussNewtons()
        {
            var family = FSharp.GaussNewton.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <summary>The Fisher matrix of the risk's model, an average over its samples, whatever its reduction and criterion. Batches are
        /// read as by <see cref="Hessian(EmpiricalRisk, Tensor)"/>, with the same errors.</summary>
        /// <exception cref="OperatorException">The risk has no model.</exception>
        /// <exception cref="ShapeException">There is another number of losses than samples.</exception>
        public LinearOperator Fisher(FisherKind kind, Tensor theta) =>
            FSharp.Fisher.ofRisk(kind.NotNull(), risk.NotNull(), theta.NotNull());
    }
}
