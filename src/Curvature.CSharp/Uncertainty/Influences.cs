namespace Curvature.CSharp;

/// <summary>What single training samples do to the parameters and to losses (Koh &amp; Liang 2017).</summary>
public static class Influences
{
    extension(EmpiricalRisk training)
    {
        /// <inheritdoc cref="FSharp.Influence.onLoss"/>
        public SampleInfluence InfluenceOnLoss(EmpiricalRisk loss, Tensor theta, InfluenceOptions? options = null) =>
            FSharp.Influence.onLoss(
                options ?? InfluenceOptions.Default, training.NotNull(), loss.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Influence.onParameters"/>
        public Tensor InfluenceOnParameters(
            IEnumerable<int> samples, Tensor theta, InfluenceOptions? options = null) =>
            FSharp.Influence.onParameters(
                options ?? InfluenceOptions.Default, training.NotNull(), samples.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Influence.dotProducts"/>
        public SampleInfluence GradientProducts(EmpiricalRisk loss, Tensor theta, InfluenceOptions? options = null) =>
            FSharp.Influence.dotProducts(
                options ?? InfluenceOptions.Default, training.NotNull(), loss.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Influence.cosines"/>
        public SampleInfluence GradientCosines(EmpiricalRisk loss, Tensor theta, InfluenceOptions? options = null) =>
            FSharp.Influence.cosines(
                options ?? InfluenceOptions.Default, training.NotNull(), loss.NotNull(), theta.NotNull());
    }

    /// <inheritdoc cref="FSharp.Influence.retrain"/>
    public static RetrainingCheck Retrain(
        this SampleInfluence influence,
        Func<EmpiricalRisk, Tensor, Tensor> train,
        EmpiricalRisk training,
        EmpiricalRisk loss,
        IEnumerable<int> samples,
        Tensor theta) =>
        FSharp.Influence.retrain(
            train.ToFSharp(),
            training.NotNull(),
            loss.NotNull(),
            samples.NotNull(),
            theta.NotNull(),
            influence.NotNull());
}
