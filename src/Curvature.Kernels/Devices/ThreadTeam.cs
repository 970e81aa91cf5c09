using System.Runtime.ExceptionServices;

namespace Curvature.Kernels;

/// <summary>Threads that share the parts of one job at a time. The calling thread works too, and takes every part that
/// no helper has started. A helper that the operating system holds back delays only the part that it has
/// begun.</summary>
/// <remarks>Helpers start with the first job that needs them and end with the team.</remarks>
internal sealed class ThreadTeam
{
    // About 15 µs: long enough to go from one step of a plan to the next without sleeping, short enough to leave
    // the processor to others (the JIT's background compiler among them) when the caller does something else.
    private const int SpinsBeforeParking = 50;
    private const int IterationsPerSpin = 10;

    // No processor has more: a larger number is a mistake.
    private const int MostThreads = 1024;

    private readonly Job _job = new();
    private readonly Helper[] _helpers;
    private int _busy;
    private bool _started;

    /// <summary>A team of <paramref name="threads"/> threads, the caller included.</summary>
    public ThreadTeam(int threads)
    {
        if (threads is < 1 or > MostThreads)
        {
            // A finalizer runs even where a constructor has thrown.
            GC.SuppressFinalize(this);
            throw new ArgumentRangeException(
                $"threads: a team has from 1 to {MostThreads} threads, and {threads} were asked for");
        }

        _helpers = new Helper[threads - 1];
        for (var i = 0; i < _helpers.Length; i++)
        {
            _helpers[i] = new Helper(_job, i);
        }
    }

    ~ThreadTeam()
    {
        _job.Closed = true;
        foreach (var helper in _helpers)
        {
            helper.Wake();
        }
    }

    /// <summary>The most threads that work on one job, the caller included.</summary>
    public int Threads => _helpers.Length + 1;

    /// <summary>Runs <paramref name="body"/>(0) … <paramref name="body"/>(parts − 1) and returns when all are done.
    /// Calls from inside a part, and calls while another thread's job is running, run on the calling thread alone. If
    /// parts throw, parts not yet begun are skipped and the exception of the first of those that threw comes
    /// out.</summary>
    public void Run(int parts, Action<int> body) => Run(parts, Threads, body);

    /// <summary>The same on at most <paramref name="threads"/> threads.</summary>
    public void Run(int parts, int threads, Action<int> body)
    {
        var helpers = Math.Min(Math.Min(threads, parts) - 1, _helpers.Length);
        if (helpers <= 0 || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            for (var part = 0; part < parts; part++)
            {
                body(part);
            }

            return;
        }

        try
        {
            StartHelpers();
            _job.Open(parts, helpers, body);
            for (var i = 0; i < helpers; i++)
            {
                _helpers[i].Wake();
            }

            _job.Work();
            _job.AwaitOthers();
            _job.Close();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }

        GC.KeepAlive(this);
    }

    private void StartHelpers()
    {
        if (_started)
        {
            return;
        }

        for (var i = 0; i < _helpers.Length; i++)
        {
            var thread = new Thread(_helpers[i].Loop) { IsBackground = true, Name = $"Curvature {i + 1}" };
            thread.Start();
        }

        _started = true;
    }

    /// <summary>The current job. Helpers refer to it and not to the team, so that an unused team can be
    /// collected.</summary>
    private sealed class Job
    {
        // A plain monitor: unlike the slim events, it allocates nothing when it first waits.
        private readonly object _gate = new();
        private Action<int>? _body;
        private int _parts;
        private int _helpers;

        // High half: the number of the job; low half: the next part to be taken. One word, so that a helper that
        // wakes late can never take a part of a job other than the one it looked at.
        private long _ticket;
        private int _unfinished;
        private bool _callerSleeps;
        private ExceptionDispatchInfo? _failure;
        private int _failedPart;

        /// <summary>Set when the team is finalized. Helpers then end.</summary>
        public volatile bool Closed;

        /// <summary>Whether there is a part for a helper to take.</summary>
        public bool HasWorkFor(int helper) =>
            (int)Volatile.Read(ref _ticket) < Volatile.Read(ref _parts) && helper < Volatile.Read(ref _helpers);

        /// <summary>Makes the parts of a new job available to the first <paramref name="helpers"/> helpers.</summary>
        public void Open(int parts, int helpers, Action<int> body)
        {
            // No part of the job before is left, and so no helper takes one until the ticket changes.
            _body = body;
            _helpers = helpers;
            _unfinished = parts;
            _failure = null;
            _failedPart = int.MaxValue;
            _callerSleeps = false;
            var number = (_ticket >> 32) + 1;
            Volatile.Write(ref _parts, 0);
            Interlocked.Exchange(ref _ticket, number << 32);
            Volatile.Write(ref _parts, parts);
        }

        /// <summary>Takes parts and runs them until none is left to take.</summary>
        public void Work()
        {
            while (true)
            {
                var ticket = Volatile.Read(ref _ticket);
                var part = (int)ticket;
                var body = Volatile.Read(ref _body);
                if (part >= Volatile.Read(ref _parts) || body is null)
                {
                    return;
                }

                if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) == ticket)
                {
                    RunPart(body, part);
                }
            }
        }

        /// <summary>Waits for the parts that helpers have begun.</summary>
        public void AwaitOthers()
        {
            for (var spin = 0; spin < SpinsBeforeParking; spin++)
            {
                if (Volatile.Read(ref _unfinished) == 0)
                {
                    return;
                }

                Thread.SpinWait(IterationsPerSpin);
            }

            Volatile.Write(ref _callerSleeps, true);
            Interlocked.MemoryBarrier();
            lock (_gate)
            {
                while (Volatile.Read(ref _unfinished) != 0)
                {
                    Monitor.Wait(_gate);
                }
            }
        }

        /// <summary>Drops the body, and throws what its parts threw.</summary>
        public void Close()
        {
            _body = null;
            var failure = _failure;
            _failure = null;
            failure?.Throw();
        }

        private void RunPart(Action<int> body, int part)
        {
            try
            {
                if (part < Volatile.Read(ref _failedPart))
                {
                    body(part);
                }
            }
            catch (Exception exception)
            {
                lock (_gate)
                {
                    if (part < _failedPart)
                    {
                        _failure = ExceptionDispatchInfo.Capture(exception);
                        Volatile.Write(ref _failedPart, part);
                    }
                }
            }

            if (Interlocked.Decrement(ref _unfinished) == 0 && Volatile.Read(ref _callerSleeps))
            {
                lock (_gate)
                {
                    Monitor.PulseAll(_gate);
                }
            }
        }
    }

    /// <summary>One thread of the team besides the callers'.</summary>
    private sealed class Helper(Job job, int index)
    {
        private readonly AutoResetEvent _wake = new(false);
        private bool _parked;

        public void Wake()
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _parked))
            {
                _wake.Set();
            }
        }

        public void Loop()
        {
            while (!job.Closed)
            {
                for (var spin = 0; spin < SpinsBeforeParking && !job.HasWorkFor(index); spin++)
                {
                    Thread.SpinWait(IterationsPerSpin);
                }

                if (job.HasWorkFor(index))
                {
                    job.Work();
                }
                else
                {
                    Park();
                }
            }
        }

        private void Park()
        {
            Volatile.Write(ref _parked, true);
            Interlocked.MemoryBarrier();
            if (!job.HasWorkFor(index) && !job.Closed)
            {
                _wake.WaitOne();
            }

            Volatile.Write(ref _parked, false);
        }
    }
}
