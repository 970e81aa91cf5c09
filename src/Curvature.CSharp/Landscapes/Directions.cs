namespace Curvature.CSharp;

/// <summary>Directions of lines and planes through parameter space: <c>Direction.Gradient(point.Gradient)</c>. All have
/// unit length unless they say otherwise, so that a step is a distance.</summary>
public static class Directions
{
    extension(Direction)
    {
        /// <inheritdoc cref="FSharp.Direction.ofVector"/>
        public static Direction FromVector(string name, Tensor vector) =>
            FSharp.Direction.ofVector(name.NotNull(), vector.NotNull());

        /// <inheritdoc cref="FSharp.Direction.gradient"/>
        public static Direction Gradient(Tensor gradient) => FSharp.Direction.gradient(gradient.NotNull());

        /// <inheritdoc cref="FSharp.Direction.random"/>
        public static Direction Random(Key key, Tensor theta) => FSharp.Direction.random(key, theta.NotNull());
    }

    /// <inheritdoc cref="FSharp.Direction.eigenvector"/>
    public static Direction Direction(this EigenPairs pairs, int index) =>
        FSharp.Direction.eigenvector(index, pairs.NotNull());

    /// <inheritdoc cref="FSharp.Landscape.axis"/>
    public static LandscapeAxis Axis(this Direction direction, IEnumerable<double> positions) =>
        FSharp.Landscape.axis(positions.NotNull(), direction.NotNull());

    /// <inheritdoc cref="FSharp.Direction.scaled"/>
    public static Direction Scaled(this Direction direction, double factor) =>
        FSharp.Direction.scaled(factor, direction.NotNull());

    /// <inheritdoc cref="FSharp.Direction.orthogonalTo"/>
    public static Direction OrthogonalTo(this Direction direction, Direction other) =>
        FSharp.Direction.orthogonalTo(other.NotNull(), direction.NotNull());

    /// <inheritdoc cref="FSharp.Direction.filterNormalizedExcept"/>
    /// <remarks>Without <paramref name="isIgnored"/>, tensors of fewer than two axes do not move: biases and the
    /// parameters of normalisation layers.</remarks>
    public static Direction FilterNormalized(
        this Direction direction,
        ParameterLayout layout,
        Tensor theta,
        Func<ParameterTensor, bool>? isIgnored = null) =>
        isIgnored is null
            ? FSharp.Direction.filterNormalized(layout.NotNull(), theta.NotNull(), direction.NotNull())
            : FSharp.Direction.filterNormalizedExcept(
                isIgnored.ToFSharp(), layout.NotNull(), theta.NotNull(), direction.NotNull());
}
