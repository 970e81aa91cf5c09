namespace Curvature

open System
open System.Collections.Generic
open Curvature.Kernels

/// Scratch memory of one run: the plan's table of addresses, with the temporaries placed.
[<Sealed>]
type internal Scratch(memory: DeviceMemory, table: nativeint[]) =
    /// Keeps the temporaries alive.
    member _.Memory = memory
    member _.Table = table

/// A program turned into kernels. The first `bound` inputs are given once, at binding; the others with every run.
[<Sealed>]
type internal Plan(program: Program, bound: int) =
    let schedule = Lowering.lower program bound
    let slots = schedule.Slots
    let offsets, arenaBytes = Arena.tightest schedule.Lifetimes
    let bindingOffsets, bindingBytes = Arena.tightest schedule.BindingLifetimes

    /// For each kernel of the binding the bound inputs that it reads last, where no run reads them.
    let lastReads =
        let ofRuns = HashSet<int>(schedule.Running |> Seq.collect _.Touches)
        let last = Dictionary<int, int>()

        schedule.Binding
        |> Array.iteri (fun index kernel ->
            for slot in kernel.Touches do
                if slot < bound && not (ofRuns.Contains slot) then last[slot] <- index)

        let slots = schedule.Binding |> Array.map (fun _ -> List<int>())

        for entry in last do
            slots[entry.Value].Add entry.Key

        slots

    let indices pick =
        [|
            for slot in 0 .. slots.Length - 1 do
                if pick slots[slot] then slot
        |]

    // Inputs come first in the table, then outputs.
    let outputs = program.Outputs |> Array.map program.Signature

    let persistentSlots =
        indices (fun slot ->
            match slot with
            | Persistent _ -> true
            | _ -> false)

    let constants =
        [|
            for slot in 0 .. slots.Length - 1 do
                match slots[slot] with
                | Fixed storage -> struct (slot, storage.Memory)
                | _ -> ()
        |]

    member _.Device = program.Device
    member _.Bound = bound
    member _.Inputs = program.Variables[.. program.Inputs - 1]
    member _.Outputs = outputs
    member _.Binding = schedule.Binding |> Array.map _.Kernel
    member val Running = schedule.Running |> Array.map _.Kernel

    /// For each kernel of the binding the bound inputs that it reads last, where no run reads them.
    member _.LastReads = lastReads

    /// The bytes that each kernel of a run touches.
    member _.Traffic = schedule.Traffic

    /// The bytes of scratch memory that one run takes.
    member _.ScratchBytes = arenaBytes

    /// Multiplications and additions of one run, of the kernels that count them.
    member _.Flops = schedule.Running |> Seq.sumBy _.Kernel.Flops

    /// The bytes of what is computed at binding.
    member _.PersistentBytes =
        persistentSlots
        |> Array.sumBy (fun slot ->
            match slots[slot] with
            | Persistent bytes -> bytes
            | _ -> 0L)

    /// About how many bytes a binding takes, with the inputs that it is given from a position on.
    member this.BindingBytes(from: int) =
        let inputs = program.Variables[from .. bound - 1] |> Array.sumBy _.Bytes
        this.PersistentBytes + max arenaBytes bindingBytes + inputs

    member _.PersistentSlots = persistentSlots

    member _.SlotBytes slot =
        match slots[slot] with
        | Persistent bytes
        | Passing bytes
        | Temporary bytes -> bytes
        | _ -> 0L

    /// A table with the addresses that every binding shares.
    member _.NewTable() =
        let table = Array.zeroCreate<nativeint> slots.Length

        for struct (slot, memory) in constants do
            table[slot] <- memory.Address

        table

    member private _.Place(bindingTable: nativeint[], offsets: Dictionary<int, int64>, bytes: int64) =
        let memory = program.Device.Allocate(max bytes 64L)
        let table = Array.copy bindingTable

        for entry in offsets do
            table[entry.Key] <- memory.Address + nativeint entry.Value

        Scratch(memory, table)

    /// Scratch memory for one run, on a copy of a binding's table.
    member this.NewScratch(bindingTable: nativeint[]) = this.Place(bindingTable, offsets, arenaBytes)

    /// Scratch memory for the binding itself.
    member this.NewBindingScratch(bindingTable: nativeint[]) = this.Place(bindingTable, bindingOffsets, bindingBytes)

    override _.ToString() =
        let lines = List<string>()

        lines.Add(
            $"plan: {schedule.Binding.Length} kernels at binding, {schedule.Running.Length} a run, "
            + $"{arenaBytes} bytes of scratch"
        )

        for step in schedule.Binding do
            lines.Add("  once  " + step.Kernel.Name)

        for step in schedule.Running do
            lines.Add("  run   " + step.Kernel.Name)

        String.Join("\n", lines)

