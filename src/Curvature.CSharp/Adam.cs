namespace Curvature.CSharp;

/// <summary>What one step of Adam gives.</summary>
/// <param name="Theta">The parameters after the step.</param>
/// <param name="State">Where Adam goes on from.</param>
public sealed record AdamStep(Tensor Theta, AdamState State);

/// <summary>Adam (Kingma &amp; Ba 2015, algorithm 1), step by step. To train with it, <c>Optimizer.Adam</c> is shorter.</summary>
public static class Adam
{
    /// <summary>The state before the first step from θ: moments 0.</summary>
    public static AdamState Start(Tensor theta) => FSharp.Adam.start(theta.NotNull());

    /// <summary>One step from θ with the gradient there: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − α·m̂/(√v̂ + ε).</summary>
    /// <exception cref="ShapeException">The shapes or element types of θ, gradient and state differ.</exception>
    public static AdamStep Step(AdamOptions options, AdamState state, Tensor theta, Tensor gradient)
    {
        var (next, following) = FSharp.Adam.step(options.NotNull(), state.NotNull(), theta.NotNull(), gradient.NotNull());
        return new(next, following);
    }
}
