/// Whole tapes as text: strides, vectors, sums, and targets that are inputs.
module Curvature.Tests.CudaWithoutCard.TapeTextTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Cuda
open Curvature.Tests.CudaWithoutCard.TapeRuns
open Curvature.Tests.Unit.Kernels.Support

type private Case = { Tape: DType -> TapeDescription; Inputs: Layout[]; Outputs: Layout[] }

/// Operations whose bits do not hang on the C library, wherever their arguments come from.
let private operations =
    Enum.GetValues<OpCode>()
    |> Array.filter (fun op -> op <> OpCode.Power && op <> OpCode.Atan2 && op <> OpCode.Sin && op <> OpCode.Cos)

/// Rows of whole vectors: dense, one row for all, a number for each row, or one number.
let private evenLayout (random: Random) (shape: int[]) =
    match random.Next 4 with
    | 0 -> { denseLayout [| shape[1] |] with Strides = [| 0; 1 |] }
    | 1 -> { denseLayout [| shape[0] |] with Strides = [| 1; 0 |] }
    | 2 -> { denseLayout [||] with Strides = [| 0; 0 |] }
    | _ -> denseLayout shape

let private randomCase (random: Random) even =
    let shape =
        if even then
            [| 1 + random.Next 20; 4 * (1 + random.Next 40) |]
        else
            randomShape random

    let layout mayRepeat = if even then evenLayout random else randomLayout random mayRepeat
    let inputs = Array.init (random.Next 5) (fun _ -> layout true shape)
    let constants = Array.init (if inputs.Length = 0 then 1 else random.Next 3) (fun _ -> random.NextDouble() - 0.5)
    let first = inputs.Length + constants.Length

    let code =
        Array.init (random.Next 9) (fun i ->
            let register () = random.Next(first + i)

            if random.Next 8 = 0 then
                Instruction((if random.Next 2 = 0 then OpCode.Sin else OpCode.Cos), random.Next first)
            else
                Instruction(operations[random.Next operations.Length], register (), register (), register ()))

    let outputs =
        [|
            for _ in 0 .. random.Next 3 do
                let summed = if even || random.Next 2 = 0 then 0 else random.Next(shape.Length + 1)
                let kept = Array.take (shape.Length - summed) shape
                let target = if even then denseLayout kept else randomLayout random false kept
                random.Next(first + code.Length), target, summed
        |]

    let tape dtype =
        TapeDescription(
            dtype,
            shape,
            [| for i, layout in Seq.indexed inputs -> layout.Operand i |],
            constants,
            code,
            [|
                for i, (register, layout, summed) in Seq.indexed outputs ->
                    TapeOutput(register, layout.Operand(inputs.Length + i), summed)
            |]
        )

    {
        Tape = tape
        Inputs = inputs
        Outputs = [| for _, layout, _ in outputs -> layout |]
    }

/// The same tape with the magnitude of every output.
let private magnitudes (tape: TapeDescription) =
    let registers = tape.Inputs.Length + tape.Constants.Length + tape.Code.Length
    let code = [| for output in tape.Outputs -> Instruction(OpCode.Abs, output.Register) |]
    let outputs = tape.Outputs |> Array.mapi (fun i o -> TapeOutput(registers + i, o.Target, o.SummedAxes))
    TapeDescription(tape.DType, tape.Shape, tape.Inputs, tape.Constants, Array.append tape.Code code, outputs)