/// A plan with its bound inputs: what depends on them alone has been computed. Safe on several threads at once. Where
/// it keeps the scratch memory of its runs, later runs allocate no scratch; plans that seldom run do not keep it.
/// Disposing of it gives back its memory and that of the inputs that it owns, as soon as no run uses them.
[<Sealed>]
type internal BoundPlan(plan: Plan, inputs: Storage[], owned: Storage[], keepsScratch: bool) =
    let device = plan.Device
    let persistent = plan.PersistentSlots |> Array.map (fun slot -> device.Allocate(max (plan.SlotBytes slot) 1L))
    let running = plan.Running
    // A stack and not a ConcurrentBag: threads keep references to a bag's items until the second collection after the
    // bag itself is gone.
    let idle = Stack<Scratch>()

    let giveBack () =
        for memory in persistent do
            memory.Dispose()

        for scratch in idle do
            scratch.Memory.Dispose()

        for storage in owned do
            storage.Memory.Dispose()

    // Held so that their addresses stay valid.
    let memories = inputs |> Array.map _.Memory

    let table =
        let table = plan.NewTable()

        for i in 0 .. inputs.Length - 1 do
            table[i] <- inputs[i].Address

        Array.iter2 (fun slot (memory: DeviceMemory) -> table[slot] <- memory.Address) plan.PersistentSlots persistent
        table

    /// Computes what does not depend on a run. Inputs that the plan owns and no run reads are given back on the way;
    /// returns the bytes of the others.
    let bind () : int64 =
        let scratch = plan.NewBindingScratch table
        let isOwned = HashSet<Storage>(owned, HashIdentity.Reference)
        let mutable bytes = owned |> Array.sumBy _.Memory.Bytes

        Array.iter2
            (fun (kernel: Kernel) (lastReads: List<int>) ->
                kernel.Run(scratch.Table, device.Threads)

                for slot in lastReads do
                    if isOwned.Contains inputs[slot] then
                        bytes <- bytes - inputs[slot].Memory.Bytes
                        table[slot] <- 0n
                        inputs[slot].Memory.Dispose())
            plan.Binding
            plan.LastReads

        scratch.Memory.Dispose()
        bytes

    let memory =
        let inputs = bind ()
        let scratch = if keepsScratch then plan.ScratchBytes else 0L
        new BoundMemory(plan.PersistentBytes + scratch + inputs, giveBack)

    do BoundMemories.Of(device).Add memory

    member _.Plan = plan

    member private _.Rent() =
        match lock idle (fun () -> idle.TryPop()) with
        | true, scratch -> scratch
        | _ -> plan.NewScratch table

    member private _.GiveBack(scratch: Scratch) =
        if keepsScratch then
            lock idle (fun () -> idle.Push scratch)
        else
            scratch.Memory.Dispose()

    /// Runs on the addresses of the free inputs and of the outputs, each shifted by a number of bytes.
    member private this.RunAt
        (inputs: nativeint[], inputShift: nativeint, outputs: nativeint[], outputShifts: nativeint[], threads)
        =
        let scratch = this.Rent()
        let table = scratch.Table

        for i in 0 .. inputs.Length - 1 do
            table[plan.Bound + i] <- inputs[i] + inputShift

        let start = plan.Inputs.Length

        for i in 0 .. outputs.Length - 1 do
            table[start + i] <- outputs[i] + outputShifts[i]

        for kernel in running do
            kernel.Run(table, threads)

        this.GiveBack scratch

    /// The median time of each kernel over a number of runs on one input, for profiles.
    member this.Profile(free: Storage, runs: int) : KernelTime[] = memory.Use(fun () -> this.ProfileNow(free, runs))

    member private this.ProfileNow(free: Storage, runs: int) =
        let results = plan.Outputs |> Array.map (fun signature -> Storage.Allocate(device, signature))
        let scratch = this.Rent()
        scratch.Table[plan.Bound] <- free.Address
        results |> Array.iteri (fun i result -> scratch.Table[plan.Inputs.Length + i] <- result.Memory.Address)
        let seconds = running |> Array.map (fun _ -> Array.zeroCreate<float> runs)

        for run in 0 .. runs - 1 do
            running
            |> Array.iteri (fun i kernel ->
                let start = Diagnostics.Stopwatch.GetTimestamp()
                kernel.Run(scratch.Table, device.Threads)
                seconds[i][run] <- Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds)

        GC.KeepAlive results
        GC.KeepAlive free
        this.GiveBack scratch

        Array.map3
            (fun (kernel: Kernel) bytes (times: float[]) ->
                KernelTime(kernel.Name, (Array.sort times)[runs / 2], kernel.Flops, bytes))
            running
            plan.Traffic
            seconds

    /// The outputs for row-major free inputs.
    member this.Run(free: Storage[]) : Storage[] =
        let results = plan.Outputs |> Array.map (fun signature -> Storage.Allocate(device, signature))
        let shifts = Array.zeroCreate<nativeint> results.Length

        memory.Use(fun () ->
            this.RunAt(free |> Array.map _.Address, 0n, results |> Array.map _.Address, shifts, device.Threads))

        GC.KeepAlive free
        GC.KeepAlive memories
        GC.KeepAlive persistent
        results

    /// Runs once for each slice along the leading axis of the single free input; outputs are stacked. Slices are shared
    /// over the device's threads, each with its scratch memory, so the bits do not depend on the number of
    /// threads.
    member this.RunEach(block: Storage) : Storage[] =
        let count = block.Shape[0]

        let results =
            plan.Outputs
            |> Array.map (fun signature ->
                Storage.Allocate(device, { signature with Shape = Array.append [| count |] signature.Shape }))

        let source = [| block.Address |]
        let step = nativeint plan.Inputs[plan.Bound].Bytes
        let targets = results |> Array.map _.Memory.Address
        let steps = plan.Outputs |> Array.map (fun output -> nativeint output.Bytes)

        let runSlice slice =
            let shifts = steps |> Array.map (fun step -> step * nativeint slice)
            this.RunAt(source, step * nativeint slice, targets, shifts, 1)

        // Threads may refer to their last work until the next comes. The reference is cleared, so that it does not keep
        // this plan and its memory alive.
        let work = ref runSlice

        memory.Use(fun () ->
            try
                device.Parallel(count, (fun slice -> work.Value slice))
            finally
                work.Value <- ignore)

        GC.KeepAlive block
        GC.KeepAlive memories
        GC.KeepAlive persistent
        results

    interface IDisposable with
        member _.Dispose() = (memory :> IDisposable).Dispose()
