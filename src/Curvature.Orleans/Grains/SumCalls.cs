using System.Diagnostics;

namespace Curvature;

/// <summary>
/// Asking a worker for sums, as the driver and as workers do: until it answers, dies, cannot be reached, has lost the
/// call, or has taken too long.
/// </summary>
internal sealed class SumCalls(IGrainFactory grains, SiloDeaths deaths)
{
    /// <summary>How often a silent worker is asked whether it is at work.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private long _last = BitConverter.ToInt64(Guid.NewGuid().ToByteArray());

    internal IShardGrain At(string silo) => grains.GetGrain<IShardGrain>(silo);

    /// <summary>
    /// The reply, in which groups may be missing. The limit may become known while the call runs: `limit` ends with it.
    /// </summary>
    internal async Task<SumReply> Ask(SumPlan plan, byte[] question, SumPatience patience, Task<TimeSpan> limit)
    {
        var call = Interlocked.Increment(ref _last);
        using var done = new CancellationTokenSource();
        try
        {
            var reply = At(plan.Silo).Sum(call, plan, question, patience);
            var isDead = deaths.Of(SiloAddress.FromParsableString(plan.Silo));
            var isSlow = TooSlow(limit, done.Token);
            var isLost = Lost(plan.Silo, call, patience.Silence, done.Token);
            var first = await Task.WhenAny(reply, isDead, isSlow, isLost).ConfigureAwait(false);
            if (first == reply)
                return Counted(await reply.ConfigureAwait(false), question);

            Ignore(reply);
            if (first == isSlow)
                return Missing(plan, MissingReason.Slow, "");
            return Missing(plan, MissingReason.Gone, first == isDead ? "it died" : await isLost.ConfigureAwait(false));
        }
        catch (Exception error) when (error is OrleansException or TimeoutException or OperationCanceledException)
        {
            return Missing(plan, MissingReason.Gone, error.Message);
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
        }
    }

    private static SumReply Counted(SumReply reply, byte[] question) =>
        reply with { BytesMoved = reply.BytesMoved + question.Length + (reply.Sums?.Length ?? 0) };

    /// <summary>
    /// Nothing, but the reason. Only the worker that was asked is to blame: those below it may be well, and their
    /// groups are asked for again without a word about them.
    /// </summary>
    private static SumReply Missing(SumPlan plan, MissingReason reason, string detail) => new(
        null, [new MissingGroups(plan.Silo, [.. plan.All.SelectMany(part => part.Groups)], reason, detail)], 0);

    /// <summary>Ends when the limit is known and over.</summary>
    private static async Task TooSlow(Task<TimeSpan> limit, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var left = await limit.WaitAsync(cancellation).ConfigureAwait(false) - clock.Elapsed;
        if (left > TimeSpan.Zero)
            await Task.Delay(left, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Ends with the reason when the worker is not at work on the call although no reply has come, or does not say so.
    /// </summary>
    private async Task<string> Lost(string silo, long call, TimeSpan silence, CancellationToken cancellation)
    {
        var idle = 0;
        while (true)
        {
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            try
            {
                var asked = At(silo).IsAtWork(call);
                Ignore(asked);
                idle = await asked.WaitAsync(silence, cancellation).ConfigureAwait(false) ? 0 : idle + 1;
            }
            catch (TimeoutException)
            {
                return $"it has been silent for {silence.TotalSeconds:0} seconds";
            }
            catch (OrleansException error)
            {
                return error.Message;
            }

            // The reply may be under way while the question is answered.
            if (idle == 3)
                return "a message to it or from it was lost";
        }
    }

    /// <summary>Whatever becomes of a call that nobody waits for is not an error.</summary>
    internal static void Ignore(Task task) =>
        task.ContinueWith(
            static done => _ = done.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
}
