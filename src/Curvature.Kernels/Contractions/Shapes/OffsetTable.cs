namespace Curvature.Kernels;

/// <summary>The offsets, in elements, of the points of one or more axes of an array, the last axis fastest. With such
/// tables any number of axes, of any strides, are one index to the loops above them.</summary>
internal sealed class OffsetTable
{
    // Evenly spaced offsets, by far the most frequent, need no table: it could be larger than the array that it
    // describes.
    private readonly nint _spacing;
    private readonly nint[]? _offsets;

    private OffsetTable(int count, nint spacing, nint[]? offsets)
    {
        Count = count;
        _spacing = spacing;
        _offsets = offsets;
    }

    public int Count { get; }

    public nint this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _offsets is null ? index * _spacing : _offsets[index];
    }

    /// <summary>The offset at <paramref name="index"/>, or 0 for the first of none.</summary>
    public nint At(int index) => Count == 0 ? 0 : this[index];

    /// <summary>All combinations of the axes' positions.</summary>
    public static OffsetTable Of(IReadOnlyList<ContractionAxis> axes, Func<ContractionAxis, int> stride)
    {
        var count = 1;
        foreach (var axis in axes)
        {
            count = checked(count * axis.Size);
        }

        var continues = true;
        for (var i = 1; i < axes.Count; i++)
        {
            continues &= stride(axes[i - 1]) == (long)stride(axes[i]) * axes[i].Size;
        }

        return continues
            ? new OffsetTable(count, axes.Count == 0 ? 0 : stride(axes[^1]), null)
            : new OffsetTable(count, 0, Combine(axes, stride, count));
    }

    /// <summary>The pattern of some offsets.</summary>
    public OffsetPattern Pattern(IndexRange range)
    {
        var (start, count) = range;
        if (count < 2)
        {
            return new(1, count);
        }

        if (_offsets is null)
        {
            return new(_spacing, _spacing == 1 ? 1 : count);
        }

        nint? spacing = _offsets[start + 1] - _offsets[start];
        var runs = 1;
        for (var i = start + 1; i < start + count; i++)
        {
            var difference = _offsets[i] - _offsets[i - 1];
            spacing = difference == spacing ? spacing : null;
            runs += difference == 1 ? 0 : 1;
        }

        return new(spacing, runs);
    }

    /// <summary>The number of contiguous offsets from <paramref name="start"/> on, at most
    /// <paramref name="most"/>.</summary>
    public int Run(int start, int most)
    {
        if (_offsets is null)
        {
            return _spacing == 1 ? most : Math.Min(most, 1);
        }

        var length = Math.Min(most, 1);
        while (length < most && _offsets[start + length] == _offsets[start] + length)
        {
            length++;
        }

        return length;
    }

    private static nint[] Combine(IReadOnlyList<ContractionAxis> axes, Func<ContractionAxis, int> stride, int count)
    {
        var offsets = new nint[count];
        if (count == 0)
        {
            return offsets;
        }

        var filled = 1;
        for (var axis = axes.Count - 1; axis >= 0; axis--)
        {
            // The inner axes have filled the first block; each step along this one repeats it, further on.
            var block = filled;
            for (var i = 1; i < axes[axis].Size; i++)
            {
                var shift = (nint)i * stride(axes[axis]);
                for (var inner = 0; inner < block; inner++)
                {
                    offsets[filled++] = offsets[inner] + shift;
                }
            }
        }

        return offsets;
    }
}
