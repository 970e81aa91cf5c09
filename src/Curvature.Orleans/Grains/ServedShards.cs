using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Curvature;

/// <summary>What a silo serves, which calls it is at work on, and how it puts its sums together with those of others.
/// Nothing here runs on a grain's scheduler, which stays free for messages.</summary>
internal sealed class ServedShards(ShardServer server, int largestMessage)
{
    private readonly ConcurrentDictionary<long, bool> _calls = new();

    /// <summary>How many calls have not been answered yet.</summary>
    internal int Calls => _calls.Count;

    internal bool IsAtWork(long call) => _calls.ContainsKey(call);

    /// <summary>The answer of the server, computed on a thread of its own: it may take long.</summary>
    internal Task<byte[]> Answer(byte[] message) =>
        Task.Factory.StartNew(
            () => Fitting(server.Answer(message)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    /// <summary>The answers to a question of this worker and of those below it in the plan, put together.</summary>
    internal async Task<SumReply> Sum(SumCall call, SumCalls others, ILogger logger)
    {
        _calls[call.Number] = true;
        try
        {
            var clock = Stopwatch.StartNew();
            var own = Own(call.Plan, call.Question);
            var ownTime = own.ContinueWith(
                _ => clock.Elapsed,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);

            async Task<TimeSpan> Limit(SumPlan child) =>
                call.Patience.Limit(child, await ownTime.ConfigureAwait(false));

            var replies = call.Plan.Children
                .Select(child => others.Ask(child, call.Question, call.Patience, Limit(child)))
                .Prepend(own)
                .ToArray();
            return Together(await Task.WhenAll(replies).ConfigureAwait(false), logger);
        }
        finally
        {
            _calls.TryRemove(call.Number, out _);
        }
    }

    /// <summary>The answers of this silo's server for its own groups.</summary>
    private async Task<SumReply> Own(SumPlan plan, byte[] question)
    {
        var answers = new List<byte[]>();
        foreach (var groups in plan.Groups)
        {
            var message = FSharp.ShardMessage.withRange(new ValueTuple<int, int>(groups.Low, groups.High), question);
            var answer = await Answer(message).ConfigureAwait(false);
            if (FSharp.ShardAnswers.needsPoint(answer))
                return new SumReply(null, [new MissingGroups(plan.Silo, plan.Groups, MissingReason.NeedsPoint, "")], 0);
            answers.Add(answer);
        }

        return new SumReply(FSharp.ShardAnswers.mergeAll(answers), [], 0);
    }

    /// <summary>Replies as one. Where sums do not go together, that is the answer.</summary>
    private SumReply Together(SumReply[] replies, ILogger logger)
    {
        var parts = replies.Select(reply => reply.Sums).OfType<byte[]>().ToArray();
        byte[]? sums;
        try
        {
            sums = parts.Length == 0 ? null : FSharp.ShardAnswers.mergeAll(parts);
        }
        catch (ClusterException error)
        {
            logger.LogWarning("sums do not go together: {Problem}", error.Message);
            sums = FSharp.ShardAnswers.failure(error);
        }

        return new SumReply(
            sums is null ? null : Fitting(sums),
            [.. replies.SelectMany(reply => reply.Missing)],
            replies.Sum(reply => reply.BytesMoved));
    }

    /// <summary>An answer that is too large to be sent is an error that says so.</summary>
    private byte[] Fitting(byte[] answer) => answer.Length <= largestMessage
        ? answer
        : FSharp.ShardAnswers.failure(Fail.Cluster(
            $"an answer has {answer.Length} bytes, and messages at most {largestMessage}; "
            + "take smaller blocks of vectors, "
            + "or OrleansOptions.WithLargestMessage"));
}
