namespace Curvature

open System

/// A graph without loops: the neighbours of each vertex, in compressed rows.
[<NoEquality; NoComparison>]
type internal Graph =
    {
        Starts: int[]
        Neighbours: int[]
    }

    member graph.Size = graph.Starts.Length - 1
    member graph.Degree(vertex: int) = graph.Starts[vertex + 1] - graph.Starts[vertex]

module internal Graph =

    /// The adjacency graph of a symmetric pattern, whose diagonal does not count.
    let ofPattern (pattern: SparsityPattern) : Graph =
        let starts = Array.zeroCreate (pattern.Rows + 1)
        let neighbours = Array.zeroCreate pattern.Count
        let mutable count = 0

        for row in 0 .. pattern.Rows - 1 do
            for k in pattern.Starts[row] .. pattern.Starts[row + 1] - 1 do
                if pattern.Indices[k] <> row then
                    neighbours[count] <- pattern.Indices[k]
                    count <- count + 1

            starts[row + 1] <- count

        { Starts = starts; Neighbours = Array.sub neighbours 0 count }

/// In which order a greedy colouring goes through the vertices (Gebremedhin, Manne & Pothen 2005, section 6).
module internal VertexOrder =

    let natural (graph: Graph) : int[] = Array.init graph.Size id

    /// Vertices of many neighbours first.
    let largestFirst (graph: Graph) : int[] =
        let order = natural graph
        Array.Sort(Array.map (fun vertex -> struct (-graph.Degree vertex, vertex)) order, order)
        order

    /// The last vertex is one of the fewest neighbours, the one before it has the fewest among the others, and so on.
    let smallestLast (graph: Graph) : int[] =
        let degrees = Array.init graph.Size graph.Degree
        let most = Array.fold max 0 degrees
        // Lists of the vertices of each degree. Entries whose degree has fallen since are skipped.
        let lists = Array.init (most + 1) (fun _ -> Collections.Generic.Stack<int>())

        for vertex in graph.Size - 1 .. -1 .. 0 do
            lists[degrees[vertex]].Push vertex

        let order = Array.zeroCreate graph.Size
        let isPlaced = Array.zeroCreate<bool> graph.Size
        let mutable left, least = graph.Size, 0

        while left > 0 do
            while lists[least].Count = 0 do
                least <- least + 1

            let vertex = lists[least].Pop()

            if not isPlaced[vertex] && degrees[vertex] = least then
                left <- left - 1
                order[left] <- vertex
                isPlaced[vertex] <- true

                for k in graph.Starts[vertex] .. graph.Starts[vertex + 1] - 1 do
                    let other = graph.Neighbours[k]

                    if not isPlaced[other] then
                        degrees[other] <- degrees[other] - 1
                        lists[degrees[other]].Push other

                least <- max 0 (least - 1)

        order
