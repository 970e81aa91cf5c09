namespace Curvature

open System.Collections.Generic

/// Colours of columns such that no two columns of one colour have an entry in one row: a colouring of one side of the
/// bipartite graph of rows and columns, at distance 2 (Curtis, Powell & Reid 1974; Coleman & Moré 1983).
module internal ColumnColouring =

    /// The most columns that have an entry in one row: no fewer colours will do.
    let least (pattern: SparsityPattern) : int =
        let mutable most = min 1 pattern.Count

        for row in 0 .. pattern.Rows - 1 do
            most <- max most (pattern.Starts[row + 1] - pattern.Starts[row])

        most

    /// Each column, in an order, gets the first colour that none of the columns with which it shares a row has. Columns
    /// without entries get colour 0.
    let greedy (pattern: SparsityPattern) (transposed: SparsityPattern) (order: int[]) : int[] =
        let colours = Array.create pattern.Columns -1
        let forbidden = List<int>()

        for column in order do
            for k in transposed.Starts[column] .. transposed.Starts[column + 1] - 1 do
                let row = transposed.Indices[k]

                for l in pattern.Starts[row] .. pattern.Starts[row + 1] - 1 do
                    let colour = colours[pattern.Indices[l]]

                    if colour >= 0 then
                        while forbidden.Count <= colour do
                            forbidden.Add -1

                        forbidden[colour] <- column

            let mutable colour = 0

            while colour < forbidden.Count && forbidden[colour] = column do
                colour <- colour + 1

            colours[column] <- colour

        colours

    /// Columns of many entries first.
    let largestFirst (transposed: SparsityPattern) : int[] =
        let order = Array.init transposed.Rows id
        let keys = order |> Array.map (fun c -> struct (transposed.Starts[c] - transposed.Starts[c + 1], c))
        System.Array.Sort(keys, order)
        order
