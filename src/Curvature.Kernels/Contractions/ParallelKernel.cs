namespace Curvature.Kernels;

/// <summary>A kernel whose work is a row of independent units, which threads share.</summary>
internal abstract class ParallelKernel(ThreadTeam team) : Kernel
{
    // Below this, waking a helper takes longer than the work that it would take over.
    private const double FewestParallelFlops = 3e5;

    // A run on several threads needs a place for its slots and a delegate for its parts. One is kept for the next run;
    // a run that starts while another is going on makes its own.
    private ParallelRun? _idle;

    /// <summary>The number of units. Results do not depend on how they are shared out.</summary>
    protected abstract int Units { get; }

    /// <inheritdoc/>
    public sealed override void Run(nint[] slots, int threads)
    {
        var parts = Math.Min(threads, Units);
        if (parts < 2 || Flops < FewestParallelFlops)
        {
            Run(slots, 0, Units);
            return;
        }

        var run = Interlocked.Exchange(ref _idle, null) ?? new ParallelRun(this);
        run.Start(team, slots, parts);
        _idle = run;
    }

    /// <summary>Computes some of the units on the calling thread.</summary>
    protected abstract void Run(nint[] slots, int firstUnit, int endUnit);

    private sealed class ParallelRun
    {
        private readonly ParallelKernel _kernel;
        private readonly Action<int> _body;
        private nint[] _slots = [];
        private int _parts;

        public ParallelRun(ParallelKernel kernel)
        {
            _kernel = kernel;
            _body = RunPart;
        }

        public void Start(ThreadTeam team, nint[] slots, int parts)
        {
            _slots = slots;
            _parts = parts;
            team.Run(parts, _body);
            _slots = [];
        }

        private void RunPart(int part) => _kernel.Run(_slots, Boundary(part), Boundary(part + 1));

        private int Boundary(int part) => (int)((long)_kernel.Units * part / _parts);
    }
}
