using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>Running sums along an axis, in double precision. A unit is some columns of one table.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
internal sealed unsafe class CumulativeSumKernel<D, T> : CpuKernel
    where D : struct, ILanes<D>
    where T : unmanaged
{
    private const int UnitColumns = 512;
    private const int UnitElements = 16384;

    private readonly Scan _scan;
    private readonly int _unitsPerTable;

    public CumulativeSumKernel(Scan scan, ThreadTeam team)
        : base(team)
    {
        _scan = scan;
        _unitsPerTable = (scan.Inner + UnitColumns - 1) / UnitColumns;
    }

    /// <inheritdoc/>
    public override string Name => $"cumulative sum {_scan.Outer}×{_scan.Length}×{_scan.Inner} {_scan.DType}";

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = (long)_scan.Outer * _scan.Length * _scan.Inner;
        RunUnits(slots, null, (long)_scan.Outer * _unitsPerTable, elements < UnitElements ? 1 : threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = (T*)slots[_scan.SourceSlot] + _scan.SourceOffset;
        var target = (T*)slots[_scan.TargetSlot] + _scan.TargetOffset;
        var sums = (double*)Workspace.Reserve(UnitColumns * sizeof(double));
        for (var unit = first; unit < end; unit++)
        {
            var column = (int)(unit % _unitsPerTable) * UnitColumns;
            var columns = Math.Min(UnitColumns, _scan.Inner - column);
            var start = (unit / _unitsPerTable * _scan.Length * _scan.Inner) + column;
            new Span<double>(sums, columns).Clear();
            for (var i = 0; i < _scan.Length; i++)
            {
                var row = start + (long)(_scan.Reverse ? _scan.Length - 1 - i : i) * _scan.Inner;
                Fold<D, T>.Row<Operations.Add>(sums, source + row, columns);
                Fold<D, T>.Write(sums, target + row, columns);
            }
        }
    }
}

/// <summary>Makes cumulative sum kernels.</summary>
internal static class CumulativeSumKernel
{
    /// <summary>The kernel for a description.</summary>
    public static Kernel Make(Scan scan, InstructionSet set, ThreadTeam team)
    {
        ArgumentNullException.ThrowIfNull(scan);
        Check.Floating(scan.DType, nameof(Scan.DType));
        Check.NotNegative(scan.Outer, nameof(Scan.Outer));
        Check.NotNegative(scan.Length, nameof(Scan.Length));
        Check.NotNegative(scan.Inner, nameof(Scan.Inner));
        Check.NotNegative(scan.SourceSlot, nameof(Scan.SourceSlot));
        Check.NotNegative(scan.SourceOffset, nameof(Scan.SourceOffset));
        Check.NotNegative(scan.TargetSlot, nameof(Scan.TargetSlot));
        Check.NotNegative(scan.TargetOffset, nameof(Scan.TargetOffset));
        return (set, scan.DType) switch
        {
            (InstructionSet.Avx512, DType.Float32) => new CumulativeSumKernel<Lanes512<double>, float>(scan, team),
            (InstructionSet.Avx512, _) => new CumulativeSumKernel<Lanes512<double>, double>(scan, team),
            (InstructionSet.Avx2, DType.Float32) => new CumulativeSumKernel<Lanes256<double>, float>(scan, team),
            (InstructionSet.Avx2, _) => new CumulativeSumKernel<Lanes256<double>, double>(scan, team),
            (_, DType.Float32) => new CumulativeSumKernel<Lanes128<double>, float>(scan, team),
            _ => new CumulativeSumKernel<Lanes128<double>, double>(scan, team),
        };
    }
}
