using System.Diagnostics;

namespace Curvature.Kernels;

/// <summary>A place where arrays live and kernels run. Everything above this project reaches memory and arithmetic
/// through this class alone, and treats addresses as opaque.</summary>
/// <remarks>A kernel is made once from a description of its shapes and strides, and run any number of times on any
/// addresses. Kernels are immutable and may run on several threads at once. Results are the same bits for every
/// number of threads.</remarks>
[DebuggerDisplay("{ToString(),nq}")]
public abstract class Device
{
    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>A name for people, such as <c>cpu (AVX-512, 2 threads)</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The largest number of threads that a kernel of this device may use.</summary>
    public abstract int Threads { get; }

    /// <summary>Takes an uninitialised block of at least <paramref name="bytes"/> bytes, aligned to 64 bytes, from the
    /// device's pool. Where the device has none, the pool gives back what nobody uses, garbage is collected, and it is
    /// tried again.</summary>
    /// <exception cref="DescriptionException">The number of bytes is negative.</exception>
    /// <exception cref="DeviceMemoryException">There is not so much memory; the message names the size.</exception>
    public abstract DeviceMemory Allocate(long bytes);

    /// <summary>Copies host values to device memory.</summary>
    public abstract void Upload<T>(ReadOnlySpan<T> source, nint destination)
        where T : unmanaged;

    /// <summary>Copies device memory to the host.</summary>
    public abstract void Download<T>(nint source, Span<T> destination)
        where T : unmanaged;

    /// <summary>C (+)= Σ A·B over the axes of <paramref name="contraction"/>.</summary>
    public abstract Kernel Contract(ContractionDescription contraction);

    /// <summary>Rearranges one operand of <paramref name="contraction"/> into the layout that <see cref="Contract"/>
    /// reads when that operand is marked as packed. Reads the operand's slot and writes
    /// <paramref name="targetSlot"/>.</summary>
    public abstract Kernel Pack(ContractionDescription contraction, ContractionSide side, int targetSlot);

    /// <summary>The bytes that a packed operand occupies.</summary>
    public abstract long PackedBytes(ContractionDescription contraction, ContractionSide side);

    /// <summary>Runs a tape of elementwise instructions over a shape, tile by tile.</summary>
    public abstract Kernel Map(TapeDescription tape);

    /// <summary>Reduces axes of an array.</summary>
    public abstract Kernel Reduce(ReductionDescription reduction);

    /// <summary>Copies between strided arrays of the same shape, converting the element type if the two
    /// differ.</summary>
    public abstract Kernel Copy(CopyDescription copy);

    /// <summary>target[b, o, i, n] = source[b, o, index[b, i], n], all row-major.</summary>
    public abstract Kernel Gather(IndexingDescription indexing);

    /// <summary>target[b, o, index[b, i], n] += source[b, o, i, n], all row-major, in the order of i.
    /// The target is set to zero first.</summary>
    public abstract Kernel ScatterAdd(IndexingDescription indexing);

    /// <summary>target[o, i, n] = Σ source[o, j, n] over j ≤ i (or j ≥ i when reversed), all row-major.</summary>
    public abstract Kernel CumulativeSum(CumulativeSumDescription sum);

    /// <summary>target[r, i] = the position of the i-th element of row r in order, all row-major. Equal elements keep
    /// their order, and NaN comes last.</summary>
    public abstract Kernel ArgSort(ArgSortDescription sort);

    /// <summary>Computes one of the three arrays of a convolution from the other two.</summary>
    public abstract Kernel Convolve(ConvolutionDescription convolution, ConvolutionForm form);

    /// <summary>Sums over windows of images, or the adjoint of that.</summary>
    public abstract Kernel SumWindows(WindowSumDescription sum);

    /// <summary>Positions of the largest elements of windows of images.</summary>
    public abstract Kernel MaximumOfWindows(WindowMaximumDescription maximum);

    /// <summary>Writes counter-based random numbers.</summary>
    public abstract Kernel Random(RandomDescription fill);

    /// <summary>Runs <paramref name="body"/>(0) … <paramref name="body"/>(parts − 1), sharing them over the device's
    /// threads. Nested calls run on the calling thread.</summary>
    public abstract void Parallel(int parts, Action<int> body);
}
