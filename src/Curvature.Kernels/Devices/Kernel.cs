namespace Curvature.Kernels;

/// <summary>Work of fixed shape, ready to run on any addresses. Immutable; safe on several threads at once.</summary>
public abstract class Kernel
{
    /// <summary>What it computes, with its sizes, for people who read a plan.</summary>
    public abstract string Name { get; }

    /// <summary>Multiplications and additions of one run; 0 where they do not matter.</summary>
    public virtual double Flops => 0.0;

    /// <summary>Runs on the arrays whose addresses are in <paramref name="slots"/>, on at most
    /// <paramref name="threads"/> threads. Allocates nothing on the managed heap.</summary>
    public abstract void Run(nint[] slots, int threads);
}
