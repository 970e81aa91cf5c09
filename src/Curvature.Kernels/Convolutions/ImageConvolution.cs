namespace Curvature.Kernels;

/// <summary>Outputs of a convolution, or the gradient with respect to its inputs: images from images. A unit is some
/// images, or some rows of one, and one group of channels. It copies what it reads between zeros into scratch memory
/// that fits the second-level cache, and multiplies straight from there. No patch is written out: writing an element
/// costs about as much as the few products that it takes part in.</summary>
/// <remarks>Every element computed is the sum of its terms in one order, however the work is cut.</remarks>
internal sealed unsafe class ImageConvolution<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Tiles lower than this along a row are worse than tiles along another axis.
    private const int LowTile = 6;

    private static readonly BlockSize BlockSize = new(FewestPixels: 64, Blocks: 16, MostBytes: 256 * 1024);

    private readonly ConvolutionDescription _convolution;
    private readonly ConvolutionForm _form;
    private readonly MemoryPool _pool;
    private readonly ImageArray _read;
    private readonly ImageArray _write;
    private readonly PaddedImage _image;
    private readonly ConvolutionPhase[] _phases;
    private readonly RunPanel[] _panels;
    private readonly FilterPacking<V, T> _packing;
    private readonly ImageBlocks _blocks;
    private readonly nint _imageLength;

    public ImageConvolution(ConvolutionDescription convolution, ConvolutionForm form, ThreadTeam team, MemoryPool pool)
        : base(team)
    {
        _convolution = convolution;
        _form = form;
        _pool = pool;
        var forward = form == ConvolutionForm.Forward;
        var input = ImageArray.Input(convolution);
        var output = ImageArray.Output(convolution);
        (_read, _write) = forward ? (input, output) : (output, input);

        var vertical = Phases(convolution.Sizes.Height);
        var horizontal = Phases(convolution.Sizes.Width);
        _image = new PaddedImage(_read.Height, _read.Width, _read.Channels, _read.GroupChannels, vertical, horizontal);
        _phases = [.. vertical.SelectMany(
            row => horizontal.Select(column => new ConvolutionPhase(row, column, _image, _read.GroupChannels)))];
        _panels = RunTiles<V, T>.Panels(_write.GroupChannels);
        _packing = new FilterPacking<V, T>(convolution, form, _phases, _panels, team);

        var count = vertical.Length == 0 ? 0 : vertical.Max(phase => phase.Count);
        var pixels = _write.Height * _write.Width / Math.Max(1, _phases.Length);
        _blocks = new ImageBlocks(
            convolution.Sizes.Images, count, pixels, BlockSize, rows => _image.Length(rows) * sizeof(T));
        _imageLength = _image.Length(_blocks.Images, _blocks.Rows, convolution.Sizes);

        AxisPhase[] Phases(WindowAxis axis) => forward ? [AxisPhase.Forward(axis)] : AxisPhase.Backward(axis);
    }

    /// <inheritdoc/>
    public override string Name => _convolution.Describe(_form);

    /// <inheritdoc/>
    public override double Flops => _convolution.Flops;

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        threads = Flops < FewestParallelFlops ? 1 : threads;
        using var packed = _pool.Rent(_packing.Bytes);
        _packing.Pack(slots, packed.Address, threads);
        var units = (long)_convolution.Repeats * _blocks.Count * _convolution.Sizes.Groups;
        RunUnits(slots, (byte*)packed.Address, units, threads);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var scratchLength = _imageLength * _blocks.Images;
        var scratch = (T*)Workspace.Reserve((scratchLength + RunTiles<V, T>.TileLength) * sizeof(T));
        new Span<T>(scratch, (int)scratchLength).Clear();
        for (var unit = first; unit < end; unit++)
        {
            var group = (int)(unit % _convolution.Sizes.Groups);
            var block = _blocks[unit / _convolution.Sizes.Groups % _blocks.Count];
            var repeat = unit / _convolution.Sizes.Groups / _blocks.Count;
            var filters = (T*)shared
                + ((((_packing.Sets == 1 ? 0 : repeat) * _convolution.Sizes.Groups) + group) * _packing.GroupLength);
            var source = _read.Address<T>(slots, repeat, group) + (block.Image * _read.ImageLength);
            for (var image = 0; image < block.Images; image++)
            {
                var pixels = source + (image * _read.ImageLength);
                _image.Copy(pixels, block.Row, block.Rows, scratch + (image * _imageLength));
            }

            var target = _write.Address<T>(slots, repeat, group) + (block.Image * _write.ImageLength);
            for (var phase = 0; phase < _phases.Length; phase++)
            {
                Compute(phase, block, scratch, filters, target, scratch + scratchLength);
            }
        }
    }

    /// <summary>Computes the pixels of a phase that are in a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Compute(int number, in ImageBlock block, T* scratch, T* filters, T* target, T* tile)
    {
        var phase = _phases[number];
        var images = new PixelAxis(block.Images, _imageLength, _write.ImageLength);
        var rows = new PixelAxis(
            Math.Min(block.Rows, phase.Rows.Count - block.Row),
            phase.Rows.Stride * _image.RowLength,
            phase.Rows.Step * _write.RowLength);
        var columns = new PixelAxis(
            phase.Columns.Count,
            (nint)phase.Columns.Stride * _read.GroupChannels,
            (nint)phase.Columns.Step * _write.Channels);
        target += ((phase.Rows.First + (block.Row * phase.Rows.Step)) * _write.RowLength)
            + ((nint)phase.Columns.First * _write.Channels);

        // Tiles lie along the rows, unless these are short and there is something longer.
        if (columns.Count < LowTile)
        {
            if (rows.Count >= images.Count && rows.Count > columns.Count)
            {
                (columns, rows) = (rows, columns);
            }
            else if (images.Count > columns.Count)
            {
                (columns, images) = (images, columns);
            }
        }

        fixed (nint* runs = phase.Runs)
        {
            foreach (ref readonly var panel in _panels.AsSpan())
            {
                var terms = new TileTerms
                {
                    Runs = runs,
                    Count = phase.Runs.Length,
                    Length = phase.RunLength,
                    ARow = columns.Read,
                    AStep = 1,
                    BStep = panel.Vectors * V.Count,
                };
                var packed = filters + _packing.Place(number, panel);
                for (var image = 0; image < images.Count; image++)
                {
                    for (var row = 0; row < rows.Count; row++)
                    {
                        RunTiles<V, T>.Multiply(terms, panel, columns.Count, new RunArrays<T>
                        {
                            A = scratch + (image * images.Read) + (row * rows.Read),
                            B = packed,
                            C = target + (image * images.Write) + (row * rows.Write) + panel.Start,
                            CRow = columns.Write,
                            Tile = tile,
                            Accumulate = _convolution.Accumulate,
                        });
                    }
                }
            }
        }
    }

    /// <summary>An axis of pixels, with the distances of neighbours where they are read and written.</summary>
    private readonly record struct PixelAxis(int Count, nint Read, nint Write);
}
