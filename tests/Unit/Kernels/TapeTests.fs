/// Tapes against a plain interpreter.
module Curvature.Tests.Unit.Kernels.TapeTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

type private Case =
    {
        Shape: int[]
        Inputs: Layout[]
        Constants: float[]
        Code: Instruction[]
        Outputs: (int * Layout * int) list
    }

    member case.Tape dtype =
        TapeDescription(
            dtype,
            case.Shape,
            [| for i, layout in Seq.indexed case.Inputs -> layout.Operand i |],
            case.Constants,
            case.Code,
            [|
                for i, (register, layout, summed) in Seq.indexed case.Outputs ->
                    TapeOutput(register, layout.Operand(case.Inputs.Length + i), summed)
            |]
        )

let private randomCase (random: Random) =
    let shape = randomShape random
    let inputs = Array.init (random.Next 5) (fun _ -> randomLayout random true shape)
    let constants = Array.init (if inputs.Length = 0 then 1 else random.Next 3) (fun _ -> random.NextDouble() - 0.5)
    let first = inputs.Length + constants.Length

    let ops =
        [|
            OpCode.Add
            OpCode.Add
            OpCode.Multiply
            OpCode.Multiply
            OpCode.Subtract
            OpCode.Maximum
            OpCode.MultiplyAdd
            OpCode.Negate
            OpCode.Select
            OpCode.Greater
            OpCode.Tanh
        |]

    let code =
        Array.init (random.Next 9) (fun i ->
            let register () = random.Next(first + i)
            Instruction(ops[random.Next ops.Length], register (), register (), register ()))

    let outputs =
        [
            for _ in 0 .. random.Next 3 do
                let summed = if random.Next 2 = 0 then 0 else random.Next(shape.Length + 1)
                let kept = Array.take (shape.Length - summed) shape
                random.Next(first + code.Length), randomLayout random false kept, summed
        ]

    {
        Shape = shape
        Inputs = inputs
        Constants = constants
        Code = code
        Outputs = outputs
    }

let private apply op (a: float) b c =
    match op with
    | OpCode.Add -> a + b
    | OpCode.Multiply -> a * b
    | OpCode.Subtract -> a - b
    | OpCode.Maximum -> Math.Max(a, b)
    | OpCode.MultiplyAdd -> a * b + c
    | OpCode.Negate -> -a
    | OpCode.Select -> if a <> 0.0 then b else c
    | OpCode.Greater -> if a > b then 1.0 else 0.0
    | OpCode.Tanh -> Math.Tanh a
    | _ -> invalidArg (nameof op) $"No reference for {op}."

/// What each output should hold, row-major, and the sum of the magnitudes that went into each number.
let private expected (case: Case) (data: float[][]) =
    let results =
        [
            for _, _, summed in case.Outputs ->
                Array.zeroCreate<float>(count (Array.take (case.Shape.Length - summed) case.Shape))
        ]

    let magnitudes = results |> List.map (fun result -> Array.zeroCreate<float> result.Length)

    for position, index in Seq.indexed (indices case.Shape) do
        let registers = ResizeArray<float>()

        for layout, values in Array.zip case.Inputs data do
            registers.Add values[layout.At index]

        registers.AddRange case.Constants

        for instruction in case.Code do
            registers.Add(
                apply instruction.Op registers[instruction.A] registers[instruction.B] registers[instruction.C]
            )

        for i, (register, _, summed) in List.indexed case.Outputs do
            let rows = position / count (Array.skip (case.Shape.Length - summed) case.Shape)
            results[i][rows] <- results[i][rows] + registers[register]
            magnitudes[i][rows] <- magnitudes[i][rows] + abs registers[register] + 1.0

    results, magnitudes

