namespace Curvature.Tests.Unit.Plans

open System
open System.Runtime.CompilerServices
open System.Threading
open NUnit.Framework
open Curvature.Tests.Unit
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

/// The memory of operators at points: whose it is, and when it is given back.
[<TestFixture>]
type BoundMemoryTests() =

    let device = CountingDevice(CpuDevice(2, InstructionSets.Best))
    let on (t: Tensor) = Tensor.toDevice device t
    let inputs = on (Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 40; 12 ])
    let theta = on (Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 12 * 16 + 16 ] * 0.3)
    let v = on (Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 12 * 16 + 16 ])

    /// The bytes of two vectors in the shape of the point.
    let vectors = 2L * 8L * int64 theta.Size

    let loss theta =
        match Tensor.split 0 [ 12 * 16; 16 ] theta with
        | [ first; last ] ->
            let hidden = Tensor.tanh (Tensor.matmul inputs (Tensor.reshape [ 12; 16 ] first))
            Tensor.sum (Tensor.square (Tensor.tanh (Tensor.matmul hidden last)))
        | _ -> theta

    let disposed (name: string) (f: unit -> Tensor) =
        let error = raises<DisposedException>(fun () -> box (f ()))
        Assert.That(error.Message, Does.Contain name)

    static let collect () =
        for _ in 1..2 do
            GC.Collect()
            GC.WaitForPendingFinalizers()

    /// An operator that has made a product and a quadratic form.
    static let used (v: Tensor) (family: Tensor -> LossPoint) (theta: Tensor) : LinearOperator =
        let hessian = (family theta).Hessian
        hessian.Apply v |> ignore
        hessian.QuadraticForm v |> ignore
        hessian

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private Drop (v: Tensor) family (theta: Tensor) count =
        for i in 1..count do
            used v family (theta * (1.0 + 0.01 * float i)) |> ignore

    /// The bytes in use, and the most there were, while operators at a number of points are disposed of one after the
    /// other but the last.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private _.InTurn(count: int) =
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

    [<Test>]
    member this.``operators at four points in turn take the memory of one, where the earlier ones are disposed of``() =
        let inUse, peak = this.InTurn 1
        let inUseOfFour, peakOfFour = this.InTurn 4
        // The code may still refer to the last point and its gradient.
        Assert.That(inUseOfFour, Is.InRange(inUse - vectors, inUse + vectors))
        // The points, gradients and products of three points may not have been collected yet.
        Assert.That(peakOfFour, Is.LessThan(peak + 6L * vectors))

    [<Test>]
    member _.``an operator's memory is given back when it is disposed of, and when it is collected``() =
        let family = Hessian.family (Risk.ofFunction loss)
        BoundMemoryTests.Drop v family theta 1
        collect ()
        let without = device.Account.InUse
        let hessian = used v family theta
        collect ()
        let held = device.Account.InUse - without
        hessian.Dispose()
        // Its gradient and its losses stay.
        Assert.That(device.Account.InUse, Is.LessThanOrEqualTo(without + vectors))
        Assert.That(held, Is.GreaterThan(4L * vectors))

        BoundMemoryTests.Drop v family theta 4
        collect ()
        Assert.That(device.Account.InUse, Is.LessThanOrEqualTo(without + vectors))
        GC.KeepAlive family

    [<Test>]
    member _.``products with an operator that was disposed of are refused, and with what is made of it``() =
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

    [<Test>]
    member _.``disposing of what is made of an operator leaves the operator as it is``() =
        use hessian = Hessian.at loss theta
        let expected = hessian.Apply v
        let twice = 2.0 * hessian
        twice.Dispose()
        disposed "2 * Hessian" (fun () -> twice.Apply v)
        Expect.equal (expected.ToArray()) (hessian.Apply(v).ToArray())

    [<Test>]
    member _.``a compiled map that was disposed of keeps its values, and cannot be applied``() =
        let map = Compile.family (fun theta -> [ loss theta ], (fun v -> v * Tensor.sum theta)) theta
        let expected = (loss theta).ToScalar()
        map.Dispose()
        disposed "disposed" (fun () -> map.Apply v)
        disposed "disposed" (fun () -> map.ApplyBlock(Tensor.stack 0 [ v; v ]))
        Assert.That(map.Values.Head.ToScalar(), Is.EqualTo(expected).Within 1e-12)

    [<Test>]
    member _.``memory that a run uses is given back after the run, once``() =
        let mutable given = 0
        let memory = new BoundMemory(1L, (fun () -> given <- given + 1))

        memory.Use(fun () ->
            (memory :> IDisposable).Dispose()
            Assert.That(given, Is.EqualTo 0))

        (memory :> IDisposable).Dispose()
        Assert.That(given, Is.EqualTo 1)
        raises<DisposedException>(fun () -> box (memory.Use(fun () -> 1))) |> ignore

    [<Test>]
    member _.``products on other threads end before the memory is given back``() =
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

            Assert.That(wrong, Is.EqualTo 0)

    // ---- what nobody refers to any more

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private Bind (memories: BoundMemories) bytes : WeakReference =
        let memory = new BoundMemory(bytes, ignore)
        memories.Add memory
        WeakReference memory

    [<Test>]
    member _.``much memory that nobody refers to is given back before more is bound, and little is not``() =
        let memories = BoundMemories()
        let little = BoundMemoryTests.Bind memories (1L <<< 20)
        let collections = GC.CollectionCount GC.MaxGeneration
        memories.GiveBackDropped(1L <<< 30)
        Assert.That(GC.CollectionCount GC.MaxGeneration, Is.EqualTo collections)
        let much = BoundMemoryTests.Bind memories (100L <<< 20)
        memories.GiveBackDropped 1L
        Assert.That(much.IsAlive || little.IsAlive, Is.False)

    [<Test>]
    member _.``before much is bound, a collection that found nothing is followed by another``() =
        let memories = BoundMemories()
        let held = new BoundMemory(100L <<< 20, ignore)
        memories.Add held
        memories.GiveBackDropped(50L <<< 20)
        GC.KeepAlive held
        let dropped = BoundMemoryTests.Bind memories (50L <<< 20)
        memories.GiveBackDropped(100L <<< 20)
        Assert.That(dropped.IsAlive, Is.False)

    [<Test>]
    member _.``where all bound memory is in use, little that is bound starts few collections``() =
        let memories = BoundMemories()
        let held = [ for _ in 1..10 -> new BoundMemory(100L <<< 20, ignore) ]

        for memory in held do
            memories.Add memory

        let collections = GC.CollectionCount GC.MaxGeneration

        for _ in 1..100 do
            memories.GiveBackDropped(1L <<< 20)
            BoundMemoryTests.Bind memories (1L <<< 20) |> ignore

        GC.KeepAlive held
        // One for the ten, and what came after is less than an eighth of them.
        Assert.That(GC.CollectionCount GC.MaxGeneration - collections, Is.InRange(1, 2))

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private RunOnce(device: Kernels.Device) =
        let input = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ 1 <<< 17 ] |> Tensor.toDevice device
        let f (x: Tensor) = Tensor.cumulativeSum 0 (Tensor.cumulativeSum 0 (Tensor.sin x))
        Compile.func f input |> ignore

    [<Test>]
    member _.``one collection is enough to give back a plan's scratch memory``() =
        BoundMemoryTests.RunOnce device
        GC.Collect()
        GC.WaitForPendingFinalizers()
        Assert.That(device.Account.InUse, Is.LessThan(1L <<< 20))
