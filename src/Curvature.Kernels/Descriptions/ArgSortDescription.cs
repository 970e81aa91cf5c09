namespace Curvature.Kernels;

/// <summary>The order of each row of a row-major array [Rows, Length]: an Int32 array of the same shape that holds
/// positions. Ascending, or from the largest where <paramref name="Descending"/> is set.</summary>
public sealed record ArgSortDescription(
    DType DType, int Rows, int Length, bool Descending, Place Source, Place Target);
