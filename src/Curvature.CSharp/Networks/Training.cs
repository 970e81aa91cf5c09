namespace Curvature.CSharp;

/// <summary>Finding parameters of a small loss by descent.</summary>
public static class Training
{
    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Training.minimize"/>
        /// <remarks>Cancelling, by a token of the options, ends it between two steps; what was found until then is the
        /// result.</remarks>
        public TrainingResult Minimize(Tensor theta, TrainingOptions? options = null) =>
            FSharp.Training.minimize(options ?? TrainingOptions.Default, risk.NotNull(), theta.NotNull());

        /// <inheritdoc cref="FSharp.Lbfgs.minimize"/>
        public TrainingResult MinimizeByLbfgs(Tensor theta, LbfgsOptions? options = null) =>
            FSharp.Lbfgs.minimize(options ?? LbfgsOptions.Default, risk.NotNull(), theta.NotNull());
    }

    /// <inheritdoc cref="FSharp.Training.minimizeEachPass"/>
    public static TrainingResult MinimizeEachPass(
        Func<int, EmpiricalRisk> risks, Tensor theta, TrainingOptions? options = null) =>
        FSharp.Training.minimizeEachPass(options ?? TrainingOptions.Default, risks.ToFSharp(), theta.NotNull());
}
