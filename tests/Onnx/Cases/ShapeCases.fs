/// Shapes, repetitions, and values made of shapes.
module Curvature.Tests.Onnx.ShapeCases

open System

/// A shape of as many elements, with a length to be inferred or copied in some cases.
let private reshaped (random: Random) (shape: int list) : int list =
    match random.Next 4, shape with
    | 0, _ -> [ -1 ]
    | 1, first :: _ :: _ when not (List.contains 0 shape) -> [ first; -1 ]
    | 2, _ :: _ -> [ 0; -1 ]
    | _ -> List.rev shape

/// Real numbers, or Int64 that are fed.
let private either (random: Random) (shape: int list) : Data =
    if random.Next 3 = 0 then
        FedWhole(shape, Draw.below random 9 shape)
    else
        Draw.fed random shape

let private reshape: Case =
    Case.any "Reshape" (fun random ->
        let shape = Draw.shape random 1 4
        one [] [ either random shape; whole (reshaped random shape) ])

let private reshapeToNothing: Case =
    Case.make "Reshape" (fun opset random ->
        if opset >= 14 then
            one [ "allowzero", Int 1L ] [ Draw.fed random [ 0; 3 ]; whole [ 3; 0 ] ]
        else
            one [] [ Draw.fed random [ 2; 3; 2 ]; whole [ 0; 0; -1 ] ])

let private transpose: Case =
    Case.any "Transpose" (fun random ->
        let shape = Draw.shape random 1 4
        let order = [ 0 .. shape.Length - 1 ] |> List.sortBy (fun _ -> random.Next())
        one (maybe random ("perm", Ints order)) [ either random shape ])

let private flatten: Case =
    Case.any "Flatten" (fun random ->
        let shape = Draw.shape random 1 4
        one (maybe random ("axis", Int(int64 (random.Next(shape.Length + 1))))) [ either random shape ])

let private axesOf (opset: int) (axes: int list) (x: Data) : Sample =
    if opset < 13 then one [ "axes", Ints axes ] [ x ] else one [] [ x; whole axes ]

let private squeeze: Case =
    Case.make "Squeeze" (fun opset random ->
        let shape = [ 1; random.Next(1, 4); 1; 2 ]

        match random.Next 3 with
        | 0 -> one [] [ either random shape ]
        | 1 -> axesOf opset [ 0; -2 ] (either random shape)
        | _ -> axesOf opset [ 2 ] (either random shape))

let private unsqueeze: Case =
    Case.make "Unsqueeze" (fun opset random ->
        let shape = Draw.shape random 0 3
        let axes = Draw.pick random [ [ 0 ]; [ -1 ]; [ 1; 0 ]; [ 0; -1 ] ]
        axesOf opset axes (either random shape))

let private expand: Case =
    Case.any "Expand" (fun random ->
        let shape = Draw.shape random 1 4
        let source = Draw.narrower random shape
        // Of lengths 1 the value's own stays.
        let asked = if random.Next 2 = 0 then shape else List.map (fun _ -> 1) shape
        one [] [ either random source; whole asked ])

let private tile: Case =
    Case.any "Tile" (fun random ->
        let shape = Draw.shape random 1 3
        one [] [ either random shape; whole (shape |> List.map (fun _ -> random.Next(0, 4))) ])

let private shape: Case =
    Case.make "Shape" (fun opset random ->
        let attributes =
            if opset < 15 then
                []
            else
                maybe random ("start", Int(int64 (random.Next(-4, 4))))
                @ maybe random ("end", Int(int64 (random.Next(-4, 6))))

        one attributes [ either random (Draw.shape random 0 4) ])

let private dropout: Case =
    Case.make "Dropout" (fun opset random ->
        let x = Draw.fed random (Draw.shape random 1 3)

        if opset < 12 then
            one (maybe random ("ratio", Float 0.3)) [ x ]
        else
            { one [] ([ x ] @ maybe random (Weight([], [| 0.3 |]))) with
                Outputs = random.Next(1, 3)
            })

let private constant: Case =
    Case.make "Constant" (fun opset random ->
        let value = Draw.shape random 0 3

        match random.Next(if opset < 12 then 2 else 6) with
        | 0 -> one [ "value", Reals(value, Draw.numbers random value) ] []
        | 1 -> one [ "value", Wholes([ 2 ], [| 5L; -7L |]) ] []
        | 2 -> one [ "value_int", Int 3L ] []
        | 3 -> one [ "value_ints", Ints [ 1; 2; 3 ] ] []
        | 4 -> one [ "value_float", Float 2.5 ] []
        | _ -> one [ "value_floats", Floats [ 1.5; -2.0 ] ] [])

let private constantOfShape: Case =
    Case.any "ConstantOfShape" (fun random ->
        let shape = whole (Draw.shape random 1 3)

        match random.Next 3 with
        | 0 -> one [] [ shape ]
        | 1 -> one [ "value", Reals([ 1 ], [| 1.5 |]) ] [ shape ]
        | _ -> one [ "value", Wholes([ 1 ], [| 7L |]) ] [ shape ])

let private range: Case =
    Case.any "Range" (fun random ->
        let whole number = Whole([], [| int64 number |])
        let real number = Weight([], [| number |])

        match random.Next 4 with
        | 0 -> one [] [ whole 1; whole (random.Next(-3, 9)); whole 2 ]
        | 1 -> one [] [ whole 5; whole -4; whole -2 ]
        | 2 -> one [] [ FedWhole([], [| 0L |]); FedWhole([], [| 4L |]); whole 1 ]
        | _ -> one [] [ real 0.5; real 3.0; real 0.75 ])

let cases: Case list =
    [
        reshape
        reshapeToNothing
        transpose
        flatten
        squeeze
        unsqueeze
        expand
        tile
        shape
        Case.any "Size" (fun random -> one [] [ either random (Draw.shape random 0 4) ])
        Case.any "Identity" (fun random -> one [] [ either random (Draw.shape random 0 4) ])
        dropout
        constant
        constantOfShape
        range
    ]
