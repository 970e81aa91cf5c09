using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Fills an array with random numbers, tile by tile: words first, then the distribution made of them in place.</summary>
/// <typeparam name="W">Lanes of 32 bits, for words.</typeparam>
/// <typeparam name="V">Lanes of the elements, for numbers.</typeparam>
internal sealed unsafe class RandomKernel<W, V> : CpuKernel
    where W : struct, ILanes<W>
    where V : struct, ILanes<V>
{
    private const int Tile = ThreefryWords<W>.Tile;
    private const int TilesPerUnit = 16;

    private readonly RandomFill _fill;

    public RandomKernel(RandomFill fill, ThreadTeam team)
        : base(team) => _fill = fill;

    /// <inheritdoc/>
    public override string Name => $"random {_fill.Distribution} {_fill.Count} {_fill.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads) =>
        RunUnits(slots, null, (_fill.Count + (Tile * TilesPerUnit) - 1) / (Tile * TilesPerUnit), threads);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var size = Elements.SizeOf(_fill.DType);
        var array = (byte*)slots[_fill.TargetSlot] + _fill.TargetOffset * size;
        var stop = Math.Min(_fill.Count, end * Tile * TilesPerUnit);
        for (var start = first * Tile * TilesPerUnit; start < stop; start += Tile)
        {
            var count = (int)Math.Min(Tile, stop - start);
            FillTile(array + start * size, _fill.Counter + start, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillTile(byte* tile, long counter, int count)
    {
        if (V.IsSingle)
        {
            ThreefryWords<W>.Write32(_fill.Key0, _fill.Key1, counter, (uint*)tile, count);
        }
        else
        {
            ThreefryWords<W>.Write64(_fill.Key0, _fill.Key1, counter, (ulong*)tile, count);
        }

        switch (_fill.Distribution)
        {
            case Distribution.Uniform:
                Loops<V>.Unary<RandomOperations.Uniform>(tile, null, null, tile, count);
                break;
            case Distribution.Normal:
                Loops<V>.Function<RandomOperations.Normal>(tile, null, null, tile, count);
                break;
            case Distribution.Rademacher:
                Loops<V>.Unary<RandomOperations.Rademacher>(tile, null, null, tile, count);
                break;
        }
    }
}

/// <summary>Makes random kernels.</summary>
internal static class RandomKernel
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(RandomFill fill, InstructionSet set, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(fill);
        Check.NotNegative(fill.Count, nameof(RandomFill.Count));
        Check.NotNegative(fill.TargetSlot, nameof(RandomFill.TargetSlot));
        Check.NotNegative(fill.TargetOffset, nameof(RandomFill.TargetOffset));
        if (!Enum.IsDefined(fill.Distribution))
        {
            throw new DescriptionException(
                $"Expected one of {nameof(Distribution)}, got {fill.Distribution}.",
                nameof(RandomFill.Distribution));
        }

        if (fill.Distribution == Distribution.Bits && fill.DType != DType.Int32)
        {
            throw new DescriptionException($"Expected Int32 for bits, got {fill.DType}.", nameof(RandomFill.DType));
        }

        if (fill.Distribution != Distribution.Bits)
        {
            Check.Floating(fill.DType, nameof(RandomFill.DType));
        }

        return (set, fill.DType) switch
        {
            (InstructionSet.Avx512, DType.Float64) => new RandomKernel<Lanes512<float>, Lanes512<double>>(fill, team),
            (InstructionSet.Avx512, _) => new RandomKernel<Lanes512<float>, Lanes512<float>>(fill, team),
            (InstructionSet.Avx2, DType.Float64) => new RandomKernel<Lanes256<float>, Lanes256<double>>(fill, team),
            (InstructionSet.Avx2, _) => new RandomKernel<Lanes256<float>, Lanes256<float>>(fill, team),
            (_, DType.Float64) => new RandomKernel<Lanes128<float>, Lanes128<double>>(fill, team),
            _ => new RandomKernel<Lanes128<float>, Lanes128<float>>(fill, team),
        };
    }
}
