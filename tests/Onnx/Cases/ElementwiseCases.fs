/// Arithmetic, activations, comparisons and conversions.
module Curvature.Tests.Onnx.ElementwiseCases

open System
open Curvature

let private unary (op: string) : Case = Case.any op (fun random -> one [] [ Draw.fed random (Draw.shape random 0 4) ])

/// Of numbers above 0.
let private positive (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 0 4
        one [] [ Fed(shape, Draw.positive random shape) ])

/// Of numbers from −1 to 1.
let private bounded (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 0 3
        one [] [ Fed(shape, Draw.numbers random shape |> Array.map tanh) ])

let private withFloats (op: string) (names: (string * float * float) list) : Case =
    Case.any op (fun random ->
        let attributes =
            [
                for name, low, high in names do
                    if random.Next 3 > 0 then
                        name, Float(Math.Round(low + (high - low) * random.NextDouble(), 3))
            ]

        one attributes [ Draw.fed random (Draw.shape random 1 4) ])

/// Two operands, one of which broadcasts.
let private pair (random: Random) : Data list =
    let shape = Draw.shape random 0 4
    let other = Draw.narrower random shape

    match random.Next 3 with
    | 0 -> [ Draw.fed random shape; Draw.weight random other ]
    | 1 -> [ Draw.fed random other; Draw.fed random shape ]
    | _ -> [ Draw.fed random shape; Draw.fed random shape ]

let private wholePair (least: int) (random: Random) : Data list =
    let shape = Draw.shape random 1 3
    let other = Draw.narrower random shape
    let numbers shape = Draw.below random 9 shape |> Array.map (fun x -> x + int64 least)

    match random.Next 2 with
    | 0 -> [ FedWhole(shape, numbers shape); Whole(other, numbers other) ]
    | _ -> [ Whole(other, numbers other); FedWhole(shape, numbers shape) ]

/// Of floating point, and in one case of three of whole numbers.
let private binary (op: string) : Case =
    Case.any op (fun random -> one [] (if random.Next 3 = 0 then wholePair -4 random else pair random))

let private division: Case =
    Case.any "Div" (fun random ->
        if random.Next 3 = 0 then
            let shape = Draw.shape random 1 3

            let signed (numbers: int64[]) =
                numbers |> Array.map (fun x -> if random.Next 2 = 0 then -x - 1L else x + 1L)

            one [] [
                FedWhole(shape, signed (Draw.below random 20 shape))
                Whole(shape, signed (Draw.below random 4 shape))
            ]
        else
            one [] (pair random))

let private power: Case =
    Case.any "Pow" (fun random ->
        let shape = Draw.shape random 0 3

        match random.Next 5 with
        | 0 -> one [] [ Draw.fed random shape; Weight([], [| Draw.pick random [ 2.0; 3.0; 1.0; 0.0; -1.0 ] |]) ]
        | 1 -> one [] [ Fed(shape, Draw.positive random shape); Weight([ 1 ], [| 0.5 |]) ]
        | 2 -> one [] [ Draw.fed random shape; whole [ 2 ] ]
        | 3 -> one [] [ Fed(shape, Draw.positive random shape); Draw.weight random (Draw.narrower random shape) ]
        | _ -> one [] [ Fed(shape, Draw.positive random shape); Draw.fed random shape ])

let private remainder: Case =
    Case.any "Mod" (fun random ->
        if random.Next 2 = 0 then
            let shape = Draw.shape random 1 3
            let numbers = Draw.below random 40 shape |> Array.map (fun x -> x - 20L)

            let divisors =
                Draw.below random 5 shape |> Array.map (fun x -> if random.Next 2 = 0 then x + 1L else -x - 1L)

            one (Draw.flag random "fmod") [ FedWhole(shape, numbers); Whole(shape, divisors) ]
        else
            let shape = Draw.shape random 1 3
            one [ "fmod", Int 1L ] [ Draw.fed random shape; Fed(shape, Draw.positive random shape) ])

let private variadic (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 1 3

        one [] [
            for _ in 0 .. random.Next 4 ->
                Draw.fed random (if random.Next 2 = 0 then shape else List.map (fun _ -> 1) shape)
        ])

let private wholeVariadic (op: string) : Case = Case.any op (fun random -> one [] (wholePair -4 random))

let private prelu: Case =
    Case.any "PRelu" (fun random ->
        let shape = Draw.shape random 2 4
        one [] [ Draw.fed random shape; Draw.weight random (Draw.narrower random shape) ])

let private clip: Case =
    Case.make "Clip" (fun opset random ->
        let x = Draw.fed random (Draw.shape random 0 3)
        let low, high = -0.5 - random.NextDouble(), 0.25 + random.NextDouble()

        if opset < 11 then
            one (maybe random ("min", Float(Math.Round(low, 3))) @ maybe random ("max", Float(Math.Round(high, 3)))) [
                x
            ]
        else
            match random.Next 4 with
            | 0 -> one [] [ x; Absent; Weight([], [| high |]) ]
            | 1 -> one [] [ x; Weight([], [| low |]) ]
            | 2 -> one [] [ x; Fed([], [| low |]); Fed([], [| high |]) ]
            | _ -> one [] [ x; Weight([], [| low |]); Weight([], [| high |]) ])

