/// Every operation of tapes at arguments of all kinds, somewhere else than on the processor, beside what the processor
/// says.
module Curvature.Tests.CudaWithoutCard.OperationCases

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

let operations = Enum.GetValues<OpCode>() |> List.ofArray

/// An operation over three arrays, on a device and by a way to run tapes there.
let private compute<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (on: Device)
    (runTape: TapeDescription -> DeviceMemory list -> unit)
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

    let memory = [ for operand in operands @ [ Array.zeroCreate size ] -> upload on operand ]
    runTape tape memory
    download<'T> on size memory[3]

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
            failtest $"{what} of %A{arguments}: %A{expected[place]} in the C library, %A{actual[place]} elsewhere"

    distances

/// Most results of the C library's functions are the same, and none is far.
let private mostAgree op dtype tenths (distances: uint64[]) =
    if distances.Length > 0 then
        let same = distances |> Array.filter ((=) 0UL) |> Array.length
        printfn $"{op} {dtype}: {same} of {distances.Length} as in the C library"
        Expect.isGreaterThan "most are the same" (same * 10, distances.Length * tenths)

/// Fails where an operation in Float64 has other bits than the processor's, or is not within 2 units of the C library.
let check64 on runTape op =
    let operands = operands64 op
    let expected, actual = compute device runOnProcessor op operands, compute on runTape op operands
    compare $"{op}" op false id operands (expected, actual) |> mostAgree op DType.Float64 7

/// Fails where an operation in Float32 has other bits than the processor's, or is not within a unit of the C library.
let check32 on runTape op =
    let operands = operands32 op
    let expected, actual = compute device runOnProcessor op operands, compute on runTape op operands
    compare $"{op}" op true float operands (expected, actual) |> mostAgree op DType.Float32 8
