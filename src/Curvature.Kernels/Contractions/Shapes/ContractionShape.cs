namespace Curvature.Kernels;

/// <summary>Where an operand's elements are: element (free index i, inner index p, batch entry n) lies at
/// Free[i] + Inner[p] + Batch[n].</summary>
internal sealed record OperandOffsets(OffsetTable Free, OffsetTable Inner, OffsetTable Batch);

/// <summary>Where the result's elements are: Left[i] + Right[j] + Batch[n].</summary>
internal sealed record ResultOffsets(OffsetTable Left, OffsetTable Right, OffsetTable Batch);

/// <summary>A contraction as a batch of matrix products: the axes of each role are merged into one index.</summary>
internal sealed class ContractionShape
{
    public ContractionShape(ContractionDescription contraction)
    {
        var batch = new List<ContractionAxis>();
        var left = new List<ContractionAxis>();
        var right = new List<ContractionAxis>();
        var inner = new List<ContractionAxis>();
        foreach (var axis in contraction.Axes)
        {
            if (axis.Size != 1)
            {
                Add(Unbatched(axis));
            }
        }

        A = new(OffsetTable.Of(left, StrideA), OffsetTable.Of(inner, StrideA), OffsetTable.Of(batch, StrideA));
        B = new(OffsetTable.Of(right, StrideB), OffsetTable.Of(inner, StrideB), OffsetTable.Of(batch, StrideB));
        C = new(OffsetTable.Of(left, StrideC), OffsetTable.Of(right, StrideC), OffsetTable.Of(batch, StrideC));

        void Add(ContractionAxis axis)
        {
            var axes = axis.Role switch
            {
                AxisRole.Batch => batch,
                AxisRole.Left => left,
                AxisRole.Right => right,
                _ => inner,
            };

            // Sorted, so that contiguous axes come last whatever order the caller had them in.
            var position = axes.Count;
            while (position > 0 && Reach(axes[position - 1]) < Reach(axis))
            {
                position--;
            }

            axes.Insert(position, axis);
        }
    }

    public OperandOffsets A { get; }

    public OperandOffsets B { get; }

    public ResultOffsets C { get; }

    public int Batch => C.Batch.Count;

    public int Left => C.Left.Count;

    public int Right => C.Right.Count;

    public int Inner => A.Inner.Count;

    /// <summary>Multiplications and additions.</summary>
    public double Flops => 2.0 * Batch * Left * Right * Inner;

    /// <summary>A name for people, such as <c>contract 2×128×10×128 (A packed)</c>: batch, left, right,
    /// inner.</summary>
    public string Describe(ContractionDescription contraction)
    {
        var batch = Batch == 1 ? "" : $"{Batch}×";
        var packed = contraction.Packed is { } side ? $" ({side} packed)" : "";
        return $"contract {batch}{Left}×{Right}×{Inner}{packed}";
    }

    /// <summary>A name for people, such as <c>pack B 2×10×128</c>: batch, free, inner.</summary>
    public string DescribePacking(ContractionSide side)
    {
        var batch = Batch == 1 ? "" : $"{Batch}×";
        return $"pack {side} {batch}{(side == ContractionSide.A ? Left : Right)}×{Inner}";
    }

    private static int StrideA(ContractionAxis axis) => axis.StrideA;

    private static int StrideB(ContractionAxis axis) => axis.StrideB;

    private static int StrideC(ContractionAxis axis) => axis.StrideC;

    /// <summary>The distance between neighbours along an axis where it matters most: in C, or in the operands of a sum.
    ///</summary>
    private static int Reach(ContractionAxis axis) => axis.Role == AxisRole.Inner
        ? Math.Max(Math.Abs(axis.StrideA), Math.Abs(axis.StrideB))
        : Math.Abs(axis.StrideC);

    /// <summary>A batch axis along which one operand stays the same is a free axis of the other: one large product is
    /// faster than many small ones.</summary>
    private static ContractionAxis Unbatched(ContractionAxis axis) => axis switch
    {
        { Role: AxisRole.Batch, StrideA: 0, StrideB: not 0 } => axis with { Role = AxisRole.Right },
        { Role: AxisRole.Batch, StrideA: not 0, StrideB: 0 } => axis with { Role = AxisRole.Left },
        _ => axis,
    };
}
