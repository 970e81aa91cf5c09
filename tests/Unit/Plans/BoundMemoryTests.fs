/// The memory of operators at points: whose it is, and when it is given back.
module Curvature.Tests.Unit.Plans.BoundMemoryTests

open System
open System.Runtime.CompilerServices
open System.Threading
open Expecto
open Expecto.Flip
open Curvature.Tests.Unit
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private device = CountingDevice(CpuDevice(2, InstructionSets.Best))
let private on (t: Tensor) = Tensor.toDevice device t
let private inputs = on (Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 40; 12 ])
let private theta = on (Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 12 * 16 + 16 ] * 0.3)
let private v = on (Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 12 * 16 + 16 ])

/// The bytes of two vectors in the shape of the point.
let private vectors = 2L * 8L * int64 theta.Size

let private loss theta =
    match Tensor.split 0 [ 12 * 16; 16 ] theta with
    | [ first; last ] ->
        let hidden = Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 12; 16 ] first))
        Tensor.sum (Tensor.square (Tensor.tanh (Tensor.matmul hidden last)))
    | _ -> theta

let private disposed (name: string) (f: unit -> Tensor) =
    let error = raises<DisposedException>(fun () -> box (f ()))
    Expect.stringContains "error.Message" name error.Message

let private collect () =
    for _ in 1..2 do
        GC.Collect()
        GC.WaitForPendingFinalizers()

/// An operator that has made a product and a quadratic form.
let private used (v: Tensor) (family: Tensor -> LossPoint) (theta: Tensor) : LinearOperator =
    let hessian = (family theta).Hessian
    hessian.Apply v |> ignore
    hessian.QuadraticForm v |> ignore
    hessian

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private drop (v: Tensor) family (theta: Tensor) count =
    for i in 1..count do
        used v family (theta * (1.0 + 0.01 * float i)) |> ignore

/// The bytes in use, and the most there were, while operators at a number of points are disposed of one after the
/// other but the last.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private inTurn (count: int) =
    let family = Hessian.family (Risk.ofFunction loss)
    used v family theta |> _.Dispose()
    collect ()
    device.Account.ForgetPeak()

    for i in 2..count do
        used v family (theta * (1.0 + 0.01 * float i)) |> _.Dispose()

    use last = used v family theta
    let peak = device.Account.Peak
    collect ()
    let inUse = device.Account.InUse
    last.Apply v |> ignore
    inUse, peak

// ---- what nobody refers to any more
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private bind (memories: BoundMemories) bytes : WeakReference =
    let memory = new BoundMemory(bytes, ignore)
    memories.Add memory
    WeakReference memory

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private runOnce (device: Kernels.Device) =
    let input = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 1 <<< 17 ] |> Tensor.toDevice device
    let f (x: Tensor) = Tensor.cumulativeSum 0 (Tensor.cumulativeSum 0 (Tensor.sin x))
    Compile.func f input |> ignore

