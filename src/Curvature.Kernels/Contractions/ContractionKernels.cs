namespace Curvature.Kernels;

/// <summary>Makes the kernels of contractions.</summary>
internal static class ContractionKernels
{
    /// <summary>C (+)= Σ A·B.</summary>
    public static Kernel Contract(ContractionDescription contraction, InstructionSet set, ThreadTeam team)
    {
        ContractionCheck.Validate(contraction);
        return VectorWidths.Choose(set, contraction.DType, new Product(contraction, Plan(contraction, set), team));
    }

    /// <summary>Rearranges one operand into the layout that <see cref="Contract"/> reads when it is marked as
    /// packed.</summary>
    public static Kernel Pack(
        ContractionDescription contraction, ContractionSide side, int targetSlot, InstructionSet set)
    {
        Check.NotNegative(targetSlot, nameof(targetSlot));
        var plan = PlanPacked(contraction, side, set);
        return VectorWidths.Choose(set, contraction.DType, new Packing(contraction, plan, side, targetSlot));
    }

    /// <summary>The bytes that a packed operand occupies.</summary>
    public static long PackedBytes(ContractionDescription contraction, ContractionSide side, InstructionSet set)
    {
        var plan = PlanPacked(contraction, side, set);

        // The last panel of rows may be followed by part of a vector, see PanelPacking.
        return (plan.PackedBatchOf(side).Elements + plan.Tiling.Vector) * plan.Tiling.ElementBytes;
    }

    private static ContractionPlan Plan(ContractionDescription contraction, InstructionSet set) =>
        ContractionPlanner.Plan(contraction, VectorWidths.Choose(set, contraction.DType, new Tilings()));

    /// <summary>The plan of the contraction that reads the packed operand: how it is cut decides how the operand is
    /// packed.</summary>
    private static ContractionPlan PlanPacked(
        ContractionDescription contraction, ContractionSide side, InstructionSet set)
    {
        ContractionCheck.Validate(contraction);
        Check.Defined(side, nameof(side));
        return Plan(contraction with { Packed = side }, set);
    }

    private sealed class Tilings : IVectorFactory<Tiling>
    {
        public unsafe Tiling Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(sizeof(T), V.Count, V.TileRows);
    }

    private sealed class Product(ContractionDescription contraction, ContractionPlan plan, ThreadTeam team)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
            plan is DotPlan dots
                ? new DotContraction<V, T>(contraction, dots, team)
                : new TiledContraction<V, T>(contraction, (TilePlan)plan, team);
    }

    private sealed class Packing(
        ContractionDescription contraction, ContractionPlan plan, ContractionSide side, int targetSlot)
        : IVectorFactory<Kernel>
    {
        public Kernel Make<V, D, T>()
            where V : struct, ILanes<V>
            where D : struct, ILanes<D>
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            // The operand itself is not packed yet: its own offset counts.
            var source = contraction with { Packed = null };
            return plan is DotPlan dots
                ? new DotPacking<T>(source, dots, targetSlot)
                : new TilePacking<V, T>(source, (TilePlan)plan, side, targetSlot);
        }
    }
}
