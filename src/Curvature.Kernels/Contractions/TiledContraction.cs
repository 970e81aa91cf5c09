using System.Numerics;
using System.Runtime.CompilerServices;

namespace Curvature.Kernels;

/// <summary>A contraction as tiles of C, each computed in registers by a micro-kernel, in the order of loops and with
/// the packed blocks of Goto and van de Geijn (Anatomy of high-performance matrix multiplication, 2008) and
/// BLIS.</summary>
internal sealed unsafe class TiledContraction<V, T> : ContractionKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // With fewer, threads would often have unequal shares.
    private const int FewPanels = 8;

    private readonly TilePlan _plan;
    private readonly Contraction _contraction;
    private readonly PackedBatch? _packedRowBatch;
    private readonly PackedBatch? _packedColumnBatch;
    private readonly PackedPanels _packedRows;
    private readonly PackedPanels _packedColumns;
    private readonly bool _splitsColumns;
    private readonly bool _copiesOtherSide;
    private readonly int _rowPanelsPerBlock;
    private readonly int _columnPanelsPerBlock;
    private readonly TileWorkspace<T> _workspace;
    private readonly TileFunction<T>[] _narrow = MicroKernels<V, T>.Narrow;
    private readonly TileFunction<T>[] _wide = MicroKernels<V, T>.Wide;

    public TiledContraction(Contraction contraction, TilePlan plan, ThreadTeam team)
        : base(contraction, plan, team)
    {
        _plan = plan;
        _contraction = contraction;
        _packedRowBatch = plan.RowsArePacked ? plan.PackedRowBatch : null;
        _packedColumnBatch = plan.ColumnsArePacked ? plan.PackedColumnBatch : null;
        _packedRows = plan.PackedRows;
        _packedColumns = plan.PackedColumns;

        _splitsColumns = SplitsColumns(plan);
        _copiesOtherSide = _splitsColumns ? plan.CopiesRows : plan.CopiesColumns;
        _rowPanelsPerBlock = Math.Min(plan.Tiling.RowPanelsPerBlock, plan.RowPanels.Length);
        _columnPanelsPerBlock = Math.Min(plan.Tiling.ColumnPanelsPerBlock, plan.ColumnPanels.Length);
        _workspace = new TileWorkspace<T>(plan.Tiling, plan.LongestDepth, _rowPanelsPerBlock, _columnPanelsPerBlock);
    }

    /// <summary>One unit of work is a panel of one matrix of the batch.</summary>
    protected override long Units => (long)_plan.Shape.Batch * PanelsPerMatrix;

    /// <inheritdoc/>
    protected override int PartsPerThread => _copiesOtherSide ? 2 : base.PartsPerThread;

    private int PanelsPerMatrix => _splitsColumns ? _plan.ColumnPanels.Length : _plan.RowPanels.Length;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long firstUnit, long endUnit)
    {
        if (_contraction.Accumulate && _plan.Shape.Inner == 0)
        {
            return;
        }

        var rows = _contraction.Operand<T>(_plan.RowSide, slots);
        var columns = _contraction.Operand<T>(_plan.ColumnSide, slots);
        var result = _contraction.Result<T>(slots);
        var scratch = _workspace.Reserve();
        var panels = PanelsPerMatrix;
        for (var unit = firstUnit; unit < endUnit;)
        {
            var batch = (int)(unit / panels);
            var first = (int)(unit % panels);
            var end = (int)Math.Min(panels, first + endUnit - unit);
            var matrix = new Matrices(
                rows + (_packedRowBatch?.Start(batch) ?? _plan.RowOperand.Batch[batch]),
                columns + (_packedColumnBatch?.Start(batch) ?? _plan.ColumnOperand.Batch[batch]),
                result + _plan.Shape.C.Batch[batch]);
            if (_splitsColumns)
            {
                Multiply(matrix, scratch, 0, _plan.RowPanels.Length, first, end);
            }
            else
            {
                Multiply(matrix, scratch, first, end, 0, _plan.ColumnPanels.Length);
            }

            unit += end - first;
        }
    }

    /// <summary>Whether threads share the columns rather than the rows. Each of their parts reads the operand of the
    /// other side as a whole, and copies it if need be, so that the smaller copy decides where there are panels
    /// enough.</summary>
    private static bool SplitsColumns(TilePlan plan)
    {
        var rowPanels = plan.RowPanels.Length;
        var columnPanels = plan.ColumnPanels.Length;
        var copiedRows = plan.CopiesRows ? plan.Rows : 0;
        var copiedColumns = plan.CopiesColumns ? plan.Columns : 0;
        return Math.Min(rowPanels, columnPanels) < FewPanels || copiedRows == copiedColumns
            ? columnPanels >= rowPanels
            : copiedRows < copiedColumns;
    }

    /// <summary>Computes the tiles where the given panels of rows and of columns meet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(
        in Matrices matrices, in TileScratch<T> scratch, int firstRow, int endRow, int firstColumn, int endColumn)
    {
        for (var column = firstColumn; column < endColumn; column += _columnPanelsPerBlock)
        {
            var columns = Math.Min(_columnPanelsPerBlock, endColumn - column);
            for (var block = 0; block < _plan.DepthBlocks.Length; block++)
            {
                ref readonly var depth = ref _plan.DepthBlocks[block];
                var accumulate = _contraction.Accumulate || block > 0;
                PrepareColumns(matrices.Columns, depth, column, columns, scratch);
                for (var row = firstRow; row < endRow; row += _rowPanelsPerBlock)
                {
                    var rows = Math.Min(_rowPanelsPerBlock, endRow - row);
                    PrepareRows(matrices.Rows, depth, row, rows, scratch);
                    MultiplyBlock(matrices.Result, scratch, depth.Length, row, rows, column, columns, accumulate);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareRows(T* source, in DepthBlock depth, int first, int count, in TileScratch<T> scratch)
    {
        var packed = scratch.PackedRows;
        var operand = _plan.RowOperand;
        for (var i = 0; i < count; i++)
        {
            ref readonly var panel = ref _plan.RowPanels[first + i];
            if (_plan.RowsArePacked)
            {
                scratch.Rows[i] = new(source + _packedRows.Start(depth, panel.Start), 1, panel.Height);
            }
            else if (!_plan.PacksRows && TilePlan.ReadsInPlace(panel, depth))
            {
                var start = operand.Free[panel.Start] + operand.Inner.At(depth.Start);
                scratch.Rows[i] = new(
                    source + start,
                    panel.Operand.Spacing.GetValueOrDefault(),
                    depth.RowOperand.Spacing.GetValueOrDefault());
            }
            else
            {
                PanelPacking<V, T>.Pack(
                    source, operand.Free, panel.Start, panel.Height, operand.Inner, depth.Start, depth.Length,
                    packed, panel.Height);
                scratch.Rows[i] = new(packed, 1, panel.Height);
                packed += (nint)panel.Height * depth.Length;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareColumns(T* source, in DepthBlock depth, int first, int count, in TileScratch<T> scratch)
    {
        var packed = scratch.PackedColumns;
        var operand = _plan.ColumnOperand;
        for (var i = 0; i < count; i++)
        {
            ref readonly var panel = ref _plan.ColumnPanels[first + i];
            if (_plan.ColumnsArePacked)
            {
                scratch.Columns[i] = new(source + _packedColumns.Start(depth, panel.Start), panel.PaddedWidth);
            }
            else if (!_plan.PacksColumns && TilePlan.ReadsInPlace(panel, depth))
            {
                var start = operand.Free[panel.Start] + operand.Inner.At(depth.Start);
                scratch.Columns[i] = new(source + start, depth.ColumnOperand.Spacing.GetValueOrDefault());
            }
            else
            {
                PanelPacking<V, T>.Pack(
                    source, operand.Free, panel.Start, panel.Width, operand.Inner, depth.Start, depth.Length,
                    packed, panel.PaddedWidth);
                scratch.Columns[i] = new(packed, panel.PaddedWidth);
                packed += (nint)panel.PaddedWidth * depth.Length;
            }
        }
    }

    /// <summary>Multiplies panels that are ready: a panel of columns stays in the first-level cache while those of
    /// the rows pass by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MultiplyBlock(
        T* result,
        in TileScratch<T> scratch,
        int depth,
        int firstRow,
        int rows,
        int firstColumn,
        int columns,
        bool accumulate)
    {
        for (var j = 0; j < columns; j++)
        {
            ref readonly var column = ref _plan.ColumnPanels[firstColumn + j];
            var right = scratch.Columns[j];
            var functions = column.PaddedWidth > V.Count ? _wide : _narrow;
            var target = result + _plan.ColumnResult[column.Start];
            for (var i = 0; i < rows; i++)
            {
                ref readonly var row = ref _plan.RowPanels[firstRow + i];
                var left = scratch.Rows[i];
                var run = functions[row.Height].Run;
                if (TilePlan.WritesInPlace(row, column))
                {
                    run(depth, left.Elements, left.RowSpacing, left.Spacing, right.Elements, right.Spacing,
                        target + _plan.RowResult[row.Start], row.Result.Spacing.GetValueOrDefault(), accumulate);
                }
                else
                {
                    run(depth, left.Elements, left.RowSpacing, left.Spacing, right.Elements, right.Spacing,
                        scratch.Tile, column.PaddedWidth, false);
                    TileWriter<V, T>.Write(
                        scratch.Tile, scratch.TransposedTile, result, _plan.RowResult, row,
                        _plan.ColumnResult, column, accumulate);
                }
            }
        }
    }

    /// <summary>The matrices of one entry of the batch.</summary>
    private readonly struct Matrices(T* rows, T* columns, T* result)
    {
        public readonly T* Rows = rows;
        public readonly T* Columns = columns;
        public readonly T* Result = result;
    }
}
