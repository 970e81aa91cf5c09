using Curvature;
using Curvature.CSharp;
using Curvature.TorchSharp;
using TorchSharp;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Curvature.Samples.Torch;

/// <summary>Images of 8 × 8 pixels with numbers from 0 to 1, [samples; 1; 8; 8], and their classes.</summary>
internal sealed record Digits(TorchTensor Images, TorchTensor Labels)
{
    public long Count => Labels.shape[0];

    /// <summary>Rows of 64 pixels and a label, as the digits of UCI have them.</summary>
    public static Digits Read(string path)
    {
        var data = Csv.Read(path);
        var images = Scaling.ToUnitRange(data.Inputs).ToTorch().to(torch.ScalarType.Float32);
        return new(images.reshape(-1, 1, 8, 8), data.Labels.ToTorch().to(torch.ScalarType.Int64));
    }

    /// <summary>Ten blurred patterns, shifted by up to a pixel, with noise.</summary>
    public static Digits Synthetic(long count)
    {
        var patterns = torch.rand(10, 1, 4, 4);
        var labels = torch.randint(0, 10, count);
        var shifted = torch.nn.functional.interpolate(
            patterns.index_select(0, labels), [8, 8], mode: torch.InterpolationMode.Bilinear);
        return new((shifted + 0.25 * torch.randn(count, 1, 8, 8)).clamp(0, 1), labels);
    }

    /// <summary>The same batches at every pass, as curvature over a data set needs them.</summary>
    public IEnumerable<(TorchTensor Images, TorchTensor Labels)> Batches(long size)
    {
        for (long start = 0; start < Count; start += size)
        {
            var length = Math.Min(size, Count - start);
            yield return (Images.narrow(0, start, length), Labels.narrow(0, start, length));
        }
    }
}
