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
    private readonly ContractionDescription _contraction;
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

    public TiledContraction(ContractionDescription contraction, TilePlan plan, ThreadTeam team)
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
        var result = _contraction.C.Address<T>(slots);
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
            var part = new IndexRange(first, end - first);
            if (_splitsColumns)
            {
                Multiply(matrix, scratch, new(0, _plan.RowPanels.Length), part);
            }
            else
            {
                Multiply(matrix, scratch, part, new(0, _plan.ColumnPanels.Length));
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
    private void Multiply(in Matrices matrices, in TileScratch<T> scratch, IndexRange rows, IndexRange columns)
    {
        for (var column = columns.Start; column < columns.End; column += _columnPanelsPerBlock)
        {
            var columnBlock = columns.From(column, _columnPanelsPerBlock);
            for (var block = 0; block < _plan.DepthBlocks.Length; block++)
            {
                ref readonly var depth = ref _plan.DepthBlocks[block];
                var result = new TileResult<T>(
                    matrices.Result, _plan.RowResult, _plan.ColumnResult, _contraction.Accumulate || block > 0);
                PrepareColumns(matrices.Columns, depth, columnBlock, scratch);
                for (var row = rows.Start; row < rows.End; row += _rowPanelsPerBlock)
                {
                    var rowBlock = rows.From(row, _rowPanelsPerBlock);
                    PrepareRows(matrices.Rows, depth, rowBlock, scratch);
                    MultiplyBlock(result, scratch, depth.Length, rowBlock, columnBlock);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareRows(T* source, in DepthBlock depth, IndexRange panels, in TileScratch<T> scratch)
    {
        var packed = scratch.PackedRows;
        var operand = _plan.RowOperand;
        for (var i = 0; i < panels.Count; i++)
        {
            ref readonly var panel = ref _plan.RowPanels[panels.Start + i];
            if (_plan.RowsArePacked)
            {
                scratch.Rows[i] = new(source + _packedRows.Start(depth, panel.Rows.Start), 1, panel.Height);
            }
            else if (!_plan.PacksRows && TilePlan.ReadsInPlace(panel, depth))
            {
                scratch.Rows[i] = new(
                    source + operand.Free[panel.Rows.Start] + operand.Inner.At(depth.Inner.Start),
                    panel.Operand.Spacing.GetValueOrDefault(),
                    depth.RowOperand.Spacing.GetValueOrDefault());
            }
            else
            {
                PanelPacking<V, T>.Pack(source, operand, panel.Rows, depth.Inner, packed, panel.Height);
                scratch.Rows[i] = new(packed, 1, panel.Height);
                packed += (nint)panel.Height * depth.Length;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PrepareColumns(T* source, in DepthBlock depth, IndexRange panels, in TileScratch<T> scratch)
    {
        var packed = scratch.PackedColumns;
        var operand = _plan.ColumnOperand;
        for (var i = 0; i < panels.Count; i++)
        {
            ref readonly var panel = ref _plan.ColumnPanels[panels.Start + i];
            if (_plan.ColumnsArePacked)
            {
                scratch.Columns[i] = new(source + _packedColumns.Start(depth, panel.Columns.Start), panel.PaddedWidth);
            }
            else if (!_plan.PacksColumns && TilePlan.ReadsInPlace(panel, depth))
            {
                scratch.Columns[i] = new(
                    source + operand.Free[panel.Columns.Start] + operand.Inner.At(depth.Inner.Start),
                    depth.ColumnOperand.Spacing.GetValueOrDefault());
            }
            else
            {
                PanelPacking<V, T>.Pack(source, operand, panel.Columns, depth.Inner, packed, panel.PaddedWidth);
                scratch.Columns[i] = new(packed, panel.PaddedWidth);
                packed += (nint)panel.PaddedWidth * depth.Length;
            }
        }
    }

    /// <summary>Multiplies panels that are ready: a panel of columns stays in the first-level cache while those of
    /// the rows pass by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MultiplyBlock(
        in TileResult<T> result, in TileScratch<T> scratch, int depth, IndexRange rows, IndexRange columns)
    {
        nint run = 0;
        var terms = new TileTerms { Runs = &run, Count = 1, Length = depth, ARow = 0, AStep = 0, BStep = 0 };
        for (var j = 0; j < columns.Count; j++)
        {
            ref readonly var column = ref _plan.ColumnPanels[columns.Start + j];
            var right = scratch.Columns[j];
            var functions = column.PaddedWidth > V.Count ? _wide : _narrow;
            var target = result.Elements + result.Columns[column.Columns.Start];
            terms.BStep = right.Spacing;
            for (var i = 0; i < rows.Count; i++)
            {
                ref readonly var row = ref _plan.RowPanels[rows.Start + i];
                var left = scratch.Rows[i];
                var multiply = functions[row.Height].Run;
                terms.ARow = left.RowSpacing;
                terms.AStep = left.Spacing;
                if (TilePlan.WritesInPlace(row, column))
                {
                    var spacing = row.Result.Spacing.GetValueOrDefault();
                    var tile = target + result.Rows[row.Rows.Start];
                    multiply(terms, left.Elements, right.Elements, tile, spacing, result.Accumulate);
                }
                else
                {
                    multiply(terms, left.Elements, right.Elements, scratch.Tile, column.PaddedWidth, false);
                    TileWriter<V, T>.Write(scratch, result, row, column);
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
