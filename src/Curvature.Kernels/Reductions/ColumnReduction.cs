namespace Curvature.Kernels;

/// <summary>Reduces rows of elements to one row: a kept axis is contiguous in the source, so that vectors hold
/// neighbouring columns. Columns go in tiles; many rows over few columns are cut into blocks, whose results are put
/// together in order.</summary>
/// <typeparam name="D">Vectors of doubles.</typeparam>
/// <typeparam name="T">The elements: float or double.</typeparam>
/// <typeparam name="TOperation">What puts two numbers together.</typeparam>
internal sealed unsafe class ColumnReduction<D, T, TOperation> : CpuKernel
    where D : struct, ILanes<D>
    where T : unmanaged
    where TOperation : struct, IBinary
{
    private const int TileColumns = 512;
    private const int MostBlocks = 64;

    private readonly ReductionDescription _reduction;
    private readonly MemoryPool _pool;
    private readonly AxisWalk _outer;
    private readonly WalkAxis _columns;
    private readonly AxisWalk _rows;
    private readonly double _neutral;
    private readonly int _tiles;
    private readonly long _block;
    private readonly long _blocks;
    private readonly long _units;
    private readonly bool _areRowsAdjacent;

    /// <param name="reduction">The description.</param>
    /// <param name="kept">Its kept axes.</param>
    /// <param name="columns">The one among them that is contiguous in the source.</param>
    /// <param name="rows">Its reduced axes.</param>
    /// <param name="team">The threads.</param>
    /// <param name="pool">Memory for what blocks give.</param>
    public ColumnReduction(
        ReductionDescription reduction, AxisWalk kept, int columns, AxisWalk rows, ThreadTeam team, MemoryPool pool)
        : base(team)
    {
        _reduction = reduction;
        _pool = pool;
        _columns = kept[columns];
        _outer = kept.Without(columns);
        _rows = rows;
        _neutral = ReductionKernels.Neutral(reduction.Kind);
        _tiles = (_columns.Size + TileColumns - 1) / TileColumns;

        var leastRows = UnitElements / Math.Min(_columns.Size, TileColumns);
        _block = _outer.Count * _tiles >= MostBlocks
            ? Math.Max(1, rows.Count)
            : Math.Max(leastRows, (rows.Count + MostBlocks - 1) / MostBlocks);
        _blocks = Math.Max(1, (rows.Count + _block - 1) / _block);
        _areRowsAdjacent = _rows.Rank == 1 && _rows[0].Source == _columns.Size && _columns.Size <= TileColumns / 2;
        _units = _outer.Count * _blocks * _tiles;
    }

    /// <inheritdoc/>
    public override string Name => ReductionKernels.Describe(_reduction);

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        var elements = _outer.Count * _rows.Count * _columns.Size;
        threads = elements < UnitElements ? 1 : threads;
        if (_blocks == 1)
        {
            RunUnits(slots, null, _units, threads);
            return;
        }

        using var partials = _pool.Rent(_outer.Count * _blocks * _columns.Size * sizeof(double));
        RunUnits(slots, (byte*)partials.Address, _units, threads);
        Combine(slots, (double*)partials.Address);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var source = _reduction.Source.Place.Address<T>(slots);
        var target = _reduction.Target.Place.Address<T>(slots);
        var tile = (double*)Workspace.Reserve(TileColumns * sizeof(double));
        var position = stackalloc int[_outer.Rank + 1];
        for (var unit = first; unit < end; unit++)
        {
            var column = (int)(unit % _tiles) * TileColumns;
            var columns = Math.Min(TileColumns, _columns.Size - column);
            var block = unit / _tiles % _blocks;
            var outer = unit / _tiles / _blocks;
            var (from, to) = _outer.Locate(outer, position);
            var results = _blocks == 1
                ? tile
                : (double*)shared + (outer * _blocks + block) * _columns.Size + column;
            var stop = Math.Min(_rows.Count, (block + 1) * _block);
            FoldRows(source + from + column, block * _block, stop, results, columns);
            if (_blocks == 1)
            {
                Write(results, target + to + column * _columns.Target, columns);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FoldRows(T* source, long first, long stop, double* results, int columns)
    {
        new Span<double>(results, columns).Fill(_neutral);
        if (first == stop)
        {
            return;
        }

        if (_areRowsAdjacent)
        {
            FoldAdjacentRows(source + first * columns, stop - first, results, columns);
            return;
        }

        var position = stackalloc int[_rows.Rank + 1];
        var (offset, ignored) = _rows.Locate(first, position);
        var row = first;
        if (_rows.Rank == 1)
        {
            for (; row <= stop - 4; row += 4)
            {
                Fold<D, T>.FourRows<TOperation>(results, source + offset, _rows[0].Source, columns);
                offset += 4 * _rows[0].Source;
            }
        }

        for (; row < stop; row++)
        {
            Fold<D, T>.Row<TOperation>(results, source + offset, columns);
            _rows.Advance(position, ref offset, ref ignored);
        }
    }

    /// <summary>Rows of few columns, one right after the other: some of them together make a row that fills
    /// vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FoldAdjacentRows(T* source, long count, double* results, int columns)
    {
        var together = (int)Math.Min(TileColumns / columns, Math.Sqrt(count));
        var width = together * columns;
        var wide = stackalloc double[TileColumns];
        new Span<double>(wide, width).Fill(_neutral);
        for (; count >= together; count -= together)
        {
            Fold<D, T>.Row<TOperation>(wide, source, width);
            source += width;
        }

        Fold<D, T>.Row<TOperation>(wide, source, (nint)count * columns);
        for (var row = 0; row < together; row++)
        {
            Fold<D, double>.Row<TOperation>(results, wide + row * columns, columns);
        }
    }

    private void Write(double* results, T* target, int columns)
    {
        if (_columns.Target == 1)
        {
            Fold<D, T>.Write(results, target, columns);
            return;
        }

        for (var i = 0; i < columns; i++)
        {
            target[i * _columns.Target] = Fold<D, T>.Element(results[i]);
        }
    }

    private void Combine(nint[] slots, double* partials)
    {
        var target = _reduction.Target.Place.Address<T>(slots);
        var position = stackalloc int[_outer.Rank + 1];
        for (var outer = 0L; outer < _outer.Count; outer++)
        {
            var results = partials + outer * _blocks * _columns.Size;
            for (var block = 1L; block < _blocks; block++)
            {
                Fold<D, double>.Row<TOperation>(results, results + block * _columns.Size, _columns.Size);
            }

            Write(results, target + _outer.Locate(outer, position).Target, _columns.Size);
        }
    }
}
