namespace Curvature.CSharp;

/// <summary>When an estimator has done enough:
/// <c>StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000))</c>. Rules on errors are asked
/// only at interim analyses, and the interval is wide enough to hold the truth as often as it says.</summary>
public static class StoppingRules
{
    extension(StoppingRule)
    {
        /// <inheritdoc cref="FSharp.StoppingRule.ceiling"/>
        public static int Ceiling => FSharp.StoppingRule.ceiling;

        /// <inheritdoc cref="FSharp.StoppingRule.matvecs"/>
        public static StoppingRule Matvecs(int n) => FSharp.StoppingRule.matvecs(n);

        /// <inheritdoc cref="FSharp.StoppingRule.seconds"/>
        public static StoppingRule Seconds(double time) => FSharp.StoppingRule.seconds(time);

        /// <inheritdoc cref="FSharp.StoppingRule.relativeErrorAt"/>
        /// <remarks>The confidence is 95 %.</remarks>
        public static StoppingRule RelativeError(double error) => FSharp.StoppingRule.relativeError(error);

        /// <inheritdoc cref="FSharp.StoppingRule.relativeErrorAt"/>
        public static StoppingRule RelativeError(double error, double confidence) =>
            FSharp.StoppingRule.relativeErrorAt(confidence, error);

        /// <inheritdoc cref="FSharp.StoppingRule.absoluteErrorAt"/>
        /// <remarks>The confidence is 95 %.</remarks>
        public static StoppingRule AbsoluteError(double error) => FSharp.StoppingRule.absoluteError(error);

        /// <inheritdoc cref="FSharp.StoppingRule.absoluteErrorAt"/>
        public static StoppingRule AbsoluteError(double error, double confidence) =>
            FSharp.StoppingRule.absoluteErrorAt(confidence, error);

        /// <inheritdoc cref="FSharp.StoppingRule.pyHessian"/>
        public static StoppingRule PyHessian(double tolerance) => FSharp.StoppingRule.pyHessian(tolerance);
    }

    /// <inheritdoc cref="FSharp.StoppingRule.orElse"/>
    public static StoppingRule OrElse(this StoppingRule first, StoppingRule second) =>
        FSharp.StoppingRule.orElse(second.NotNull(), first.NotNull());

    /// <inheritdoc cref="FSharp.StoppingRule.andAlso"/>
    public static StoppingRule AndAlso(this StoppingRule first, StoppingRule second) =>
        FSharp.StoppingRule.andAlso(second.NotNull(), first.NotNull());
}
