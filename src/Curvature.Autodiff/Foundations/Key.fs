namespace Curvature

open System.Diagnostics
open Curvature.Kernels

/// A key of counter-based randomness (threefry2x32, bit for bit the keys of jax.random with partitionable streams).
/// What is drawn depends on the key alone, and not on the number of threads or the order. Split a key, or fold a number
/// into it, to get independent ones. Do not draw from a key that is also split.
[<Struct; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Key internal (word0: uint32, word1: uint32) =
    /// The first word of the key.
    member _.Word0 = word0
    /// The second word of the key.
    member _.Word1 = word1

    /// The key of a seed: its high and low halves.
    static member OfSeed(seed: int64) = Key(uint32 (uint64 seed >>> 32), uint32 (uint64 seed))

    /// A key made of its two words, such as one printed by a failed test.
    static member OfWords(word0: uint32, word1: uint32) = Key(word0, word1)

    /// Child number i of this key: threefry(key, i).
    member internal _.Child(i: int64) =
        let struct (x0, x1) = Threefry.Block(word0, word1, uint32 (uint64 i >>> 32), uint32 (uint64 i))
        Key(x0, x1)

    /// Independent keys. Raises ArgumentRangeException for a count below 0 or above 2²⁷.
    member key.Split(count: int) : Key[] =
        Count.between 0 Count.limit "split" count
        let parent = key
        Array.init count (fun i -> parent.Child(int64 i))

    /// The key that belongs to a number under this one: threefry(key, (0, data)), as jax.random.fold_in.
    member _.FoldIn(data: uint32) =
        let struct (x0, x1) = Threefry.Block(word0, word1, 0u, data)
        Key(x0, x1)

    override _.ToString() = $"Key({word0}, {word1})"

    member internal this.Text = this.ToString()
