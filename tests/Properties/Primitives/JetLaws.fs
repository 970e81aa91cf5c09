/// Taylor mode against nested forward mode, for every primitive that there is.
module Curvature.Tests.Properties.JetLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private trials = 8

let private order (case: Case) = 1 + case.Seed % 4

let private apply (case: Case) (operands: Tensor[]) = Interpreter.Bind(case.Primitive, operands)

/// The operands that move.
let private directed (case: Case) =
    [
        for i in 0 .. case.Operands.Length - 1 do
            if case.Operands[i].DType <> DType.Int32 && not (List.contains i case.Held) then
                i
    ]

/// Coefficients 1 … K of the curve of operand i; some are missing.
let private curve (case: Case) (i: int) : Coefficients =
    Array.init (order case) (fun k ->
        if k > 0 && (case.Seed + i + k) % 3 = 0 then
            ValueNone
        else
            ValueSome(0.5 * Generators.direction (case.Seed + 10 * i + k) case.Operands[i]))

let private curves (case: Case) (moving: int list) : Coefficients[] =
    case.Operands
    |> Array.mapi (fun i _ ->
        if List.contains i moving then
            curve case i
        else
            Array.create (order case) ValueNone)

/// The operands at t, by Horner.
let private at (case: Case) (curves: Coefficients[]) (t: Tensor) : Tensor[] =
    Array.map2
        (fun (x: Tensor) (coefficients: Coefficients) ->
            let number () = Tensor.convert x.DType t

            let step (c: Tensor voption) (sum: Tensor voption) =
                Tangent.add c (sum |> Tangent.map (fun s -> number () * s))

            match Array.foldBack step coefficients ValueNone with
            | ValueSome sum -> x + number () * sum
            | ValueNone -> x)
        case.Operands
        curves

let private factorial (k: int) = Seq.fold (fun product i -> product * float i) 1.0 (seq { 2..k })

let private isNumber (t: Tensor) = t.DType <> DType.Int32

/// Derivatives of order k of every result by nested forward mode.
let private nested (case: Case) (curves: Coefficients[]) (k: int) : Tensor[] =
    let origin = Tensor.scalar DType.Float64 0.0
    let count = (apply case case.Operands).Length

    Array.init count (fun r ->
        let result t = (apply case (at case curves t))[r]
        if isNumber (result origin) then diffn k result origin else result origin)

let private tolerance (results: Tensor[]) dtype =
    if dtype = DType.Float32 || results |> Array.exists (fun r -> r.DType = DType.Float32) then
        1e-3
    else
        1e-9

let private check (entry: Entry) (law: DType -> Case -> unit) =
    for dtype in entry.DTypes do
        if dtype <> DType.Int32 then
            Generators.check trials (entry.Cases dtype) (law dtype)

[<Tests>]
let tests =
    testList "Properties.JetLaws" [
        for entry in Entries.all do
            test $"Taylor coefficients are the derivatives of nested forward mode ({entry})" {
                check entry (fun dtype case ->
                    for moving in Generators.nonemptySubsets (directed case) do
                        let curves = curves case moving
                        let values, series = Jets.along (order case) (apply case) case.Operands curves
                        let results = apply case case.Operands
                        Array.iter2 Expect.sameBits results values

                        for k in 1 .. order case do
                            let expected = nested case curves k

                            for r in 0 .. results.Length - 1 do
                                let coefficient = series[r][k - 1]

                                if isNumber results[r] then
                                    let scaled = Tangent.orZeros results[r] coefficient * factorial k
                                    Expect.isTrue "like the result" (scaled.Signature = results[r].Signature)
                                    Expect.tensorsClose (tolerance results dtype) expected[r] scaled
                                else
                                    Expect.isTrue "indices have no derivative" coefficient.IsNone)
            }

        for entry in Entries.all do
            test $"a collapsed sum is the sum along all curves ({entry})" {
                check entry (fun dtype case ->
                    for i in directed case do
                        let x = case.Operands[i]
                        let results = apply case case.Operands

                        let directions = List.init 3 (fun r -> 0.5 * Generators.direction (case.Seed + r) x)

                        let weights = Tensor.convert x.DType (tensor [ 0.5; -1.0; 2.0 ])

                        for r in 0 .. results.Length - 1 do
                            if isNumber results[r] then
                                let f x = (apply case (case.Operands |> Array.updateAt i x))[r]
                                let alone v = List.last (jet (order case) f x [ v ])
                                let each = directions |> List.map alone

                                let sum = each |> List.reduce (+)
                                let weighted = 0.5 * each[0] - each[1] + 2.0 * each[2]
                                let stack = Tensor.stack 0 directions
                                let close = Expect.tensorsClose (tolerance results dtype)
                                let value, found = fsumOfDerivatives (order case) stack f x
                                Expect.sameBits results[r] value
                                close sum found
                                close weighted (weightedSumOfDerivatives (order case) weights stack f x))
            }
    ]
