namespace Curvature

open System
open System.Collections.Generic

/// What an operator has made and gives back when it is disposed of: some of it when it is first needed.
[<Sealed>]
type internal HeldMemory() =
    let held = List<IDisposable>()
    let mutable isDisposed = false

    /// Keeps something to dispose of later, or disposes of it where that has happened to all else.
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
