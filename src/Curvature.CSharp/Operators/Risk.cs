namespace Curvature.CSharp;

/// <summary>Making risks: a loss, the data it is over, and how it is reduced. A risk is a value: nothing is read or
/// computed before somebody asks for a number, and then one batch is in memory at a time.</summary>
public static class Risk
{
    /// <inheritdoc cref="FSharp.Risk.ofFunction"/>
    public static EmpiricalRisk OfFunction(Func<Tensor, Tensor> loss) => FSharp.Risk.ofFunction(loss.ToFSharp());

    /// <inheritdoc cref="FSharp.Risk.ofOutputs"/>
    public static EmpiricalRisk OfOutputs(Func<Tensor, Tensor> model, Func<Tensor, Tensor> criterion) =>
        FSharp.Risk.ofOutputs(model.ToFSharp(), criterion.ToFSharp());

    /// <inheritdoc cref="FSharp.Risk.ofBatches"/>
    public static EmpiricalRisk OfBatches(
        Func<Batch, Tensor, Tensor> loss, IEnumerable<Batch> batches, Reduction reduction = Reduction.Mean) =>
        FSharp.Risk.ofBatches(reduction, loss.ToFSharp(), batches.NotNull());

    /// <inheritdoc cref="FSharp.Risk.ofModel"/>
    public static EmpiricalRisk OfModel(
        Func<Tensor, Tensor, Tensor> model,
        Func<Tensor, Tensor, Tensor> criterion,
        IEnumerable<Batch> batches,
        Reduction reduction = Reduction.Mean) =>
        FSharp.Risk.ofModel(reduction, model.ToFSharp(), criterion.ToFSharp(), batches.NotNull());

    /// <inheritdoc cref="FSharp.Risk.groupSize"/>
    public static int GroupSize => FSharp.Risk.groupSize;

    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Risk.withPasses"/>
        public EmpiricalRisk WithPasses(Func<int, IEnumerable<Batch>> batches) =>
            FSharp.Risk.withPasses(batches.ToFSharp(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Risk.withTerm"/>
        public EmpiricalRisk WithTerm(Func<Tensor, Tensor> term) =>
            FSharp.Risk.withTerm(term.ToFSharp(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Risk.compose"/>
        public EmpiricalRisk Compose(Func<Tensor, Tensor> parameters) =>
            FSharp.Risk.compose(parameters.ToFSharp(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Risk.restrictTo"/>
        public EmpiricalRisk RestrictTo(IEnumerable<string> names, ParameterLayout layout, Tensor theta) =>
            FSharp.Risk.restrictTo(names.NotNull(), layout.NotNull(), theta.NotNull(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Risk.value"/>
        public double Value(Tensor theta) => FSharp.Risk.value(risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Risk.partialSum"/>
        public Tensor PartialSum(int group, Func<Batch, Tensor> part, Kernels.Device device) =>
            FSharp.Risk.partialSum(group, part.ToFSharp(), device.NotNull(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Gradient.ofRisk"/>
        public LossGradient Gradient(Tensor theta) => FSharp.Gradient.ofRisk(risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Gradient.family"/>
        public Func<Tensor, LossGradient> Gradients()
        {
            var family = FSharp.Gradient.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <inheritdoc cref="FSharp.Hessian.ofRisk"/>
        public LinearOperator Hessian(Tensor theta) => FSharp.Hessian.ofRisk(risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Hessian.evaluate"/>
        public LossPoint Evaluate(Tensor theta) => FSharp.Hessian.evaluate(risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Hessian.family"/>
        public Func<Tensor, LossPoint> LossPoints()
        {
            var family = FSharp.Hessian.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <inheritdoc cref="FSharp.GaussNewton.ofRisk"/>
        public LinearOperator GaussNewton(Tensor theta) => FSharp.GaussNewton.ofRisk(risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.GaussNewton.family"/>
        public Func<Tensor, LinearOperator> GaussNewtons()
        {
            var family = FSharp.GaussNewton.family(risk.NotNull());
            return theta => family.Invoke(theta.NotNull());
        }

        /// <inheritdoc cref="FSharp.Fisher.ofRisk"/>
        public LinearOperator Fisher(FisherKind kind, Tensor theta) =>
            FSharp.Fisher.ofRisk(kind.NotNull(), risk.NotNull(), theta.NotNull());
    }
}
