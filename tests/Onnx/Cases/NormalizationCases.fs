/// Normalisations, as they are in inference.
module Curvature.Tests.Onnx.NormalizationCases

open System

let private epsilon (random: Random) : (string * NodeAttribute) list = maybe random ("epsilon", Float 0.01)

let private batch: Case =
    Case.any "BatchNormalization" (fun random ->
        let channels = random.Next(1, 4)
        let lengths = Draw.shape random 0 3
        let each () = Draw.weight random [ channels ]
        let variance = Weight([ channels ], Draw.positive random [ channels ])
        let momentum = maybe random ("momentum", Float 0.8)
        let x = Draw.fed random ([ random.Next(1, 4); channels ] @ lengths)
        one (epsilon random @ momentum) [ x; each (); each (); each (); variance ])

let private layer (op: string) (hasBias: bool) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 1 3 @ [ random.Next(2, 6) ]
        let axis = random.Next shape.Length
        let trailing = shape[axis..]
        let axisOf = if axis = shape.Length - 1 then [] else [ "axis", Int(int64 axis) ]
        let bias = if hasBias then maybe random (Draw.weight random trailing) else []
        one (axisOf @ epsilon random) ([ Draw.fed random shape; Draw.weight random trailing ] @ bias))

let private instance: Case =
    Case.any "InstanceNormalization" (fun random ->
        let channels = random.Next(1, 4)
        let lengths = List.init (random.Next(1, 3)) (fun _ -> random.Next(2, 5))
        let x = Draw.fed random ([ random.Next(1, 3); channels ] @ lengths)
        one (epsilon random) [ x; Draw.weight random [ channels ]; Draw.weight random [ channels ] ])

let private group: Case =
    Case.make "GroupNormalization" (fun opset random ->
        let groups = random.Next(1, 4)
        let channels = groups * random.Next(1, 3)
        let lengths = List.init (random.Next(1, 3)) (fun _ -> random.Next(2, 5))
        let each = if opset < 21 then groups else channels
        let x = Draw.fed random ([ random.Next(1, 3); channels ] @ lengths)
        let attributes = epsilon random @ [ "num_groups", Int(int64 groups) ]
        one attributes [ x; Draw.weight random [ each ]; Draw.weight random [ each ] ])

let private lp: Case =
    Case.any "LpNormalization" (fun random ->
        let shape = Draw.shape random 1 3
        let axis = [ "axis", Int(int64 (Draw.axis random shape.Length)) ]
        one (axis @ maybe random ("p", Int(int64 (random.Next(1, 3))))) [ Draw.fed random shape ])

let cases: Case list =
    [
        batch |> Case.slack 5.0
        layer "LayerNormalization" true |> Case.slack 20.0
        layer "RMSNormalization" false |> Case.slack 20.0
        instance |> Case.slack 20.0
        group |> Case.slack 20.0 |> Case.single
        lp
    ]
