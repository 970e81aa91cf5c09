namespace Curvature.FSharp

open System
open System.Collections.Generic

/// Where a function on a grid is at a level, or above it, with straight lines in each cell between the points where its
/// edges cross the level (Lorensen & Cline 1987, in two dimensions). In a cell whose diagonals disagree, the mean of
/// its corners decides which are connected. Cells with a corner that is not finite are left out.
module internal MarchingSquares =

    /// An edge of the grid: of row r and column c, along the row or across it.
    [<Struct>]
    type private Edge = { Along: bool; Row: int; Column: int }

    /// Corners of the cell at (r, c), around it, and the edges that follow each of them.
    let private around r c =
        struct ([| struct (r, c); struct (r, c + 1); struct (r + 1, c + 1); struct (r + 1, c) |],
                [|
                    { Along = true; Row = r; Column = c }
                    { Along = false; Row = r; Column = c + 1 }
                    { Along = true; Row = r + 1; Column = c }
                    { Along = false; Row = r; Column = c }
                |])

    let private isFinite (z: float[,]) r c =
        let struct (corners, _) = around r c
        corners |> Array.forall (fun struct (i, j) -> Double.IsFinite z[i, j])

    /// Where an edge crosses the level.
    let private crossing (x: float[]) (y: float[]) (z: float[,]) level edge =
        let r, c = edge.Row, edge.Column
        let a = z[r, c]

        if edge.Along then
            let t = (level - a) / (z[r, c + 1] - a)
            struct (x[c] + t * (x[c + 1] - x[c]), y[r])
        else
            let t = (level - a) / (z[r + 1, c] - a)
            struct (x[c], y[r] + t * (y[r + 1] - y[r]))

    /// Whether the corner before an edge of the four and the one after it are on different sides.
    let private crossed (high: bool[]) i = high[i] <> high[(i + 1) % 4]

    let private centreIsHigh (z: float[,]) level r c =
        (z[r, c] + z[r, c + 1] + z[r + 1, c] + z[r + 1, c + 1]) / 4.0 >= level

    /// Pairs of edges that a line of the level connects in a cell.
    let private segments (z: float[,]) level r c =
        let struct (corners, edges) = around r c
        let high = corners |> Array.map (fun struct (i, j) -> z[i, j] >= level)

        match [ 0..3 ] |> List.filter (crossed high) with
        | [ i; j ] -> [ struct (edges[i], edges[j]) ]
        | [] -> []
        | _ when centreIsHigh z level r c = high[0] -> [ struct (edges[0], edges[1]); struct (edges[2], edges[3]) ]
        | _ -> [ struct (edges[3], edges[0]); struct (edges[1], edges[2]) ]

    /// Chains of edges that follow one another.
    let private chains (pairs: struct (Edge * Edge) seq) : Edge list list =
        let next = Dictionary<Edge, List<Edge>>()

        let link a b =
            match next.TryGetValue a with
            | true, others -> others.Add b
            | _ -> next[a] <- List<Edge>([ b ])

        for struct (a, b) in pairs do
            link a b
            link b a

        let seen = HashSet<Edge>()

        let follow start =
            let chain = List<Edge>()
            let mutable current = ValueSome start

            while current.IsSome do
                let edge = current.Value
                seen.Add edge |> ignore
                chain.Add edge

                current <-
                    match next[edge] |> Seq.tryFind (seen.Contains >> not) with
                    | Some other -> ValueSome other
                    | None -> ValueNone

            // A ring ends where it began.
            if chain.Count > 2 && next[start].Contains chain[chain.Count - 1] then
                chain.Add start

            List.ofSeq chain

        let ends, rings = next.Keys |> Seq.toList |> List.partition (fun edge -> next[edge].Count = 1)

        [
            for start in ends @ rings do
                if not (seen.Contains start) then follow start
        ]

    let private cells (z: float[,]) =
        seq {
            for r in 0 .. Array2D.length1 z - 2 do
                for c in 0 .. Array2D.length2 z - 2 do
                    if isFinite z r c then struct (r, c)
        }

    /// The lines on which z, a row for each y and a column for each x, is at the level: points one after the other; a
    /// ring repeats its first.
    let lines (x: float[]) (y: float[]) (z: float[,]) (level: float) : struct (float * float)[] list =
        cells z
        |> Seq.collect (fun struct (r, c) -> segments z level r c)
        |> chains
        |> List.map (List.map (crossing x y z level) >> List.toArray)

    /// The part of a cell in which z is at least the level, as polygons.
    let private above (x: float[]) (y: float[]) (z: float[,]) level r c =
        let struct (corners, edges) = around r c
        let high = corners |> Array.map (fun struct (i, j) -> z[i, j] >= level)
        let corner i = let struct (r, c) = corners[i] in struct (x[c], y[r])
        let cut i = crossing x y z level edges[i]

        if high[0] = high[2] && high[1] = high[3] && high[0] <> high[1] && not (centreIsHigh z level r c) then
            [
                for i in 0..3 do
                    if high[i] then [| corner i; cut i; cut ((i + 3) % 4) |]
            ]
        else
            [
                [|
                    for i in 0..3 do
                        if high[i] then corner i
                        if crossed high i then cut i
                |]
            ]
            |> List.filter (fun polygon -> polygon.Length > 2)

    /// Polygons that cover where z is at least the level: one for each cell, and one for each run of whole cells in a
    /// row.
    let regions (x: float[]) (y: float[]) (z: float[,]) (level: float) : struct (float * float)[] list =
        let columns = Array2D.length2 z - 1
        let usable r c = c < columns && isFinite z r c

        let whole r c =
            usable r c && z[r, c] >= level && z[r, c + 1] >= level && z[r + 1, c] >= level && z[r + 1, c + 1] >= level

        let rec row r c found =
            if c >= columns then
                found
            elif whole r c then
                let mutable last = c

                while whole r (last + 1) do
                    last <- last + 1

                let run =
                    [|
                        struct (x[c], y[r])
                        struct (x[last + 1], y[r])
                        struct (x[last + 1], y[r + 1])
                        struct (x[c], y[r + 1])
                    |]

                row r (last + 1) (run :: found)
            elif usable r c then
                row r (c + 1) (above x y z level r c @ found)
            else
                row r (c + 1) found

        [
            for r in 0 .. Array2D.length1 z - 2 do
                yield! row r 0 []
        ]
