/// Every operation of tapes as text, against the processor, bit for bit.
module Curvature.Tests.CudaWithoutCard.OperationTests

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let private operations = Enum.GetValues<OpCode>() |> List.ofArray

/// The operation over three arrays, on the processor and as text.
let private both<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
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

    let result (runTape: TapeDescription -> DeviceMemory list -> unit) =
        let memory = [ for operand in operands @ [ Array.zeroCreate size ] -> upload device operand ]
        runTape tape memory
        download<'T> device size memory[3]

    result runOnProcessor, result (runText true)

let private special = [| 0.0; -0.0; 1.0; -1.0; 0.5; 3.7; -2.25; 2.0; 3.0; 1e10; -3e-5; infinity; -infinity; nan |]

let private extremes =
    [|
        Double.Epsilon
        -Double.Epsilon
        Double.MaxValue
        Double.MinValue
        2.2250738585072014e-308
        2.2250738585072009e-308
    |]

let private extremes32 =
    [|
        Single.Epsilon
        -Single.Epsilon
        Single.MaxValue
        Single.MinValue
        1.17549435e-38f
        1.1754942e-38f
    |]

let private special64 = Array.append special extremes
let private special32 = Array.append (Array.map float32 special) extremes32

/// All tuples of as many values as an operation has operands, as three arrays.
let private tuples op (values: 'T[]) =
    let n = values.Length

    match OpCodes.Operands op with
    | 3 -> [ for stride in [ n * n; n; 1 ] -> Array.init (n * n * n) (fun i -> values[i / stride % n]) ]
    | _ -> [ for stride in [ n; 1; 1 ] -> Array.init (n * n) (fun i -> values[i / stride % n]) ]

/// Numbers with random bits: of all sizes, subnormal numbers, infinities and NaN among them.
let private anyNumbers (random: Random) count =
    Array.init count (fun _ -> BitConverter.Int64BitsToDouble(random.NextInt64(Int64.MinValue, Int64.MaxValue)))

let private anySingles (random: Random) count =
    Array.init count (fun _ -> BitConverter.Int32BitsToSingle(random.Next(Int32.MinValue, Int32.MaxValue)))

let private moderate (random: Random) largest count =
    Array.init count (fun _ -> largest * (2.0 * random.NextDouble() - 1.0))

/// The arguments at which the values of functions are known.
let private known =
    lazy
        (File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Kernels", "elementary-functions.csv"))
         |> Array.skip 1
         |> Array.map (fun row -> float (row.Split(',')[1]))
         |> Array.distinct)

let private operands64 op =
    let random = Random(int op)

    if OpCodes.Operands op > 1 then
        List.map2 Array.append (tuples op special64) [ for _ in 1..3 -> anyNumbers random 500 ]
        |> List.map (fun values -> Array.append values (moderate random 20.0 1000))
    else
        let values =
            Array.concat [
                special64
                known.Value
                anyNumbers random 1500
                moderate random 3.0 500
                moderate random 1000.0 500
            ]

        [ values; values; values ]

let private operands32 op =
    let random = Random(100 + int op)

    if OpCodes.Operands op > 1 then
        List.map2 Array.append (tuples op special32) [ for _ in 1..3 -> anySingles random 500 ]
        |> List.map (fun values -> Array.append values (moderate random 20.0 1000 |> Array.map float32))
    else
        let values =
            Array.concat [
                special32
                Array.map float32 known.Value
                anySingles random 1500
                moderate random 3.0 500 |> Array.map float32
                moderate random 1000.0 500 |> Array.map float32
            ]

        [ values; values; values ]

/// What the processor leaves to the C library: powers and angles, and sine and cosine of large arguments.
let private isTheirs op (x: float) isSingle =
    match op with
    | OpCode.Power
    | OpCode.Atan2 -> true
    | OpCode.Sin
    | OpCode.Cos -> abs x > (if isSingle then 65536.0 else 1048576.0)
    | _ -> false

/// Compares where the bits must be the same, and returns the distances where the C library has the word.
let private compare what op isSingle (toFloat: 'T -> float) (operands: 'T[] list) (expected: 'T[], actual: 'T[]) =
    let theirs = operands.Head |> Array.map (fun x -> isTheirs op (toFloat x) isSingle)
    let pick wanted = Seq.zip theirs >> Seq.filter (fst >> (=) wanted) >> Seq.map snd >> Array.ofSeq
    sameBits what (pick false expected) (pick false actual)
    let distances = Array.map2 distance (pick true expected) (pick true actual)

    for i in 0 .. distances.Length - 1 do
        let place = pick true (Array.init theirs.Length id) |> Array.item i

        if distances[i] > (if isSingle then 1UL else 2UL) then
            let arguments = [ for operand in operands -> operand[place] ]
            failtest $"{what} of %A{arguments}: %A{expected[place]} in the C library, %A{actual[place]} in the text"

    distances

[<Tests>]
let tests =
    testList "CudaWithoutCard.OperationTests" [
        for op in operations do
            test $"{op} in Float64 has the bits of the processor, or is within 2 units of the C library" {
                let operands = operands64 op
                let distances = compare $"{op}" op false id operands (both op operands)

                if distances.Length > 0 then
                    let same = distances |> Array.filter ((=) 0UL) |> Array.length
                    printfn $"{op} Float64: {same} of {distances.Length} as in the C library"
                    Expect.isGreaterThan "most are the same" (same * 10, distances.Length * 7)
            }

            test $"{op} in Float32 has the bits of the processor, or is within a unit of the C library" {
                let operands = operands32 op
                let distances = compare $"{op}" op true float operands (both op operands)

                if distances.Length > 0 then
                    let same = distances |> Array.filter ((=) 0UL) |> Array.length
                    printfn $"{op} Float32: {same} of {distances.Length} as in the C library"
                    Expect.isGreaterThan "most are the same" (same * 10, distances.Length * 8)
            }
    ]
