namespace Curvature.Kernels;

/// <summary>What a reduction computes.</summary>
public enum ReductionKind
{
    /// <summary>Sum, accumulated in Float64 or pairwise.</summary>
    Sum,

    /// <summary>Largest element; NaN if any is NaN.</summary>
    Maximum,

    /// <summary>Int32 position of the first largest element, row-major over the reduced axes.</summary>
    ArgMaximum,
}

/// <summary>A reduction of <paramref name="Axes"/> (ascending) of an array; the target's strides belong to the axes
/// kept. An empty sum is 0; the maximum of nothing is −∞.</summary>
public sealed record ReductionDescription(
    DType DType, ReductionKind Kind, int[] Shape, int[] Axes, Operand Source, Operand Target);
