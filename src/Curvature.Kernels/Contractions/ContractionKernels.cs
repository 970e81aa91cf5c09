using System.Numerics;
using System.Runtime.Intrinsics;

namespace Curvature.Kernels;

/// <summary>Makes the kernels of contractions.</summary>
internal static class ContractionKernels
{
    /// <summary>C (+)= Σ A·B.</summary>
    public static Kernel Contract(Contraction contraction, InstructionSet set, ThreadTeam team)
    {
        ContractionShape.Check(contraction);
        return Family(contraction.DType, set).Contract(contraction, team);
    }

    /// <summary>Rearranges one operand into the layout that <see cref="Contract"/> reads when it is marked as
    /// packed.</summary>
    public static Kernel Pack(Contraction contraction, ContractionSide side, int targetSlot, InstructionSet set)
    {
        Check.NotNegative(targetSlot, nameof(targetSlot));
        return Family(contraction, side, set).Pack(Marked(contraction, side), side, targetSlot);
    }

    /// <summary>The bytes that a packed operand occupies.</summary>
    public static long PackedBytes(Contraction contraction, ContractionSide side, InstructionSet set) =>
        Family(contraction, side, set).PackedBytes(Marked(contraction, side), side);

    /// <summary>The contraction that reads the packed operand: how it is cut decides how the operand is
    /// packed.</summary>
    private static Contraction Marked(Contraction contraction, ContractionSide side) => contraction with
    {
        PackedA = side == ContractionSide.A,
        PackedB = side == ContractionSide.B,
    };

    private static KernelFamily Family(Contraction contraction, ContractionSide side, InstructionSet set)
    {
        ContractionShape.Check(contraction);
        return Enum.IsDefined(side)
            ? Family(contraction.DType, set)
            : throw new DescriptionException($"Expected one of {nameof(ContractionSide)}, got {side}.", nameof(side));
    }

    private static KernelFamily Family(DType dtype, InstructionSet set)
    {
        if (!InstructionSets.IsSupported(set))
        {
            throw new DeviceException($"This machine has no {set} instructions; at best it has {InstructionSets.Best}.");
        }

        return (dtype, set) switch
        {
            (DType.Float32, InstructionSet.Avx512) => new KernelFamily<Lanes512<float>, float>(),
            (DType.Float64, InstructionSet.Avx512) => new KernelFamily<Lanes512<double>, double>(),
            (DType.Float32, InstructionSet.Avx2) => new KernelFamily<Lanes256<float>, float>(),
            (DType.Float64, InstructionSet.Avx2) => new KernelFamily<Lanes256<double>, double>(),
            (DType.Float32, _) => new KernelFamily<Lanes128<float>, float>(),
            (DType.Float64, _) => new KernelFamily<Lanes128<double>, double>(),
            _ => throw new DescriptionException(
                $"A contraction is of Float32 or Float64 arrays, not of {dtype}.", nameof(dtype)),
        };
    }

    /// <summary>The kernels of one element type and one width of vector.</summary>
    private abstract class KernelFamily
    {
        public abstract Kernel Contract(Contraction contraction, ThreadTeam team);

        public abstract Kernel Pack(Contraction contraction, ContractionSide side, int targetSlot);

        public abstract long PackedBytes(Contraction contraction, ContractionSide side);
    }

    private sealed unsafe class KernelFamily<V, T> : KernelFamily
        where V : struct, ILanes<V>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private static readonly Tiling Tiling = new(sizeof(T), V.Count, V.TileRows);

        public override Kernel Contract(Contraction contraction, ThreadTeam team) =>
            ContractionPlanner.Plan(contraction, Tiling) switch
            {
                DotPlan dots => new DotContraction<V, T>(contraction, dots, team),
                var plan => new TiledContraction<V, T>(contraction, (TilePlan)plan, team),
            };

        public override Kernel Pack(Contraction contraction, ContractionSide side, int targetSlot)
        {
            // The operand itself is not packed yet: its own slot and offset count.
            var source = contraction with { PackedA = false, PackedB = false };
            return ContractionPlanner.Plan(contraction, Tiling) switch
            {
                DotPlan dots => new DotPacking<T>(source, dots, targetSlot),
                var plan => new TilePacking<V, T>(source, (TilePlan)plan, side, targetSlot),
            };
        }

        public override long PackedBytes(Contraction contraction, ContractionSide side)
        {
            var elements = ContractionPlanner.Plan(contraction, Tiling) switch
            {
                DotPlan dots => dots.PackedRowBatch.Elements,
                TilePlan tiles when tiles.RowSide == side => tiles.PackedRowBatch.Elements,
                var plan => ((TilePlan)plan).PackedColumnBatch.Elements,
            };

            // The last panel of rows may be followed by part of a vector, see PanelPacking.
            return (elements + V.Count) * sizeof(T);
        }
    }
}
