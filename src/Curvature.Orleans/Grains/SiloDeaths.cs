using System.Collections.Concurrent;

namespace Curvature;

/// <summary>Tells who waits for an answer that the silo it was asked of is dead.</summary>
internal sealed class SiloDeaths : ISiloStatusListener
{
    private readonly ConcurrentDictionary<SiloAddress, TaskCompletionSource> _deaths = new();
    private readonly ISiloStatusOracle _oracle;

    public SiloDeaths(ISiloStatusOracle oracle)
    {
        _oracle = oracle;
        oracle.SubscribeToSiloStatusEvents(this);
    }

    /// <summary>Ends when the silo is dead.</summary>
    internal Task Of(SiloAddress silo)
    {
        var death = _deaths.GetOrAdd(silo, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (_oracle.GetApproximateSiloStatus(silo) == SiloStatus.Dead)
            death.TrySetResult();
        return death.Task;
    }

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status == SiloStatus.Dead)
            Declare(updatedSilo);
    }

    /// <summary>The silo is dead, whoever found that out.</summary>
    internal void Declare(SiloAddress silo) =>
        _deaths.GetOrAdd(silo, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
