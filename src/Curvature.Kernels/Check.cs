namespace Curvature.Kernels;

/// <summary>Checks of descriptions when kernels are made. Messages name the argument, what was expected and what
/// came.</summary>
internal static class Check
{
    /// <summary>The number of elements of a shape; sizes must not be negative.</summary>
    public static long Shape(int[] shape, string argument)
    {
        ArgumentNullException.ThrowIfNull(shape, argument);
        var count = 1L;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] < 0)
            {
                throw new DescriptionException(
                    $"Expected sizes of 0 or more, got {shape[axis]} on axis {axis}.", argument);
            }

            // A count that is too large is not multiplied again, so that it cannot wrap around. A size of 0 still makes
            // it 0.
            count = count > int.MaxValue && shape[axis] > 0 ? count : count * shape[axis];
        }

        if (count > int.MaxValue)
        {
            throw new DescriptionException(
                $"Expected at most {int.MaxValue} elements, got a shape of {Elements.Describe(shape)}.", argument);
        }

        return count;
    }

    /// <summary>A size or count that must not be negative.</summary>
    public static void NotNegative(long value, string argument)
    {
        if (value < 0)
        {
            throw new DescriptionException($"Expected 0 or more, got {value}.", argument);
        }
    }

    /// <summary>A number that is 1 at least.</summary>
    public static void Positive(int value, string argument)
    {
        if (value < 1)
        {
            throw new DescriptionException($"Expected 1 or more, got {value}.", argument);
        }
    }

    /// <summary>A count with a limit.</summary>
    public static void AtMost(long most, long value, string argument)
    {
        if (value > most)
        {
            throw new DescriptionException($"Expected at most {most}, got {value}.", argument);
        }
    }

    /// <summary>One of an enumeration's values.</summary>
    public static void Defined<TEnum>(TEnum value, string argument)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new DescriptionException($"Expected one of {typeof(TEnum).Name}, got {value}.", argument);
        }
    }

    /// <summary>A slot and an offset that are not negative.</summary>
    public static void Place(Place place, string argument)
    {
        NotNegative(place.Slot, argument);
        NotNegative(place.Offset, argument);
    }

    /// <summary>One stride for each axis, and a place.</summary>
    public static void Operand(Operand operand, int rank, string argument)
    {
        if (operand.Strides is null)
        {
            throw new DescriptionException($"Expected {rank} strides, got none.", argument);
        }

        if (operand.Strides.Length != rank)
        {
            throw new DescriptionException(
                $"Expected {rank} strides, one for each axis, got {operand.Strides.Length}.", argument);
        }

        Place(operand.Place, argument);
    }

    /// <summary>Float32 or Float64.</summary>
    public static void Floating(DType dtype, string argument)
    {
        if (dtype is not (DType.Float32 or DType.Float64))
        {
            throw new DescriptionException($"Expected Float32 or Float64, got {dtype}.", argument);
        }
    }

    /// <summary>One of the element types.</summary>
    public static void Known(DType dtype, string argument)
    {
        if (dtype is not (DType.Float32 or DType.Float64 or DType.Int32))
        {
            throw new DescriptionException($"Expected Float32, Float64 or Int32, got {dtype}.", argument);
        }
    }

    /// <summary>Ascending axes of a shape of the given rank, each at most once.</summary>
    public static void Axes(int[] axes, int rank, string argument)
    {
        ArgumentNullException.ThrowIfNull(axes, argument);
        for (var i = 0; i < axes.Length; i++)
        {
            if (axes[i] < 0 || axes[i] >= rank)
            {
                throw new DescriptionException($"Expected axes from 0 to {rank - 1}, got {axes[i]}.", argument);
            }

            if (i > 0 && axes[i] <= axes[i - 1])
            {
                throw new DescriptionException(
                    $"Expected ascending axes, got {axes[i]} after {axes[i - 1]}.", argument);
            }
        }
    }
}
