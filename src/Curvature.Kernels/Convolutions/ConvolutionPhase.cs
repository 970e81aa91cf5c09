namespace Curvature.Kernels;

/// <summary>Pixels that are computed alike, and the terms of their sums: runs of elements in scratch memory that are
/// contiguous and equally long.</summary>
internal sealed class ConvolutionPhase
{
    public ConvolutionPhase(AxisPhase rows, AxisPhase columns, PaddedImage image, int channels)
    {
        Rows = rows;
        Columns = columns;

        // Neighbouring taps of a row are one run.
        var merged = columns.Taps.Zip(columns.Taps.Skip(1)).All(pair => pair.Second.Offset == pair.First.Offset + 1);
        var starts = merged ? columns.Taps.Take(1).ToArray() : columns.Taps;
        Runs = [.. rows.Taps.SelectMany(row => starts.Select(column => image.Place(row, column)))];
        RunLength = (merged ? columns.Taps.Length : 1) * channels;
    }

    /// <summary>The vertical axis.</summary>
    public AxisPhase Rows { get; }

    /// <summary>The horizontal axis.</summary>
    public AxisPhase Columns { get; }

    /// <summary>Where each run begins for the first pixel.</summary>
    public nint[] Runs { get; }

    /// <summary>Elements of each run.</summary>
    public int RunLength { get; }

    /// <summary>Terms of a pixel's sum.</summary>
    public int Terms => Runs.Length * RunLength;
}
