namespace Curvature.Kernels;

/// <summary>The block cipher Threefry2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, 2011) and what jax.random
/// makes of it: keys that split, and words that are a function of key and position alone.</summary>
public static class Threefry
{
    /// <summary>The constant that makes the third word of the key schedule.</summary>
    internal const uint Parity = 0x1BD11BDA;

    /// <summary>The block for the counter (<paramref name="counter0"/>, <paramref name="counter1"/>).</summary>
    public static (uint X0, uint X1) Block(uint key0, uint key1, uint counter0, uint counter1)
    {
        // Even groups of rounds rotate by the first four, odd ones by the last four.
        ReadOnlySpan<int> rotations = [13, 15, 26, 6, 17, 29, 16, 24];
        ReadOnlySpan<uint> schedule = [key0, key1, Parity ^ key0 ^ key1];
        var x0 = counter0 + schedule[0];
        var x1 = counter1 + schedule[1];
        for (var group = 0; group < 5; group++)
        {
            for (var round = 0; round < 4; round++)
            {
                x0 += x1;
                x1 = uint.RotateLeft(x1, rotations[(group % 2 * 4) + round]) ^ x0;
            }

            x0 += schedule[(group + 1) % 3];
            x1 += schedule[(group + 2) % 3] + (uint)group + 1;
        }

        return (x0, x1);
    }

    /// <summary>Child <paramref name="index"/> of a key: what <c>jax.random.split</c> gives in that place.</summary>
    /// <remarks>Children are the blocks that random words with the same key are made of. Split a key or draw from it,
    /// never both.</remarks>
    public static (uint Key0, uint Key1) Child(uint key0, uint key1, long index) =>
        Block(key0, key1, (uint)(index >>> 32), (uint)index);

    /// <summary>The first <paramref name="count"/> children of a key: <c>jax.random.split(key, count)</c>.</summary>
    public static (uint Key0, uint Key1)[] Split(uint key0, uint key1, int count)
    {
        Check.NotNegative(count, nameof(count));
        Check.AtMost(Array.MaxLength, count, nameof(count));
        var children = new (uint, uint)[count];
        for (var i = 0; i < count; i++)
        {
            children[i] = Child(key0, key1, i);
        }

        return children;
    }

    /// <summary>A key that depends on a number as well: <c>jax.random.fold_in(key, data)</c>.</summary>
    public static (uint Key0, uint Key1) FoldIn(uint key0, uint key1, uint data) => Block(key0, key1, 0, data);
}
