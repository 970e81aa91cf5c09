namespace Curvature

/// The unused bytes of a block of memory, as gaps between the bytes in use. The block has no end. Every operation takes
/// time in the logarithm of the number of gaps.
[<RequireQualifiedAccess>]
module internal Gaps =

    /// Gaps in the order of their starts: a search tree that is a heap of priorities (a treap; Seidel and Aragon 1996),
    /// so that it stays shallow. Each node knows the longest gap at and below it.
    [<NoEquality; NoComparison>]
    type Tree =
        | Empty
        | Node of start: int64 * length: int64 * longest: int64 * left: Tree * right: Tree

    let private longest tree =
        match tree with
        | Empty -> 0L
        | Node(_, _, longest, _, _) -> longest

    let private node start length left right =
        Node(start, length, max length (max (longest left) (longest right)), left, right)

    /// A hash of the start, the same in every run. (The constants are those of splitmix64.)
    let private priority (start: int64) =
        let bits = (uint64 start + 1UL) * 0x9E3779B97F4A7C15UL
        let bits = (bits ^^^ (bits >>> 30)) * 0xBF58476D1CE4E5B9UL
        bits ^^^ (bits >>> 27)

    /// The gaps before an address, and the others.
    let rec private split address tree =
        match tree with
        | Empty -> struct (Empty, Empty)
        | Node(start, length, _, left, right) when start < address ->
            let struct (before, after) = split address right
            node start length left before, after
        | Node(start, length, _, left, right) ->
            let struct (before, after) = split address left
            before, node start length after right

    /// One tree of two, where every gap of the first is before every gap of the second.
    let rec private join first second =
        match first, second with
        | Empty, tree
        | tree, Empty -> tree
        | Node(a, length, _, left, right), Node(b, _, _, _, _) when priority a > priority b ->
            node a length left (join right second)
        | _, Node(b, length, _, left, right) -> node b length (join first left) right

    /// The first gap with at least so many bytes.
    let rec private firstFit bytes tree =
        match tree with
        | Empty -> invalidOp "the last gap has no end"
        | Node(_, _, _, left, _) when longest left >= bytes -> firstFit bytes left
        | Node(start, length, _, _, _) when length >= bytes -> struct (start, length)
        | Node(_, _, _, _, right) -> firstFit bytes right

    let rec private first tree =
        match tree with
        | Empty -> ValueNone
        | Node(start, length, _, Empty, _) -> ValueSome(struct (start, length))
        | Node(_, _, _, left, _) -> first left

    let rec private last tree =
        match tree with
        | Empty -> ValueNone
        | Node(start, length, _, _, Empty) -> ValueSome(struct (start, length))
        | Node(_, _, _, _, right) -> last right

    let private single start length = node start length Empty Empty

    /// A block of which nothing is in use.
    let all = single 0L System.Int64.MaxValue

    /// The lowest address with so many unused bytes behind it, and the gaps that are left when they are in use.
    let take bytes gaps =
        let struct (start, length) = firstFit bytes gaps
        let struct (before, rest) = split start gaps
        let struct (_, after) = split (start + 1L) rest
        let left = if length = bytes then Empty else single (start + bytes) (length - bytes)
        struct (start, join (join before left) after)

    /// The gaps when the bytes at an address are no longer in use.
    let give start bytes gaps =
        let struct (before, after) = split start gaps

        let struct (from, before) =
            match last before with
            | ValueSome(struct (previous, length)) when previous + length = start ->
                let struct (others, _) = split previous before
                previous, others
            | _ -> start, before

        let struct (until, after) =
            match first after with
            | ValueSome(struct (next, length)) when next = start + bytes ->
                let struct (_, others) = split (next + 1L) after
                next + length, others
            | _ -> start + bytes, after

        join (join before (single from (until - from))) after
