using System.Runtime.InteropServices;

namespace Curvature.Cuda;

/// <summary>What a kernel is given in one place.</summary>
internal abstract record Argument;

/// <summary>The address of an array, some bytes after that in a slot.</summary>
internal sealed record ArrayArgument(int Slot, long Offset) : Argument
{
    /// <summary>The first element of an array.</summary>
    public static ArrayArgument Of(Place place, DType dtype) => new(place.Slot, place.Offset * Elements.SizeOf(dtype));
}

/// <summary>The address of one of the plan's workspaces.</summary>
internal sealed record WorkspaceArgument(int Index) : Argument;

/// <summary>The address of one of the plan's tables.</summary>
internal sealed record TableArgument(int Index) : Argument;

/// <summary>The address of the number that kernels write where an index is out of range: its place, counted from
/// 1.</summary>
internal sealed record WrongIndexArgument : Argument;

/// <summary>A number or a structure, as it stands.</summary>
internal sealed record ValueArgument(byte[] Bytes) : Argument
{
    /// <summary>The bytes of a value.</summary>
    public static ValueArgument Of<T>(T value)
        where T : unmanaged => new(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray());
}

/// <summary>One run of a kernel over a grid of blocks.</summary>
/// <param name="Module">The name of the file that the kernel is in, or the text itself.</param>
/// <param name="Kernel">The kernel.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Arguments">What it is given.</param>
internal sealed record Launch(KernelModule Module, string Kernel, Grid Grid, params Argument[] Arguments);

/// <summary>Where a kernel is: in a file of fixed kernels, or in a text written for it.</summary>
/// <param name="Name">The file without its ending, or what the text is for.</param>
/// <param name="Text">The text; null for a file.</param>
internal sealed record KernelModule(string Name, string? Text = null);

/// <summary>Blocks along three axes, and threads in each.</summary>
internal readonly record struct Grid(long X, int Y, int Z, int Threads)
{
    /// <summary>A thread for each of a number of elements.</summary>
    public static Grid ForElements(long count) => new(KernelText.BlocksFor(count), 1, 1, KernelText.Threads);

    /// <summary>A number of blocks of the usual size.</summary>
    public static Grid OfBlocks(long count) => new(count, 1, 1, KernelText.Threads);
}

/// <summary>What a description asks for, as launches one after the other: all that a device needs to run it on any
/// addresses.</summary>
/// <param name="Name">What it computes, for people.</param>
/// <param name="Launches">In order.</param>
internal sealed record KernelPlan(string Name, params Launch[] Launches)
{
    /// <summary>Multiplications and additions of a run.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes of memory that a run needs for itself.</summary>
    public long[] Workspaces { get; init; } = [];

    /// <summary>What is uploaded once for all runs.</summary>
    public byte[][] Tables { get; init; } = [];

    /// <summary>A run of one fixed kernel.</summary>
    public static Launch Fixed(string module, string kernel, Grid grid, params Argument[] arguments) =>
        new(new KernelModule(module), kernel, grid, arguments);

    /// <summary>The part of a kernel's name that says what its elements are.</summary>
    public static string Suffix(DType dtype) => dtype switch
    {
        DType.Float32 => "f32",
        DType.Float64 => "f64",
        _ => "i32",
    };
}
