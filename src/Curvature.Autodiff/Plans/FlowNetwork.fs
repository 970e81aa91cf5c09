namespace Curvature

open System.Collections.Generic

/// A network whose links carry flow up to their capacities, for its smallest cut between a source and a sink (Dinic
/// 1970).
[<Sealed>]
type internal FlowNetwork(nodes: int) =
    // Link 2i goes forward, link 2i + 1 back.
    let targets, capacities, next = List<int>(), List<int64>(), List<int>()
    let first = Array.create nodes -1

    let add source target capacity =
        targets.Add target
        capacities.Add capacity
        next.Add first[source]
        first[source] <- targets.Count - 1

    /// The number of links on the shortest way from the source that has capacity left; −1 where there is none.
    let levels source =
        let level = Array.create nodes -1
        let waiting = Queue [ source ]
        level[source] <- 0

        while waiting.Count > 0 do
            let node = waiting.Dequeue()
            let mutable link = first[node]

            while link >= 0 do
                if capacities[link] > 0L && level[targets[link]] < 0 then
                    level[targets[link]] <- level[node] + 1
                    waiting.Enqueue targets[link]

                link <- next[link]

        level

    /// Sends flow along shortest ways until none of them has capacity left; returns how many links were looked at.
    let saturate source sink (level: int[]) : int =
        let current = Array.copy first
        let path = List<int>()
        let mutable node = source
        let mutable looks = 0
        let mutable isDone = false

        let retreatTo (length: int) =
            path.RemoveRange(length, path.Count - length)
            node <- if length = 0 then source else targets[path[length - 1]]

        while not isDone do
            if node = sink then
                let least = path |> Seq.map (fun link -> capacities[link]) |> Seq.min

                for link in path do
                    capacities[link] <- capacities[link] - least
                    capacities[link ^^^ 1] <- capacities[link ^^^ 1] + least

                retreatTo (path.FindIndex(fun link -> capacities[link] = 0L))
            else
                while current[node] >= 0
                      && (capacities[current[node]] <= 0L || level[targets[current[node]]] <> level[node] + 1) do
                    current[node] <- next[current[node]]
                    looks <- looks + 1

                looks <- looks + 1

                if current[node] >= 0 then
                    path.Add current[node]
                    node <- targets[current[node]]
                elif node = source then
                    isDone <- true
                else
                    level[node] <- -1
                    retreatTo (path.Count - 1)

        looks

    /// More than anything can be worth cutting.
    static member Unlimited = 1L <<< 55

    member _.Link(source: int, target: int, capacity: int64) =
        add source target capacity
        add target source 0L

    /// The nodes on the sink's side of the smallest cut; of several cuts the one next to the sink. Nothing where the
    /// search takes more than a number of steps.
    member _.SinkSide(source: int, sink: int, most: int) : bool[] voption =
        let mutable steps = 0
        let mutable level = levels source

        while level[sink] >= 0 && steps < most do
            steps <- steps + saturate source sink level + nodes
            level <- levels source

        if level[sink] >= 0 then
            ValueNone
        else
            // Backwards from the sink, along links that have capacity left.
            let reaches = Array.create nodes false
            let waiting = Queue [ sink ]
            reaches[sink] <- true

            while waiting.Count > 0 do
                let node = waiting.Dequeue()
                let mutable link = first[node]

                while link >= 0 do
                    if capacities[link ^^^ 1] > 0L && not reaches[targets[link]] then
                        reaches[targets[link]] <- true
                        waiting.Enqueue targets[link]

                    link <- next[link]

            ValueSome reaches
