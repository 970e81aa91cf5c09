namespace Curvature.Kernels;

/// <summary>A kernel whose work is cut into units at places that depend on its description alone; threads take ranges
/// of units.</summary>
internal abstract unsafe class CpuKernel(ThreadTeam team) : Kernel
{
    /// <summary>With fewer multiplications and additions, waking a helper takes longer than its share of the
    /// work.</summary>
    protected const double FewestParallelFlops = 3e5;

    /// <summary>Elements of a unit of work, and the fewest for which it pays to wake a helper.</summary>
    protected const int UnitElements = 16384;

    /// <summary>More parts than threads even out the work when a thread is held back.</summary>
    protected virtual int PartsPerThread => 4;

    [ThreadStatic]
    private static Job? _job;

    /// <summary>Does the units from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    /// <param name="slots">Addresses of the arrays.</param>
    /// <param name="shared">What the caller of <see cref="RunUnits"/> gave for all units.</param>
    /// <param name="first">The first unit.</param>
    /// <param name="end">The unit after the last.</param>
    protected abstract void RunRange(nint[] slots, byte* shared, long first, long end);

    /// <summary>Does all units, on at most <paramref name="threads"/> threads.</summary>
    protected void RunUnits(nint[] slots, byte* shared, long units, int threads)
    {
        threads = (int)Math.Min(Math.Min(threads, team.Threads), units);
        if (threads > 1)
        {
            (_job ??= new Job()).Run(this, slots, shared, units, threads);
        }
        else if (units > 0)
        {
            RunRange(slots, shared, 0, units);
        }
    }

    /// <summary>The arguments of a run, in an object that each calling thread keeps, so that runs allocate
    /// nothing.</summary>
    private sealed class Job
    {
        private readonly Action<int> _body;
        private CpuKernel? _kernel;
        private nint[]? _slots;
        private byte* _shared;
        private long _units;
        private int _parts;

        public Job() => _body = RunPart;

        public void Run(CpuKernel kernel, nint[] slots, byte* shared, long units, int threads)
        {
            _kernel = kernel;
            _slots = slots;
            _shared = shared;
            _units = units;
            _parts = (int)Math.Min(units, (long)threads * kernel.PartsPerThread);
            try
            {
                kernel.Team.Run(_parts, threads, _body);
            }
            finally
            {
                _kernel = null;
                _slots = null;
            }
        }

        private void RunPart(int part) =>
            _kernel!.RunRange(_slots!, _shared, _units * part / _parts, _units * (part + 1) / _parts);
    }

    private ThreadTeam Team => team;
}
