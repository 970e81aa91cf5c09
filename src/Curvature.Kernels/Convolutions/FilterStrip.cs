namespace Curvature.Kernels;

/// <summary>Entries of a filter whose inputs are contiguous: those of a row with all their channels, or, where dilation
/// keeps neighbours apart, a single one.</summary>
/// <param name="Input">Where the first pixel's inputs begin in scratch memory.</param>
/// <param name="Length">Rows of the filters' matrix.</param>
/// <param name="Filter">Where the first of them is among the filters.</param>
internal readonly record struct FilterStrip(nint Input, int Length, nint Filter)
{
    /// <summary>The strips of all taps.</summary>
    public static FilterStrip[] Of(AxisPhase rows, AxisPhase columns, PaddedImage image, ConvolutionSizes sizes)
    {
        var channels = sizes.ChannelsPerGroup;
        var strips = new List<FilterStrip>();
        foreach (var row in rows.Taps)
        {
            foreach (var column in columns.Taps)
            {
                var place = image.Place(row, column);
                var entry = ((nint)row.Entry * sizes.Width.Kernel) + column.Entry;
                var filter = entry * channels * sizes.Filters;
                if (strips.Count > 0 && Continues(strips[^1], place, filter, sizes.Filters))
                {
                    strips[^1] = strips[^1] with { Length = strips[^1].Length + channels };
                }
                else
                {
                    strips.Add(new FilterStrip(place, channels, filter));
                }
            }
        }

        return [.. strips];
    }

    private static bool Continues(FilterStrip strip, nint input, nint filter, int filters) =>
        input == strip.Input + strip.Length && filter == strip.Filter + ((nint)strip.Length * filters);
}
