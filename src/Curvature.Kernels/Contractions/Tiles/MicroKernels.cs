namespace Curvature.Kernels;

/// <summary>A micro-kernel for one size of tile; see <see cref="MicroKernel{V, T, TRows, TWidth}.Run"/>.</summary>
internal readonly unsafe struct TileFunction<T>(delegate*<in TileTerms, T*, T*, T*, nint, bool, void> run)
    where T : unmanaged
{
    public readonly delegate*<in TileTerms, T*, T*, T*, nint, bool, void> Run = run;
}

/// <summary>The micro-kernels of one vector type. Each is compiled when it first runs.</summary>
internal static unsafe class MicroKernels<V, T>
    where V : struct, ILanes<V>
    where T : unmanaged
{
    /// <summary>Rows of the tallest tile that there is.</summary>
    public const int Tallest = 14;

    /// <summary>Tiles one vector wide, by height.</summary>
    public static readonly TileFunction<T>[] Narrow = OfWidth<Extent.Of1>();

    /// <summary>Tiles two vectors wide, by height.</summary>
    public static readonly TileFunction<T>[] Wide = OfWidth<Extent.Of2>();

    private static TileFunction<T>[] OfWidth<TWidth>()
        where TWidth : struct, IExtent =>
    [
        default,
        new(&MicroKernel<V, T, Extent.Of1, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of2, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of3, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of4, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of5, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of6, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of7, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of8, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of9, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of10, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of11, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of12, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of13, TWidth>.Run),
        new(&MicroKernel<V, T, Extent.Of14, TWidth>.Run),
    ];
}
