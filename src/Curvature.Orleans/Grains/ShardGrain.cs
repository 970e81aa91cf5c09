using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Curvature;

/// <summary>Answers for its silo. Calls are answered side by side: one may last long.</summary>
[OnSilo, Reentrant]
internal sealed class ShardGrain(ServedShards served, SumCalls others, ILoggerFactory loggers) : Grain, IShardGrain
{
    private readonly ILogger _logger = loggers.CreateLogger("Curvature.Sums");

    public Task<byte[]> Answer(byte[] message) => served.Answer(message);

    public Task<SumReply> Sum(long call, SumPlan plan, byte[] question, SumPatience patience) =>
        Task.Run(() => served.Sum(new SumCall(call, plan, question, patience), others, _logger));

    public Task<bool> IsAtWork(long call) => Task.FromResult(served.IsAtWork(call));

    public Task<int> Calls() => Task.FromResult(served.Calls);
}
