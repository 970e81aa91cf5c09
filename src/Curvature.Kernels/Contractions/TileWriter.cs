using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Moves a tile from its buffer to C, where its columns are fewer than whole vectors or not side by side.</summary>
internal static unsafe class TileWriter<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>C[rowOffsets[row + i] + columnOffsets[column + j]] (+)= tile[i·width + j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(
        T* tile,
        int width,
        T* result,
        OffsetTable rowOffsets,
        in RowPanel row,
        OffsetTable columnOffsets,
        in ColumnPanel column,
        bool accumulate)
    {
        if (column.ResultSpacing == 1)
        {
            for (var i = 0; i < row.Height; i++)
            {
                var target = result + rowOffsets[row.Start + i] + columnOffsets[column.Start];
                if (accumulate)
                {
                    Add(tile, target, column.Width);
                }
                else
                {
                    ShortCopy.Run<TSimd, TVector, T>(tile, target, column.Width);
                }

                tile += width;
            }
        }
        else
        {
            // Column by column: C is often the transposed product, with its rows side by side.
            for (var j = 0; j < column.Width; j++)
            {
                var target = result + columnOffsets[column.Start + j];
                for (var i = 0; i < row.Height; i++)
                {
                    var element = target + rowOffsets[row.Start + i];
                    var value = tile[((nint)i * width) + j];
                    *element = accumulate ? *element + value : value;
                }
            }
        }
    }

    private static void Add(T* source, T* target, int count)
    {
        var i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
        {
            TSimd.Store(TSimd.Add(TSimd.Load(target + i), TSimd.Load(source + i)), target + i);
        }

        for (; i < count; i++)
        {
            target[i] += source[i];
        }
    }
}
