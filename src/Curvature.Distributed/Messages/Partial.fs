namespace Curvature.FSharp

open System.Numerics.Tensors
open Curvature

/// The sum over one node of the tree: the parts of a question, one after the other; nothing where the node has no
/// batches.
[<NoEquality; NoComparison>]
type internal PartialNode = { Range: GroupRange; Sum: float[] }

/// What one batch or one group says for itself.
[<NoEquality; NoComparison>]
type internal PartialRow =
    {
        /// The number of the batch or group; rows are in its order.
        Number: int
        Size: int
        Values: float[]
        Text: string
    }

/// Sums over some nodes of the tree, and how to make one of two. Whatever the order in which partial sums are put
/// together, two nodes are added where they are the left and the right part of a node, so that the bits of the whole
/// do not depend on who summed what.
[<NoEquality; NoComparison>]
type internal Partial =
    {
        /// G.
        Groups: int
        /// The shape of each part.
        Shapes: int list list
        /// From left to right.
        Nodes: PartialNode list
        Rows: PartialRow list
        Samples: int
        /// Warnings, with the number of the batch that gave reason for them.
        Warnings: (int * string) list
    }

module internal Partial =

    /// The sum, in the memory of the left part: partial sums belong to who puts them together.
    let private add (left: float[]) (right: float[]) : float[] =
        if left.Length = 0 then
            right
        elif right.Length = 0 then
            left
        else
            TensorPrimitives.Add(System.ReadOnlySpan left, System.ReadOnlySpan right, System.Span left)
            left

    /// Adds neighbours that are the two parts of a node, in every node of the tree.
    let private join groups (nodes: PartialNode list) : PartialNode list =
        let rec walk (struct (low, high) as range: GroupRange) (nodes: PartialNode list) =
            match nodes with
            | []
            | [ _ ] -> nodes
            | _ ->
                let middle = FixedTree.split range

                let left, right =
                    nodes
                    |> List.partition (fun node ->
                        let struct (first, _) = node.Range
                        first < middle)

                match walk (struct (low, middle)) left, walk (struct (middle, high)) right with
                | [ l ], [ r ] when l.Range = struct (low, middle) && r.Range = struct (middle, high) ->
                    [ { Range = range; Sum = add l.Sum r.Sum } ]
                | left, right -> left @ right

        walk (struct (0, groups)) nodes

    let private checkDisjoint (nodes: PartialNode list) =
        for left, right in List.pairwise nodes do
            let struct (_, leftEnd), struct (rightStart, _) = left.Range, right.Range

            if rightStart < leftEnd then
                ClusterFail.cluster $"group {rightStart} was summed twice: the engine gave it to two workers"

    let merge (a: Partial) (b: Partial) : Partial =
        if a.Groups <> b.Groups then
            ClusterFail.cluster $"partial sums over {a.Groups} and {b.Groups} groups do not go together"

        if not a.Shapes.IsEmpty && not b.Shapes.IsEmpty && a.Shapes <> b.Shapes then
            ClusterFail.cluster $"partial sums have parts of shapes {a.Shapes} and {b.Shapes}"

        let nodes = a.Nodes @ b.Nodes |> List.sortBy (fun node -> let struct (low, _) = node.Range in low)
        checkDisjoint nodes

        {
            Groups = a.Groups
            Shapes = if a.Shapes.IsEmpty then b.Shapes else a.Shapes
            Nodes = join a.Groups nodes
            Rows = a.Rows @ b.Rows |> List.sortBy _.Number
            Samples = a.Samples + b.Samples
            Warnings = a.Warnings @ b.Warnings |> List.sortBy fst
        }

    /// The sums of the whole, one for each part. Raises ClusterException where groups are missing.
    let total (sum: Partial) : Tensor list =
        match sum.Nodes with
        | [ node ] when node.Range = struct (0, sum.Groups) ->
            let mutable start = 0

            match sum.Shapes with
            | _ when node.Sum.Length = 0 -> []
            | [ shape ] -> [ Tensor.ofArray shape node.Sum ]
            | shapes ->
                [
                    for shape in shapes do
                        let size = List.fold (*) 1 shape
                        Tensor.ofArray shape node.Sum[start .. start + size - 1]
                        start <- start + size
                ]
        | nodes ->
            let ranges = nodes |> List.map (fun node -> let struct (low, high) = node.Range in $"{low}–{high - 1}")
            let there = if ranges.IsEmpty then "none" else String.concat ", " ranges
            ClusterFail.cluster $"of {sum.Groups} groups the sums of some are missing; there are {there}"

    /// About how many bytes it takes: at least those of its sums.
    let bytes (sum: Partial) : int64 = sum.Nodes |> List.sumBy (fun node -> 12L + 8L * int64 node.Sum.Length)

    let write (out: WireWriter) (sum: Partial) =
        out.Int sum.Groups
        out.List(sum.Shapes, (fun shape -> out.List(shape, out.Int)))

        out.List(
            sum.Nodes,
            fun node ->
                let struct (low, high) = node.Range
                out.Int low
                out.Int high
                out.Floats node.Sum
        )

        out.List(
            sum.Rows,
            fun row ->
                out.Int row.Number
                out.Int row.Size
                out.Floats row.Values
                out.Text row.Text
        )

        out.Int sum.Samples

        out.List(
            sum.Warnings,
            fun (number, text) ->
                out.Int number
                out.Text text
        )

    let private checkNode groups (shapes: int list list) (node: PartialNode) =
        let struct (low, high) = node.Range
        let size = shapes |> List.sumBy (fun shape -> TensorCodec.elements (List.toArray shape))

        if low < 0 || high > groups || low >= high then
            ClusterFail.cluster $"a partial sum is over groups {low} to {high - 1}, of {groups}"

        if node.Sum.Length <> 0 && int64 node.Sum.Length <> size then
            ClusterFail.cluster $"a partial sum has {node.Sum.Length} numbers, and its parts {size}"

    let read (input: WireReader) : Partial =
        let groups = input.Int()
        let shapes = input.List(4, (fun () -> input.List(4, input.Int) |> List.ofArray)) |> List.ofArray

        let node () : PartialNode =
            let low = input.Int()
            let high = input.Int()
            let node = { Range = struct (low, high); Sum = input.Floats() }
            checkNode groups shapes node
            node

        let row () : PartialRow =
            let number, size = input.Int(), input.Int()
            let values = input.Floats()

            { Number = number; Size = size; Values = values; Text = input.Text() }

        let nodes = input.List(12, node) |> List.ofArray
        let rows = input.List(16, row) |> List.ofArray
        let samples = input.Int()

        let warning () =
            let number = input.Int()
            number, input.Text()

        {
            Groups = groups
            Shapes = shapes
            Nodes = nodes
            Rows = rows
            Samples = samples
            Warnings = input.List(8, warning) |> List.ofArray
        }
