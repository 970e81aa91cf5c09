namespace Curvature.Cuda;

/// <summary>An array whose elements a kernel reads or writes by their row-major number in a shape.</summary>
internal sealed class ElementText
{
    private readonly AxisWalk _axes;
    private readonly int _bytes;
    private readonly string _address;

    /// <param name="shape">The shape that numbers count in.</param>
    /// <param name="strides">The array's strides over it, in elements.</param>
    /// <param name="bytes">The size of an element.</param>
    /// <param name="address">A register with the address of its first element.</param>
    public ElementText(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, int bytes, string address)
    {
        _axes = Merge(shape, strides);
        _bytes = bytes;
        _address = address;
    }

    /// <summary>A register with the address of the first element.</summary>
    public string First => _address;

    /// <summary>Whether stretches of <paramref name="count"/> elements that start at a multiple of it lie one after the
    /// other, at addresses that are a multiple of the stretch's size where the array's first one is.</summary>
    public static bool IsContiguous(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, int count)
    {
        var axes = Merge(shape, strides);
        return axes.Rank > 0 && axes[axes.Rank - 1].Source == 1 && AreWhole(axes, count, step: count);
    }

    /// <summary>Whether all elements of stretches of <paramref name="count"/> are one and the same.</summary>
    public static bool IsRepeated(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides, int count)
    {
        var axes = Merge(shape, strides);
        return axes.Rank == 0 || (axes[axes.Rank - 1].Source == 0 && AreWhole(axes, count, step: 1));
    }

    /// <summary>Writes the address of an element.</summary>
    /// <param name="coordinates">The element.</param>
    public string At(Coordinates coordinates)
    {
        var writer = PtxWriter.Current;
        var address = _address;
        var inner = 1L;
        for (var axis = _axes.Rank - 1; axis >= 0; axis--)
        {
            var (size, stride, _) = _axes[axis];
            if (stride != 0)
            {
                var step = stride * _bytes;
                var position = coordinates.Along(inner, size, isOutermost: axis == 0);
                address = step is >= int.MinValue and <= int.MaxValue
                    ? writer.Do(Register.Long, "mad.wide.s32", position, $"{step}", address)
                    : writer.Do(
                        Register.Long,
                        "mad.lo.s64",
                        writer.Do(Register.Long, "cvt.s64.s32", position),
                        $"{step}",
                        address);
            }

            inner *= size;
        }

        return address;
    }

    private static AxisWalk Merge(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
    {
        var axes = new List<WalkAxis>();
        for (var axis = 0; axis < shape.Length; axis++)
        {
            axes.Add(new WalkAxis(shape[axis], strides[axis], 0));
        }

        return AxisWalk.InOrder(axes);
    }

    private static bool AreWhole(AxisWalk axes, int count, int step)
    {
        var whole = axes[axes.Rank - 1].Size % count == 0;
        for (var axis = 0; axis < axes.Rank - 1; axis++)
        {
            whole &= axes[axis].Source % step == 0;
        }

        return whole;
    }
}

/// <summary>The positions along axes that belong to one element's number. Arrays of a kernel share most of
/// them.</summary>
/// <param name="number">A register with the number.</param>
internal sealed class Coordinates(string number)
{
    private readonly Dictionary<(long, long), string> _written = [];

    /// <summary>The position along an axis of a size inside which <paramref name="inner"/> elements lie.</summary>
    public string Along(long inner, long size, bool isOutermost)
    {
        var key = (inner, isOutermost ? 0 : size);
        if (!_written.TryGetValue(key, out var position))
        {
            var writer = PtxWriter.Current;
            position = inner == 1 ? number : writer.Do(Register.Word, "div.u32", number, $"{inner}");
            position = isOutermost ? position : writer.Do(Register.Word, "rem.u32", position, $"{size}");
            _written[key] = position;
        }

        return position;
    }
}
