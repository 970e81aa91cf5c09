namespace Curvature

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Threading
open Curvature.Kernels

/// The memory of what is bound to one point. Its owner disposes of it, and it is given back when no run uses it any
/// more.
[<Sealed>]
type internal BoundMemory(bytes: int64, giveBack: unit -> unit) =
    // One use is the owner's, and one each run's.
    let mutable uses = 1
    let mutable disposed = 0

    /// About how many bytes there are.
    member _.Bytes = bytes

    member _.IsDisposed = Volatile.Read &disposed = 1

    member private _.Leave() = if Interlocked.Decrement &uses = 0 then giveBack ()

    member private this.Enter() =
        let mutable entered = false

        while not entered do
            let now = Volatile.Read &uses

            if now = 0 || this.IsDisposed then
                Fail.disposed "a compiled map was disposed of, and its memory given back: it cannot be applied"

            entered <- Interlocked.CompareExchange(&uses, now + 1, now) = now

    /// What a run computes. Raises DisposedException where the owner has disposed of the memory; doing so during the
    /// run waits for its end.
    member this.Use(run: unit -> 'T) : 'T =
        this.Enter()

        try
            run ()
        finally
            this.Leave()

    interface IDisposable with
        member this.Dispose() = if Interlocked.Exchange(&disposed, 1) = 0 then this.Leave()

/// The bound memory of one device that was not given back. Finalizers give back what is no longer referred to. The
/// garbage collector runs them late, since it sees only the small objects that hold the memory. So a collection is
/// started before more is bound, where there may be much.
[<Sealed>]
type internal BoundMemories() =
    static let ofDevices = ConditionalWeakTable<Device, BoundMemories>()

    /// Less than this is left to the garbage collector.
    static let least = 64L <<< 20

    /// A collection is made where the memory bound since the last one, with the memory to come, is at least this part
    /// of all that is held: making so much takes longer than a collection.
    static let part = 8L

    let memories = List<WeakReference<BoundMemory>>()
    let mutable boundSince = 0L

    let isHeld (reference: WeakReference<BoundMemory>) =
        match reference.TryGetTarget() with
        | true, memory -> not memory.IsDisposed
        | _ -> false

    let held () =
        memories.RemoveAll(fun reference -> not (isHeld reference)) |> ignore

        memories
        |> Seq.sumBy (fun reference ->
            match reference.TryGetTarget() with
            | true, memory -> memory.Bytes
            | _ -> 0L)

    /// Whether a collection is due; then it counts as made.
    let isDue coming =
        let held = held ()
        let isDue = held >= least && coming >= held / part - boundSince
        if isDue then boundSince <- 0L
        isDue

    static member Of(device: Device) = ofDevices.GetValue(device, (fun _ -> BoundMemories()))

    member _.Add(memory: BoundMemory) =
        lock memories (fun () ->
            boundSince <- boundSince + memory.Bytes
            memories.Add(WeakReference<BoundMemory> memory))

    /// Called before so many bytes are bound: gives back what is no longer referred to, where that may be much.
    member _.GiveBackDropped(coming: int64) =
        if lock memories (fun () -> isDue coming) then
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking = true)
            GC.WaitForPendingFinalizers()
