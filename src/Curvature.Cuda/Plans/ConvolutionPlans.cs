using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>Convolutions as products of matrices that are read where they lie.</summary>
internal static class ConvolutionPlans
{
    private const int LeastSplit = 128;
    private const string Module = "convolutions";

    /// <summary>A convolution as kernels take it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ConvolutionArgument
    {
        public long InputStep;
        public long FilterStep;
        public long OutputStep;
        public AxisArgument Height;
        public AxisArgument Width;
        public int Images;
        public int Channels;
        public int Filters;
        public int Groups;
        public int Splits;
        public int Chunk;
        public int Accumulate;
        public int First;
    }

    /// <summary>The matrix product that a form is: its sizes, and its result over repetitions, groups, rows and
    /// columns.</summary>
    private readonly record struct Matrices(
        string Kernel, long Rows, long Columns, long Inner, RepeatedPlace Result, int GroupStep, int RowStep);

    /// <summary>The launches of one form of a convolution.</summary>
    public static KernelPlan Make(ConvolutionDescription convolution, ConvolutionForm form)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ConvolutionCheck.Validate(convolution, form);
        convolution = convolution.Folded();
        var matrices = Of(convolution, form);
        var sizes = convolution.Sizes;
        var batches = (long)convolution.Repeats * sizes.Groups;
        var name = convolution.Describe(form);
        if (batches * matrices.Rows * matrices.Columns == 0 || (matrices.Inner == 0 && convolution.Accumulate))
        {
            return new KernelPlan(name);
        }

        var tile = Tile.OfConvolution(convolution.DType, matrices.Columns);
        var blocks = tile.Blocks(matrices.Rows, matrices.Columns) * batches;
        var splits = Splits.For(blocks, matrices.Inner, LeastSplit, tile.Step);
        var argument = new ConvolutionArgument
        {
            InputStep = convolution.Input.Step,
            FilterStep = convolution.Filters.Step,
            OutputStep = convolution.Output.Step,
            Height = AxisArgument.Of(sizes.Height),
            Width = AxisArgument.Of(sizes.Width),
            Images = sizes.Images,
            Channels = sizes.Channels,
            Filters = sizes.Filters,
            Groups = sizes.Groups,
            Splits = splits.Count,
            Chunk = splits.Chunk,
            Accumulate = convolution.Accumulate ? 1 : 0,
        };
        var target = At(matrices.Result);
        Argument parts = splits.Count > 1 ? new WorkspaceArgument(0) : target;
        var launches = ProductPlans.InBatches(batches * splits.Count, (first, count) => KernelPlan.Fixed(
            Module,
            $"{matrices.Kernel}_{tile.Name}",
            new Grid(tile.RowBlocks(matrices.Rows), (int)tile.ColumnBlocks(matrices.Columns), count, tile.Threads),
            At(convolution.Input),
            At(convolution.Filters),
            At(convolution.Output),
            parts,
            ValueArgument.Of(argument with { First = first })));
        var results = batches * matrices.Rows * matrices.Columns;
        if (splits.Count > 1)
        {
            var axes = AxisWalk.InOrder(
            [
                new WalkAxis(convolution.Repeats, 0, matrices.Result.Step),
                new WalkAxis(sizes.Groups, 0, matrices.GroupStep),
                new WalkAxis((int)matrices.Rows, 0, matrices.RowStep),
                new WalkAxis((int)matrices.Columns, 0, 1),
            ]);
            var perBatch = matrices.Rows * matrices.Columns;
            launches.Add(ProductPlans.AddSplits(
                convolution.DType, target, axes, splits, perBatch, convolution.Accumulate));
        }

        return new KernelPlan(name, [.. launches])
        {
            Flops = convolution.Flops,
            Workspaces = splits.Count > 1 ? [results * splits.Count * Elements.SizeOf(convolution.DType)] : [],
        };

        ArrayArgument At(RepeatedPlace place) => ArrayArgument.Of(place.First, convolution.DType);
    }

    private static Matrices Of(ConvolutionDescription convolution, ConvolutionForm form)
    {
        var sizes = convolution.Sizes;
        var taps = (long)sizes.Height.Kernel * sizes.Width.Kernel;
        var inputs = (long)sizes.Images * sizes.Height.Input * sizes.Width.Input;
        var outputs = (long)sizes.Images * sizes.Height.Output * sizes.Width.Output;
        var (channels, filters) = (sizes.ChannelsPerGroup, sizes.FiltersPerGroup);
        return form switch
        {
            ConvolutionForm.InputGradient => new Matrices(
                "convolve_input", inputs, channels, taps * filters, convolution.Input, channels, sizes.Channels),
            ConvolutionForm.FilterGradient => new Matrices(
                "convolve_filters", taps * channels, filters, outputs, convolution.Filters, filters, sizes.Filters),
            _ => new Matrices(
                "convolve", outputs, filters, taps * channels, convolution.Output, filters, sizes.Filters),
        };
    }
}
