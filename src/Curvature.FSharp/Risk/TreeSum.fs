namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// A sum of tensors along a tree that depends on their number alone. Terms are added in groups of eight, from left to
/// right; neighbouring groups are added in pairs, then pairs of pairs, and so on. Any part of the tree can be summed
/// elsewhere, and the whole keeps its bits. It holds one tensor for each level: 2 + log₂(terms/8) at most.
[<Sealed>]
type internal TreeSum() =
    /// Sums of 1, 2, 4, … groups; the smallest lies on top.
    let subtrees = Stack<struct (int * Tensor)>()
    let mutable group: Tensor voption = ValueNone
    let mutable terms = 0

    let rec push size (sum: Tensor) =
        match subtrees.TryPeek() with
        | true, struct (neighbour, left) when neighbour = size ->
            subtrees.Pop() |> ignore
            push (2 * size) (left + sum)
        | _ -> subtrees.Push(struct (size, sum))

    let closeGroup () =
        match group with
        | ValueSome sum -> push 1 sum
        | ValueNone -> ()

        group <- ValueNone
        terms <- 0

    /// How many terms make a group.
    static member GroupSize = 8

    /// Adds a term.
    member _.Add(term: Tensor) =
        group <- Tangent.add group (ValueSome term)
        terms <- terms + 1
        if terms = TreeSum.GroupSize then closeGroup ()

    /// The sum; nothing where there were no terms. It takes no terms afterwards.
    member _.Total: Tensor voption =
        closeGroup ()
        let mutable total = ValueNone

        for struct (_, left) in subtrees do
            total <- Tangent.add (ValueSome left) total

        total
