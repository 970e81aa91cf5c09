namespace Curvature.CSharp;

/// <summary>Methods of descent, ready to begin, such as <c>Optimizer.Adam(0.001)</c>.</summary>
public static class Optimizers
{
    extension(Optimizer)
    {
        /// <summary>Adam with the paper's β₁ 0.9, β₂ 0.999 and ε 1e-8 (Kingma &amp; Ba 2015).</summary>
        /// <exception cref="ArgumentRangeException">The learning rate is not positive.</exception>
        public static Optimizer Adam(double learningRate) => FSharp.Optimizer.adam(learningRate);

        /// <summary>Adam (Kingma &amp; Ba 2015), with all that can be chosen.</summary>
        public static Optimizer Adam(AdamOptions options) => FSharp.Optimizer.adamWith(options.NotNull());

        /// <summary>Gradient descent with momentum μ, as torch.optim.SGD: v ← μv + g, θ ← θ − αv.</summary>
        /// <param name="learningRate">α.</param>
        /// <param name="decay">μ.</param>
        /// <exception cref="ArgumentRangeException">α is not positive, or μ not at least 0 and less than 1.</exception>
        public static Optimizer Momentum(double learningRate, double decay) => FSharp.Optimizer.momentum(learningRate, decay);

        /// <summary>Gradient descent: θ ← θ − αg.</summary>
        /// <exception cref="ArgumentRangeException">The learning rate α is not positive.</exception>
        public static Optimizer GradientDescent(double learningRate) => FSharp.Optimizer.gradientDescent(learningRate);
    }
}
