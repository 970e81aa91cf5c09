namespace Curvature.Kernels;

/// <summary>How a <see cref="MemoryPool"/> keeps unused blocks.</summary>
/// <param name="Retained">The most unused bytes that it keeps.</param>
/// <param name="IdleTime">How long a block waits before it goes back; <see cref="Timeout.InfiniteTimeSpan"/> for
/// ever.</param>
internal sealed record PoolOptions(long Retained, TimeSpan IdleTime)
{
    // The longest time that a timer takes.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1L);

    /// <summary>How long blocks wait by default.</summary>
    public static TimeSpan DefaultIdleTime { get; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock that blocks wait by.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where blocks come from.</summary>
    public HostMemory Host { get; init; } = HostMemory.System;

    /// <summary>Keeps up to an eighth of the memory of this machine, for a time.</summary>
    public static PoolOptions ForThisMachine(TimeSpan idleTime)
    {
        if (idleTime != Timeout.InfiniteTimeSpan && (idleTime <= TimeSpan.Zero || idleTime > Longest))
        {
            throw new ArgumentRangeException(
                $"idleTime: unused memory waits for a time above 0 and up to {Longest.Days} days, or for ever "
                + $"(Timeout.InfiniteTimeSpan), and {idleTime} was asked for");
        }

        return new PoolOptions(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, idleTime);
    }
}
