namespace Curvature.Kernels;

/// <summary>The layout of some rows of an image, with one group's channels, in scratch memory, where zeros stand in all
/// places outside the image that taps reach. A pixel's neighbours are then at fixed distances, and a run of neighbours
/// along a row with all their channels is contiguous.</summary>
internal sealed class PaddedImage
{
    private readonly int _height;
    private readonly int _width;
    private readonly int _pixel;
    private readonly int _channels;
    private readonly int _stride;
    private readonly int _firstRow;
    private readonly int _firstColumn;
    private readonly int _rowSpan;

    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="pixel">Elements from one pixel of the image to the next.</param>
    /// <param name="channels">Channels that are copied.</param>
    /// <param name="rows">What is read along the vertical axis.</param>
    /// <param name="columns">What is read along the horizontal axis.</param>
    public PaddedImage(int height, int width, int pixel, int channels, AxisPhase[] rows, AxisPhase[] columns)
    {
        _height = height;
        _width = width;
        _pixel = pixel;
        _channels = channels;
        _stride = rows.Length == 0 ? 1 : rows[0].Stride;
        (_firstRow, _rowSpan) = Reach(rows, 1);
        (_firstColumn, Columns) = Reach(columns, columns.Length == 0 ? 0 : columns.Max(phase => phase.Count));
    }

    /// <summary>Pixels of a row.</summary>
    public int Columns { get; }

    /// <summary>Elements of a row.</summary>
    public nint RowLength => (nint)Columns * _channels;

    /// <summary>Rows that are read to compute <paramref name="count"/> positions of each phase.</summary>
    public int Rows(int count) => count == 0 || _rowSpan == 0 ? 0 : ((count - 1) * _stride) + _rowSpan;

    /// <summary>Elements of the rows that are read to compute <paramref name="count"/> positions of each phase, or 2⁵⁷
    /// where they are more.</summary>
    public long Length(int count) =>
        (long)Int128.Min((Int128)Rows(count) * Columns * _channels, long.MaxValue / 64);

    /// <summary>Elements of the same rows of a number of images, which must fit into one array of scratch
    /// memory.</summary>
    public nint Length(int images, int count, ConvolutionSizes sizes)
    {
        var each = Length(count);
        return (Int128)each * images <= int.MaxValue
            ? (nint)each
            : throw new DescriptionException(
                $"Expected rows that fit into scratch memory of {int.MaxValue} elements, got {each} elements of "
                + $"{sizes.Height} and {sizes.Width}.",
                nameof(sizes));
    }

    /// <summary>Where a tap's position lies, for the first position of the phase that is in scratch memory.</summary>
    public nint Place(AxisTap row, AxisTap column) =>
        ((row.Offset - _firstRow) * RowLength) + ((nint)(column.Offset - _firstColumn) * _channels);

    /// <summary>Copies what is read to compute <paramref name="count"/> positions of each phase from position
    /// <paramref name="first"/> on.</summary>
    /// <param name="image">The image's first element in the group.</param>
    /// <param name="first">The first position computed.</param>
    /// <param name="count">The number of positions computed.</param>
    /// <param name="scratch">Where the rows go. Places beside the image must be zero already.</param>
    public unsafe void Copy<T>(T* image, int first, int count, T* scratch)
        where T : unmanaged
    {
        var start = _firstRow + (first * _stride);
        var left = Math.Max(0, _firstColumn);
        var columns = Math.Min(_width, _firstColumn + Columns) - left;
        if (columns <= 0)
        {
            return;
        }

        var interior = scratch + ((nint)(left - _firstColumn) * _channels);
        for (var row = 0; row < Rows(count); row++)
        {
            var target = interior + (row * RowLength);
            if (start + row < 0 || start + row >= _height)
            {
                new Span<T>(target, columns * _channels).Clear();
            }
            else
            {
                CopyPixels(image + ((((nint)(start + row) * _width) + left) * _pixel), target, columns);
            }
        }
    }

    private unsafe void CopyPixels<T>(T* source, T* target, int count)
        where T : unmanaged
    {
        if (_pixel == _channels)
        {
            new ReadOnlySpan<T>(source, count * _channels).CopyTo(new Span<T>(target, count * _channels));
            return;
        }

        for (var i = 0; i < count; i++)
        {
            new ReadOnlySpan<T>(source, _channels).CopyTo(new Span<T>(target, _channels));
            source += _pixel;
            target += _channels;
        }
    }

    /// <summary>The least offset of the phases' taps, and how many positions some of their first ones reach.</summary>
    private static (int First, int Length) Reach(AxisPhase[] phases, int count)
    {
        var offsets = phases.SelectMany(phase => phase.Taps).Select(tap => tap.Offset).ToArray();
        return offsets.Length == 0
            ? (0, 0)
            : (offsets.Min(), ((count - 1) * phases[0].Stride) + offsets.Max() - offsets.Min() + 1);
    }
}
