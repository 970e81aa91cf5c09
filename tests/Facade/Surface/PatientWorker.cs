using System.Collections.Concurrent;

namespace Curvature.Tests.Facade.Surface;

/// <summary>Runs calls on a thread of its own, and leaves that thread behind where a call does not come back.</summary>
internal sealed class PatientWorker(TimeSpan limit) : IDisposable
{
    private Lane _lane = new();

    /// <summary>Whether a call came back in time. What it throws is caught by the call.</summary>
    public bool Run(Action call)
    {
        if (_lane.Run(call, limit))
        {
            return true;
        }

        _lane.Close();
        _lane = new Lane();
        return false;
    }

    public void Dispose() => _lane.Close();

    private sealed class Lane
    {
        private readonly BlockingCollection<Action> _calls = [];
        private readonly AutoResetEvent _done = new(false);

        public Lane() => new Thread(Work, 16 << 20) { IsBackground = true, Name = "calls with bad values" }.Start();

        public bool Run(Action call, TimeSpan limit)
        {
            _calls.Add(call);
            return _done.WaitOne(limit);
        }

        public void Close() => _calls.CompleteAdding();

        private void Work()
        {
            foreach (var call in _calls.GetConsumingEnumerable())
            {
                call();
                _done.Set();
            }
        }
    }
}
