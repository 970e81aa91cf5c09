/// Strided copies against plain loops.
module Curvature.Tests.Unit.Kernels.CopyTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

let private copyOn<'S, 'T
    when 'S: unmanaged
    and 'S: (new: unit -> 'S)
    and 'S: struct
    and 'S :> ValueType
    and 'T: unmanaged
    and 'T: (new: unit -> 'T)
    and 'T: struct
    and 'T :> ValueType
    and 'T: equality>
    shape
    (source: Layout)
    (target: Layout)
    (blank: 'T)
    (buffer: 'S[])
    (device: CpuDevice)
    =
    let kernel = device.Copy(CopyDescription(dtypeOf<'S>, dtypeOf<'T>, shape, source.Operand 0, target.Operand 1))
    let memory = [ upload device buffer; upload device (Array.create target.Length blank) ]
    run device kernel memory
    download<'T> device target.Length memory[1] |> target.ReadAlone shape ((=) blank)

[<Tests>]
let tests =
    testList "Unit.Kernels.CopyTests" [
        test "random copies between random layouts move every element to its place and nothing else" {
            let random = Random 5

            for trial in 1..80 do
                let shape =
                    if trial % 10 = 0 then
                        [| 1 + random.Next 3; 1 + random.Next 200; 1 + random.Next 200 |]
                    else
                        randomShape random

                let source = randomLayout random true shape
                let target = randomLayout random false shape
                let buffer = Array.init source.Length id
                let expected = source.Read shape buffer

                for device in devices @ teams do
                    copyOn shape source target mark buffer device |> same expected

                    copyOn shape source target (float mark) (Array.map float buffer) device
                    |> same (Array.map float expected)

                    copyOn shape source target (float32 mark) (Array.map float buffer) device
                    |> same (Array.map float32 expected)
        }

        test "a large transpose is a transpose" {
            let rows, columns = 517, 1030
            let source = denseLayout [| rows; columns |]
            let target = { source with Strides = [| 1; rows |] }

            for device in devices @ teams do
                let values = Array.init (rows * columns) float32
                let expected = Array.init (rows * columns) (fun i -> values[i % rows * columns + i / rows])

                let kernel =
                    device.Copy(
                        CopyDescription(
                            DType.Float32,
                            DType.Float32,
                            [| rows; columns |],
                            source.Operand 0,
                            target.Operand 1
                        )
                    )

                let memory = [ upload device values; upload device (Array.zeroCreate<float32> values.Length) ]
                run device kernel memory
                download<float32> device values.Length memory[1] |> same expected
        }

        test "conversion to integers drops the fraction and stays in range" {
            let values = [| 0.0; -0.0; 1.9; -1.9; 1e10; -1e10; infinity; -infinity; nan; 2147483647.0 |]

            let expected =
                [| 0; 0; 1; -1; Int32.MaxValue; Int32.MinValue; Int32.MaxValue; Int32.MinValue; 0; Int32.MaxValue |]

            for stride in [ 1; 2 ] do
                let spread = { Strides = [| stride |]; Offset = 0; Length = stride * values.Length }
                let buffer = Array.init spread.Length (fun i -> values[i / stride])

                for device in devices do
                    copyOn [| values.Length |] spread (denseLayout [| values.Length |]) 9 buffer device |> same expected

                    copyOn
                        [| values.Length |]
                        spread
                        (denseLayout [| values.Length |])
                        9
                        (Array.map float32 buffer)
                        device
                    |> same expected
        }

        test "conversions between floating point numbers round to nearest" {
            let values = Array.init 1000 (fun i -> sin (float i) * 10.0 ** float (i % 80 - 40))
            let layout = denseLayout [| 1000 |]
            copyOn [| 1000 |] layout layout 0f values devices.Head |> same (Array.map float32 values)

            copyOn [| 1000 |] layout layout 0.0 (Array.map float32 values) devices.Head
            |> same (Array.map (float32 >> float) values)

            let integers = Array.init 1000 (fun i -> i * 2147483)
            copyOn [| 1000 |] layout layout 0f integers devices.Head |> same (Array.map float32 integers)
        }

        test "a malformed copy is refused with the name of what is wrong" {
            let operand slot = (denseLayout [| 2; 3 |]).Operand slot

            let bad =
                [
                    "SourceDType", CopyDescription(enum 9, DType.Float32, [| 2; 3 |], operand 0, operand 1)
                    "TargetDType", CopyDescription(DType.Float32, enum 9, [| 2; 3 |], operand 0, operand 1)
                    "Shape", CopyDescription(DType.Float32, DType.Float32, [| 2; -3 |], operand 0, operand 1)
                    "Source",
                    CopyDescription(DType.Float32, DType.Float32, [| 2; 3 |], Operand(0, 0L, [| 1 |]), operand 1)
                    "Target",
                    CopyDescription(DType.Float32, DType.Float32, [| 2; 3 |], operand 0, Operand(1, -1L, [| 3; 1 |]))
                ]

            for argument, copy in bad do
                refuses argument (fun () -> devices.Head.Copy copy |> ignore)
        }
    ]
