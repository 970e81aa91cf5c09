/// The calls of the driver against a stub: errors at every call, lifetimes, out of memory, and no driver at all.
module Curvature.Tests.CudaWithoutCard.DriverTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Cuda
open Curvature.Kernels
open Curvature.Tests

let private alive () =
    [ for kind in Enum.GetValues<StubKind>() -> kind, Stub.live kind ]
    |> List.filter (fun (_, count) -> count <> 0L)

/// Something of everything that a device does: returns only where nothing failed.
let private work () =
    use device = Stub.openDevice ()
    use source = device.Allocate 4000L
    use target = device.Allocate 4000L
    device.Upload<float32>(ReadOnlySpan(Array.create 1000 1f), source.Address)
    let dense slot = Operand(slot, 0L, [| 1 |])
    let copy = device.Copy(CopyDescription(DType.Float32, DType.Int32, [| 1000 |], dense 0, dense 1))
    copy.Run([| source.Address; target.Address |], 1)

    let tape =
        TapeDescription(
            DType.Float32,
            [| 1000 |],
            [| dense 0 |],
            [||],
            [| Instruction(OpCode.Exp, 0) |],
            [| TapeOutput(1, dense 1) |]
        )

    (device.Map tape).Run([| source.Address; target.Address |], 1)

    let plain =
        ContractionDescription(
            DType.Float32,
            [| ContractionAxis(AxisRole.Inner, 900, 1, 1, 0) |],
            Place(0, 0L),
            Place(0, 0L),
            Place(1, 0L)
        )

    (device.Contract plain).Run([| source.Address; target.Address |], 1)
    let values = Array.zeroCreate<float32> 1000
    device.Download<float32>(target.Address, Span values)

