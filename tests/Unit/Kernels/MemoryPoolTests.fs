/// Memory that a device keeps, and gives back.
module Curvature.Tests.Unit.Kernels.MemoryPoolTests

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support
open Curvature.Tests

/// A system with a limited number of bytes, which says how many it has given out.
type private SmallHost(limit: int64) =
    inherit HostMemory()
    let sizes = Dictionary<nativeint, int64>()
    let mutable held = 0L

    member _.Held = lock sizes (fun () -> held)

    override _.Allocate(bytes, alignment) =
        lock sizes (fun () ->
            if held + bytes > limit then raise (OutOfMemoryException())
            let address = HostMemory.System.Allocate(bytes, alignment)
            sizes.Add(address, bytes)
            held <- held + bytes
            address)

    override _.Free(address) =
        lock sizes (fun () ->
            // An address that was given back twice is not there.
            held <- held - sizes[address]
            sizes.Remove address |> ignore

        )

        HostMemory.System.Free address

/// A clock that goes on when it is told to, and then calls its timers.
type private FakeClock() =
    inherit TimeProvider()
    let mutable now = 0L
    let due = List<struct (int64 ref * (unit -> unit))>()

    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override _.GetTimestamp() = Volatile.Read &now

    override _.CreateTimer(callback, state, _, _) =
        let at = ref Int64.MaxValue
        lock due (fun () -> due.Add(struct (at, (fun () -> callback.Invoke state))))

        { new ITimer with
            member _.Change(time, _) =
                at.Value <- if time = Timeout.InfiniteTimeSpan then Int64.MaxValue else now + time.Ticks
                true

            member _.Dispose() = at.Value <- Int64.MaxValue
            member _.DisposeAsync() = Threading.Tasks.ValueTask()
        }

    member _.Advance(seconds: float) =
        let until = now + TimeSpan.FromSeconds(seconds).Ticks
        let next () = lock due (fun () -> due |> Seq.minBy (fun struct (at, _) -> at.Value))
        let mutable go = true

        while go do
            let struct (at, call) = next ()
            go <- at.Value <= until

            if go then
                now <- at.Value
                at.Value <- Int64.MaxValue
                call ()

        now <- until

let private mebi = 1L <<< 20

let private make limit =
    let host, clock = SmallHost limit, FakeClock()
    let options = PoolOptions(1000L * mebi, TimeSpan.FromSeconds 30.0, Host = host, Clock = clock)
    let device = CpuDevice(2, InstructionSet.Portable, options)
    host, clock, device

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private drop (device: CpuDevice) count bytes =
    for _ in 1..count do
        device.Allocate bytes |> ignore

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private forget host clock =
    let options = PoolOptions(1000L * mebi, TimeSpan.FromSeconds 30.0, Host = host, Clock = clock)
    let device = CpuDevice(1, InstructionSet.Portable, options)
    (device.Allocate mebi).Dispose()
    WeakReference device

