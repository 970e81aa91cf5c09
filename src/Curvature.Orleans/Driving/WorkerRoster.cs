using System.Collections.Concurrent;

namespace Curvature;

/// <summary>
/// Which workers a driver may ask. Those that join later are asked first what all others were asked and answered alike,
/// and are turned away where they answer something else. Those that were too slow are left out until they have caught
/// up.
/// </summary>
internal sealed class WorkerRoster(SiloHost silo)
{
    private const int KeptQuestions = 32;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SlowPause = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly List<(byte[] Question, byte[] Answer)> _agreed = [];
    private readonly ConcurrentDictionary<SiloAddress, Task<bool>> _admissions = new();
    private readonly ConcurrentDictionary<SiloAddress, bool> _late = new();

    /// <summary>Why no worker can come any more; null where one can.</summary>
    internal Func<string?> NoneCanCome { get; set; } = () => null;

    /// <summary>Those that may be asked now, the late ones only where there are no others.</summary>
    internal SiloAddress[] Ready
    {
        get
        {
            var admitted = silo.Workers.Where(IsAdmitted).ToArray();
            var punctual = admitted.Where(worker => !_late.ContainsKey(worker)).ToArray();
            return punctual.Length > 0 ? punctual : admitted;
        }
    }

    /// <summary>Waits for a number of workers. Raises ClusterException where too few come in time.</summary>
    internal async Task<SiloAddress[]> Wait(int least)
    {
        var deadline = DateTime.UtcNow + silo.Options.WorkerTimeout;
        while (true)
        {
            if (Ready is var ready && ready.Length >= least)
                return ready;
            var reason = NoneCanCome()
                ?? (DateTime.UtcNow < deadline
                    ? null
                    : $"none came within {silo.Options.WorkerTimeout.TotalSeconds:0} s");
            if (reason is not null)
            {
                throw Fail.Cluster(
                    $"{ready.Length} workers are there, and {least} are needed: {reason}. A run with a checkpoint "
                    + "resumes from it, on any number of workers");
            }

            await Task.Delay(Pause).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps what all workers were asked and answered alike.</summary>
    internal void Agreed(byte[] question, byte[][] answers)
    {
        lock (_lock)
        {
            var isNew = !_agreed.Any(known => known.Question.AsSpan().SequenceEqual(question));
            if (isNew
                && _agreed.Count < KeptQuestions
                && answers.All(answer => answer.AsSpan().SequenceEqual(answers[0])))
            {
                _agreed.Add((question, answers[0]));
            }
        }
    }

    /// <summary>Leaves a worker out until it has no calls left.</summary>
    internal void SetLate(SiloAddress worker)
    {
        if (_late.TryAdd(worker, true))
            SumCalls.Ignore(Task.Run(() => WatchLate(worker)));
    }

    private async Task WatchLate(SiloAddress worker)
    {
        var grain = silo.Calls.At(worker.ToParsableString());
        while (silo.Oracle.GetApproximateSiloStatus(worker) != SiloStatus.Dead)
        {
            await Task.Delay(SlowPause).ConfigureAwait(false);
            try
            {
                var calls = grain.Calls();
                SumCalls.Ignore(calls);
                if (await calls.WaitAsync(silo.Options.SilenceTimeout).ConfigureAwait(false) == 0)
                    break;
            }
            catch (Exception error) when (error is TimeoutException or OrleansException)
            {
                // It is asked again.
            }
        }

        _late.TryRemove(worker, out _);
    }

    private bool IsAdmitted(SiloAddress worker)
    {
        var admission = _admissions.GetOrAdd(worker, found =>
        {
            (byte[] Question, byte[] Answer)[] questions;
            lock (_lock)
                questions = [.. _agreed];
            return questions.Length == 0 ? Task.FromResult(true) : Task.Run(() => Admit(found, questions));
        });
        return admission.IsCompletedSuccessfully && admission.Result;
    }

    private async Task<bool> Admit(SiloAddress worker, (byte[] Question, byte[] Answer)[] questions)
    {
        try
        {
            foreach (var (question, expected) in questions)
            {
                var answer = await silo.Calls.At(worker.ToParsableString()).Answer(question).ConfigureAwait(false);
                if (answer.AsSpan().SequenceEqual(expected))
                    continue;
                silo.Options.Log(
                    $"curvature: {silo.NameOf(worker)} joined, and is not used: its answers are not those of the other "
                    + "workers, so its results could differ");
                return false;
            }

            silo.Options.Log($"curvature: {silo.NameOf(worker)} joined, and gives the answers of the other workers");
            return true;
        }
        catch (OrleansException error)
        {
            silo.Options.Log($"curvature: {silo.NameOf(worker)} joined, and could not be asked: {error.Message}");
            return false;
        }
    }
}
