namespace Curvature.Cuda;

/// <summary>Axes as kernels take them: the structure <c>Axes</c> of prelude.h.</summary>
internal unsafe struct AxesArgument
{
    private const int Most = 8;

#pragma warning disable CS0649 // written through pointers
    private fixed long _source[Most];
    private fixed long _target[Most];
    private fixed int _size[Most];
#pragma warning restore CS0649
    private int _rank;
#pragma warning disable CS0169 // what C puts at the end, so that the size is a multiple of 8
    private readonly int _unused;
#pragma warning restore CS0169

    /// <summary>The argument for axes.</summary>
    /// <exception cref="DescriptionException">There are more than 8 that cannot be walked as one.</exception>
    public static ValueArgument Of(AxisWalk axes, string argument)
    {
        if (axes.Rank > Most)
        {
            throw new DescriptionException(
                $"Expected at most {Most} axes that cannot be walked as one, got {axes.Rank}: copy the array first.",
                argument);
        }

        var value = default(AxesArgument);
        value._rank = axes.Rank;
        for (var axis = 0; axis < axes.Rank; axis++)
        {
            value._source[axis] = axes[axis].Source;
            value._target[axis] = axes[axis].Target;
            value._size[axis] = axes[axis].Size;
        }

        return ValueArgument.Of(value);
    }

    /// <summary>One axis without gaps.</summary>
    public static ValueArgument Dense(long count, string argument) =>
        Of(AxisWalk.InOrder([new WalkAxis(checked((int)count), 1, 1)]), argument);
}
