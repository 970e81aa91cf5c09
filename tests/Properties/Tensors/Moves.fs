namespace Curvature.Tests.Properties

open System
open Curvature
open Curvature.FSharp

/// A rearrangement of elements: what Tensor does, and the same as a loop on the host.
[<NoEquality; NoComparison>]
type Move =
    {
        /// The function of the module Tensor.
        Name: string
        Text: string
        Move: Tensor -> Tensor
        Loop: Host -> Host
    }

[<RequireQualifiedAccess>]
module Moves =

    let private loop (shape: int[]) (source: int[] -> int[]) (h: Host) = Host.init shape (source >> Host.at h)

    /// An axis by its number or, as often, counted from the end.
    let private spelled (random: Random) rank axis = if random.Next 2 = 0 then axis else axis - rank

    let private reshapes (random: Random) (shape: int[]) =
        let size = Host.size shape

        let divisors =
            [
                for d in 1..size do
                    if size % d = 0 then d
            ]

        let first = if size = 0 then 1 else divisors[random.Next divisors.Length]
        let target = if size = 0 then [ 0; 3 ] else [ first; 1; size / first ]
        let asked = if size > 0 && random.Next 2 = 0 then [ first; 1; -1 ] else target
        let same (shape: int list) (h: Host) = { h with Shape = List.toArray shape }

        [
            {
                Name = "reshape"
                Text = $"reshape {asked}"
                Move = Tensor.reshape asked
                Loop = same target
            }
            {
                Name = "flatten"
                Text = "flatten"
                Move = Tensor.flatten
                Loop = same [ size ]
            }
        ]

    let private squeezes (random: Random) (shape: int[]) =
        let rank = shape.Length
        let place = random.Next(rank + 1)
        let wider = Array.insertAt place 1 shape
        let asked = spelled random (rank + 1) place

        [
            {
                Name = "unsqueeze"
                Text = $"unsqueeze {asked}"
                Move = Tensor.unsqueeze asked
                Loop = fun h -> { h with Shape = wider }
            }

            match Array.tryFindIndex ((=) 1) shape with
            | Some axis ->
                let asked = spelled random rank axis

                {
                    Name = "squeeze"
                    Text = $"squeeze {asked}"
                    Move = Tensor.squeeze asked
                    Loop = fun h -> { h with Shape = Array.removeAt axis shape }
                }
            | None -> ()
        ]

    let private permutations (random: Random) (shape: int[]) =
        let rank = shape.Length
        let order = Array.init rank (fun axis -> random.Next(), axis) |> Array.sort |> Array.map snd
        let asked = order |> Array.map (spelled random rank) |> List.ofArray

        let permuted (order: int[]) =
            loop (order |> Array.map (fun axis -> shape[axis])) (fun index ->
                Array.init rank (fun axis -> index[Array.IndexOf(order, axis)]))

        [
            {
                Name = "permute"
                Text = $"permute {asked}"
                Move = Tensor.permute asked
                Loop = permuted order
            }
            if rank > 1 then
                let swap = Array.append [| 0 .. rank - 3 |] [| rank - 1; rank - 2 |]

                {
                    Name = "transpose"
                    Text = "transpose"
                    Move = Tensor.transpose
                    Loop = permuted swap
                }
        ]

    let private broadcasts (random: Random) (shape: int[]) =
        let target =
            Array.append
                [| random.Next 3 |]
                (shape |> Array.map (fun length -> if length = 1 then random.Next(1, 4) else length))

        [
            {
                Name = "broadcastTo"
                Text = $"broadcastTo %A{target}"
                Move = Tensor.broadcastTo (List.ofArray target)
                Loop = fun h -> Host.init target (Host.atBroadcast h)
            }
        ]

    let private alongAxis (random: Random) (shape: int[]) =
        let axis = random.Next shape.Length
        let asked = spelled random shape.Length axis
        let length = shape[axis]
        let start = random.Next(length + 1)
        let count = random.Next(length - start + 1)
        let step = random.Next(1, 4)
        let strided = random.Next((length - start + step - 1) / step + 1)
        let resized length = Array.updateAt axis length shape
        let shifted f (index: int[]) = Array.updateAt axis (f index[axis]) index
        let before, after = random.Next 3, random.Next 3

        let padded (h: Host) =
            Host.init (resized (before + length + after)) (fun index ->
                let place = index[axis] - before

                if place < 0 || place >= length then
                    0.0
                else
                    Host.at h (shifted (fun _ -> place) index))

        [
            {
                Name = "slice"
                Text = $"slice {asked} {start} {count}"
                Move = Tensor.slice asked start count
                Loop = loop (resized count) (shifted ((+) start))
            }
            {
                Name = "sliceStep"
                Text = $"sliceStep {asked} {start} {strided} {step}"
                Move = Tensor.sliceStep asked start strided step
                Loop = loop (resized strided) (shifted (fun i -> start + step * i))
            }
            {
                Name = "split"
                Text = $"split {asked} [{start}; {count}; …], the second piece"
                Move = Tensor.split asked [ start; count; length - start - count ] >> List.item 1
                Loop = loop (resized count) (shifted ((+) start))
            }
            {
                Name = "pad"
                Text = $"pad {asked} {before} {after}"
                Move = Tensor.pad asked before after
                Loop = padded
            }
            {
                Name = "reverse"
                Text = $"reverse {asked}"
                Move = Tensor.reverse asked
                Loop = loop shape (shifted (fun i -> length - 1 - i))
            }
            {
                Name = "concat"
                Text = $"concat {asked} [t; t reversed; t]"
                Move = fun t -> Tensor.concat asked [ t; Tensor.reverse axis t; t ]
                Loop =
                    loop
                        (resized (3 * length))
                        (shifted (fun i -> if i / length = 1 then 2 * length - 1 - i else i % length))
            }

            if length > 0 then
                let index = random.Next length
                let positions = Array.init 3 (fun _ -> random.Next length)

                {
                    Name = "item"
                    Text = $"item {asked} {index}"
                    Move = Tensor.item asked index
                    Loop = loop (Array.removeAt axis shape) (Array.insertAt axis index)
                }

                {
                    Name = "take"
                    Text = $"take {asked} %A{positions}"
                    Move = Tensor.take asked (Tensor.ofIndices [ 3 ] positions)
                    Loop = loop (resized 3) (shifted (fun i -> positions[i]))
                }
        ]

    let private stacks (random: Random) (shape: int[]) =
        let place = random.Next(shape.Length + 1)
        let asked = spelled random (shape.Length + 1) place

        [
            {
                Name = "stack"
                Text = $"stack {asked} [t; t]"
                Move = fun t -> Tensor.stack asked [ t; t ]
                Loop = loop (Array.insertAt place 2 shape) (Array.removeAt place)
            }
        ]

    /// One of each move that the shape allows, with random axes and places.
    let draw (random: Random) (shape: int[]) : Move list =
        [
            yield! reshapes random shape
            yield! squeezes random shape
            yield! permutations random shape
            yield! broadcasts random shape
            yield! stacks random shape
            if shape.Length > 0 then yield! alongAxis random shape
        ]