let private gelu: Case =
    Case.any "Gelu" (fun random ->
        let attributes = maybe random ("approximate", Text(Draw.pick random [ "none"; "tanh" ]))
        one attributes [ Draw.fed random (Draw.shape random 1 3) ])

let private comparison (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 1 3
        // From few numbers, so that some are equal.
        let few shape = Draw.below random 4 shape |> Array.map float

        if random.Next 2 = 0 then
            let other = Draw.narrower random shape
            one [] [ Fed(shape, few shape); Fed(other, few other) ]
        else
            one [] (wholePair 0 random))

let private connection (op: string) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 1 3
        let other = Draw.narrower random shape
        one [] [ FedTruth(shape, Draw.truths random shape); Truth(other, Draw.truths random other) ])

let private choice: Case =
    Case.any "Where" (fun random ->
        let shape = Draw.shape random 1 3
        let other = Draw.narrower random shape

        match random.Next 3 with
        | 0 -> one [] [ FedTruth(other, Draw.truths random other); Draw.fed random shape; Draw.weight random [ 1 ] ]
        | 1 -> one [] [ Truth(shape, Draw.truths random shape); Draw.fed random other; Draw.fed random shape ]
        | _ ->
            let numbers = Draw.below random 9

            one [] [
                FedTruth(shape, Draw.truths random shape)
                Whole(shape, numbers shape)
                FedWhole(other, numbers other)
            ])

let private cast: Case =
    Case.any "Cast" (fun random ->
        let shape = Draw.shape random 0 3
        let real = Draw.fed random shape

        let kinds =
            [
                OnnxElementType.Float32
                OnnxElementType.Float64
                OnnxElementType.Int64
                OnnxElementType.Int32
                OnnxElementType.Bool
            ]

        let target = "to", Int(int64 (int (Draw.pick random kinds)))

        match random.Next 3 with
        | 0 -> one [ target ] [ real ]
        | 1 -> one [ target ] [ FedWhole(shape, Draw.below random 3 shape |> Array.map (fun x -> 100L * x - 100L)) ]
        | _ -> one [ target ] [ FedTruth(shape, Draw.truths random shape) ])

let private castLike: Case =
    Case.any "CastLike" (fun random ->
        let shape = Draw.shape random 1 3

        match random.Next 2 with
        | 0 -> one [] [ FedWhole(shape, Draw.below random 9 shape); Draw.fed random [ 2 ] ]
        | _ -> one [] [ Draw.fed random shape; whole [ 1; 2 ] ])

let private special (op: string) (attributes: Random -> (string * NodeAttribute) list) : Case =
    Case.any op (fun random ->
        let shape = Draw.shape random 1 3
        let value x = Draw.pick random [ x; x; nan; infinity; -infinity ]
        one (attributes random) [ Fed(shape, Draw.numbers random shape |> Array.map value) ])

let cases: Case list =
    [
        yield! [ "Add"; "Sub"; "Mul" ] |> List.map binary
        division
        power |> Case.slack 10.0
        remainder
        yield! [ "Min"; "Max"; "Sum"; "Mean" ] |> List.map variadic
        yield! [ "Min"; "Max" ] |> List.map wholeVariadic
        yield! [ "Abs"; "Neg"; "Sign"; "Floor"; "Ceil"; "Round"; "Exp"; "Sin"; "Cos"; "Atan" ] |> List.map unary
        yield! [ "Sqrt"; "Log"; "Reciprocal" ] |> List.map positive
        yield! [ "Asin"; "Acos"; "Tan"; "Sinh"; "Cosh" ] |> List.map bounded
        yield! [ "Relu"; "Sigmoid"; "Tanh"; "Softplus"; "Softsign"; "HardSwish"; "Mish" ] |> List.map unary
        unary "Erf"
        withFloats "LeakyRelu" [ "alpha", 0.01, 0.5 ]
        withFloats "Elu" [ "alpha", 0.2, 1.5 ]
        withFloats "Celu" [ "alpha", 0.2, 1.5 ]
        withFloats "Selu" [ "alpha", 0.5, 2.0; "gamma", 0.5, 1.5 ]
        withFloats "ThresholdedRelu" [ "alpha", 0.2, 1.0 ]
        withFloats "HardSigmoid" [ "alpha", 0.1, 0.6; "beta", 0.2, 0.7 ]
        withFloats "Shrink" [ "bias", 0.0, 0.5; "lambd", 0.1, 1.0 ] |> Case.single
        withFloats "Swish" [ "alpha", 0.5, 2.0 ]
        prelu
        clip
        gelu |> Case.single
        yield! [ "Equal"; "Greater"; "Less"; "GreaterOrEqual"; "LessOrEqual" ] |> List.map comparison
        yield! [ "And"; "Or"; "Xor" ] |> List.map connection
        Case.any "Not" (fun random ->
            let shape = Draw.shape random 1 3
            one [] [ FedTruth(shape, Draw.truths random shape) ])
        special "IsNaN" (fun _ -> [])
        special "IsInf" (fun random -> Draw.flag random "detect_positive" @ Draw.flag random "detect_negative")
        choice
        cast
        castLike
    ]