[<Tests>]
let tests =
    testList "Unit.Plans.BoundMemoryTests" [
        test "operators at four points in turn take the memory of one, where the earlier ones are disposed of" {
            let inUse, peak = inTurn 1
            let inUseOfFour, peakOfFour = inTurn 4
            // The code may still refer to the last point and its gradient.
            Expect.inRange "inUseOfFour" (inUse - vectors) (inUse + vectors) inUseOfFour
            // The points, gradients and products of three points may not have been collected yet.
            Expect.isLessThan "peakOfFour" (peakOfFour, peak + 6L * vectors)
        }

        test "an operator's memory is given back when it is disposed of, and when it is collected" {
            let family = Hessian.family (Risk.ofFunction loss)
            drop v family theta 1
            collect ()
            let without = device.Account.InUse
            let hessian = used v family theta
            collect ()
            let held = device.Account.InUse - without
            hessian.Dispose()
            // Its gradient and its losses stay.
            Expect.isLessThanOrEqual "device.Account.InUse" (device.Account.InUse, without + vectors)
            Expect.isGreaterThan "held" (held, 4L * vectors)

            drop v family theta 4
            collect ()
            Expect.isLessThanOrEqual "device.Account.InUse" (device.Account.InUse, without + vectors)
            GC.KeepAlive family
        }

        test "products with an operator that was disposed of are refused, and with what is made of it" {
            let hessian = Hessian.at loss theta
            let unused = Hessian.at loss theta
            let damped = LinearOperator.damped 0.1 hessian
            let jacobian = Jacobian.at (fun x -> Tensor.sin x * 2.0) theta
            jacobian.Apply v |> ignore

            for operator in [ hessian; jacobian ] do
                operator.Dispose()
                operator.Dispose()

            disposed "Hessian" (fun () -> hessian.Apply v)
            disposed "Hessian" (fun () -> hessian.QuadraticForm v)
            disposed "Jacobian" (fun () -> jacobian.Apply v)
            disposed "disposed" (fun () -> damped.Apply v)
            disposed "disposed" (fun () -> damped.QuadraticForm v)
            disposed "disposed" (fun () -> jacobian.Transposed.Apply v)

            // A quadratic form that was never asked for is not made any more.
            unused.Dispose()
            disposed "disposed" (fun () -> (LinearOperator.scale 2.0 unused).QuadraticForm v)
        }

        test "disposing of what is made of an operator leaves the operator as it is" {
            use hessian = Hessian.at loss theta
            let expected = hessian.Apply v
            let twice = 2.0 * hessian
            twice.Dispose()
            disposed "2 * Hessian" (fun () -> twice.Apply v)
            Expect.equal "hessian.Apply(v)" (expected.ToArray()) (hessian.Apply(v).ToArray())
        }

        test "a compiled map that was disposed of keeps its values, and cannot be applied" {
            let map = Compile.family (fun theta -> [ loss theta ], (fun v -> v * Tensor.sum theta)) theta
            let expected = (loss theta).ToScalar()
            map.Dispose()
            disposed "disposed" (fun () -> map.Apply v)
            disposed "disposed" (fun () -> map.ApplyBlock(Tensor.stack 0 [ v; v ]))
            Expect.within "map.Values.Head" 1e-12 expected (map.Values.Head.ToScalar())
        }

        testCase "memory that a run uses is given back after the run, once" (fun () ->
            let mutable given = 0
            let memory = new BoundMemory(1L, (fun () -> given <- given + 1))

            memory.Use(fun () ->
                (memory :> IDisposable).Dispose()
                Expect.equal "given" 0 given)

            (memory :> IDisposable).Dispose()
            Expect.equal "given" 1 given
            raises<DisposedException>(fun () -> box (memory.Use(fun () -> 1))) |> ignore)

        testCase "products on other threads end before the memory is given back" (fun () ->
            let expected = (Hessian.at loss theta).Apply(v).ToArray()
            collect ()

            for _ in 1..20 do
                let hessian = Hessian.at loss theta
                let mutable wrong, running = 0, 0

                let multiply () =
                    try
                        while true do
                            if hessian.Apply(v).ToArray() <> expected then
                                Interlocked.Increment &wrong |> ignore

                            Interlocked.Increment &running |> ignore
                    with :? DisposedException ->
                        ()

                let threads = [ for _ in 1..3 -> Thread multiply ]

                for thread in threads do
                    thread.Start()

                SpinWait.SpinUntil(fun () -> Volatile.Read &running > 5) |> ignore
                hessian.Dispose()

                for thread in threads do
                    thread.Join()

                Expect.equal "wrong" 0 wrong)

        test "much memory that nobody refers to is given back before more is bound, and little is not" {
            let memories = BoundMemories()
            let little = bind memories (1L <<< 20)
            let collections = GC.CollectionCount GC.MaxGeneration
            memories.GiveBackDropped(1L <<< 30)
            Expect.equal "GC.CollectionCount GC.MaxGenera…" collections (GC.CollectionCount GC.MaxGeneration)
            let much = bind memories (100L <<< 20)
            memories.GiveBackDropped 1L
            Expect.isFalse "much.IsAlive || little.IsAlive" (much.IsAlive || little.IsAlive)
        }

        test "before much is bound, a collection that found nothing is followed by another" {
            let memories = BoundMemories()
            let held = new BoundMemory(100L <<< 20, ignore)
            memories.Add held
            memories.GiveBackDropped(50L <<< 20)
            GC.KeepAlive held
            let dropped = bind memories (50L <<< 20)
            memories.GiveBackDropped(100L <<< 20)
            Expect.isFalse "dropped.IsAlive" dropped.IsAlive
        }

        test "where all bound memory is in use, little that is bound starts few collections" {
            let memories = BoundMemories()
            let held = [ for _ in 1..10 -> new BoundMemory(100L <<< 20, ignore) ]

            for memory in held do
                memories.Add memory

            let collections = GC.CollectionCount GC.MaxGeneration

            for _ in 1..100 do
                memories.GiveBackDropped(1L <<< 20)
                bind memories (1L <<< 20) |> ignore

            GC.KeepAlive held
            // One for the ten, and what came after is less than an eighth of them.
            Expect.inRange "GC.CollectionCount GC.MaxGenera…" 1 2 (GC.CollectionCount GC.MaxGeneration - collections)
        }

        test "one collection is enough to give back a plan's scratch memory" {
            runOnce device
            GC.Collect()
            GC.WaitForPendingFinalizers()
            Expect.isLessThan "device.Account.InUse" (device.Account.InUse, 1L <<< 20)
        }
    ]
