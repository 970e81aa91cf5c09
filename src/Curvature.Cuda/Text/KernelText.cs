namespace Curvature.Cuda;

/// <summary>The text of a kernel, and how many threads run it.</summary>
/// <param name="Name">The name of the kernel in the text.</param>
/// <param name="Text">A module in PTX. It depends on shapes and strides alone, so that equal work has equal text; where
/// arrays lie are parameters.</param>
/// <param name="Blocks">Blocks of threads; 0 where there is nothing to do.</param>
internal sealed record KernelText(string Name, string Text, long Blocks)
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 256;

    /// <summary>Blocks for one thread each of a number.</summary>
    public static long BlocksFor(long threads) => (threads + Threads - 1) / Threads;
}
