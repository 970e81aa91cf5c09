namespace Curvature.Kernels;

/// <summary>Unused blocks of one size, last in first out, so that what comes out is likely still in a cache. Those that
/// wait longest are at the front, whatever was taken since.</summary>
internal sealed class FreeList
{
    private readonly Lock _lock = new();
    private readonly List<Block> _blocks = [];

    /// <summary>The block that came last.</summary>
    public bool TryTake(out nint address)
    {
        lock (_lock)
        {
            if (_blocks.Count == 0)
            {
                address = 0;
                return false;
            }

            address = _blocks[^1].Address;
            _blocks.RemoveAt(_blocks.Count - 1);
            return true;
        }
    }

    /// <summary>Adds a block, which waits from now on.</summary>
    public void Put(nint address, TimeProvider clock)
    {
        lock (_lock)
        {
            // Read inside the lock, so that blocks stand in the order of their times.
            _blocks.Add(new Block(address, clock.GetTimestamp()));
        }
    }

    /// <summary>Takes the blocks that have waited since <paramref name="time"/> or longer.</summary>
    public nint[] TakeSince(long time)
    {
        lock (_lock)
        {
            var count = 0;
            while (count < _blocks.Count && _blocks[count].Since <= time)
            {
                count++;
            }

            var taken = new nint[count];
            for (var i = 0; i < count; i++)
            {
                taken[i] = _blocks[i].Address;
            }

            _blocks.RemoveRange(0, count);
            return taken;
        }
    }

    /// <summary>When the block came that waits longest;
    /// <see cref="long.MaxValue"/> where there is none.</summary>
    public long Oldest()
    {
        lock (_lock)
        {
            return _blocks.Count == 0 ? long.MaxValue : _blocks[0].Since;
        }
    }

    private readonly record struct Block(nint Address, long Since);
}
