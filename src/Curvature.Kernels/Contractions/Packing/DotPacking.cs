namespace Curvature.Kernels;

/// <summary>Writes an operand as the rows that dot products read: one after the other, the inner index
/// contiguous.</summary>
internal sealed unsafe class DotPacking<T>(ContractionDescription contraction, DotPlan plan, int target) : Kernel
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override string Name => plan.Shape.DescribePacking(plan.RowSide);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var source = contraction.Operand<T>(plan.RowSide, slots);
        var packed = (T*)slots[target];
        foreach (var matrix in plan.PackedRowBatch.Matrices)
        {
            CopyRows(source + matrix, plan.RowOperand, packed);
            packed += plan.RowElements;
        }
    }

    /// <summary>Copies all rows of a matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRows(T* source, OperandOffsets operand, T* copies)
    {
        for (var i = 0; i < operand.Free.Count; i++)
        {
            var row = source + operand.Free[i];
            for (var p = 0; p < operand.Inner.Count; p++)
            {
                copies[p] = row[operand.Inner[p]];
            }

            copies += operand.Inner.Count;
        }
    }
}
