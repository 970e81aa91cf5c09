namespace Curvature.Cuda;

/// <summary>Copies, with conversion.</summary>
internal static class CopyPlans
{
    /// <summary>The launches of a copy.</summary>
    public static KernelPlan Make(CopyDescription copy)
    {
        ArgumentNullException.ThrowIfNull(copy);
        Check.Known(copy.SourceDType, nameof(CopyDescription.SourceDType));
        Check.Known(copy.TargetDType, nameof(CopyDescription.TargetDType));
        var count = Check.Shape(copy.Shape, nameof(CopyDescription.Shape));
        Check.Operand(copy.Source, copy.Shape.Length, nameof(CopyDescription.Source));
        Check.Operand(copy.Target, copy.Shape.Length, nameof(CopyDescription.Target));
        var name = CopyKernels.Describe(copy);
        if (count == 0)
        {
            return new KernelPlan(name);
        }

        var axes = AxisWalk.ByTarget(copy.Shape.Select((size, axis) =>
            new WalkAxis(size, copy.Source.Strides[axis], copy.Target.Strides[axis])));
        var kernel = copy.SourceDType == copy.TargetDType
            ? $"copy{Elements.SizeOf(copy.SourceDType)}"
            : $"copy_{KernelPlan.Suffix(copy.SourceDType)}_{KernelPlan.Suffix(copy.TargetDType)}";
        return new KernelPlan(name, KernelPlan.Fixed(
            "copies",
            kernel,
            Grid.ForElements(count),
            ArrayArgument.Of(copy.Source.Place, copy.SourceDType),
            ArrayArgument.Of(copy.Target.Place, copy.TargetDType),
            AxesArgument.Of(axes, nameof(CopyDescription.Shape)),
            ValueArgument.Of(count)));
    }

    /// <summary>Writes zeros to elements without gaps.</summary>
    public static Launch Zeros(DType dtype, Argument target, long count) => KernelPlan.Fixed(
        "copies",
        $"fill_{KernelPlan.Suffix(dtype)}",
        Grid.ForElements(count),
        target,
        AxesArgument.Dense(count, nameof(count)),
        Zero(dtype),
        ValueArgument.Of(count));

    /// <summary>Writes zeros to a strided array.</summary>
    public static Launch Zeros(DType dtype, Argument target, AxisWalk axes) => KernelPlan.Fixed(
        "copies",
        $"fill_{KernelPlan.Suffix(dtype)}",
        Grid.ForElements(axes.Count),
        target,
        AxesArgument.Of(axes, nameof(axes)),
        Zero(dtype),
        ValueArgument.Of(axes.Count));

    private static ValueArgument Zero(DType dtype) =>
        dtype == DType.Float32 ? ValueArgument.Of(0f) : ValueArgument.Of(0.0);
}
