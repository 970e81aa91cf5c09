namespace Curvature

open System.Collections.Generic

/// For each vertex of a graph and each colour among its neighbours, how many of these have the colour, and which was
/// the first. Two colours share a component of the graph exactly where such groups are joined by edges.
[<Sealed>]
type internal ColourGroups(vertices: int) =

    let places = Dictionary<int64, int>()
    let heads = Array.create vertices -1
    let next = List<int>()
    let colours = List<int>()
    let firsts = List<int>()
    let counts = List<int>()

    let key (vertex: int) (colour: int) = (int64 vertex <<< 32) ||| int64 colour

    /// How many groups there are; they are numbered from 0.
    member _.Count = counts.Count

    /// The group of a vertex and a colour, or −1 where no neighbour has the colour.
    member _.Find(vertex: int, colour: int) : int =
        match places.TryGetValue(key vertex colour) with
        | true, group -> group
        | _ -> -1

    /// Takes note that a neighbour of a vertex has a colour.
    member this.Add(vertex: int, colour: int, neighbour: int) : int =
        match this.Find(vertex, colour) with
        | -1 ->
            let group = counts.Count
            places[key vertex colour] <- group
            next.Add heads[vertex]
            heads[vertex] <- group
            colours.Add colour
            firsts.Add neighbour
            counts.Add 1
            group
        | group ->
            counts[group] <- counts[group] + 1
            group

    /// The first group of a vertex, or −1.
    member _.First(vertex: int) : int = heads[vertex]

    /// The group of the same vertex after this one, or −1.
    member _.Next(group: int) : int = next[group]

    member _.Colour(group: int) : int = colours[group]
    member _.Members(group: int) : int = counts[group]

    /// The first neighbour that a group took note of.
    member _.Neighbour(group: int) : int = firsts[group]
