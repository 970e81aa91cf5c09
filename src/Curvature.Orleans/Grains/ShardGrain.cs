using System.Collections.Concurrent;
using System.Diagnostics;
using Curvature.FSharp;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Curvature;

/// <summary>What a silo serves, and which calls it is at work on.</summary>
internal sealed class ServedShards(ShardServer server, int largestMessage)
{
    internal int LargestMessage => largestMessage;

    internal ConcurrentDictionary<long, bool> Calls { get; } = new();

    /// <summary>
    /// The answer of the server, computed on a thread of its own: the grain's scheduler and the thread pool stay free for
    /// messages.
    /// </summary>
    internal Task<byte[]> Answer(byte[] message) =>
        Task.Factory.StartNew(
            () => Fitting(server.Answer(message)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    /// <summary>An answer that is too large to be sent is an error that says so.</summary>
    internal byte[] Fitting(byte[] answer) => answer.Length <= largestMessage
        ? answer
        : ShardAnswers.failure(Fail.Cluster(
            $"an answer has {answer.Length} bytes, and messages at most {largestMessage}; take smaller blocks of vectors, "
            + "or OrleansOptions.WithLargestMessage"));
}

/// <summary>Answers for its silo. Calls are answered side by side: one may last long.</summary>
[OnSilo, Reentrant]
internal sealed class ShardGrain(ServedShards served, SumCalls calls, ILoggerFactory loggers) : Grain, IShardGrain
{
    public Task<byte[]> Answer(byte[] message) => served.Answer(message);

    public Task<bool> IsAtWork(long call) => Task.FromResult(served.Calls.ContainsKey(call));

    public Task<int> Calls() => Task.FromResult(served.Calls.Count);

    public async Task<SumReply> Sum(long call, SumPlan plan, byte[] question, SumPatience patience)
    {
        served.Calls[call] = true;
        try
        {
            // Off the grain's scheduler, as partial sums of others are added here too.
            return await Task.Run(() => SumOff(plan, question, patience));
        }
        finally
        {
            served.Calls.TryRemove(call, out _);
        }
    }

    private async Task<SumReply> SumOff(SumPlan plan, byte[] question, SumPatience patience)
    {
        var clock = Stopwatch.StartNew();
        var own = Own(plan, question);
        var ownTime = own.ContinueWith(
            _ => clock.Elapsed, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        async Task<TimeSpan> Limit(SumPlan child) => patience.Limit(child, await ownTime.ConfigureAwait(false));

        var replies = plan.Children
            .Select(child => calls.Ask(child, question, patience, Limit(child)))
            .Prepend(own)
            .ToArray();
        return Put(await Task.WhenAll(replies).ConfigureAwait(false));
    }

    /// <summary>The answers of this silo's server for its own groups.</summary>
    private async Task<SumReply> Own(SumPlan plan, byte[] question)
    {
        byte[]? sums = null;
        foreach (var groups in plan.Groups)
        {
            var answer = await served
                .Answer(ShardMessage.withRange(new ValueTuple<int, int>(groups.Low, groups.High), question))
                .ConfigureAwait(false);
            if (ShardAnswers.needsPoint(answer))
                return new SumReply(null, [new MissingGroups(plan.Silo, plan.Groups, MissingReason.NeedsPoint, "")], 0);
            sums = sums is null ? answer : ShardAnswers.merge(sums, answer);
        }

        return new SumReply(sums, [], 0);
    }

    /// <summary>Replies as one. Where sums do not go together, that is the answer.</summary>
    private SumReply Put(SumReply[] replies)
    {
        byte[]? sums = null;
        try
        {
            foreach (var part in replies.Select(reply => reply.Sums).OfType<byte[]>())
                sums = sums is null ? part : ShardAnswers.merge(sums, part);
        }
        catch (ClusterException error)
        {
            loggers.CreateLogger("Curvature.Sums").LogWarning("{Problem}", error.Message);
            sums = ShardAnswers.failure(error);
        }

        return new SumReply(
            sums is null ? null : served.Fitting(sums),
            [.. replies.SelectMany(reply => reply.Missing)],
            replies.Sum(reply => reply.BytesMoved));
    }
}
