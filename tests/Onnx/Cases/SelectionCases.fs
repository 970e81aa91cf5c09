/// Joining, cutting, picking, padding.
module Curvature.Tests.Onnx.SelectionCases

open System

let private either (random: Random) (shape: int list) : Data =
    if random.Next 3 = 0 then
        FedWhole(shape, Draw.below random 9 shape)
    else
        Draw.fed random shape

let private concat: Case =
    Case.any "Concat" (fun random ->
        let shape = Draw.shape random 1 3
        let axis = random.Next shape.Length
        let isWhole = random.Next 3 = 0

        let piece _ =
            let shape = List.updateAt axis (random.Next(1, 4)) shape

            match random.Next 2 with
            | 0 when isWhole -> Whole(shape, Draw.below random 9 shape)
            | _ when isWhole -> FedWhole(shape, Draw.below random 9 shape)
            | 0 -> Draw.weight random shape
            | _ -> Draw.fed random shape

        let axis = if random.Next 2 = 0 then axis else axis - shape.Length
        one [ "axis", Int(int64 axis) ] (List.init (random.Next(1, 4)) piece))

let private split: Case =
    Case.make "Split" (fun opset random ->
        let count = random.Next(1, 4)
        let sizes = List.init count (fun _ -> random.Next(1, 4))
        let isEven = random.Next 2 = 0
        let length = if isEven then 2 * count else List.sum sizes
        let rank = random.Next(1, 4)
        let axis = random.Next rank
        let shape = List.init rank (fun i -> if i = axis then length else random.Next(1, 4))
        let x = either random shape
        let attributes = [ "axis", Int(int64 axis) ]

        let sample =
            match isEven, opset with
            | true, opset when opset >= 18 -> one (("num_outputs", Int(int64 count)) :: attributes) [ x ]
            | true, _ -> one attributes [ x ]
            | false, opset when opset < 13 -> one (("split", Ints sizes) :: attributes) [ x ]
            | false, _ -> one attributes [ x; whole sizes ]

        { sample with Outputs = count })

/// The last piece is shorter.
let private unevenSplit: Case =
    Case.make "Split" (fun opset random ->
        if opset < 18 then
            { one [] [ Draw.fed random [ 4; 2 ] ] with Outputs = 2 }
        else
            { one [ "num_outputs", Int 3L ] [ Draw.fed random [ 7; 2 ] ] with Outputs = 3 })

let private slice: Case =
    Case.make "Slice" (fun opset random ->
        let shape = List.init (random.Next(1, 4)) (fun _ -> random.Next(2, 6))
        let axes = [ 0 .. shape.Length - 1 ] |> List.filter (fun _ -> random.Next 2 = 0)
        let axes = if axes.IsEmpty then [ 0 ] else axes
        let place _ = Draw.pick random [ random.Next(-7, 8); 0; Int32.MaxValue; Int32.MinValue; -1 ]
        let starts, ends = axes |> List.map place, axes |> List.map place
        let x = either random shape

        if opset < 10 then
            one [ "starts", Ints starts; "ends", Ints ends; "axes", Ints axes ] [ x ]
        else
            match random.Next 3 with
            | 0 when axes = [ 0 .. axes.Length - 1 ] -> one [] [ x; whole starts; whole ends ]
            | 1 -> one [] [ x; whole starts; whole ends; whole axes ]
            | _ ->
                let steps = axes |> List.map (fun _ -> Draw.pick random [ 1; 2; 3; -1; -2 ])

                one [] [
                    x
                    whole starts
                    whole ends
                    whole (axes |> List.map (fun axis -> axis - shape.Length))
                    whole steps
                ])

let private gather: Case =
    Case.make "Gather" (fun opset random ->
        let shape = Draw.shape random 1 3
        let axis = random.Next shape.Length
        let positions = Draw.shape random 0 2
        // Negative positions are of version 11.
        let least = if opset < 11 then 0 else -shape[axis]
        let index = Array.init (Draw.size positions) (fun _ -> int64 (random.Next(least, shape[axis])))

        let x =
            if random.Next 4 = 0 then
                Whole(shape, Draw.below random 9 shape)
            else
                either random shape

        let index =
            if random.Next 2 = 0 then
                Whole(positions, index)
            else
                FedWhole(positions, index)

        one (if axis = 0 then [] else [ "axis", Int(int64 axis) ]) [ x; index ])

let private gatherElements: Case =
    Case.any "GatherElements" (fun random ->
        let shape = Draw.shape random 1 3
        let axis = random.Next shape.Length

        let index =
            shape |> List.mapi (fun i length -> if i = axis then random.Next(1, 5) else random.Next(1, length + 1))

        let places = Array.init (Draw.size index) (fun _ -> int64 (random.Next(-shape[axis], shape[axis])))
        let places = if random.Next 2 = 0 then Whole(index, places) else FedWhole(index, places)
        one [ "axis", Int(int64 axis) ] [ either random shape; places ])

let private triangle: Case =
    Case.any "Trilu" (fun random ->
        let shape = Draw.shape random 2 4
        let offset = maybe random (Whole([], [| int64 (random.Next(-3, 4)) |]))
        one (Draw.flag random "upper") ([ either random shape ] @ offset))

let private padMode (opset: int) (random: Random) : string =
    Draw.pick random ([ "constant"; "reflect"; "edge" ] @ (if opset >= 19 then [ "wrap" ] else []))

let private pad: Case =
    Case.make "Pad" (fun opset random ->
        let shape = List.init (random.Next(1, 4)) (fun _ -> random.Next(3, 6))
        let mode = padMode opset random
        let least = if mode = "constant" then -1 else 0
        let count () = random.Next(least, 3)
        let attributes = if mode = "constant" && random.Next 2 = 0 then [] else [ "mode", Text mode ]
        let x = Draw.fed random shape
        let pads = List.init (2 * shape.Length) (fun _ -> count ())

        if opset < 11 then
            one (attributes @ [ "pads", Ints pads ] @ maybe random ("value", Float 1.5)) [ x ]
        else
            match random.Next(if opset < 18 then 2 else 3) with
            | 0 -> one attributes [ x; whole pads ]
            | 1 -> one attributes [ x; whole pads; Weight([], [| -0.5 |]) ]
            | _ -> one attributes [ x; whole [ 1; 2 ]; Absent; whole [ -1 ] ])

let cases: Case list = [ concat; split; unevenSplit; slice; gather; gatherElements; triangle; pad ]
