namespace Curvature.Kernels;

/// <summary>The gradient of a convolution with respect to its filters. The images are cut into chunks at places that
/// depend on sizes alone. Each chunk sums over its pixels, block after block. The sum over a block is made in
/// registers, straight from padded scratch memory, and then added to the sum of the blocks before. The chunks' sums are
/// added in order.</summary>
/// <remarks>Short sums that are added to each other also lose less to rounding than one long sum.</remarks>
internal sealed unsafe class FilterGradient<V, T> : CpuKernel
    where V : struct, ILanes<V>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // A chunk of this many pixels spends about one hundredth of its time on its array of sums.
    private const long PixelsPerChunk = 2048;
    private const int MostChunks = 16;

    private static readonly BlockSize BlockSize = new(FewestPixels: 256, Blocks: 1, MostBytes: 256 * 1024);

    private readonly ConvolutionDescription _convolution;
    private readonly MemoryPool _pool;
    private readonly ImageArray _input;
    private readonly ImageArray _output;
    private readonly AxisPhase _rows;
    private readonly FilterStrip[] _strips;
    private readonly PaddedImage _image;
    private readonly ImageBlocks _blocks;
    private readonly nint _imageLength;
    private readonly nint[] _runs;
    private readonly RunPanel[] _panels;
    private readonly int _paddedColumns;
    private readonly int _chunks;

    public FilterGradient(ConvolutionDescription convolution, ThreadTeam team, MemoryPool pool)
        : base(team)
    {
        _convolution = convolution;
        var sizes = convolution.Sizes;
        _pool = pool;
        _input = ImageArray.Input(convolution);
        _output = ImageArray.Output(convolution);
        _rows = AxisPhase.Forward(sizes.Height);
        var columns = AxisPhase.Forward(sizes.Width);
        _image = new PaddedImage(
            _input.Height, _input.Width, _input.Channels, _input.GroupChannels, [_rows], [columns]);
        _strips = FilterStrip.Of(_rows, columns, _image, sizes);
        _panels = RunTiles<V, T>.Panels(_output.GroupChannels);
        _paddedColumns = RunTiles<V, T>.PaddedColumns(_output.GroupChannels);

        _blocks = new ImageBlocks(
            sizes.Images, _output.Height, _output.Height * _output.Width, BlockSize,
            rows => _image.Length(rows) * sizeof(T));
        _imageLength = _image.Length(_blocks.Images, _blocks.Rows, sizes);
        _runs = [.. Enumerable.Range(0, _blocks.Images).SelectMany(
            image => Enumerable.Range(0, _blocks.Rows).Select(
                row => (image * _imageLength) + (row * _rows.Stride * _image.RowLength)))];
        var pixels = (long)sizes.Images * _output.Height * _output.Width;
        _chunks = (int)Math.Max(1, Math.Min(Math.Min(MostChunks, _blocks.Count), pixels / PixelsPerChunk));
    }

    /// <inheritdoc/>
    public override string Name => _convolution.Describe(ConvolutionForm.FilterGradient);

    /// <inheritdoc/>
    public override double Flops => _convolution.Flops;

    /// <summary>Output rows that are copied between zeros: where their channels do not fill whole vectors.</summary>
    private bool CopiesOutput => _paddedColumns != _output.GroupChannels;

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
        threads = Flops < FewestParallelFlops ? 1 : threads;
        var length = _convolution.Sizes.FilterLength;
        using var sums = _pool.Rent((_chunks - 1) * _convolution.Repeats * length * sizeof(T));
        RunUnits(slots, (byte*)sums.Address, (long)_convolution.Repeats * _chunks * _convolution.Sizes.Groups, threads);
        Combine(slots, (T*)sums.Address);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void RunRange(nint[] slots, byte* shared, long first, long end)
    {
        var inputLength = _imageLength * _blocks.Images;
        var outputLength = CopiesOutput ? (nint)_blocks.Images * _blocks.Rows * _output.Width * _paddedColumns : 0;
        var scratch = (T*)Workspace.Reserve(
            (inputLength + outputLength + RunTiles<V, T>.TileLength) * sizeof(T));
        new Span<T>(scratch, (int)(inputLength + outputLength)).Clear();
        for (var unit = first; unit < end; unit++)
        {
            var group = (int)(unit % _convolution.Sizes.Groups);
            var chunk = (int)(unit / _convolution.Sizes.Groups % _chunks);
            var repeat = unit / _convolution.Sizes.Groups / _chunks;
            var input = _input.Address<T>(slots, repeat, group);
            var output = _output.Address<T>(slots, repeat, group);
            var sums = Sums(slots, (T*)shared, repeat, chunk) + (group * _output.GroupChannels);
            if (chunk > 0 || !_convolution.Accumulate)
            {
                Clear(sums);
            }

            var stop = (long)_blocks.Count * (chunk + 1) / _chunks;
            for (var index = (long)_blocks.Count * chunk / _chunks; index < stop; index++)
            {
                var block = _blocks[index];
                for (var image = 0; image < block.Images; image++)
                {
                    _image.Copy(
                        input + ((block.Image + image) * _input.ImageLength), block.Row, block.Rows,
                        scratch + (image * _imageLength));
                }

                AddBlock(
                    block,
                    scratch,
                    output + (block.Image * _output.ImageLength) + (block.Row * _output.RowLength),
                    scratch + inputLength,
                    sums,
                    scratch + inputLength + outputLength);
            }
        }
    }

    /// <summary>Adds the products over the pixels of a block to the sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBlock(in ImageBlock block, T* input, T* output, T* copy, T* sums, T* tile)
    {
        var step = _output.Channels;
        if (CopiesOutput)
        {
            CopyOutput(output, copy, block.Images * block.Rows * _output.Width);
            output = copy;
            step = _paddedColumns;
        }

        fixed (nint* runs = _runs)
        {
            var terms = new TileTerms
            {
                Runs = runs,
                Count = block.Images * block.Rows,
                Length = _output.Width,
                ARow = 1,
                AStep = (nint)_convolution.Sizes.Width.Stride * _input.GroupChannels,
                BStep = step,
            };
            foreach (var strip in _strips)
            {
                foreach (ref readonly var panel in _panels.AsSpan())
                {
                    RunTiles<V, T>.Multiply(terms, panel, strip.Length, new RunArrays<T>
                    {
                        A = input + strip.Input,
                        B = output + panel.Start,
                        C = sums + strip.Filter + panel.Start,
                        CRow = _convolution.Sizes.Filters,
                        Tile = tile,
                        Accumulate = true,
                    });
                }
            }
        }
    }

    private void CopyOutput(T* source, T* target, int pixels)
    {
        for (var i = 0; i < pixels; i++)
        {
            ShortRows.Copy<V, T>(source, target, _output.GroupChannels);
            source += _output.Channels;
            target += _paddedColumns;
        }
    }

    /// <summary>Where a chunk adds up: the first in the result itself.</summary>
    private T* Sums(nint[] slots, T* partial, long repeat, int chunk) =>
        chunk == 0
            ? _convolution.Filters.Address<T>(slots, repeat)
            : partial + (((repeat * (_chunks - 1)) + chunk - 1) * _convolution.Sizes.FilterLength);

    private void Clear(T* sums)
    {
        var rows = _convolution.Sizes.FilterLength / Math.Max(1, _convolution.Sizes.Filters);
        for (var row = 0L; row < rows; row++)
        {
            new Span<T>(sums + (row * _convolution.Sizes.Filters), _output.GroupChannels).Clear();
        }
    }

    private void Combine(nint[] slots, T* partial)
    {
        var length = (int)_convolution.Sizes.FilterLength;
        for (var repeat = 0; repeat < _convolution.Repeats; repeat++)
        {
            for (var chunk = 1; chunk < _chunks; chunk++)
            {
                ShortRows.Add<V, T>(
                    Sums(slots, partial, repeat, chunk), Sums(slots, partial, repeat, 0), length);
            }
        }
    }
}
