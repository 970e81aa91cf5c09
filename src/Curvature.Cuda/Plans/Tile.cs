namespace Curvature.Cuda;

/// <summary>A kernel's tile of a product.</summary>
/// <param name="Name">As it stands in the kernel's name.</param>
/// <param name="Rows">Rows of C that a block computes.</param>
/// <param name="Columns">Columns of C that a block computes.</param>
/// <param name="Step">Positions of the inner axis that a block takes at once.</param>
/// <param name="Threads">Threads of a block.</param>
internal sealed record Tile(string Name, int Rows, int Columns, int Step, int Threads = 256)
{
    // Fewer blocks leave multiprocessors of a large card without work.
    private const long EnoughBlocks = 120;

    private static readonly Tile[] Singles =
        [new("f32_128", 128, 128, 8), new("f32_64", 64, 64, 16), new("f32_32", 32, 32, 32)];

    private static readonly Tile[] Doubles = [new("f64_64", 64, 64, 8), new("f64_32", 32, 32, 16)];

    private static readonly Tile[] SinglesOfConvolutions =
        [new("f32_16", 128, 16, 16, 128), new("f32_32", 128, 32, 16), new("f32_64", 64, 64, 16)];

    private static readonly Tile[] DoublesOfConvolutions =
        [new("f64_16", 64, 16, 16, 128), new("f64_64", 64, 64, 8)];

    /// <summary>The largest tile of which there are enough, else the smallest.</summary>
    public static Tile OfProduct(DType dtype, long rows, long columns, long batches)
    {
        var tiles = dtype == DType.Float32 ? Singles : Doubles;
        return tiles.FirstOrDefault(tile => tile.Blocks(rows, columns) * batches >= EnoughBlocks) ?? tiles[^1];
    }

    /// <summary>The narrowest tile that holds all columns, else the widest.</summary>
    public static Tile OfConvolution(DType dtype, long columns)
    {
        var tiles = dtype == DType.Float32 ? SinglesOfConvolutions : DoublesOfConvolutions;
        return tiles.FirstOrDefault(tile => tile.Columns >= columns) ?? tiles[^1];
    }

    /// <summary>Every tile, for tests.</summary>
    public static IEnumerable<Tile> All => [.. Singles, .. Doubles, .. SinglesOfConvolutions, .. DoublesOfConvolutions];

    /// <summary>Tiles of rows.</summary>
    public long RowBlocks(long rows) => (rows + Rows - 1) / Rows;

    /// <summary>Tiles of columns.</summary>
    public long ColumnBlocks(long columns) => (columns + Columns - 1) / Columns;

    /// <summary>Tiles of a matrix.</summary>
    public long Blocks(long rows, long columns) => RowBlocks(rows) * ColumnBlocks(columns);
}
