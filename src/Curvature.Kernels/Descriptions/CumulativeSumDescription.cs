namespace Curvature.Kernels;

/// <summary>A cumulative sum along the middle axis of a row-major array [Outer, Length, Inner]; where
/// <paramref name="Reverse"/> is set, from the end.</summary>
public sealed record CumulativeSumDescription(
    DType DType, int Outer, int Length, int Inner, bool Reverse, Place Source, Place Target);
