namespace Curvature.Kernels;

/// <summary>A panel of rows, ready for a micro-kernel.</summary>
/// <param name="elements">The first element.</param>
/// <param name="rowSpacing">From one row to the next.</param>
/// <param name="spacing">From one inner index to the next.</param>
internal readonly unsafe struct ReadyRows<T>(T* elements, nint rowSpacing, nint spacing)
    where T : unmanaged
{
    public readonly T* Elements = elements;
    public readonly nint RowSpacing = rowSpacing;
    public readonly nint Spacing = spacing;
}

/// <summary>A panel of columns, side by side, ready for a micro-kernel.</summary>
/// <param name="elements">The first element.</param>
/// <param name="spacing">From one inner index to the next.</param>
internal readonly unsafe struct ReadyColumns<T>(T* elements, nint spacing)
    where T : unmanaged
{
    public readonly T* Elements = elements;
    public readonly nint Spacing = spacing;
}

/// <summary>The scratch memory of one thread in a tiled contraction.</summary>
internal unsafe struct TileScratch<T>
    where T : unmanaged
{
    /// <summary>A tile of C on its way to where it cannot be written directly.</summary>
    public T* Tile;

    /// <summary>The same, with its columns as lines.</summary>
    public T* TransposedTile;

    /// <summary>The panels of rows of the current block.</summary>
    public ReadyRows<T>* Rows;

    /// <summary>The panels of columns of the current block.</summary>
    public ReadyColumns<T>* Columns;

    /// <summary>Those of the rows that had to be packed.</summary>
    public T* PackedRows;

    /// <summary>Those of the columns that had to be packed.</summary>
    public T* PackedColumns;
}

/// <summary>Lays out the scratch memory of a tiled contraction.</summary>
internal sealed unsafe class TileWorkspace<T>
    where T : unmanaged
{
    private const int CacheLine = 64;

    private readonly long _transposedTile;
    private readonly long _rows;
    private readonly long _columns;
    private readonly long _packedRows;
    private readonly long _packedColumns;
    private readonly long _bytes;

    public TileWorkspace(Tiling tiling, int depth, int rowPanels, int columnPanels)
    {
        var end = (long)tiling.Rows * tiling.Columns * sizeof(T);
        _transposedTile = Next((long)tiling.PaddedRows * tiling.Columns * sizeof(T));
        _rows = Next((long)rowPanels * sizeof(ReadyRows<T>));
        _columns = Next((long)columnPanels * sizeof(ReadyColumns<T>));

        // One vector more than the panels, see PanelPacking.
        _packedRows = Next((((long)rowPanels * tiling.Rows * depth) + tiling.Vector) * sizeof(T));
        _packedColumns = Next((long)columnPanels * tiling.Columns * depth * sizeof(T));

        _bytes = end;

        long Next(long bytes)
        {
            var start = (end + CacheLine - 1) / CacheLine * CacheLine;
            end = start + bytes;
            return start;
        }
    }

    /// <summary>The calling thread's scratch memory, until it asks again.</summary>
    public TileScratch<T> Reserve()
    {
        var start = Workspace.Reserve(_bytes);
        return new TileScratch<T>
        {
            Tile = (T*)start,
            TransposedTile = (T*)(start + _transposedTile),
            Rows = (ReadyRows<T>*)(start + _rows),
            Columns = (ReadyColumns<T>*)(start + _columns),
            PackedRows = (T*)(start + _packedRows),
            PackedColumns = (T*)(start + _packedColumns),
        };
    }
}
