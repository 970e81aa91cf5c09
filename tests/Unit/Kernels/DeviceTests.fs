/// Memory and threads of the processor as a device.
module Curvature.Tests.Unit.Kernels.DeviceTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support
open Curvature.Tests

[<Tests>]
let tests =
    testList "Unit.Kernels.DeviceTests" [
        testCase "memory is aligned, keeps what is put into it, and knows its size and device" (fun () ->
            let device = CpuDevice(1, InstructionSet.Portable)

            for bytes in [ 0L; 1L; 4L; 63L; 64L; 65L; 1000L; 4097L; 1_000_000L ] do
                use memory = device.Allocate bytes
                same 0n (memory.Address % 64n)
                same bytes memory.Bytes
                Expect.isTrue "memory.Device" (obj.ReferenceEquals(memory.Device, device))
                let values = Array.init (int bytes) byte
                device.Upload<byte>(ReadOnlySpan values, memory.Address)
                let back = Array.zeroCreate<byte> values.Length
                device.Download<byte>(memory.Address, Span back)
                same values back)

        test "blocks in use do not overlap" {
            let device = CpuDevice.Shared
            let random = Random 1
            let blocks = [| for _ in 1..500 -> device.Allocate(int64 (random.Next 3000)) |]

            let extents =
                blocks |> Array.map (fun block -> block.Address, block.Address + nativeint block.Bytes) |> Array.sort

            Array.pairwise extents |> Array.forall (fun ((_, stop), (start, _)) -> stop <= start) |> holds "overlap"
            blocks |> Array.iter (fun block -> block.Dispose())
        }

        test "a block that was given back is used again, and giving it back twice does nothing" {
            let device = CpuDevice(1, InstructionSet.Portable)
            let first = device.Allocate 5000L
            let address = first.Address
            first.Dispose()
            first.Dispose()
            let second = device.Allocate 4900L
            let third = device.Allocate 4900L
            same address second.Address
            holds "the same block twice" (third.Address <> address)
            Expect.caught<ObjectDisposedException>(fun () -> first.Address |> ignore) |> ignore
        }

        test "blocks that nobody refers to come back, so that loops do not grow" {
            let device = CpuDevice(1, InstructionSet.Portable)
            let addresses = Collections.Generic.HashSet<nativeint>()

            for _ in 1..2000 do
                addresses.Add((device.Allocate 4_000_000L).Address) |> ignore

            holds $"{addresses.Count} blocks of 4 MB" (addresses.Count < 200)
        }

        test "a negative size is refused" { refuses "bytes" (fun () -> CpuDevice.Shared.Allocate -1L |> ignore) }

        testCase "every part runs once, in nested and in concurrent calls too" (fun () ->
            for device in teams do
                let runs = Array.zeroCreate<int> 100

                let nested =
                    Action<int>(fun i ->
                        device.Parallel(10, fun j -> Interlocked.Increment(&runs[10 * i + j]) |> ignore))

                for round in 1..200 do
                    device.Parallel(10, nested)
                    same (Array.create 100 round) runs

                let total = ref 0
                let body = Action<int>(fun _ -> Interlocked.Increment total |> ignore)

                let threads =
                    [
                        for _ in 1..4 ->
                            Thread(fun () ->
                                for _ in 1..500 do
                                    device.Parallel(7, body))
                    ]

                threads |> List.iter _.Start()
                threads |> List.iter _.Join()
                same (4 * 500 * 7) total.Value)

        test "the exception of the first part that throws comes out" {
            for device in teams do
                for _ in 1..100 do
                    let body = Action<int>(fun i -> if i >= 3 then invalidOp $"part {i}")
                    let error = Expect.caught<InvalidOperationException>(fun () -> device.Parallel(20, body))
                    same "part 3" error.Message
        }

        test "a device needs a thread, and instructions that the machine has" {
            let make threads set () = CpuDevice(threads, set) |> ignore
            Expect.thrown<ArgumentRangeException>(make 0 InstructionSet.Portable) |> ignore
            Expect.thrown<ArgumentRangeException>(make 2000 InstructionSet.Portable) |> ignore
            Expect.thrown<DeviceException>(make 1 (enum 9)) |> ignore
            same "cpu (portable, 1 thread)" (CpuDevice(1, InstructionSet.Portable).Name)
            same 3 (CpuDevice(3, InstructionSet.Portable).Threads)
        }
    ]