[<Tests>]
let tests =
    testSequenced
    <| testList "CudaWithoutCard.DriverTests" [
        test "all that was taken is given back, and nothing is done that must not be" {
            Stub.reset ()
            work ()
            Expect.equal "alive" [] (alive ())
            Expect.equal "misuses" 0 (Stub.misuses ())
        }

        test "an error at any call is a typed exception that names it, and nothing is left behind" {
            Stub.reset ()
            work ()
            let calls = Stub.calls ()
            Expect.isGreaterThan "calls" (calls, 40)
            let mutable raised = 0

            for call in 0 .. calls - 1 do
                for code in [ 999; 700; 2; 1 ] do
                    Stub.reset ()
                    Stub.fail "" call code

                    try
                        work ()
                    with
                    | :? CudaException as error ->
                        raised <- raised + 1
                        Expect.equal $"call {call}" code error.Code
                        Expect.stringContains "the number" $"({code})" error.Message
                        Expect.equal "lost" (code = 999 || code = 700) error.IsLost
                    | :? DeviceMemoryException as error ->
                        raised <- raised + 1
                        Expect.equal $"call {call}" 2 code
                        Expect.stringContains "the size" "bytes" error.Message

                    Expect.equal $"call {call}, code {code}: misuses" 0 (Stub.misuses ())

                    // A card that is lost takes nothing back; the driver frees all when the process ends. Nor can what
                    // the driver failed to take back be given back.
                    if code <> 999 && code <> 700 then
                        for kind, count in alive () do
                            if kind <> StubKind.Bytes then
                                Expect.isLessThanOrEqual $"call {call}, code {code}: {kind}" (count, 1L)

            // Errors while things are given back are swallowed, because finalizers come there, too.
            Expect.isGreaterThan "raised" (raised, calls * 2)
        }

        test "a block goes back when its array does, or when nothing refers to it" {
            Stub.reset ()
            use device = Stub.openDevice ()
            let before = Stub.live StubKind.Blocks
            (device.Allocate 1000L).Dispose()
            Expect.equal "in use" 1L (int64 (device.Pool.InUse / 64L))

            let forget () = device.Allocate 100000L |> ignore

            for _ in 1..10 do
                forget ()

            GC.Collect()
            GC.WaitForPendingFinalizers()
            GC.Collect()
            Expect.isLessThan "in use" (device.Pool.InUse, 2000L)
            device.Pool.Trim()
            Expect.equal "blocks" before (Stub.live StubKind.Blocks)
        }

        test "out of memory says how much was asked for and what to do, and the device goes on" {
            Stub.reset ()
            Stub.capacity 1_000_000L
            use device = Stub.openDevice ()

            Expect.error<DeviceMemoryException> [ "2000000 bytes" ] (fun () -> device.Allocate 2_000_000L |> ignore)

            use held = device.Allocate 600_000L
            Expect.equal "bytes" 600_000L held.Bytes

            // What waits in the pool is given back first.
            (device.Allocate 250_000L).Dispose()
            use other = device.Allocate 320_000L
            Expect.equal "bytes" 320_000L other.Bytes
            Expect.equal "misuses" 0 (Stub.misuses ())
        }

        test "no driver, no card, another card and an old one are errors that say what to do" {
            Expect.error<DeviceException> [ "no driver"; "Install" ] (fun () ->
                CudaLibrary.Load "libnothing-there.so.9" |> ignore)

            Expect.error<DeviceException> [ "lacks cuInit"; "450" ] (fun () -> CudaLibrary.Load "libc.so.6" |> ignore)
            let openCard ordinal () = (new CudaContext(Stub.driver (), ordinal)).Dispose()
            Stub.reset ()
            Stub.fail "cuInit" 0 100
            Expect.error<CudaException> [ "CUDA_ERROR_NO_DEVICE"; "nvidia-smi" ] (openCard 0)
            Stub.reset ()
            Expect.error<DeviceException> [ "from 0 to 0"; "got 1" ] (openCard 1)
            Stub.reset ()
            Stub.cards 2 7 5
            Expect.error<DeviceException> [ "7.5"; "8.0" ] (openCard 1)
            Expect.equal "alive" [] (alive ())
        }

        test "on this machine a card is opened or the reason is said" {
            let opened, device, reason = CudaDevice.TryOpen()

            match device with
            | null ->
                Expect.isFalse "opened" opened
                Expect.isGreaterThan "a reason" (reason.Length, 40)
            | device ->
                Expect.isTrue "opened" opened
                device.Dispose()
        }

        test "a text that the driver refuses is an error with what it said" {
            Stub.reset ()
            use context = new CudaContext(Stub.driver (), 0)

            Expect.error<CudaException> [ "INVALID_PTX"; "line 1: no kernel"; "report" ] (fun () ->
                context.LoadModule "not PTX" |> ignore)

            let loaded = context.LoadModule(FixedKernels.Text "copies")

            Expect.error<CudaException> [ "the kernel none"; "NOT_FOUND" ] (fun () ->
                context.Function(loaded, "none") |> ignore)
        }

        test "a card that was closed refuses work, and takes its memory as gone" {
            Stub.reset ()
            let device = Stub.openDevice ()
            let memory = device.Allocate 100L
            device.Dispose()
            device.Dispose()

            Expect.error<DeviceException> [ "was closed" ] (fun () ->
                device.Upload<float32>(ReadOnlySpan [| 1f |], memory.Address))

            memory.Dispose()
            Expect.equal "alive" [] (alive ())
            Expect.equal "misuses" 0 (Stub.misuses ())
        }

        test "threads may use a device together" {
            Stub.reset ()
            use device = Stub.openDevice ()

            Threading.Tasks.Parallel.For(
                0,
                8,
                fun i ->
                    for _ in 1..50 do
                        use memory = device.Allocate 800L
                        device.Upload<float>(ReadOnlySpan(Array.create 100 (float i)), memory.Address)
                        let values = Array.zeroCreate<float> 100
                        device.Download<float>(memory.Address, Span values)
                        if values[99] <> float i then failtest "another thread's numbers"
            )
            |> ignore

            // The stub has one current context for all threads, as a process with one context has.
            Expect.equal "misuses" 0 (Stub.misuses ())
        }
    ]
