namespace Curvature

open System
open System.Collections.Generic

/// The memory that an operator holds until it is disposed of. Some of it is made when it is first needed.
[<Sealed>]
type internal HeldMemory() =
    let held = List<IDisposable>()
    let mutable isDisposed = false

    /// Keeps something to dispose of later, or disposes of it at once where the operator has been disposed of.
    member _.Hold(memory: 'T :> IDisposable) : 'T =
        lock held (fun () -> if isDisposed then memory.Dispose() else held.Add memory)
        memory

    interface IDisposable with
        member _.Dispose() =
            lock held (fun () ->
                isDisposed <- true

                for memory in held do
                    memory.Dispose()

                held.Clear())
