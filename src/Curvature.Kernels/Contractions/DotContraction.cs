using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>A contraction as dot products of rows with columns.</summary>
internal sealed unsafe class DotContraction<TSimd, TVector, T>(Contraction contraction, DotPlan plan, ThreadTeam team)
    : ParallelKernel(team)
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly PackedBatch? _packedRows = plan.RowsArePacked ? plan.PackedRowBatch : null;

    /// <inheritdoc/>
    public override string Name => plan.Shape.Describe(contraction);

    /// <inheritdoc/>
    public override double Flops => plan.Shape.Flops;

    /// <summary>One unit of work is a tile's columns in one matrix of the batch.</summary>
    protected override int Units => plan.Shape.Batch * plan.ColumnTiles;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Run(nint[] slots, int firstUnit, int endUnit)
    {
        var rows = contraction.Operand<T>(plan.RowSide, slots);
        var columns = contraction.Operand<T>(plan.ColumnSide, slots);
        var result = contraction.Result<T>(slots);
        var copyBytes = plan.CopiesRows ? plan.RowElements * sizeof(T) : 0;
        var scratch = Workspace.Reserve(((long)plan.Rows * sizeof(T*)) + copyBytes);
        var rowStarts = (T**)scratch;
        var copies = (T*)(rowStarts + plan.Rows);
        var prepared = -1;
        for (var unit = firstUnit; unit < endUnit; unit++)
        {
            var batch = unit / plan.ColumnTiles;
            if (batch != prepared)
            {
                PrepareRows(rows + (_packedRows?.Start(batch) ?? plan.RowOperand.Batch[batch]), rowStarts, copies);
                prepared = batch;
            }

            MultiplyColumns(
                rowStarts, columns + plan.ColumnOperand.Batch[batch], unit % plan.ColumnTiles * DotPlan.TileColumns,
                result + plan.Shape.C.Batch[batch]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareRows(T* source, T** rows, T* copies)
    {
        if (plan.CopiesRows)
        {
            DotPacking<T>.CopyRows(source, plan.RowOperand, copies);
            source = copies;
        }

        var oneAfterTheOther = plan.CopiesRows || plan.RowsArePacked;
        for (var i = 0; i < plan.Rows; i++)
        {
            rows[i] = source + (oneAfterTheOther
                ? (nint)i * plan.Shape.Inner
                : plan.RowOperand.Free[i] + plan.RowOperand.Inner[0]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private void MultiplyColumns(T** rows, T* source, int firstColumn, T* result)
    {
        var rowResult = plan.RowResult;
        var columnResult = plan.ColumnResult;
        var columnCount = Math.Min(DotPlan.TileColumns, columnResult.Count - firstColumn);
        var contiguous = columnResult.Spacing(firstColumn, columnCount) == 1;
        var columns = stackalloc T*[DotPlan.TileColumns];
        var firstInner = plan.ColumnOperand.Inner[0];
        for (var j = 0; j < DotPlan.TileColumns; j++)
        {
            // Tiles reach beyond the last column; there they repeat it.
            columns[j] = source + plan.ColumnOperand.Free[firstColumn + Math.Min(j, columnCount - 1)] + firstInner;
        }

        var sums = stackalloc T[DotPlan.TileRows * DotPlan.TileColumns];
        for (var row = 0; row < rowResult.Count; row += DotPlan.TileRows)
        {
            var rowCount = Math.Min(DotPlan.TileRows, rowResult.Count - row);
            Sum(rows + row, rowCount, columns, sums);
            for (var i = 0; i < rowCount; i++)
            {
                var target = result + rowResult[row + i];
                var line = sums + (i * DotPlan.TileColumns);
                if (contiguous && !contraction.Accumulate)
                {
                    ShortRows.Copy<TSimd, TVector, T>(line, target + columnResult[firstColumn], columnCount);
                    continue;
                }

                for (var j = 0; j < columnCount; j++)
                {
                    var element = target + columnResult[firstColumn + j];
                    *element = contraction.Accumulate ? *element + line[j] : line[j];
                }
            }
        }
    }

    /// <summary>The sums of one tile, block by block of the inner index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(T** rows, int rowCount, T** columns, T* sums)
    {
        if (plan.Blocks == 1)
        {
            RunTile(rows, rowCount, columns, 0, plan.Shape.Inner, sums);
            return;
        }

        const int Most = DotPlan.TileRows * DotPlan.TileColumns;
        var totals = stackalloc double[Most];
        for (var i = 0; i < Most; i++)
        {
            totals[i] = 0;
        }

        var count = rowCount * DotPlan.TileColumns;
        for (var block = 0; block < plan.Blocks; block++)
        {
            var (start, length) = plan.Block(block);
            RunTile(rows, rowCount, columns, start, length, sums);
            for (var i = 0; i < count; i++)
            {
                totals[i] += double.CreateTruncating(sums[i]);
            }
        }

        for (var i = 0; i < count; i++)
        {
            sums[i] = T.CreateTruncating(totals[i]);
        }
    }

    private static void RunTile(T** rows, int rowCount, T** columns, int start, int length, T* sums)
    {
        switch (rowCount)
        {
            case 1:
                DotTile<TSimd, TVector, T, Extent.Of1>.Run(rows, columns, start, length, sums);
                break;
            case 2:
                DotTile<TSimd, TVector, T, Extent.Of2>.Run(rows, columns, start, length, sums);
                break;
            case 3:
                DotTile<TSimd, TVector, T, Extent.Of3>.Run(rows, columns, start, length, sums);
                break;
            default:
                DotTile<TSimd, TVector, T, Extent.Of4>.Run(rows, columns, start, length, sums);
                break;
        }
    }
}
