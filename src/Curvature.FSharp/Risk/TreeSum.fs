namespace Curvature.FSharp

open System.Collections.Generic
open Curvature

/// A sum of tensors along a tree over groups that depends on their number alone. The terms of a group are added from
/// left to right; neighbouring groups are added in pairs, then pairs of pairs, and so on. Any part of the tree can be
/// summed elsewhere, and the whole keeps its bits. It holds one tensor for each level: 2 + log₂(groups) at most.
[<Sealed>]
type internal TreeSum() =
    /// Sums of 1, 2, 4, … groups; the smallest lies on top. Groups may be empty.
    let subtrees = Stack<struct (int * Tensor voption)>()
    let mutable group: Tensor voption = ValueNone
    /// The number of the group whose terms are being added.
    let mutable current = 0
    let mutable terms = 0

    let rec push size (sum: Tensor voption) =
        match subtrees.TryPeek() with
        | true, struct (neighbour, left) when neighbour = size ->
            subtrees.Pop() |> ignore
            push (2 * size) (Tangent.add left sum)
        | _ -> subtrees.Push(struct (size, sum))

    let closeGroup () =
        push 1 group
        group <- ValueNone
        current <- current + 1

    /// How many terms make a group, where nobody says otherwise.
    static member GroupSize = 8

    /// Adds a term to a group, whose number is that of the term before or larger.
    member _.Add(number: int, term: Tensor) =
        while current < number do
            closeGroup ()

        group <- Tangent.add group (ValueSome term)
        terms <- terms + 1

    /// Adds a term to the group of its number among all terms.
    member this.Add(term: Tensor) = this.Add(terms / TreeSum.GroupSize, term)

    /// The sum; nothing where there were no terms. It takes no terms afterwards.
    member _.Total: Tensor voption =
        closeGroup ()
        let mutable total = ValueNone

        for struct (_, left) in subtrees do
            total <- Tangent.add left total

        total
