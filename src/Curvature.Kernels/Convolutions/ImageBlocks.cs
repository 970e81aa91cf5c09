namespace Curvature.Kernels;

/// <summary>Some rows of some images.</summary>
/// <param name="Image">The first image.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Row">The first row, of each.</param>
/// <param name="Rows">The number of rows, of each.</param>
internal readonly record struct ImageBlock(int Image, int Images, int Row, int Rows);

/// <summary>How images are cut into blocks: several small ones are one block, a large one is several.</summary>
internal sealed class ImageBlocks
{
    private readonly int _images;
    private readonly int _rows;
    private readonly int _blocksPerImage = 1;

    /// <param name="images">The number of images.</param>
    /// <param name="rows">Rows of an image.</param>
    /// <param name="pixels">Pixels of an image.</param>
    /// <param name="size">What is aimed at.</param>
    /// <param name="bytes">Bytes of scratch memory for a number of rows of an image.</param>
    public ImageBlocks(int images, int rows, int pixels, BlockSize size, Func<int, long> bytes)
    {
        _images = images;
        _rows = rows;
        Images = 1;
        Rows = rows;
        pixels = Math.Max(1, pixels);
        if (images == 0 || rows == 0)
        {
            return;
        }

        var fewer = Math.Min(rows, Math.Min(1 + ((size.Blocks - 1) / images), pixels / size.FewestPixels));
        _blocksPerImage = Math.Max(fewer, 1 + ((rows - 1) / RowsThatFit()));
        if (_blocksPerImage > 1)
        {
            Rows = 1 + ((rows - 1) / _blocksPerImage);
            _blocksPerImage = 1 + ((rows - 1) / Rows);
        }
        else
        {
            _blocksPerImage = 1;
            var enough = 1 + ((size.FewestPixels - 1) / pixels);
            var most = Math.Min(images / size.Blocks, size.MostBytes / Math.Max(1, bytes(rows)));
            Images = (int)Math.Max(1, Math.Min(enough, most));
        }

        Count = (1 + ((images - 1) / Images)) * _blocksPerImage;

        int RowsThatFit()
        {
            var fit = rows;
            while (fit > 1 && bytes(fit) > size.MostBytes)
            {
                fit -= fit / 2;
            }

            return fit;
        }
    }

    /// <summary>Images of a block, at most.</summary>
    public int Images { get; }

    /// <summary>Rows of a block, at most.</summary>
    public int Rows { get; }

    /// <summary>The number of blocks.</summary>
    public int Count { get; }

    /// <summary>The blocks, image by image.</summary>
    public ImageBlock this[long index]
    {
        get
        {
            var image = (int)(index / _blocksPerImage) * Images;
            var row = (int)(index % _blocksPerImage) * Rows;
            return new ImageBlock(image, Math.Min(Images, _images - image), row, Math.Min(Rows, _rows - row));
        }
    }
}

/// <summary>What is aimed at when images are cut into blocks.</summary>
/// <param name="FewestPixels">Pixels of a block at least, where there are as many.</param>
/// <param name="Blocks">As many blocks, where these still have enough pixels.</param>
/// <param name="MostBytes">The most scratch memory that a block takes, unless it is a single row.</param>
internal readonly record struct BlockSize(int FewestPixels, int Blocks, long MostBytes);
