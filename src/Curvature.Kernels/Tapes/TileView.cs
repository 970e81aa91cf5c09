using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>A strided array seen as a row-major sequence of elements, of which stretches are read into or written from
/// contiguous tiles.</summary>
internal sealed unsafe class TileView
{
    /// <summary>Bytes that must be free to write after a tile.</summary>
    public const int Slack = 64;

    private readonly int[] _sizes;
    private readonly long[] _strides;

    /// <summary>An array of the given shape. Axes that can be walked as one are merged.</summary>
    public TileView(ReadOnlySpan<int> shape, ReadOnlySpan<int> strides)
    {
        Count = 1;
        foreach (var size in shape)
        {
            Count *= size;
        }

        var sizes = new List<int>();
        var steps = new List<long>();
        for (var axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1)
            {
                continue;
            }

            if (sizes.Count > 0 && steps[^1] == (long)strides[axis] * shape[axis])
            {
                sizes[^1] *= shape[axis];
                steps[^1] = strides[axis];
            }
            else
            {
                sizes.Add(shape[axis]);
                steps.Add(strides[axis]);
            }
        }

        _sizes = [.. sizes];
        _strides = [.. steps];
        Run = _sizes.Length == 0 || _strides[^1] != 1 ? 1 : _sizes[^1];
        Repeats = _strides.AsSpan(0, _strides.Length - (Run == 1 ? 0 : 1)).IndexOfAnyExcept(0L) < 0;
    }

    /// <summary>The length of the contiguous stretches that the array consists of.</summary>
    public long Run { get; }

    /// <summary>Whether it is one stretch, over and over.</summary>
    public bool Repeats { get; }

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>Where an element lies, counted from the array's first.</summary>
    public long OffsetOf(long index)
    {
        if (Run == Count)
        {
            return index;
        }

        var offset = 0L;
        for (var axis = _sizes.Length - 1; axis >= 0; axis--)
        {
            offset += index % _sizes[axis] * _strides[axis];
            index /= _sizes[axis];
        }

        return offset;
    }

    /// <summary>Copies the elements from <paramref name="index"/> on to a tile. May write anything to the
    /// <see cref="Slack"/> bytes after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Read<T>(T* array, long index, int count, T* tile)
        where T : unmanaged
    {
        if (_sizes.Length == 0)
        {
            *tile = *array;
            return;
        }

        var position = stackalloc int[_sizes.Length];
        var source = array + Locate(index, position);
        var last = _sizes.Length - 1;
        var size = _sizes[last];
        var stride = _strides[last];
        while (true)
        {
            var run = Math.Min(count, size - position[last]);
            if (stride == 1)
            {
                CopyRun(source, tile, run);
            }
            else if (stride == 0)
            {
                FillRun(*source, tile, run);
            }
            else
            {
                for (var i = 0; i < run; i++)
                {
                    tile[i] = source[i * stride];
                }
            }

            count -= run;
            if (count == 0)
            {
                return;
            }

            tile += run;
            source += NextRow(position);
        }
    }

    /// <summary>Copies a tile to the elements from <paramref name="index"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write<T>(T* array, long index, int count, T* tile)
        where T : unmanaged
    {
        if (_sizes.Length == 0)
        {
            *array = *tile;
            return;
        }

        var position = stackalloc int[_sizes.Length];
        var target = array + Locate(index, position);
        var last = _sizes.Length - 1;
        var size = _sizes[last];
        var stride = _strides[last];
        while (true)
        {
            var run = Math.Min(count, size - position[last]);
            if (stride == 1)
            {
                CopyRun(tile, target, run);
            }
            else
            {
                for (var i = 0; i < run; i++)
                {
                    target[i * stride] = tile[i];
                }
            }

            count -= run;
            if (count == 0)
            {
                return;
            }

            tile += run;
            target += NextRow(position);
        }
    }

    private long Locate(long index, int* position)
    {
        var offset = 0L;
        for (var axis = _sizes.Length - 1; axis >= 0; axis--)
        {
            position[axis] = (int)(index % _sizes[axis]);
            offset += position[axis] * _strides[axis];
            index /= _sizes[axis];
        }

        return offset;
    }

    /// <summary>Goes from a place in a row to the start of the next row, and returns how far that is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long NextRow(int* position)
    {
        var last = _sizes.Length - 1;
        var step = -position[last] * _strides[last];
        position[last] = 0;
        for (var axis = last - 1; axis >= 0; axis--)
        {
            step += _strides[axis];
            if (++position[axis] < _sizes[axis])
            {
                break;
            }

            step -= position[axis] * _strides[axis];
            position[axis] = 0;
        }

        return step;
    }

    private static void CopyRun<T>(T* source, T* target, int count)
        where T : unmanaged
    {
        if (count < 16)
        {
            for (var i = 0; i < count; i++)
            {
                target[i] = source[i];
            }
        }
        else
        {
            new Span<T>(source, count).CopyTo(new Span<T>(target, count));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FillRun<T>(T value, T* target, int count)
        where T : unmanaged
    {
        if (count <= Slack / sizeof(T))
        {
            // One vector for all short runs: the next run overwrites what is too much.
            Vector512.Create(value).Store(target);
        }
        else
        {
            new Span<T>(target, count).Fill(value);
        }
    }
}
