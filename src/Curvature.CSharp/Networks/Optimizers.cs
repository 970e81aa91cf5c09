using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Core;

namespace Curvature.CSharp;

/// <summary>Methods of descent before their first step, such as <c>Optimizer.Adam(0.001)</c>.</summary>
public static class Optimizers
{
    extension(Optimizer)
    {
        /// <inheritdoc cref="FSharp.Optimizer.adam"/>
        public static Optimizer Adam(double learningRate) => FSharp.Optimizer.adam(learningRate);

        /// <inheritdoc cref="FSharp.Optimizer.adam"/>
        public static Optimizer Adam(AdamOptions options) => FSharp.Optimizer.adamWith(options.NotNull());

        /// <inheritdoc cref="FSharp.Optimizer.adamW"/>
        public static Optimizer AdamW(double learningRate, double weightDecay = 0.01) =>
            FSharp.Optimizer.adamW(learningRate, weightDecay);

        /// <inheritdoc cref="FSharp.Optimizer.adamWWith"/>
        public static Optimizer AdamW(AdamOptions options, double weightDecay = 0.01) =>
            FSharp.Optimizer.adamWWith(options.NotNull(), weightDecay);

        /// <inheritdoc cref="FSharp.Optimizer.momentum"/>
        public static Optimizer Momentum(double learningRate, double decay) =>
            FSharp.Optimizer.momentum(learningRate, decay);

        /// <inheritdoc cref="FSharp.Optimizer.gradientDescent"/>
        public static Optimizer GradientDescent(double learningRate) => FSharp.Optimizer.gradientDescent(learningRate);

        /// <inheritdoc cref="FSharp.Optimizer.adaHessian"/>
        public static Optimizer AdaHessian(AdaHessianOptions? options = null) =>
            FSharp.Optimizer.adaHessian(options ?? AdaHessianOptions.Default);

        /// <inheritdoc cref="FSharp.Optimizer.sophia"/>
        public static Optimizer Sophia(SophiaOptions? options = null) =>
            FSharp.Optimizer.sophia(options ?? SophiaOptions.Hutchinson);

        /// <inheritdoc cref="FSharp.Optimizer.newtonCg"/>
        public static Optimizer NewtonCg(NewtonCgOptions? options = null) =>
            FSharp.Optimizer.newtonCg(options ?? NewtonCgOptions.Default);

        /// <inheritdoc cref="FSharp.Optimizer.naturalGradient"/>
        public static Optimizer NaturalGradient(NaturalGradientOptions options) =>
            FSharp.Optimizer.naturalGradient(options.NotNull());
    }

    extension(Optimizer optimizer)
    {
        /// <inheritdoc cref="FSharp.Optimizer.scheduled"/>
        public Optimizer Scheduled(Func<int, double> schedule) =>
            FSharp.Optimizer.scheduled(schedule.ToFSharpFactors(), optimizer.NotNull());

        /// <inheritdoc cref="FSharp.Optimizer.sharpnessAware"/>
        public Optimizer SharpnessAware(double radius = 0.05) =>
            FSharp.Optimizer.sharpnessAware(radius, optimizer.NotNull());

        /// <inheritdoc cref="FSharp.Optimizer.clipNorm"/>
        public Optimizer ClipNorm(double most) => FSharp.Optimizer.clipNorm(most, optimizer.NotNull());

        /// <inheritdoc cref="FSharp.Optimizer.clipValue"/>
        public Optimizer ClipValue(double most) => FSharp.Optimizer.clipValue(most, optimizer.NotNull());
    }
}

/// <summary>Schedules of the learning rate: functions from the number of a step, from 0, to the factor by which it
/// multiplies the rate of the method. <c>Optimizer.Adam(0.001).Scheduled(LearningRate.Cosine(1000))</c> follows
/// one.</summary>
public static class LearningRate
{
    /// <inheritdoc cref="FSharp.LearningRate.constant"/>
    public static Func<int, double> Constant(double factor = 1) => FSharp.LearningRate.constant(factor).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.stepwise"/>
    public static Func<int, double> Stepwise(int every, double factor) =>
        FSharp.LearningRate.stepwise(every, factor).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.exponential"/>
    public static Func<int, double> Exponential(double factor) => FSharp.LearningRate.exponential(factor).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.cosine"/>
    public static Func<int, double> Cosine(int steps, double least = 0) =>
        FSharp.LearningRate.cosine(steps, least).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.warmUp"/>
    public static Func<int, double> WarmUp(int steps, Func<int, double> following) =>
        FSharp.LearningRate.warmUp(steps, following.ToFSharpFactors()).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.sequence"/>
    public static Func<int, double> Sequence(Func<int, double> first, int steps, Func<int, double> following) =>
        FSharp.LearningRate.sequence(first.ToFSharpFactors(), steps, following.ToFSharpFactors()).Invoke;

    /// <inheritdoc cref="FSharp.LearningRate.product"/>
    public static Func<int, double> Product(Func<int, double> first, Func<int, double> second)
    {
        FSharpFunc<int, double> factors = first.ToFSharpFactors(), others = second.ToFSharpFactors();
        return step => FSharp.LearningRate.product(factors, others, step);
    }

    internal static FSharpFunc<int, double> ToFSharpFactors(
        [NotNull] this Func<int, double>? schedule,
        [CallerArgumentExpression(nameof(schedule))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(schedule, name);
        return FuncConvert.FromFunc(schedule);
    }
}

/// <summary>What one step of Adam gives.</summary>
/// <param name="Theta">The parameters after the step.</param>
/// <param name="State">The state for the next step.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record AdamStep(Tensor Theta, AdamState State);

/// <summary>Adam (Kingma &amp; Ba 2015, algorithm 1), step by step. To train with it, <c>Optimizer.Adam</c> is
/// shorter.</summary>
public static class Adam
{
    /// <inheritdoc cref="FSharp.Adam.start"/>
    public static AdamState Start(Tensor theta) => FSharp.Adam.start(theta.NotNull());

    /// <inheritdoc cref="FSharp.Adam.step"/>
    public static AdamStep Step(AdamOptions options, AdamState state, Tensor theta, Tensor gradient) =>
        FSharp.Adam.step(options.NotNull(), state.NotNull(), theta.NotNull(), gradient.NotNull())
            .Into((next, following) => new AdamStep(next, following));
}
