using System.Diagnostics;

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

        /// <inheritdoc cref="FSharp.Optimizer.momentum"/>
        public static Optimizer Momentum(double learningRate, double decay) =>
            FSharp.Optimizer.momentum(learningRate, decay);

        /// <inheritdoc cref="FSharp.Optimizer.gradientDescent"/>
        public static Optimizer GradientDescent(double learningRate) => FSharp.Optimizer.gradientDescent(learningRate);
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
