namespace Curvature.Kernels;

/// <summary>Sizes of a gather or scatter-add. The table array has shape [Batch, Outer, Length, Inner], the picked one
/// [Batch, Outer, Count, Inner], the Int32 index [Batch, Count].</summary>
public readonly record struct IndexingSizes(int Batch, int Outer, int Length, int Count, int Inner);

/// <summary>A gather or scatter-add; every array is row-major. An index outside 0 … Length − 1 throws
/// <see cref="ArgumentRangeException"/>, naming the position and the value.</summary>
public sealed record IndexingDescription(DType DType, IndexingSizes Sizes, Place Source, Place Index, Place Target);
