using Curvature.CSharp;

namespace Curvature.Samples.Cluster;

/// <summary>A network for images of handwritten digits of 8 × 8 pixels, and its loss over groups of them. Every process
/// makes the same: groups are read by their numbers, and nothing but numbers is sent.</summary>
internal static class Digits
{
    private const int GroupCount = 24;
    private const int BatchSize = 25;

    public static Network Network { get; } = Network.Mlp(Layer.Tanh, 64, 32, 10);

    public static Tensor Theta { get; } = Network.Initialize(Key.OfSeed(1), DType.Float32);

    /// <summary>The digits of a table, or ten blurred patterns with noise where there is none.</summary>
    public static Shards Register(string? path)
    {
        var data = path is null ? Synthetic(1797) : Csv.Read(path);
        var images = Scaling.ToUnitRange(data.Inputs).Convert(DType.Float32);

        IEnumerable<Batch> BatchesOf(int group)
        {
            var first = (int)((long)data.Labels.Size * group / GroupCount);
            var last = (int)((long)data.Labels.Size * (group + 1) / GroupCount);
            var rows = Enumerable.Range(first, last - first).ToArray();
            return Batches.Split(Batches.Rows(images, rows), Batches.Rows(data.Labels, rows), BatchSize);
        }

        return Shards.Empty.Register(
            "digits",
            GroupCount,
            BatchesOf,
            (batch, theta) => Loss.SoftmaxCrossEntropy(batch.Targets, Network.Forward(theta, batch.Inputs)));
    }

    private static LabelledData Synthetic(int count)
    {
        var key = Key.OfSeed(2);
        var labels = Tensor.FromIndices([.. Enumerable.Range(0, count).Select(i => i * 7 % 10)], count);
        var patterns = Tensor.Normal(key.FoldIn(0), DType.Float64, 10, 64);
        var noise = Tensor.Normal(key.FoldIn(1), DType.Float64, count, 64);
        var rows = Enumerable.Range(0, count).Select(i => i * 7 % 10).ToArray();
        return LabelledData.Create(Batches.Rows(patterns, rows) + 0.5 * noise, labels);
    }
}
