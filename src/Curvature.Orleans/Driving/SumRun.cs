using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Curvature;

/// <summary>
/// Questions over all groups: rounds of calls along a tree of workers, until no group is missing. A group that was
/// summed twice is an error, and so is one that was not, wherever that comes from.
/// </summary>
internal sealed class SumRun(SiloHost silo, WorkerRoster roster)
{
    private readonly ConditionalWeakTable<byte[], ConcurrentDictionary<SiloAddress, bool>> _pointAt = [];
    private readonly ConcurrentDictionary<(int Size, int Groups), TimeSpan> _times = new();
    private long _bytesMoved;

    internal long BytesMoved => Interlocked.Read(ref _bytesMoved);

    internal void Moved(long bytes) => Interlocked.Add(ref _bytesMoved, bytes);

    internal async Task<byte[]> Sum(byte[] point, byte[] question, int groups)
    {
        var clock = Stopwatch.StartNew();
        byte[]? sums = null;
        MissingGroups[] missing = [new("", [new Span(0, groups)], MissingReason.Gone, "")];
        for (var round = 0; missing.Length > 0; round++)
        {
            var workers = await roster.Wait(1).ConfigureAwait(false);
            if (await Tell(point, workers, round).ConfigureAwait(false) is { } failure)
                return failure;

            // Those that were too slow to be told are left out.
            workers = await roster.Wait(1).ConfigureAwait(false);
            var plan = Divide(missing, workers, round);
            var reply = await silo.Calls
                .Ask(plan, question, Patience(round), Limit(plan, question, groups, round))
                .ConfigureAwait(false);
            Moved(reply.BytesMoved);
            if (reply.Sums is { } part)
                sums = sums is null ? part : FSharp.ShardAnswers.merge(sums, part);
            missing = reply.Missing;
            foreach (var lost in missing)
                await Settle(lost, point).ConfigureAwait(false);
        }

        _times[(question.Length, groups)] = clock.Elapsed;
        return sums!;
    }

    /// <summary>All groups as they are at first; later what is missing, over all who are there.</summary>
    private static SumPlan Divide(MissingGroups[] missing, SiloAddress[] workers, int round)
    {
        var shares = new Shares(workers);
        foreach (var part in missing)
        {
            foreach (var span in part.Groups)
            {
                if (part.Reason == MissingReason.NeedsPoint)
                    shares.Give(SiloAddress.FromParsableString(part.Silo), span);
                else
                    shares.Spread(span, round);
            }
        }

        return shares.Plan();
    }

    /// <summary>With every round workers get twice the time, so that one ends whatever the machines do.</summary>
    private SumPatience Patience(int round) => new(
        silo.Options.TakeoverFactor,
        silo.Options.TakeoverLeast * (1 << Math.Min(round, 16)),
        silo.Options.SilenceTimeout);

    /// <summary>
    /// How long the whole may take, where as large a question has been answered before. Without that there is no limit
    /// but that the worker must say that it is at work.
    /// </summary>
    private Task<TimeSpan> Limit(SumPlan plan, byte[] question, int groups, int round) =>
        _times.TryGetValue((question.Length, groups), out var before)
            ? Task.FromResult(Patience(round).Limit(plan, before))
            : new TaskCompletionSource<TimeSpan>().Task;

    /// <summary>Tells the point to those that have not been told. The answer of one that does not take it, or
    /// null.</summary>
    private async Task<byte[]?> Tell(byte[] point, SiloAddress[] workers, int round)
    {
        if (point.Length == 0)
            return null;
        var told = _pointAt.GetOrCreateValue(point);
        var others = workers.Where(worker => !told.ContainsKey(worker)).ToArray();
        foreach (var (worker, answer) in await AskAll(others, point, round).ConfigureAwait(false))
        {
            if (!FSharp.ShardAnswers.decode(answer).IsDone)
                return answer;
            told[worker] = true;
        }

        return null;
    }

    /// <summary>
    /// The answers of workers to a message. Those that need much longer than the first are late, and those that are
    /// gone give none.
    /// </summary>
    internal async Task<List<(SiloAddress Worker, byte[] Answer)>> AskAll(
        SiloAddress[] workers, byte[] message, int round)
    {
        if (workers.Length == 0)
            return [];
        var clock = Stopwatch.StartNew();
        var asked = workers.Select(worker => Asked(worker, message)).ToArray();
        var all = Task.WhenAll(asked);
        await Task.WhenAny(asked).ConfigureAwait(false);
        var patience = Patience(round);
        await Task.WhenAny(all, Task.Delay(patience.Least + patience.Factor * clock.Elapsed)).ConfigureAwait(false);

        var answers = new List<(SiloAddress, byte[])>();
        foreach (var (worker, answer) in workers.Zip(asked))
        {
            if (!answer.IsCompleted)
                roster.SetLate(worker);
            else if (await answer.ConfigureAwait(false) is { } given)
                answers.Add((worker, given));
        }

        return answers;
    }

    /// <summary>The answer of one worker, or null where it is gone or silent.</summary>
    private async Task<byte[]?> Asked(SiloAddress worker, byte[] message)
    {
        var call = silo.Calls.At(worker.ToParsableString()).Answer(message);
        SumCalls.Ignore(call);
        try
        {
            var first = await Task.WhenAny(call, silo.Deaths.Of(worker)).ConfigureAwait(false);
            if (first != call)
                return null;
            var answer = await call.ConfigureAwait(false);
            Moved(message.Length + answer.Length);
            return answer;
        }
        catch (Exception error) when (error is OrleansException or TimeoutException)
        {
            silo.Options.Log($"curvature: {silo.NameOf(worker)} could not be asked: {error.Message}");
            return null;
        }
    }

    /// <summary>What becomes of a worker whose groups are missing.</summary>
    private async Task Settle(MissingGroups lost, byte[] point)
    {
        var worker = SiloAddress.FromParsableString(lost.Silo);
        if (lost.Reason == MissingReason.NeedsPoint)
        {
            _pointAt.GetOrCreateValue(point).TryRemove(worker, out _);
            return;
        }

        var groups = string.Join(", ", lost.Groups.Select(span => $"{span.Low}–{span.High - 1}"));
        var reason = lost.Reason == MissingReason.Slow ? "it takes much longer than others" : lost.Detail;
        silo.Options.Log($"curvature: {silo.NameOf(worker)} gives groups {groups} to others: {reason}");
        roster.SetLate(worker);

        // Until its death is known everywhere, it might be asked again at once.
        await Task.Delay(TimeSpan.FromMilliseconds(50)).ConfigureAwait(false);
    }
}
