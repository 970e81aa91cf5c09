namespace Curvature.Cuda;

/// <summary>Random numbers.</summary>
internal static class RandomPlans
{
    // A kernel counts its elements in 32 bits.
    private const long MostElements = 1L << 31;

    /// <summary>The launches of a fill.</summary>
    public static KernelPlan Make(RandomDescription fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        RandomKernels.Validate(fill);
        var launches = new List<Launch>();
        var module = new KernelModule(RandomText.Name, RandomText.Of(fill.DType, fill.Distribution));
        for (var first = 0L; first < fill.Count; first += MostElements)
        {
            var count = Math.Min(MostElements, fill.Count - first);
            launches.Add(new Launch(
                module,
                RandomText.Name,
                Grid.ForElements(count),
                ValueArgument.Of(fill.Key0),
                ValueArgument.Of(fill.Key1),
                ValueArgument.Of(fill.Counter + first),
                ValueArgument.Of((uint)count),
                ArrayArgument.Of(fill.Target with { Offset = fill.Target.Offset + first }, fill.DType)));
        }

        return new KernelPlan($"random {fill.Distribution} {fill.Count} {fill.DType}", [.. launches]);
    }
}
