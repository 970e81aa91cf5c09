namespace Curvature.Kernels;

/// <summary>Native memory that is used again instead of going back to the operating system: the first touch of a fresh
/// page costs more than computing on it.</summary>
/// <remarks>Blocks come in classes of size, four to each power of two. Blocks that nobody disposes of come back through
/// finalizers, so the pool starts a collection itself when the bytes in use have grown much since the last one: the
/// garbage collector sees only the small objects that hold them, and would start too late. What waits unused too long
/// goes back to the system.</remarks>
internal sealed class MemoryPool
{
    private const int Alignment = 64;
    private const int ClassesPerDoubling = 4;
    private const int Classes = 48 * ClassesPerDoubling;
    private const long LeastBudget = 64L << 20;

    private readonly FreeList[] _free = new FreeList[Classes];
    private readonly Lock _collection = new();
    private readonly PoolOptions _options;
    private readonly ITimer? _timer;
    private long _inUse;
    private long _unused;
    private long _budget = LeastBudget;
    private int _timerRuns;
    private volatile bool _closed;

    /// <summary>An empty pool.</summary>
    public MemoryPool(PoolOptions options)
    {
        _options = options;
        for (var i = 0; i < Classes; i++)
        {
            _free[i] = new FreeList();
        }

        if (options.IdleTime != Timeout.InfiniteTimeSpan)
        {
            // The clock refers to its timers, which must not keep a pool that nobody uses.
            _timer = options.Clock.CreateTimer(
                TrimAfterWait, new WeakReference<MemoryPool>(this), Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    ~MemoryPool()
    {
        _closed = true;
        _timer?.Dispose();
        Trim();
    }

    /// <summary>Bytes of blocks in use.</summary>
    public long InUse => Volatile.Read(ref _inUse);

    /// <summary>Bytes of blocks that wait to be used again.</summary>
    public long Unused => Volatile.Read(ref _unused);

    /// <summary>A block of at least <paramref name="bytes"/> bytes, with whatever it held before. Where the system has
    /// none, unused blocks go back and garbage is collected first. Raises DeviceMemoryException where that does not
    /// help.</summary>
    public nint Take(long bytes)
    {
        var sizeClass = ClassOf(bytes);
        var size = SizeOf(sizeClass);
        if (Interlocked.Add(ref _inUse, size) > Volatile.Read(ref _budget))
        {
            CollectGarbage();
        }

        if (TryReuse(sizeClass, size, out var address) || TryAllocate(size, out address, out _))
        {
            return address;
        }

        Trim();
        if (TryAllocate(size, out address, out _))
        {
            return address;
        }

        lock (_collection)
        {
            Collect(GC.MaxGeneration);
        }

        if (TryReuse(sizeClass, size, out address))
        {
            return address;
        }

        Trim();
        if (TryAllocate(size, out address, out var error))
        {
            return address;
        }

        var others = Interlocked.Add(ref _inUse, -size);
        throw new DeviceMemoryException(
            $"An array of {bytes} bytes does not fit into memory, beside {others} bytes in use.", error);
    }

    /// <summary>A block of at least <paramref name="bytes"/> bytes that comes back when it is disposed.</summary>
    public RentedBlock Rent(long bytes) => new(this, Take(bytes), bytes);

    /// <summary>Takes a block back.</summary>
    public void Return(nint address, long bytes)
    {
        var sizeClass = ClassOf(bytes);
        var size = SizeOf(sizeClass);
        Interlocked.Add(ref _inUse, -size);
        if (Interlocked.Add(ref _unused, size) > _options.Retained || _closed)
        {
            Interlocked.Add(ref _unused, -size);
            _options.Host.Free(address);
        }
        else
        {
            _free[sizeClass].Put(address, _options.Clock);
            RunTimer(_options.IdleTime);
        }
    }

    /// <summary>Gives all unused blocks back to the system.</summary>
    public void Trim() => TrimSince(long.MaxValue);

    private static void TrimAfterWait(object? pool)
    {
        if (((WeakReference<MemoryPool>)pool!).TryGetTarget(out var target))
        {
            target.TrimWaiting();
        }
    }

    /// <summary>Gives back what has waited too long, and says when to look again.</summary>
    private void TrimWaiting()
    {
        var clock = _options.Clock;
        var wait = (long)(_options.IdleTime.TotalSeconds * clock.TimestampFrequency);
        if (TrimSince(clock.GetTimestamp() - wait))
        {
            // Less is needed than before, so a collection is worth it earlier.
            SetBudget();
        }

        Volatile.Write(ref _timerRuns, 0);
        var oldest = _free.Min(list => list.Oldest());
        if (oldest != long.MaxValue)
        {
            var left = _options.IdleTime - clock.GetElapsedTime(oldest);
            RunTimer(left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1));
        }
    }

    private void RunTimer(TimeSpan time)
    {
        // Blocks come back all the time, and mostly find the timer running.
        if (_timer is not null && Volatile.Read(ref _timerRuns) == 0 && Interlocked.Exchange(ref _timerRuns, 1) == 0)
        {
            _timer.Change(time, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Gives back what has waited since then; whether there was any.</summary>
    private bool TrimSince(long time)
    {
        var any = false;
        for (var sizeClass = 0; sizeClass < Classes; sizeClass++)
        {
            foreach (var address in _free[sizeClass].TakeSince(time))
            {
                Interlocked.Add(ref _unused, -SizeOf(sizeClass));
                _options.Host.Free(address);
                any = true;
            }
        }

        return any;
    }

    private bool TryReuse(int sizeClass, long size, out nint address)
    {
        var found = _free[sizeClass].TryTake(out address);
        if (found)
        {
            Interlocked.Add(ref _unused, -size);
        }

        return found;
    }

    private bool TryAllocate(long size, out nint address, out OutOfMemoryException? error)
    {
        try
        {
            address = _options.Host.Allocate(size, Alignment);
            error = null;
            return true;
        }
        catch (OutOfMemoryException exception)
        {
            address = 0;
            error = exception;
            return false;
        }
    }

    private void CollectGarbage()
    {
        // One thread collects; the others go on with what there is.
        if (!_collection.TryEnter())
        {
            return;
        }

        try
        {
            // Most garbage is young. Only where that has not helped, look further.
            Collect(0);
            if (Volatile.Read(ref _inUse) > _budget / 2)
            {
                Collect(GC.MaxGeneration);
            }

            SetBudget();
        }
        finally
        {
            _collection.Exit();
        }
    }

    /// <summary>Collects when twice as much is in use as now.</summary>
    private void SetBudget() => Volatile.Write(ref _budget, Math.Max(LeastBudget, 2 * Volatile.Read(ref _inUse)));

    private static void Collect(int generation)
    {
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
        GC.WaitForPendingFinalizers();
    }

    private static int ClassOf(long bytes)
    {
        var lines = (ulong)Math.Max(1, (bytes + Alignment - 1) / Alignment) - 1;
        if (lines < ClassesPerDoubling)
        {
            return (int)lines;
        }

        var shift = BitOperations.Log2(lines) - 2;
        return (shift * ClassesPerDoubling) + (int)(lines >> shift);
    }

    private static long SizeOf(int sizeClass)
    {
        if (sizeClass < ClassesPerDoubling)
        {
            return (sizeClass + 1L) * Alignment;
        }

        var shift = (sizeClass / ClassesPerDoubling) - 1;
        return ((sizeClass % ClassesPerDoubling) + ClassesPerDoubling + 1L) << shift << 6;
    }
}

/// <summary>A block of a pool, until it is disposed.</summary>
internal readonly ref struct RentedBlock(MemoryPool pool, nint address, long bytes)
{
    /// <summary>Where it begins.</summary>
    public nint Address => address;

    /// <summary>Gives the block back.</summary>
    public void Dispose() => pool.Return(address, bytes);
}
