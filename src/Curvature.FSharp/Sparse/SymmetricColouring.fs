namespace Curvature

open System.Collections.Generic

/// Colours of the columns of a symmetric matrix by which products with one vector per colour give all of its entries.
/// Both colourings are greedy: each vertex gets the first colour that breaks no rule.
module internal SymmetricColouring =

    let inline private eachColoured (graph: Graph) (colours: int[]) (vertex: int) (action: int -> unit) =
        for k in graph.Starts[vertex] .. graph.Starts[vertex + 1] - 1 do
            if colours[graph.Neighbours[k]] >= 0 then action graph.Neighbours[k]

    /// Gives the vertices, in an order, the first colour that is not forbidden. A function forbids colours to a vertex,
    /// and another is told the colour. Nothing where more colours than a limit are needed.
    let private greedy (graph: Graph) (order: int[]) (limit: int) forbid accept : int[] voption =
        let colours = Array.create graph.Size -1
        let mutable isWithin = true
        // forbidden[c] = v: colour c is forbidden to v.
        let forbidden = List<int>()

        let forbidTo vertex colour =
            while forbidden.Count <= colour do
                forbidden.Add -1

            forbidden[colour] <- vertex

        for vertex in order do
            if isWithin then
                eachColoured graph colours vertex (fun w -> forbidTo vertex colours[w])
                forbid colours vertex (forbidTo vertex)
                let mutable colour = 0

                while colour < forbidden.Count && forbidden[colour] = vertex do
                    colour <- colour + 1

                colours[vertex] <- colour
                accept colours vertex
                isWithin <- colour < limit

        if isWithin then ValueSome colours else ValueNone

    /// Neighbours differ, and every path of four vertices has three colours (Coleman & Moré 1984; Gebremedhin,
    /// Tarafdar, Manne & Pothen 2007): then each entry stands alone in one of the products.
    let star (limit: int) (graph: Graph) (order: int[]) : int[] voption =
        let groups = ColourGroups graph.Size
        let seen = Dictionary<int, int>()

        let forbid (colours: int[]) vertex forbidTo =
            seen.Clear()

            eachColoured graph colours vertex (fun w ->
                let count =
                    match seen.TryGetValue colours[w] with
                    | true, count -> count
                    | _ -> 0

                seen[colours[w]] <- count + 1)

            eachColoured graph colours vertex (fun w ->
                let isTwice = seen[colours[w]] > 1
                let mutable group = groups.First w

                while group >= 0 do
                    // A path from another neighbour of w's colour over the vertex and w, or one over w that goes on.
                    if isTwice then
                        forbidTo (groups.Colour group)
                    elif groups.Members group = 1 then
                        let beyond = groups.Find(groups.Neighbour group, colours[w])
                        if groups.Members beyond > 1 then forbidTo (groups.Colour group)

                    group <- groups.Next group)

        let accept (colours: int[]) vertex =
            eachColoured graph colours vertex (fun w ->
                groups.Add(w, colours[vertex], vertex) |> ignore
                groups.Add(vertex, colours[w], w) |> ignore)

        greedy graph order limit forbid accept

    /// Neighbours differ, and every cycle has three colours (Coleman & Cai 1986; Gebremedhin, Tarafdar, Manne & Pothen
    /// 2007): then the entries of two colours form trees, from whose leaves they are found by substitution.
    let acyclic (limit: int) (graph: Graph) (order: int[]) : int[] voption =
        let groups = ColourGroups graph.Size
        // The trees of two colours, as sets of groups.
        let parents = List<int>()
        let visitors = List<int>()

        let rec root group =
            let parent = parents[group]

            if parent = group then
                group
            else
                parents[group] <- parents[parent]
                root parents[group]

        let forbid (colours: int[]) vertex forbidTo =
            eachColoured graph colours vertex (fun w ->
                let mutable group = groups.First w

                while group >= 0 do
                    let tree = root group

                    // A second edge into a tree would close a cycle.
                    if visitors[tree] = vertex then
                        forbidTo (groups.Colour group)
                    else
                        visitors[tree] <- vertex

                    group <- groups.Next group)

        let note vertex colour neighbour =
            let group = groups.Add(vertex, colour, neighbour)

            if group = parents.Count then
                parents.Add group
                visitors.Add -1

            group

        let accept (colours: int[]) vertex =
            eachColoured graph colours vertex (fun w ->
                let a = root (note w colours[vertex] vertex)
                let b = root (note vertex colours[w] w)
                if a <> b then parents[a] <- b)

        greedy graph order limit forbid accept