/// The outputs after a run, with a mark wherever nothing was written.
let private outputs<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (runTape: TapeDescription -> DeviceMemory list -> unit)
    (tape: TapeDescription)
    (case: Case)
    (blank: 'T)
    (data: 'T[][])
    =
    let targets = [ for layout in case.Outputs -> upload device (Array.create layout.Length blank) ]
    runTape tape ([ for values in data -> upload device values ] @ targets)
    [ for layout, memory in Seq.zip case.Outputs targets -> download<'T> device layout.Length memory ]

/// Compares bits of what is stored, and closeness of what is summed.
let private agrees
    what
    tolerance
    (tape: TapeDescription)
    (toFloat: 'T -> float)
    (expected: 'T[] list)
    (scale: 'T[] list)
    (actual: 'T[] list)
    =
    for i, output in Seq.indexed tape.Outputs do
        let expected, actual, scale = expected[i], actual[i], scale[i]

        if output.SummedAxes = 0 then
            sameBits $"{what}, output {i}" expected actual
        else
            for j in 0 .. Array.length expected - 1 do
                let e, a, s = toFloat expected[j], toFloat actual[j], abs (toFloat scale[j])

                if Double.IsFinite s && not (abs (a - e) <= tolerance * s) then
                    failtest $"{what}, output {i}, element {j}: {e:R} on the processor, {a:R} in the text"

let private check vectors what (case: Case) (data: float[][]) =
    let tape = case.Tape DType.Float64
    let runOn runTape tape = outputs runTape tape case (float mark) data
    let scale = runOn runOnProcessor (magnitudes tape)
    agrees $"{what}, Float64" 1e-13 tape id (runOn runOnProcessor tape) scale (runOn (runText vectors) tape)
    let tape = case.Tape DType.Float32
    let runOn runTape tape = outputs runTape tape case (float32 mark) (data |> Array.map (Array.map float32))
    let scale = runOn runOnProcessor (magnitudes tape)
    agrees $"{what}, Float32" 1e-7 tape float (runOn runOnProcessor tape) scale (runOn (runText vectors) tape)

let private stored register (layout: Layout) slot = TapeOutput(register, layout.Operand slot)

/// Runs a tape over dense arrays of one shape, on the processor and as text, and compares all arrays.
let private sameInPlace (shape: int[]) code (outputs: TapeOutput[]) =
    let operand slot = (denseLayout shape).Operand slot
    let inputs = [| operand 0; operand 1 |]
    let tape = TapeDescription(DType.Float32, shape, inputs, [| 2.0 |], code, outputs)

    let after runTape =
        let x = Array.init (count shape) (fun i -> float32 i - 7f)
        let y = Array.init (count shape) (fun i -> 0.5f * float32 i)
        let memory = [ upload device x; upload device y ]
        runTape tape memory
        [ for array in memory -> download<float32> device (count shape) array ]

    Expect.equal "arrays" (after runOnProcessor) (after (runText true))

[<Tests>]
let tests =
    testList "CudaWithoutCard.TapeTextTests" [
        test "random tapes over random layouts have the bits of the processor, and sums within rounding" {
            let random = Random 5
            let mutable vectorized = 0

            for trial in 1..60 do
                let case = randomCase random (trial % 3 = 0)

                let data =
                    case.Inputs |> Array.map (fun i -> Array.init i.Length (fun _ -> 4.0 * random.NextDouble() - 2.0))

                check (trial % 3 = 0 || trial % 2 = 0) $"trial {trial}" case data

                if TapeText.Of(case.Tape DType.Float32, true).Vector > 1 then
                    vectorized <- vectorized + 1

            Expect.isGreaterThan "some read several elements at once" (vectorized, 15)
        }

        test "long and short sums add up, together with each other and with what is stored" {
            for shape, summed in
                [
                    [| 100003 |], [ 1 ]
                    [| 3; 20001 |], [ 1; 2; 0 ]
                    [| 7; 30; 1025 |], [ 2; 1; 0 ]
                    [| 4096; 64 |], [ 1; 0 ]
                    [| 700; 3 |], [ 1; 2 ]
                    [| 513; 1 |], [ 1; 2 ]
                    [| 2; 9; 31 |], [ 3; 2; 1; 0 ]
                ] do
                let layout = denseLayout shape
                let kept summed = denseLayout (Array.take (shape.Length - summed) shape)

                let case =
                    {
                        Inputs = [| layout |]
                        Outputs = [| for axes in summed -> kept axes |]
                        Tape =
                            fun dtype ->
                                TapeDescription(
                                    dtype,
                                    shape,
                                    [| layout.Operand 0 |],
                                    [||],
                                    [| Instruction(OpCode.Tanh, 0) |],
                                    [|
                                        for i, axes in Seq.indexed summed ->
                                            TapeOutput(1, (kept axes).Operand(1 + i), axes)
                                    |]
                                )
                    }

                let random = Random 3
                check false $"%A{shape}" case [| Array.init (count shape) (fun _ -> random.NextDouble() - 0.3) |]
        }

        test "a target may be an input, in any order of outputs, and arrays can change places" {
            for shape in [ [| 2000 |]; [| 37; 11 |] ] do
                let layout = denseLayout shape

                sameInPlace shape [| Instruction(OpCode.Multiply, 0, 2); Instruction(OpCode.Add, 0, 1) |] [|
                    stored 3 layout 0
                    stored 4 layout 1
                |]

                sameInPlace shape [||] [| stored 1 layout 0; stored 0 layout 1 |]
        }

        test "several elements are read at once where rows are long enough, and not where places do not allow it" {
            let vector dtype (shape: int[]) (strides: int[]) offset =
                let tape =
                    TapeDescription(
                        dtype,
                        shape,
                        [| Operand(0, offset, strides) |],
                        [||],
                        [||],
                        [| TapeOutput(0, (denseLayout shape).Operand 1) |]
                    )

                TapeText.Of(tape, true).Vector

            Expect.equal "dense" 4 (vector DType.Float32 [| 8; 12 |] [| 12; 1 |] 0L)
            Expect.equal "dense doubles" 2 (vector DType.Float64 [| 8; 12 |] [| 12; 1 |] 0L)
            Expect.equal "a row for all" 4 (vector DType.Float32 [| 8; 12 |] [| 0; 1 |] 4L)
            Expect.equal "a number for each row" 4 (vector DType.Float32 [| 8; 12 |] [| 1; 0 |] 3L)
            Expect.equal "one number" 4 (vector DType.Float32 [| 8; 12 |] [| 0; 0 |] 3L)
            Expect.equal "an odd start" 1 (vector DType.Float32 [| 8; 12 |] [| 12; 1 |] 2L)
            Expect.equal "rows that start anywhere" 1 (vector DType.Float32 [| 8; 12 |] [| 13; 1 |] 0L)
            Expect.equal "short rows" 1 (vector DType.Float32 [| 8; 6 |] [| 0; 1 |] 0L)
            Expect.equal "columns" 1 (vector DType.Float32 [| 8; 12 |] [| 1; 8 |] 0L)
        }

        test "equal work has equal text, wherever its arrays lie" {
            let text slot offset =
                let layout = denseLayout [| 30; 7 |]

                let tape =
                    TapeDescription(
                        DType.Float32,
                        [| 30; 7 |],
                        [| Operand(slot, offset, layout.Strides) |],
                        [||],
                        [| Instruction(OpCode.Exp, 0) |],
                        [| TapeOutput(1, layout.Operand(slot + 1)) |]
                    )

                TapeText.Of(tape, true).Kernel.Text

            Expect.equal "texts" (text 0 0L) (text 5 60L)
        }

        test "a shape without elements has no text" {
            let tape =
                TapeDescription(
                    DType.Float64,
                    [| 3; 0 |],
                    [| Operand(0, 0L, [| 0; 1 |]) |],
                    [||],
                    [||],
                    [| TapeOutput(0, Operand(1, 0L, [| 1 |]), 1) |]
                )

            Expect.equal "blocks" 0L (TapeText.Of(tape, true).Kernel.Blocks)
        }

        test "a malformed tape is refused with the name of what is wrong" {
            refuses "Outputs" (fun () ->
                TapeText.Of(TapeDescription(DType.Float32, [| 2 |], [||], [| 1.0 |], [||], [||]), true) |> ignore)
        }
    ]
