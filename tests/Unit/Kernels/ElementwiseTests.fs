/// Every operation of tapes, in both precisions and for each instruction set: the arithmetic ones against .NET's own,
/// functions against values computed to 60 digits (elementary-functions.csv), and all of them at special arguments.
module Curvature.Tests.Unit.Kernels.ElementwiseTests

open System
open System.IO
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

let private operations = Enum.GetValues<OpCode>() |> List.ofArray

/// The operation as a function of arrays, on a device.
let private compute<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (device: CpuDevice)
    op
    (operands: 'T[] list)
    =
    let size = operands.Head.Length
    let layout = denseLayout [| size |]

    let tape =
        TapeDescription(
            dtypeOf<'T>,
            [| size |],
            [| for i in 0..2 -> layout.Operand i |],
            [||],
            [| Instruction(op, 0, 1, 2) |],
            [| TapeOutput(3, layout.Operand 3) |]
        )

    let memory = [ for operand in operands @ [ Array.zeroCreate size ] -> upload device operand ]
    run device (device.Map tape) memory
    download<'T> device size memory[3]

/// What an operation is in .NET, where .NET has it exactly.
let private arithmetic op : (float -> float -> float -> float) option =
    let mask condition = if condition then 1.0 else 0.0

    match op with
    | OpCode.Add -> Some(fun a b _ -> a + b)
    | OpCode.Subtract -> Some(fun a b _ -> a - b)
    | OpCode.Multiply -> Some(fun a b _ -> a * b)
    | OpCode.Divide -> Some(fun a b _ -> a / b)
    | OpCode.MultiplyAdd -> Some(fun a b c -> Math.FusedMultiplyAdd(a, b, c))
    | OpCode.Maximum -> Some(fun a b _ -> Math.Max(a, b))
    | OpCode.Minimum -> Some(fun a b _ -> Math.Min(a, b))
    | OpCode.Greater -> Some(fun a b _ -> mask (a > b))
    | OpCode.GreaterOrEqual -> Some(fun a b _ -> mask (a >= b))
    | OpCode.Equal -> Some(fun a b _ -> mask (a = b))
    | OpCode.Select -> Some(fun a b c -> if a <> 0.0 then b else c)
    | OpCode.Power -> Some(fun a b _ -> Math.Pow(a, b))
    | OpCode.Atan2 -> Some(fun a b _ -> Math.Atan2(a, b))
    | OpCode.Negate -> Some(fun a _ _ -> -a)
    | OpCode.Abs -> Some(fun a _ _ -> abs a)
    | OpCode.Sign -> Some(fun a _ _ -> if Double.IsNaN a || a = 0.0 then a else float (sign a))
    | OpCode.Floor -> Some(fun a _ _ -> floor a)
    | _ -> None

/// The greatest error of a function in units in the last place: in float32 and in float64.
let private bound op =
    match op with
    | OpCode.Exp -> Some(1.0, 1.0)
    | OpCode.Expm1 -> Some(2.0, 2.0)
    | OpCode.Log -> Some(1.0, 1.0)
    | OpCode.Log1p -> Some(2.0, 2.0)
    | OpCode.Sin -> Some(1.5, 1.5)
    | OpCode.Cos -> Some(1.5, 1.5)
    | OpCode.Tanh -> Some(3.0, 3.0)
    | OpCode.Sigmoid -> Some(2.0, 2.0)
    | OpCode.Softplus -> Some(2.0, 2.0)
    | OpCode.Erf -> Some(3.0, 2.0)
    | OpCode.ErfInverse -> Some(3.5, 5.0)
    | OpCode.Sqrt -> Some(0.5, 0.5)
    | OpCode.ReciprocalSqrt -> Some(1.5, 1.5)
    | _ -> None

let private special =
    [|
        0.0
        -0.0
        1.0
        -1.0
        0.5
        3.7
        -2.25
        2.0
        1e10
        -3e-5
        infinity
        -infinity
        nan
        Double.Epsilon
        -Double.Epsilon
        Double.MaxValue
        Double.MinValue
        2.2250738585072014e-308
    |]

let private special32 =
    let own = [| Single.Epsilon; -Single.Epsilon; Single.MaxValue; Single.MinValue; 1.17549435e-38f |]
    Array.append (Array.map float32 special) own

/// All triples of values, as three arrays.
let private triples (values: 'T[]) =
    let n = values.Length
    [ for stride in [ n * n; n; 1 ] -> Array.init (n * n * n) (fun i -> values[i / stride % n]) ]

let private table =
    lazy
        (File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Kernels", "elementary-functions.csv"))
         |> Array.skip 1
         |> Array.map _.Split(',')
         |> Array.groupBy Array.head
         |> Array.map (fun (name, rows) -> Enum.Parse<OpCode> name, [| for row in rows -> float row[1], float row[2] |])
         |> Map.ofArray)

let private ulp (x: float) = max (Math.BitIncrement(abs x) - abs x) Double.Epsilon

let private ulp32 (x: float) =
    let rounded = MathF.Min(MathF.Abs(float32 x), Single.MaxValue)
    max (float (rounded - MathF.BitDecrement rounded)) (float Single.Epsilon)

/// Functions where arguments and results are special; NaN goes to NaN in all of them.
let private limits =
    [
        OpCode.Exp, [ 0.0, 1.0; -0.0, 1.0; infinity, infinity; -infinity, 0.0; 1e5, infinity; -1e5, 0.0 ]
        OpCode.Expm1, [ 0.0, 0.0; -0.0, -0.0; infinity, infinity; -infinity, -1.0; 1e5, infinity; -1e5, -1.0 ]
        OpCode.Log, [ 0.0, -infinity; -0.0, -infinity; 1.0, 0.0; infinity, infinity; -1.0, nan; -infinity, nan ]
        OpCode.Log1p, [ 0.0, 0.0; -0.0, -0.0; -1.0, -infinity; infinity, infinity; -1.5, nan; -infinity, nan ]
        OpCode.Sin, [ 0.0, 0.0; -0.0, -0.0; infinity, nan; -infinity, nan ]
        OpCode.Cos, [ 0.0, 1.0; -0.0, 1.0; infinity, nan; -infinity, nan ]
        OpCode.Tanh, [ 0.0, 0.0; -0.0, -0.0; infinity, 1.0; -infinity, -1.0; 30.0, 1.0; -30.0, -1.0; 1e30, 1.0 ]
        OpCode.Sigmoid, [ 0.0, 0.5; -0.0, 0.5; infinity, 1.0; -infinity, 0.0; 1e5, 1.0; -1e5, 0.0 ]
        OpCode.Softplus, [ infinity, infinity; -infinity, 0.0; 1e30, 1e30; -1e30, 0.0 ]
        OpCode.Erf, [ 0.0, 0.0; -0.0, -0.0; infinity, 1.0; -infinity, -1.0; 10.0, 1.0; -10.0, -1.0 ]
        OpCode.ErfInverse, [ 0.0, 0.0; -0.0, -0.0; 1.0, infinity; -1.0, -infinity; 1.5, nan; -2.0, nan; infinity, nan ]
        OpCode.Sqrt, [ 0.0, 0.0; -0.0, -0.0; infinity, infinity; -1.0, nan ]
        OpCode.ReciprocalSqrt, [ 0.0, infinity; -0.0, -infinity; infinity, 0.0; -1.0, nan; 4.0, 0.5 ]
    ]

[<Tests>]
let tests =
    testList "Unit.Kernels.ElementwiseTests" [
        test "every operation has a reference" {
            for op in operations do
                holds $"{op} has no test" ((arithmetic op).IsSome <> (bound op).IsSome)
        }

        test "arithmetic is that of .NET, special values included" {
            for op in operations do
                match arithmetic op with
                | None -> ()
                | Some reference ->
                    for device in devices do
                        match triples special with
                        | [ a; b; c ] as operands ->
                            let expected = Array.map3 reference a b c
                            same (bits expected) (bits (compute device op operands))
                        | _ -> ()

                        match triples special32 with
                        | [ a; b; c ] as operands ->
                            // Rounding a double result once more changes nothing for these, but for fused sums and
                            // powers.
                            let expected =
                                match op with
                                | OpCode.MultiplyAdd -> Array.map3 (fun a b c -> MathF.FusedMultiplyAdd(a, b, c)) a b c
                                | OpCode.Power -> Array.map2 (fun a b -> MathF.Pow(a, b)) a b
                                | OpCode.Atan2 -> Array.map2 (fun a b -> MathF.Atan2(a, b)) a b
                                | _ -> Array.map3 (fun a b c -> float32 (reference (float a) (float b) (float c))) a b c

                            same (bits expected) (bits (compute device op operands))
                        | _ -> ()
        }

        test "functions are accurate to few units in the last place" {
            for op in operations do
                match bound op with
                | None -> ()
                | Some(bound32, bound64) ->
                    let rows = table.Value[op]
                    let arguments = Array.map fst rows

                    for device in devices do
                        let results = compute device op [ arguments; arguments; arguments ]

                        for (argument, expected), actual in Array.zip rows results do
                            // The table is itself rounded.
                            let error = abs (actual - expected) / ulp expected
                            holds $"{op} {argument}: {actual} for {expected}, {device.Name}" (error <= bound64 + 0.5)

                        let rows = rows |> Array.filter (fun (argument, _) -> float (float32 argument) = argument)
                        holds $"{op}: {rows.Length} arguments" (rows.Length >= 50)
                        let arguments = rows |> Array.map (fst >> float32)
                        let results = compute device op [ arguments; arguments; arguments ]

                        for (argument, expected), actual in Array.zip rows results do
                            if abs expected < float Single.MaxValue then
                                let error = abs (float actual - expected) / ulp32 expected

                                holds
                                    $"{op} {argument}: {actual} for {expected}, float32, {device.Name}"
                                    (error <= bound32)
        }

        test "functions have the right limits, keep the sign of zero, and pass NaN on" {
            same (operations |> List.filter (bound >> Option.isSome) |> set) (limits |> List.map fst |> set)

            for op, cases in limits do
                let arguments, expected = Array.unzip (Array.ofList ((nan, nan) :: cases))

                for device in devices do
                    let results = compute device op [ arguments; arguments; arguments ]
                    holds $"{op}: {results}" (bits results = bits expected)
                    let single = Array.map float32 arguments
                    let results = compute device op [ single; single; single ]
                    holds $"{op}: {results}, float32" (bits results = bits (Array.map float32 expected))
        }

        test "an element's result depends neither on its place nor on the instruction set" {
            let random = Random 1

            for op in operations do
                let operands = [ for _ in 1..3 -> Array.init 200 (fun _ -> 4.0 * random.NextDouble() - 2.0) ]
                let whole = compute devices.Head op operands
                let single = operands |> List.map (Array.map float32)
                let whole32 = compute devices.Head op single

                for device in devices do
                    for start, size in [ 0, 200; 0, 1; 1, 2; 5, 17; 3, 40; 100, 100; 199, 1 ] do
                        let part = Array.skip start >> Array.truncate size
                        same (bits (part whole)) (bits (compute device op (List.map part operands)))
                        let part = Array.skip start >> Array.truncate size
                        same (bits (part whole32)) (bits (compute device op (List.map part single)))
        }
    ]
