using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Curvature.CSharp;

/// <summary>Making data sets with classes of tensors.</summary>
public static class DataSets
{
    extension(LabelledData)
    {
        /// <inheritdoc cref="FSharp.LabelledData.create"/>
        public static LabelledData Create(Tensor inputs, Tensor labels) =>
            FSharp.LabelledData.create(inputs.NotNull(), labels.NotNull());
    }

    /// <inheritdoc cref="FSharp.LabelledData.rows"/>
    public static LabelledData OfRows(this LabelledData data, IReadOnlyList<int> rows) =>
        FSharp.LabelledData.rows(rows.WithoutNull(), data.NotNull());
}

/// <summary>Making data sets for regression of tensors.</summary>
public static class RegressionDataSets
{
    extension(RegressionData)
    {
        /// <inheritdoc cref="FSharp.RegressionData.create"/>
        public static RegressionData Create(Tensor inputs, Tensor targets) =>
            FSharp.RegressionData.create(inputs.NotNull(), targets.NotNull());
    }

    /// <inheritdoc cref="FSharp.RegressionData.rows"/>
    public static RegressionData OfRows(this RegressionData data, IReadOnlyList<int> rows) =>
        FSharp.RegressionData.rows(rows.WithoutNull(), data.NotNull());
}

/// <summary>The rows of the two parts of a data set.</summary>
/// <param name="Training">The rows for training, in the order of the data.</param>
/// <param name="Test">The rows for testing, in the order of the data.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed record SplitRows(IReadOnlyList<int> Training, IReadOnlyList<int> Test)
{
    private bool PrintMembers(StringBuilder builder)
    {
        var (training, test) = (Training?.Count ?? 0, Test?.Count ?? 0);
        builder.Append(CultureInfo.InvariantCulture, $"{training} rows for training, {test} for testing");
        return true;
    }
}

/// <summary>Rows for training and rows for testing, drawn by a key. Each part has its rows in the order of the
/// data.</summary>
public static class Split
{
    /// <inheritdoc cref="FSharp.Split.trainTest"/>
    public static SplitRows TrainTest(int rows, double share, Key key) =>
        FSharp.Split.trainTest(share, key, rows).Into((training, test) => new SplitRows(training, test));

    /// <inheritdoc cref="FSharp.Split.stratified"/>
    public static SplitRows Stratified(Tensor labels, double share, Key key) =>
        FSharp.Split.stratified(share, key, labels.NotNull()).Into((training, test) => new SplitRows(training, test));
}

/// <summary>Bringing the features of a data set to comparable sizes.</summary>
public static class Scaling
{
    /// <inheritdoc cref="FSharp.Scaling.toUnitRange"/>
    public static Tensor ToUnitRange(Tensor inputs) => FSharp.Scaling.toUnitRange(inputs.NotNull());

    /// <inheritdoc cref="FSharp.Scaling.standardize"/>
    public static Tensor Standardize(Tensor inputs) => FSharp.Scaling.standardize(inputs.NotNull());

    /// <inheritdoc cref="FSharp.Scaling.channels"/>
    public static Tensor Channels(Tensor images, IReadOnlyList<double> means, IReadOnlyList<double> deviations) =>
        FSharp.Scaling.channels(means.ToFSharpList(), deviations.ToFSharpList(), images.NotNull());
}

/// <summary>Orders of the rows of a data set, their parts, and batches that are made of these when they are asked
/// for.</summary>
public static class Batches
{
    /// <inheritdoc cref="FSharp.Batches.shuffled"/>
    public static IReadOnlyList<int> Shuffled(Key key, int rows) => FSharp.Batches.shuffled(key, rows);

    /// <inheritdoc cref="FSharp.Batches.cut"/>
    public static IReadOnlyList<IReadOnlyList<int>> Cut(IReadOnlyList<int> order, int size) =>
        FSharp.Batches.cut(size, order.WithoutNull());

    /// <inheritdoc cref="FSharp.Batches.rows"/>
    public static Tensor Rows(Tensor data, IReadOnlyList<int> batch) =>
        FSharp.Batches.rows(batch.WithoutNull(), data.NotNull());

    /// <inheritdoc cref="FSharp.Batches.split"/>
    public static IReadOnlyList<Batch> Split(Tensor inputs, Tensor targets, int size) =>
        FSharp.Batches.split(size, inputs.NotNull(), targets.NotNull());

    /// <inheritdoc cref="FSharp.Batches.ofTensors"/>
    public static IEnumerable<Batch> FromTensors(Tensor inputs, Tensor targets, BatchOptions? options = null) =>
        FSharp.Batches.ofTensors(options ?? BatchOptions.Default, inputs.NotNull(), targets.NotNull());

    /// <inheritdoc cref="FSharp.Batches.shuffledEachPass"/>
    public static Func<int, IEnumerable<Batch>> ShuffledEachPass(Tensor inputs, Tensor targets, int size, Key key) =>
        FSharp.Batches.shuffledEachPass(size, key, inputs.NotNull(), targets.NotNull()).Invoke;

    /// <inheritdoc cref="FSharp.Batches.ofImages"/>
    public static IEnumerable<Batch> FromImages(
        ImageSet images, DType dtype = DType.Float32, BatchOptions? options = null) =>
        FSharp.Batches.ofImages(options ?? BatchOptions.Default, dtype, images.NotNull());
}
