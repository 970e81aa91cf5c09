namespace Curvature.Kernels;

/// <summary>Where an array lies that is row-major, or whose strides are given elsewhere.</summary>
/// <param name="Slot">Its slot in the table of addresses given to <see cref="Kernel.Run"/>.</param>
/// <param name="Offset">Its first element, counted from the address in that slot.</param>
public readonly record struct Place(int Slot, long Offset)
{
    /// <summary>The address of the first element in a run.</summary>
    internal unsafe T* Address<T>(nint[] slots)
        where T : unmanaged => (T*)slots[Slot] + Offset;
}

/// <summary>Where the arrays of several alike computations lie.</summary>
/// <param name="First">The array of the first computation.</param>
/// <param name="Step">Elements from the array of one computation to that of the next; 0 where they share it.</param>
public readonly record struct RepeatedPlace(Place First, long Step = 0)
{
    /// <summary>The address of the first element of one of the arrays in a run.</summary>
    internal unsafe T* Address<T>(nint[] slots, long repeat)
        where T : unmanaged => First.Address<T>(slots) + (repeat * Step);
}

/// <summary>Where a strided array lies, and how. Strides are in elements, one for each axis of the shape that the array
/// is used with. They may be 0 (broadcast) or negative (reversed).</summary>
/// <param name="Place">The first element.</param>
/// <param name="Strides">From one element to the next along each axis.</param>
public readonly record struct Operand(Place Place, int[] Strides)
{
    /// <summary>The same from a slot and an offset.</summary>
    public Operand(int slot, long offset, int[] strides)
        : this(new Place(slot, offset), strides)
    {
    }
}
