namespace Curvature.Kernels;

/// <summary>Fills an array with random numbers, tile by tile: words first, then the distribution made of them in
/// place.</summary>
/// <typeparam name="W">Lanes of 32 bits, for words.</typeparam>
/// <typeparam name="V">Lanes of the elements, for numbers.</typeparam>
internal sealed unsafe class RandomKernel<W, V> : CpuKernel
    where W : struct, ILanes<W>
    where V : struct, ILanes<V>
{
    private const int Tile = ThreefryWords<W>.Tile;
    private const int TilesPerUnit = 16;

    private readonly RandomDescription _fill;

    public RandomKernel(RandomDescription fill, ThreadTeam team)
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
        var array = (byte*)slots[_fill.Target.Slot] + _fill.Target.Offset * size;
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
