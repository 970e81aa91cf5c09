namespace Curvature

open System
open System.Collections.Generic

/// Reads a symmetric matrix from its products with one vector per colour, which is 1 at the columns of the colour and 0
/// elsewhere.
///
/// Element i of the product of colour c is the sum of the entries (i, j) with j of colour c: those of a group. Where a
/// group has one entry left, the entry is known, and what is known of (i, j) is subtracted from the group of (j, i). An
/// acyclic colouring leaves no group over, and with a star colouring nothing needs to be subtracted.
[<Sealed>]
type internal SymmetricRecovery(pattern: SparsityPattern, colours: int[], allowsSubtraction: bool) =

    let starts, indices = pattern.Starts, pattern.Indices

    /// The places of the entries below the diagonal, and of their mirror images.
    let lower, upper =
        let next = Array.sub starts 0 pattern.Rows
        let lower, upper = List<int>(), List<int>()

        // Going through the rows, the mirror images of a column's entries come in the order of its own row.
        for row in 0 .. pattern.Rows - 1 do
            for k in starts[row] .. starts[row + 1] - 1 do
                let column = indices[k]

                if column < row then
                    lower.Add k
                    upper.Add next[column]

                next[column] <- next[column] + 1

        lower.ToArray(), upper.ToArray()

    let rowOf =
        let rows = Array.zeroCreate pattern.Count

        for row in 0 .. pattern.Rows - 1 do
            Array.Fill(rows, row, starts[row], starts[row + 1] - starts[row])

        rows

    let groups = ColourGroups pattern.Rows

    /// The group of each entry beside the diagonal. The group of an entry on it is its alone.
    let groupOf =
        Array.init pattern.Count (fun k ->
            if rowOf[k] = indices[k] then
                -1
            else
                groups.Add(rowOf[k], colours[indices[k]], indices[k]))

    /// The row and the colour of each group.
    let rows, colourOf =
        let rows = Array.zeroCreate groups.Count
        Array.iteri (fun k group -> if group >= 0 then rows[group] <- rowOf[k]) groupOf
        rows, Array.init groups.Count groups.Colour

    /// In the order in which they become known: the number of a pair of entries, the group that it is read from, and
    /// the one that it is subtracted from.
    let steps =
        let left = Array.init groups.Count groups.Members
        // The numbers of the pairs left in a group, combined by exclusive or: the number of the last one.
        let pairs = Array.zeroCreate groups.Count
        let isKnown = Array.zeroCreate<bool> lower.Length

        for pair in 0 .. lower.Length - 1 do
            for group in [| groupOf[lower[pair]]; groupOf[upper[pair]] |] do
                pairs[group] <- pairs[group] ^^^ pair

        let ready = Queue<int>(Seq.filter (fun group -> left[group] = 1) (seq { 0 .. groups.Count - 1 }))
        let steps = List<struct (int * int * int)>(lower.Length)

        while ready.Count > 0 do
            let group = ready.Dequeue()
            let pair = pairs[group]

            if left[group] = 1 && not isKnown[pair] then
                isKnown[pair] <- true
                let one, other = groupOf[lower[pair]], groupOf[upper[pair]]
                let target = if group = one then other else one
                steps.Add(struct (pair, group, target))
                left[group] <- 0
                left[target] <- left[target] - 1
                pairs[target] <- pairs[target] ^^^ pair
                if allowsSubtraction && left[target] = 1 then ready.Enqueue target

        if steps.Count <> lower.Length then
            Fail.operator "sparse Hessian: the colouring does not separate all entries of the pattern"

        steps.ToArray()

    /// The entries, in the order of the pattern. A function gives the products of so many colours from one on, one
    /// after the other.
    member _.Recover(count: int, blockSize: int, products: int -> int -> float[]) : float[] =
        let n = pattern.Rows
        let values, sums = Array.zeroCreate pattern.Count, Array.zeroCreate groups.Count
        let byColour = Array.init groups.Count id
        Array.Sort(Array.copy colourOf, byColour)

        let diagonal =
            [|
                for k in 0 .. pattern.Count - 1 do
                    if rowOf[k] = indices[k] then k
            |]

        let mutable position = 0

        for first in 0..blockSize .. count - 1 do
            let stop = min count (first + blockSize)
            let block = products first (stop - first)

            while position < byColour.Length && colourOf[byColour[position]] < stop do
                let group = byColour[position]
                sums[group] <- block[(colourOf[group] - first) * n + rows[group]]
                position <- position + 1

            for k in diagonal do
                let colour = colours[indices[k]]

                if colour >= first && colour < stop then
                    values[k] <- block[(colour - first) * n + indices[k]]

        for struct (pair, group, target) in steps do
            let value = sums[group]
            values[lower[pair]] <- value
            values[upper[pair]] <- value
            if allowsSubtraction then sums[target] <- sums[target] - value

        values
