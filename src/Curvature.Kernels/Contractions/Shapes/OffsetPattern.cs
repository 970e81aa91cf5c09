namespace Curvature.Kernels;

/// <summary>How a range of offsets goes on from one to the next.</summary>
/// <param name="Spacing">Their common difference; null if it varies. A single offset goes with any difference, and is
/// said to have 1.</param>
/// <param name="Runs">The number of runs of contiguous offsets.</param>
internal readonly record struct OffsetPattern(nint? Spacing, int Runs);