[<Tests>]
let tests =
    testList "Unit.Kernels.MemoryPoolTests" [
        test "after a time of much memory, what nobody refers to comes back as early as before" {
            let host, clock, device = make Int64.MaxValue
            let blocks = [ for _ in 1..100 -> device.Allocate(8L * mebi) ]
            blocks |> List.iter _.Dispose()
            clock.Advance 31.0
            same 0L host.Held
            drop device 500 mebi
            Expect.isTrue $"{host.Held / mebi} MiB" (host.Held < 300L * mebi)
        }

        test "memory that waited 30 seconds unused goes back to the system, and what was used meanwhile stays" {
            let host, clock, device = make Int64.MaxValue
            let blocks = [ for _ in 1..4 -> device.Allocate mebi ]
            let other = device.Allocate(2L * mebi)
            same (6L * mebi) host.Held
            blocks |> List.iter _.Dispose()
            other.Dispose()
            same (6L * mebi) host.Held
            clock.Advance 20.0
            // The block that came last is taken, and comes back.
            (device.Allocate mebi).Dispose()
            same (6L * mebi) host.Held
            clock.Advance 9.0
            same (6L * mebi) host.Held
            clock.Advance 1.5
            same mebi host.Held
            same mebi device.Pool.Unused
            clock.Advance 18.0
            same mebi host.Held
            clock.Advance 2.0
            same 0L host.Held
            same 0L device.Pool.Unused
            // The timer starts again with the next block.
            (device.Allocate mebi).Dispose()
            clock.Advance 31.0
            same 0L host.Held
        }

        testCase "memory in use does not go back, however long" (fun () ->
            let host, clock, device = make Int64.MaxValue
            use block = device.Allocate mebi
            (device.Allocate mebi).Dispose()
            clock.Advance 1000.0
            same mebi host.Held
            device.Upload<byte>(ReadOnlySpan(Array.zeroCreate<byte>(int mebi)), block.Address))

        test "unused memory of other sizes goes back before there is said to be none" {
            let host, _, device = make (10L * mebi)

            for block in [ for _ in 1..8 -> device.Allocate mebi ] do
                block.Dispose()

            same (8L * mebi) host.Held
            use large = device.Allocate(8L * mebi)
            same (8L * mebi) host.Held
            same (8L * mebi) device.Pool.InUse
            same 0L device.Pool.Unused
            same (8L * mebi) large.Bytes
        }

        test "memory that nobody refers to is collected before there is said to be none" {
            let host, _, device = make (10L * mebi)
            // Of the same size, where a collected block is used again, and of another, where it goes back first.
            drop device 8 mebi
            use large = device.Allocate(8L * mebi)
            same (8L * mebi) host.Held
            large.Dispose()
            drop device 1 (8L * mebi)
            use again = device.Allocate(8L * mebi)
            same (8L * mebi) host.Held
            same (8L * mebi) again.Bytes
        }

        test "where there is no memory, the error names the size, and smaller blocks are still had" {
            let host, _, device = make (10L * mebi)
            use held = device.Allocate(4L * mebi)

            for _ in 1..2 do
                let error = Expect.thrown<DeviceMemoryException>(fun () -> device.Allocate 12_345_678L |> ignore)

                holds
                    error.Message
                    (error.Message.Contains "12345678 bytes" && error.Message.Contains $"{4L * mebi} bytes in use")

                holds "the system's own error" (error.InnerException :? OutOfMemoryException)

            // What was refused is not counted.
            same (4L * mebi) device.Pool.InUse
            use small = device.Allocate(6L * mebi)
            same (10L * mebi) host.Held
            same (6L * mebi) small.Bytes
            same (4L * mebi) held.Bytes
        }

        test "sizes that no processor can address, and negative ones, are refused at once" {
            let host, _, device = make Int64.MaxValue
            refuses "bytes" (fun () -> device.Allocate Int64.MinValue |> ignore)

            for bytes in [ (1L <<< 48) + 1L; Int64.MaxValue ] do
                let error = Expect.thrown<DeviceMemoryException>(fun () -> device.Allocate bytes |> ignore)
                holds error.Message (error.Message.Contains $"{bytes} bytes")

            same 0L host.Held
        }

        testCase
            "many threads take and give back while unused memory goes back, and no block is in two hands"
            (fun () ->
                let host, clock, device = make (64L * mebi)
                let mutable clashes = 0
                let mutable running = 6

                let work seed () =
                    let random = Random(seed: int)
                    let mine = Queue<DeviceMemory>()

                    for _ in 1..4000 do
                        let block = device.Allocate(int64 (8 + random.Next 100_000))
                        Marshal.WriteInt32(block.Address, seed)
                        Marshal.WriteInt32(block.Address, int block.Bytes - 4, seed)
                        mine.Enqueue block

                        if mine.Count > random.Next 20 then
                            let block = mine.Dequeue()

                            if
                                Marshal.ReadInt32 block.Address <> seed
                                || Marshal.ReadInt32(block.Address, int block.Bytes - 4) <> seed
                            then
                                Interlocked.Increment &clashes |> ignore

                            block.Dispose()

                    for block in mine do
                        block.Dispose()

                    Interlocked.Decrement &running |> ignore

                let threads = [ for seed in 1..6 -> Thread(work seed) ]
                threads |> List.iter _.Start()

                while Volatile.Read &running > 0 do
                    clock.Advance 31.0
                    device.Pool.Trim()

                threads |> List.iter _.Join()
                same 0 clashes
                same 0L device.Pool.InUse
                device.Pool.Trim()
                same (0L, 0L) (device.Pool.Unused, host.Held))

        test "a device that nobody refers to gives its memory back, though a timer waits" {
            let host, clock = SmallHost Int64.MaxValue, FakeClock()
            let device = forget host clock
            same mebi host.Held

            for _ in 1..3 do
                GC.Collect()
                GC.WaitForPendingFinalizers()

            same (false, 0L) (device.IsAlive, host.Held)
            clock.Advance 100.0
        }

        test "the time that unused memory waits is above 0, or for ever" {
            let make (time: TimeSpan) () = CpuDevice(1, InstructionSet.Portable, time) |> ignore
            make (TimeSpan.FromMilliseconds 1.0) ()
            make Timeout.InfiniteTimeSpan ()

            for time in [ TimeSpan.Zero; TimeSpan.FromSeconds -2.0; TimeSpan.MaxValue ] do
                let error = Expect.thrown<ArgumentRangeException>(make time)
                holds error.Message (error.Message.Contains "idleTime")
        }

        test "by the real clock, too, unused memory goes back" {
            let host = SmallHost Int64.MaxValue
            let options = PoolOptions(1000L * mebi, TimeSpan.FromMilliseconds 50.0, Host = host)
            let device = CpuDevice(1, InstructionSet.Portable, options)
            (device.Allocate mebi).Dispose()
            holds "memory is still held" (SpinWait.SpinUntil((fun () -> host.Held = 0L), 20_000))
            GC.KeepAlive device
        }
    ]
