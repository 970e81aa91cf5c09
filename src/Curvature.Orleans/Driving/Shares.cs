namespace Curvature;

/// <summary>Which groups each worker sums. The bits of the whole do not depend on it.</summary>
internal sealed class Shares(SiloAddress[] workers)
{
    private readonly List<Span>[] _groups = [.. workers.Select(_ => new List<Span>())];

    /// <summary>Cuts groups among all workers; `first` is the first to get some where there are few.</summary>
    internal void Spread(Span span, int first)
    {
        var count = span.High - span.Low;
        for (var i = 0; i < workers.Length; i++)
        {
            var (low, high) = FSharp.FixedTree.range(i, workers.Length, count);
            if (low < high)
                _groups[(first + i) % workers.Length].Add(new Span(span.Low + low, span.Low + high));
        }
    }

    /// <summary>Gives groups to the worker that has them, or to all where it is not there.</summary>
    internal void Give(SiloAddress worker, Span span)
    {
        var index = Array.IndexOf(workers, worker);
        if (index < 0)
            Spread(span, 0);
        else
            _groups[index].Add(span);
    }

    /// <summary>The tree of workers that have groups.</summary>
    internal SumPlan Plan()
    {
        var shares = workers
            .Select((worker, i) => (worker.ToParsableString(), _groups[i].ToArray()))
            .Where(share => share.Item2.Length > 0)
            .ToArray();
        return SumPlan.OfShares(shares)!;
    }
}
