namespace Curvature.Kernels;

/// <summary>A kernel over an empty shape.</summary>
internal sealed class NothingKernel(string name) : Kernel
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override void Run(nint[] slots, int threads)
    {
    }
}
