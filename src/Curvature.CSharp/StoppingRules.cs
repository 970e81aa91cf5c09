namespace Curvature.CSharp;

/// <summary>When an estimator has done enough: <c>StoppingRule.RelativeError(0.01).OrElse(StoppingRule.Matvecs(1000))</c>. Rules that look
/// at the error do so only at interim analyses, and the interval is wide enough to hold the truth as often as it says.</summary>
public static class StoppingRules
{
    extension(StoppingRule)
    {
        /// <summary>Where a rule has no limit of its own, sampling ends after this many samples.</summary>
        public static int Ceiling => FSharp.StoppingRule.ceiling;

        /// <summary>After n products, or quadratic forms.</summary>
        /// <exception cref="ArgumentRangeException">n is less than 1.</exception>
        public static StoppingRule Matvecs(int n) => FSharp.StoppingRule.matvecs(n);

        /// <summary>After the first block of products that ends later than this many seconds.</summary>
        /// <exception cref="ArgumentRangeException">The time is negative or not finite.</exception>
        public static StoppingRule Seconds(double time) => FSharp.StoppingRule.seconds(time);

        /// <summary>When half the width of the 95 % interval is at most <paramref name="error"/> times the value, for every quantity
        /// watched: for a vector, Euclidean norms. A value near 0 never gets there; combine the rule with a limit.</summary>
        /// <exception cref="ArgumentRangeException">The error is not above 0.</exception>
        public static StoppingRule RelativeError(double error) => FSharp.StoppingRule.relativeError(error);

        /// <summary>The same for an interval of another confidence, between 0 and 1.</summary>
        /// <exception cref="ArgumentRangeException">The error is not above 0, or the confidence not between 0 and 1.</exception>
        public static StoppingRule RelativeError(double error, double confidence) =>
            FSharp.StoppingRule.relativeErrorAt(confidence, error);

        /// <summary>When half the width of the 95 % interval is at most <paramref name="error"/>, for every quantity watched.</summary>
        /// <exception cref="ArgumentRangeException">The error is not above 0.</exception>
        public static StoppingRule AbsoluteError(double error) => FSharp.StoppingRule.absoluteError(error);

        /// <summary>The same for an interval of another confidence, between 0 and 1.</summary>
        /// <exception cref="ArgumentRangeException">The error is not above 0, or the confidence not between 0 and 1.</exception>
        public static StoppingRule AbsoluteError(double error, double confidence) =>
            FSharp.StoppingRule.absoluteErrorAt(confidence, error);

        /// <summary>PyHessian's rule: when one more sample moves the mean by less than the tolerance (there 1e-3), relatively. This is no
        /// error estimate: at 1e-3 the mean is typically off by 3 to 18 %. For comparison only.</summary>
        public static StoppingRule PyHessian(double tolerance) => FSharp.StoppingRule.pyHessian(tolerance);
    }

    /// <summary>When either rule says so.</summary>
    public static StoppingRule OrElse(this StoppingRule first, StoppingRule second) =>
        FSharp.StoppingRule.orElse(second.NotNull(), first.NotNull());

    /// <summary>When both rules say so at the same time.</summary>
    public static StoppingRule AndAlso(this StoppingRule first, StoppingRule second) =>
        FSharp.StoppingRule.andAlso(second.NotNull(), first.NotNull());
}
