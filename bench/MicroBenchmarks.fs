namespace Curvature.Bench

open System
open BenchmarkDotNet.Attributes
open Curvature
open Curvature.Kernels

/// Contractions of the shapes that dense layers make, on one thread.
type ContractionBenchmark() =
    let device = CpuDevice(1, InstructionSets.Best)
    let blocks = Array.init 3 (fun _ -> device.Allocate(4L <<< 20))
    let table = blocks |> Array.map _.Address
    let mutable kernel: Kernel = Unchecked.defaultof<Kernel>

    /// Rows, columns and inner length.
    static member Shapes = [ "64x64x64"; "128x128x64"; "10x128x128"; "128x10x128"; "128x128x10"; "256x512x512" ]

    [<ParamsSource("Shapes")>]
    member val Shape = "" with get, set

    [<GlobalSetup>]
    member this.Setup() =
        let sizes = this.Shape.Split 'x' |> Array.map int
        let m, n, k = sizes[0], sizes[1], sizes[2]

        for block in blocks do
            device.Upload(ReadOnlySpan(Array.zeroCreate<float32>(1 <<< 20)), block.Address)

        let axes =
            [|
                ContractionAxis(AxisRole.Left, m, k, 0, n)
                ContractionAxis(AxisRole.Right, n, 0, 1, 1)
                ContractionAxis(AxisRole.Inner, k, 1, n, 0)
            |]

        let place slot = Place(slot, 0L)
        kernel <- device.Contract(ContractionDescription(DType.Float32, axes, place 0, place 1, place 2))

    [<Benchmark>]
    member _.Contract() = kernel.Run(table, 1)

/// Elementwise tapes of one instruction over 16 384 float32 numbers, on one thread.
type ElementwiseBenchmark() =
    let count = 16384
    let device = CpuDevice(1, InstructionSets.Best)
    let blocks = Array.init 2 (fun _ -> device.Allocate(int64 count * 4L))
    let table = blocks |> Array.map _.Address
    let mutable kernel: Kernel = Unchecked.defaultof<Kernel>

    [<Params(OpCode.Multiply, OpCode.Exp, OpCode.Log, OpCode.Tanh, OpCode.Sigmoid, OpCode.Erf)>]
    member val Op = OpCode.Multiply with get, set

    [<GlobalSetup>]
    member this.Setup() =
        device.Upload(ReadOnlySpan(Array.init count (fun i -> 0.1f + float32 i / float32 count)), table[0])
        let code = [| Instruction(this.Op, 0, 0, 0) |]
        let input, output = Operand(0, 0L, [| 1 |]), Operand(1, 0L, [| 1 |])

        kernel <-
            device.Map(
                TapeDescription(DType.Float32, [| count |], [| input |], [||], code, [| TapeOutput(1, output) |])
            )

    [<Benchmark>]
    member _.Map() = kernel.Run(table, 1)
