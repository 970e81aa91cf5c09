namespace Curvature.Cuda;

/// <summary>An axis as kernels take it: the structure <c>Axis</c> of prelude.h.</summary>
internal readonly record struct AxisArgument(int Input, int Output, int Window, int Stride, int Before, int Dilation)
{
    /// <summary>The argument for an axis.</summary>
    public static AxisArgument Of(WindowAxis axis) =>
        new(axis.Input, axis.Output, axis.Kernel, axis.Stride, axis.Before, axis.Dilation);
}

/// <summary>Sums over windows of images, their adjoint, and positions of largest elements.</summary>
internal static class WindowPlans
{
    private const string Module = "windows";

    private readonly record struct WindowsArgument(
        AxisArgument Height, AxisArgument Width, int Images, int Channels, int Stacks);

    /// <summary>The launches of a sum.</summary>
    public static KernelPlan Make(WindowSumDescription sum)
    {
        ArgumentNullException.ThrowIfNull(sum);
        WindowCheck.Validate(sum);
        var count = sum.Adjoint ? sum.Sizes.Elements : Windows(sum.Sizes);
        var name = $"window sums{(sum.Adjoint ? ", adjoint" : "")} {sum.Sizes} {sum.DType}";
        return count == 0
            ? new KernelPlan(name)
            : new KernelPlan(name, KernelPlan.Fixed(
                Module,
                $"window_{(sum.Adjoint ? "spread" : "sum")}_{KernelPlan.Suffix(sum.DType)}",
                Grid.ForElements(count),
                ArrayArgument.Of(sum.Source, sum.DType),
                ArrayArgument.Of(sum.Target, sum.DType),
                Sizes(sum.Sizes, stacks: 1)));
    }

    /// <summary>The launches of positions of largest elements.</summary>
    public static KernelPlan Make(WindowMaximumDescription maximum)
    {
        ArgumentNullException.ThrowIfNull(maximum);
        WindowCheck.Validate(maximum);
        var count = Windows(maximum.Sizes);
        var name = $"largest of windows {maximum.Sizes} {maximum.DType}";
        return count == 0
            ? new KernelPlan(name)
            : new KernelPlan(name, KernelPlan.Fixed(
                Module,
                $"window_maximum_{KernelPlan.Suffix(maximum.DType)}",
                Grid.ForElements(count),
                ArrayArgument.Of(maximum.Source, maximum.DType),
                ArrayArgument.Of(maximum.Target, DType.Int32),
                Sizes(maximum.Sizes, maximum.Stacks)));
    }

    private static long Windows(WindowSizes sizes) =>
        (long)sizes.Images * sizes.Height.Output * sizes.Width.Output * sizes.Channels;

    private static ValueArgument Sizes(WindowSizes sizes, int stacks) => ValueArgument.Of(new WindowsArgument(
        AxisArgument.Of(sizes.Height), AxisArgument.Of(sizes.Width), sizes.Images, sizes.Channels, stacks));
}
