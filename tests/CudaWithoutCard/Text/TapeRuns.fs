/// Tapes on the processor, and their text in the interpreter, on the same arrays.
module Curvature.Tests.CudaWithoutCard.TapeRuns

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.Unit.Kernels.Support

/// What the text is compared with.
let device = CpuDevice(1, InstructionSets.Best)

let private sizeOf dtype = if dtype = DType.Float64 then 8L else 4L

let private addressOf (place: Place) (slots: DeviceMemory list) dtype =
    uint64 (slots[place.Slot].Address + nativeint (place.Offset * sizeOf dtype))

let private arraysOf (memory: DeviceMemory seq) : PtxArrays = [ for array in memory -> array.Address, array.Bytes ]

/// Adds up what the pieces of each sum hold, in order, and writes it to the target.
let private addUp
    (tape: TapeDescription)
    (output: TapeOutput)
    (perSum: int64)
    (pieces: float[])
    (target: DeviceMemory)
    =
    let kept = Array.take (tape.Shape.Length - output.SummedAxes) tape.Shape
    let sums = pieces |> Array.chunkBySize (int perSum) |> Array.map Array.sum
    let size = sizeOf tape.DType

    for sum, index in Array.zip sums (indices kept) do
        let offset = output.Target.Place.Offset + int64 (Array.sum (Array.map2 (*) index output.Target.Strides))
        let address = target.Address + nativeint (offset * size)

        if tape.DType = DType.Float64 then
            device.Upload<float>(ReadOnlySpan [| sum |], address)
        else
            device.Upload<float32>(ReadOnlySpan [| float32 sum |], address)

/// Runs the text of a tape on arrays: slot i is array i.
let runText vectors (tape: TapeDescription) (slots: DeviceMemory list) : unit =
    let text = TapeText.Of(tape, vectors)

    if text.Total > 0L then
        let perSum = text.PiecesPerSum

        let pieces =
            [
                for i, output in Seq.indexed tape.Outputs do
                    if perSum[i] > 0L then
                        let kept = Array.take (tape.Shape.Length - output.SummedAxes) tape.Shape
                        i, upload device (Array.create (int perSum[i] * count kept) nan)
            ]

        let target i (output: TapeOutput) =
            match List.tryFind (fst >> (=) i) pieces with
            | Some(_, memory) -> uint64 memory.Address
            | None -> addressOf output.Target.Place slots tape.DType

        let parameters =
            [|
                for input in tape.Inputs -> addressOf input.Place slots tape.DType
                yield! Seq.mapi target tape.Outputs
            |]

        let arrays = arraysOf (slots @ List.map snd pieces)
        PtxInterpreter(text.Kernel.Text).Run(text.Kernel.Blocks, KernelText.Threads, parameters, arrays)

        for i, memory in pieces do
            let output = tape.Outputs[i]
            let values = download<float> device (int (memory.Bytes / 8L)) memory
            addUp tape output perSum[i] values slots[output.Target.Place.Slot]

    slots |> List.iter GC.KeepAlive

/// Runs a tape on the processor.
let runOnProcessor (tape: TapeDescription) (slots: DeviceMemory list) : unit = run device (device.Map tape) slots

/// How many floating point numbers lie between two; 0 for two NaN. Zeros of different sign are one apart.
let distance (expected: 'T) (actual: 'T) : uint64 =
    let ordered (bits: int64) = if bits < 0L then Int64.MinValue - bits - 1L else bits

    let apart (a: int64) (b: int64) =
        let a, b = ordered a, ordered b
        if a > b then uint64 a - uint64 b else uint64 b - uint64 a

    match box expected, box actual with
    | (:? float32 as a), (:? float32 as b) ->
        if Single.IsNaN a && Single.IsNaN b then
            0UL
        else
            let widen (x: float32) = int64 (BitConverter.SingleToInt32Bits x) <<< 32
            apart (widen a) (widen b) >>> 32
    | (:? float as a), (:? float as b) ->
        if Double.IsNaN a && Double.IsNaN b then
            0UL
        else
            apart (BitConverter.DoubleToInt64Bits a) (BitConverter.DoubleToInt64Bits b)
    | _ -> invalidArg (nameof expected) "Expected numbers of one type."

/// Fails, and says where, if two arrays have other bits; any NaN is like any other.
let sameBits (what: string) (expected: 'T[]) (actual: 'T[]) =
    let expectedBits, actualBits = bits expected, bits actual

    if expectedBits <> actualBits then
        let i = Seq.zip expectedBits actualBits |> Seq.findIndex (fun (a, b) -> a <> b)
        let different = Seq.map2 (<>) expectedBits actualBits |> Seq.filter id |> Seq.length

        failtest (
            $"{what}: {different} of {expected.Length} differ, the first at {i}: "
            + $"%A{expected[i]} on the processor, %A{actual[i]} in the text"
        )
