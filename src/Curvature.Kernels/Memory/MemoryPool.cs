using System.Numerics;
using System.Runtime.InteropServices;

namespace Curvature.Kernels;

/// <summary>Native memory that is used again instead of going back to the operating system: the first touch of a fresh page
/// costs more than computing on it.</summary>
/// <remarks>Blocks come in classes of size, four to each power of two. Blocks that nobody disposes of come back through
/// finalizers, so the pool starts a collection itself when the bytes in use have grown much since the last one: the objects
/// that hold them are too small for the garbage collector to hurry.</remarks>
internal sealed unsafe class MemoryPool
{
    private const int Alignment = 64;
    private const int ClassesPerDoubling = 4;
    private const int Classes = 48 * ClassesPerDoubling;
    private const long LeastBudget = 64L << 20;

    private readonly FreeList[] _free = new FreeList[Classes];
    private readonly Lock _collection = new();
    private readonly long _retained;
    private long _inUse;
    private long _unused;
    private long _budget = LeastBudget;
    private volatile bool _closed;

    /// <summary>A pool that keeps at most <paramref name="retained"/> bytes that nobody uses.</summary>
    public MemoryPool(long retained)
    {
        _retained = retained;
        for (var i = 0; i < Classes; i++)
        {
            _free[i] = new FreeList();
        }
    }

    ~MemoryPool()
    {
        _closed = true;
        foreach (var list in _free)
        {
            while (list.TryTake(out var address))
            {
                NativeMemory.AlignedFree((void*)address);
            }
        }
    }

    /// <summary>A block of at least <paramref name="bytes"/> bytes, with whatever it held before.</summary>
    public nint Take(long bytes)
    {
        var sizeClass = ClassOf(bytes);
        var size = SizeOf(sizeClass);
        if (Interlocked.Add(ref _inUse, size) > Volatile.Read(ref _budget))
        {
            CollectGarbage();
        }

        if (_free[sizeClass].TryTake(out var address))
        {
            Interlocked.Add(ref _unused, -size);
            return address;
        }

        try
        {
            return (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        }
        catch (OutOfMemoryException error)
        {
            Interlocked.Add(ref _inUse, -size);
            throw new DeviceMemoryException($"An array of {bytes} bytes does not fit into memory.", error);
        }
    }

    /// <summary>Takes a block back.</summary>
    public void Return(nint address, long bytes)
    {
        var sizeClass = ClassOf(bytes);
        var size = SizeOf(sizeClass);
        Interlocked.Add(ref _inUse, -size);
        if (Interlocked.Add(ref _unused, size) > _retained || _closed)
        {
            Interlocked.Add(ref _unused, -size);
            NativeMemory.AlignedFree((void*)address);
        }
        else
        {
            _free[sizeClass].Put(address);
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

            Volatile.Write(ref _budget, Math.Max(LeastBudget, 2 * Volatile.Read(ref _inUse)));
        }
        finally
        {
            _collection.Exit();
        }
    }

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

    /// <summary>Unused blocks of one size, last in first out, so that what comes out is likely still in a cache.</summary>
    private sealed class FreeList
    {
        private readonly Lock _lock = new();
        private readonly Stack<nint> _blocks = new();

        public bool TryTake(out nint address)
        {
            lock (_lock)
            {
                return _blocks.TryPop(out address);
            }
        }

        public void Put(nint address)
        {
            lock (_lock)
            {
                _blocks.Push(address);
            }
        }
    }
}
