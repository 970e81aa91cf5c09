namespace Curvature

open System
open System.Collections.Generic

/// Sets of indices 0 … n − 1, each kept once and known by a number. A set is a list of ranges, so that neighbours cost
/// no more than one. Set 0 is empty; set i + 1 holds the index i alone.
[<Sealed>]
type internal IndexSets(count: int) =

    /// The most ranges that all sets may have together: 512 MiB.
    static let mostRanges = 1L <<< 26

    static let sameBounds =
        { new IEqualityComparer<int[]> with
            member _.Equals(a, b) = ReadOnlySpan(a).SequenceEqual(ReadOnlySpan b)

            member _.GetHashCode bounds =
                let mutable code = HashCode()

                for bound in bounds do
                    code.Add bound

                code.ToHashCode()
        }

    /// The first index and the one after the last of each range, for the sets from number count + 1 on.
    let kept = List<int[]>()

    let numbers = Dictionary<int[], int>(sameBounds)
    let unions = Dictionary<int64, int>()
    let mutable ranges = 0L

    let boundsOf (set: int) : int[] =
        if set = 0 then [||]
        elif set <= count then [| set - 1; set |]
        else kept[set - count - 1]

    /// The number of the set with these bounds.
    let number (bounds: int[]) : int =
        if bounds.Length = 0 then
            0
        elif bounds.Length = 2 && bounds[1] = bounds[0] + 1 then
            bounds[0] + 1
        else
            match numbers.TryGetValue bounds with
            | true, set -> set
            | _ ->
                ranges <- ranges + int64 (bounds.Length / 2)

                if ranges > mostRanges then
                    Fail.range (
                        $"sparsity: the index sets of the function have more than {mostRanges} ranges; "
                        + "products with the derivative need no pattern"
                    )

                kept.Add bounds
                let set = count + kept.Count
                numbers[bounds] <- set
                set

    /// Ranges that are sorted by their first index, joined where they touch.
    let joined (firsts: int[]) (stops: int[]) : int[] =
        let bounds = List<int>(2 * firsts.Length)

        for i in 0 .. firsts.Length - 1 do
            if bounds.Count > 0 && firsts[i] <= bounds[bounds.Count - 1] then
                bounds[bounds.Count - 1] <- max bounds[bounds.Count - 1] stops[i]
            else
                bounds.Add firsts[i]
                bounds.Add stops[i]

        bounds.ToArray()

    let merged (sets: int[]) : int =
        let firsts, stops = List<int>(), List<int>()

        for set in sets do
            let bounds = boundsOf set

            for i in 0..2 .. bounds.Length - 2 do
                firsts.Add bounds[i]
                stops.Add bounds[i + 1]

        let firsts, stops = firsts.ToArray(), stops.ToArray()
        Array.Sort(firsts, stops)
        number (joined firsts stops)

    /// The bounds of the union of two sets, in one pass over both.
    let mergedPair (a: int[]) (b: int[]) : int[] =
        let bounds = Array.zeroCreate (a.Length + b.Length)
        let mutable i, j, count = 0, 0, 0

        while i < a.Length || j < b.Length do
            let ofFirst = j >= b.Length || (i < a.Length && a[i] <= b[j])
            let first, stop = if ofFirst then a[i], a[i + 1] else b[j], b[j + 1]
            if ofFirst then i <- i + 2 else j <- j + 2

            if count > 0 && first <= bounds[count - 1] then
                bounds[count - 1] <- max bounds[count - 1] stop
            else
                bounds[count] <- first
                bounds[count + 1] <- stop
                count <- count + 2

        if count = bounds.Length then bounds else Array.sub bounds 0 count

    /// The set of the indices from one to before another.
    member _.Range(first: int, stop: int) : int = if first >= stop then 0 else number [| first; stop |]

    /// The indices of either set.
    member _.Union(a: int, b: int) : int =
        if a = b || b = 0 then
            a
        elif a = 0 then
            b
        else
            // The hash of 64 bits is the exclusive or of the halves, which are nearly the same for sets of neighbours:
            // a product with an odd number keeps keys apart and spreads them.
            let key = ((int64 (min a b) <<< 32) ||| int64 (max a b)) * 0x9E3779B97F4A7C15L

            match unions.TryGetValue key with
            | true, set -> set
            | _ ->
                let set = number (mergedPair (boundsOf a) (boundsOf b))
                unions[key] <- set
                set

    /// The indices of any of the sets, whose list is sorted by this.
    member this.Union(sets: int[]) : int =
        Array.Sort sets
        let distinct = List<int>()

        for set in sets do
            if set <> 0 && (distinct.Count = 0 || distinct[distinct.Count - 1] <> set) then
                distinct.Add set

        match distinct.Count with
        | 0 -> 0
        | 1 -> distinct[0]
        | 2 -> this.Union(distinct[0], distinct[1])
        | _ -> merged (distinct.ToArray())

    /// How many indices a set has.
    member _.Size(set: int) : int =
        let bounds = boundsOf set
        let mutable size = 0

        for i in 0..2 .. bounds.Length - 2 do
            size <- size + bounds[i + 1] - bounds[i]

        size

    /// The indices of a set, ascending.
    member _.Items(set: int) : int[] =
        let bounds = boundsOf set

        [|
            for i in 0..2 .. bounds.Length - 2 do
                yield! [| bounds[i] .. bounds[i + 1] - 1 |]
        |]