let inline private runCase
    (convert: float -> 'T)
    (back: 'T -> float)
    (device: CpuDevice)
    (case: Case)
    (data: float[][])
    =
    let kernel = device.Map(case.Tape dtypeOf<'T>)
    let inputs = [ for values in data -> upload device (Array.map convert values) ]

    let outputs =
        [
            for _, layout, _ in case.Outputs -> upload device (Array.create layout.Length (convert (float mark)))
        ]

    run device kernel (inputs @ outputs)

    [
        for (_, layout, summed), memory in List.zip case.Outputs outputs do
            let raw = download<'T> device layout.Length memory
            let kept = Array.take (case.Shape.Length - summed) case.Shape
            layout.ReadAlone kept (fun value -> back value = float mark) raw |> Array.map back
    ]

let private close tolerance (results: float[] list, magnitudes: float[] list) (actual: float[] list) =
    List.zip3 results magnitudes actual
    |> List.forall (fun (results, magnitudes, actual) ->
        Array.zip3 results magnitudes actual |> Array.forall (fun (x, scale, y) -> abs (x - y) <= tolerance * scale))

let private sumTape shape summed =
    let kept = Array.take (Array.length shape - summed) shape

    TapeDescription(
        DType.Float32,
        shape,
        [| (denseLayout shape).Operand 0 |],
        [||],
        [| Instruction(OpCode.Tanh, 0) |],
        [|
            TapeOutput(1, (denseLayout kept).Operand 1, summed)
            TapeOutput(0, Operand(2, 0L, [||]), Array.length shape)
        |]
    )

let private malformed: (string * TapeDescription) list =
    let shape = [| 2; 3 |]
    let input = (denseLayout shape).Operand 0
    let output = TapeOutput(0, (denseLayout shape).Operand 1)
    let tape dtype shape inputs code outputs = TapeDescription(dtype, shape, inputs, [||], code, outputs)

    [
        "DType", tape DType.Int32 shape [| input |] [||] [| output |]
        "Shape", tape DType.Float32 [| 2; -3 |] [| input |] [||] [| output |]
        "Inputs", tape DType.Float32 shape [| Operand(0, 0L, [| 1 |]) |] [||] [| output |]
        "Inputs", tape DType.Float32 shape [| Operand(-1, 0L, [| 3; 1 |]) |] [||] [| output |]
        "Code", tape DType.Float32 shape [| input |] [| Instruction(OpCode.Add, 0, 1) |] [| output |]
        "Code", tape DType.Float32 shape [| input |] [| Instruction(enum 999, 0) |] [| output |]
        "Outputs", tape DType.Float32 shape [| input |] [||] [||]
        "Outputs", tape DType.Float32 shape [| input |] [||] [| TapeOutput(4, output.Target) |]
        "Outputs", tape DType.Float32 shape [| input |] [||] [| TapeOutput(0, output.Target, 1) |]
        "Outputs", tape DType.Float32 shape [| input |] [||] [| TapeOutput(0, output.Target, 3) |]
    ]

[<Tests>]
let tests =
    testList "Unit.Kernels.TapeTests" [
        test "random tapes over random layouts agree with an interpreter on all instruction sets and threads" {
            let random = Random 7

            for trial in 1..100 do
                let case = randomCase random

                let data =
                    case.Inputs
                    |> Array.map (fun layout -> Array.init layout.Length (fun _ -> 2.0 * random.NextDouble() - 1.0))

                let reference = expected case data
                let rounded = expected case (data |> Array.map (Array.map (float32 >> float)))

                for device in devices do
                    runCase id id device case data
                    |> close 1e-12 reference
                    |> holds $"trial {trial}, float64, {device.Name}"

                    // A comparison of numbers that float32 cannot tell apart may go the other way.
                    if
                        case.Code
                        |> Array.forall (fun instruction ->
                            instruction.Op <> OpCode.Greater && instruction.Op <> OpCode.Select)
                    then
                        runCase float32 float device case data
                        |> close 1e-5 rounded
                        |> holds $"trial {trial}, float32, {device.Name}"

                let results = teams |> List.map (fun device -> runCase float32 float device case data |> List.map bits)
                results |> List.forall ((=) results.Head) |> holds $"trial {trial}: threads change bits"
        }

        test "long sums are the same bits on any number of threads" {
            for shape, summed in [ [| 1000003 |], 1; [| 3; 200001 |], 1; [| 7; 30; 1025 |], 2; [| 4096; 64 |], 1 ] do
                let random = Random 3
                let values = Array.init (count shape) (fun _ -> float32 (random.NextDouble()) - 0.3f)
                let kept = count (Array.take (shape.Length - summed) shape)

                let results =
                    teams
                    |> List.map (fun device ->
                        let memory =
                            [
                                upload device values
                                upload device (Array.zeroCreate<float32> kept)
                                upload device [| 0f |]
                            ]

                        run device (device.Map(sumTape shape summed)) memory
                        download<float32> device kept memory[1], download<float32> device 1 memory[2])

                results |> List.forall ((=) results.Head) |> holds $"{shape} {summed}"
                let total = values |> Array.sumBy float
                let sum = float (Array.head (snd results.Head))
                holds $"{sum} is not {total}" (abs (sum - total) <= 1e-7 * total)
        }

        test "a target may be an input, in any order of outputs" {
            let shape = [| 5000 |]
            let operand slot = (denseLayout shape).Operand slot

            // Slot 0 ← 2x, slot 1 ← x + y, where slot 0 holds x and slot 1 holds y.
            let tape =
                TapeDescription(
                    DType.Float64,
                    shape,
                    [| operand 0; operand 1 |],
                    [| 2.0 |],
                    [| Instruction(OpCode.Multiply, 0, 2); Instruction(OpCode.Add, 0, 1) |],
                    [| TapeOutput(3, operand 0); TapeOutput(4, operand 1) |]
                )

            for device in devices do
                let x = Array.init 5000 float
                let y = Array.init 5000 (fun i -> 0.5 * float i)
                let memory = [ upload device x; upload device y ]
                run device (device.Map tape) memory
                download<float> device 5000 memory[0] |> same (Array.map (fun v -> 2.0 * v) x)
                download<float> device 5000 memory[1] |> same (Array.map2 (+) x y)
        }

        test "two arrays can change places" {
            let operand slot = (denseLayout [| 3000 |]).Operand slot

            let tape =
                TapeDescription(
                    DType.Float32,
                    [| 3000 |],
                    [| operand 0; operand 1 |],
                    [||],
                    [||],
                    [| TapeOutput(1, operand 0); TapeOutput(0, operand 1) |]
                )

            let device = devices.Head
            let x = Array.init 3000 float32
            let memory = [ upload device x; upload device (Array.map (fun v -> -v) x) ]
            run device (device.Map tape) memory
            download<float32> device 3000 memory[1] |> same x
            download<float32> device 3000 memory[0] |> same (Array.map (fun v -> -v) x)
        }

        test "sums over nothing are zero" {
            let device = devices.Head

            let tape =
                TapeDescription(
                    DType.Float64,
                    [| 3; 0 |],
                    [| Operand(0, 0L, [| 0; 1 |]) |],
                    [||],
                    [||],
                    [| TapeOutput(0, Operand(1, 0L, [| 1 |]), 1) |]
                )

            let memory = [ upload device [| 1.0 |]; upload device [| 7.0; 7.0; 7.0 |] ]
            run device (device.Map tape) memory
            download<float> device 3 memory[1] |> same [| 0.0; 0.0; 0.0 |]
        }

        test "running a tape allocates nothing" {
            for device in teams do
                let shape = [| 64; 1024 |]
                let kernel = device.Map(sumTape shape 1)

                let slots =
                    [
                        upload device (Array.create (count shape) 0.1f)
                        upload device (Array.zeroCreate<float32> 64)
                        upload device [| 0f |]
                    ]

                let addresses = [| for memory in slots -> memory.Address |]

                let allocated () =
                    let before = GC.GetAllocatedBytesForCurrentThread()

                    for _ in 1..100 do
                        kernel.Run(addresses, device.Threads)

                    GC.GetAllocatedBytesForCurrentThread() - before

                // A thread's first run, and its first wait for another, make what later ones use again.
                same 0L (Seq.min [ for _ in 1..5 -> allocated () ])
                slots |> List.iter GC.KeepAlive
        }

        test "a malformed tape is refused with the name of what is wrong" {
            for name, tape in malformed do
                refuses name (fun () -> devices.Head.Map tape |> ignore)
        }
    ]
