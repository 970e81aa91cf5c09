namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// What a slot of a plan's table of addresses holds.
[<NoEquality; NoComparison>]
type internal Slot =
    /// Input number i, whose address comes with each run, or with the binding where the input is bound.
    | Input of int
    /// Output number i, whose address comes with each run.
    | Output of int
    /// A constant of the program.
    | Fixed of Storage
    /// Computed once when the plan is bound, and read by runs.
    | Persistent of bytes: int64
    /// Computed and read when the plan is bound; no run needs it.
    | Passing of bytes: int64
    /// Scratch of one run.
    | Temporary of bytes: int64

/// What a launch executes.
[<NoEquality; NoComparison>]
type internal Work =
    | Ready of Kernel
    /// A contraction, of which an operand may still be packed.
    | Product of ContractionDescription

/// One step of a plan, with the slots that it reads and writes, and the bytes of what it touches there, each element
/// counted once.
[<NoEquality; NoComparison>]
type internal Launch =
    {
        Work: Work
        Reads: int[]
        Writes: int[]
        Bytes: int64
        /// Whether each run computes it again, though it may depend on nothing but what is bound.
        IsRepeated: bool
    }

/// A kernel with the slots that it touches.
[<NoEquality; NoComparison>]
type internal ScheduledKernel = { Kernel: Kernel; Touches: int[] }

/// The launches of a plan, divided into what runs once, at binding, and what runs each time.
[<NoEquality; NoComparison>]
type internal Schedule =
    {
        Slots: Slot[]
        Binding: ScheduledKernel[]
        Running: ScheduledKernel[]
        /// The bytes that each kernel of a run touches.
        Traffic: int64[]
        /// The scratch buffers of a run with their lifetimes.
        Lifetimes: Arena.Lifetime[]
        /// Those of the binding.
        BindingLifetimes: Arena.Lifetime[]
    }

module internal Schedule =

    /// Larger operands are not packed. They do not fit the cache in any case, and the copy would double their memory.
    let private packLimit = 256L <<< 20

    /// Whether each slot holds the same in every run, so that it may be computed at binding. A buffer does if all
    /// launches that write any part of it read only such slots, and write only such slots. So where one launch depends
    /// on a run, all that it writes does, and with it every launch that reads or writes the same buffers. What is to be
    /// computed again is not kept.
    let private bound (boundInputs: int) (slots: Slot[]) (launches: Launch[]) : bool[] =
        let users = Array.init slots.Length (fun _ -> List<Launch>())

        for launch in launches do
            for slot in Seq.append launch.Reads launch.Writes do
                users[slot].Add launch

        let isBound = Array.create slots.Length true
        let pending = Stack<int>()

        let release slot =
            if isBound[slot] then
                isBound[slot] <- false
                pending.Push slot

        slots
        |> Array.iteri (fun slot content ->
            match content with
            | Input i when i >= boundInputs -> release slot
            | Output _ -> release slot
            | _ -> ())

        for launch in launches do
            if launch.IsRepeated then launch.Writes |> Array.iter release

        while pending.Count > 0 do
            for launch in users[pending.Pop()] do
                Array.iter release launch.Writes

        isBound

    /// A contraction that reads one of its operands packed, from another slot.
    let private withPacked side slot (c: ContractionDescription) =
        let isA = (side = ContractionSide.A)

        let packed = Place(slot, 0L)
        let a, b = if isA then packed, c.B else c.A, packed
        ContractionDescription(c.DType, c.Axes, a, b, c.C, c.Accumulate, Packed = System.Nullable side)

    /// A contraction of a run reads an operand packed that is known at binding; packing is a kernel of the binding.
    let private pack
        (device: Device)
        (isBound: bool[])
        (slots: List<Slot>)
        (binding: List<ScheduledKernel>)
        (c: ContractionDescription)
        =
        let packed side =
            let bytes = device.PackedBytes(c, side)

            if bytes <= 0L || bytes > packLimit then
                c
            else
                slots.Add(Persistent bytes)
                let target = slots.Count - 1
                let source = if side = ContractionSide.A then c.A.Slot else c.B.Slot
                binding.Add { Kernel = device.Pack(c, side, target); Touches = [| source; target |] }
                withPacked side target c

        match isBound[c.A.Slot], isBound[c.B.Slot] with
        | true, false -> packed ContractionSide.A
        | false, true -> packed ContractionSide.B
        | _ -> c

    /// Scratch buffers, with the first and the last of some kernels that touch them. A function tells the bytes of the
    /// buffers that are placed.
    let private lifetimes (bytesOf: Slot -> int64 voption) (slots: Slot[]) (kernels: ScheduledKernel[]) =
        let first, last = Dictionary<int, int>(), Dictionary<int, int>()

        kernels
        |> Array.iteri (fun index kernel ->
            for slot in kernel.Touches do
                first.TryAdd(slot, index) |> ignore
                last[slot] <- index)

        [|
            for slot in 0 .. slots.Length - 1 do
                match bytesOf slots[slot] with
                | ValueSome bytes when first.ContainsKey slot ->
                    ({ Buffer = slot; Bytes = bytes; First = first[slot]; Last = last[slot] }: Arena.Lifetime)
                | _ -> ()
        |]

    /// The slots, where what is computed at binding and no run touches is only passing.
    let private withPassing (slots: Slot seq) (running: ScheduledKernel[]) : Slot[] =
        let touched = HashSet<int>(running |> Seq.collect _.Touches)

        slots
        |> Seq.mapi (fun slot content ->
            match content with
            | Persistent bytes when not (touched.Contains slot) -> Passing bytes
            | _ -> content)
        |> Seq.toArray

    /// Divides launches, in order, into binding and running; bound operands of running contractions are packed at
    /// binding.
    let make (device: Device) (boundInputs: int) (slots: Slot[]) (launches: Launch[]) : Schedule =
        let isBound = bound boundInputs slots launches

        let slots =
            slots
            |> Array.mapi (fun slot content ->
                match content with
                | Temporary bytes when isBound[slot] -> Persistent bytes
                | _ -> content)
            |> List<Slot>

        let once, running =
            launches |> Array.partition (fun launch -> launch.Writes |> Array.forall (fun slot -> isBound[slot]))

        let binding = List<ScheduledKernel>()

        let kernel (prepare: ContractionDescription -> ContractionDescription) launch =
            match launch.Work with
            | Ready kernel -> { Kernel = kernel; Touches = Array.append launch.Reads launch.Writes }
            | Product contraction ->
                let c = prepare contraction
                { Kernel = device.Contract c; Touches = [| c.A.Slot; c.B.Slot; c.C.Slot |] }

        binding.AddRange(once |> Array.map (kernel id))
        let kernels = running |> Array.map (kernel (pack device isBound slots binding))
        let slots = withPassing slots kernels

        let ofRun slot =
            match slot with
            | Temporary bytes -> ValueSome bytes
            | _ -> ValueNone

        let ofBinding slot =
            match slot with
            | Passing bytes -> ValueSome bytes
            | _ -> ValueNone

        {
            Slots = slots
            Binding = binding.ToArray()
            Running = kernels
            Traffic = running |> Array.map _.Bytes
            Lifetimes = lifetimes ofRun slots kernels
            BindingLifetimes = lifetimes ofBinding slots (binding.ToArray())
        }

/// Collects the slots and launches of a plan.
[<Sealed>]
type internal PlanEmitter(device: Device) =
    inherit Emitter(device)
    let slots = List<Slot>()
    let launches = List<Launch>()
    let fixedSlots = Dictionary<Storage, View>(HashIdentity.Reference)
    let mutable isRepeated = false

    let launch work (reads: View list) (writes: View list) =
        let slots (views: View list) = views |> List.map _.Slot |> List.toArray
        let bytes = reads @ writes |> List.sumBy View.bytes

        launches.Add
            {
                Work = work
                Reads = slots reads
                Writes = slots writes
                Bytes = bytes
                IsRepeated = isRepeated
            }

    /// Whether what is emitted next is computed again in each run.
    member _.IsRepeated
        with get () = isRepeated
        and set value = isRepeated <- value

    member _.Add(slot: Slot, signature: Signature) : View =
        slots.Add slot
        View.rowMajor (slots.Count - 1) signature

    /// The view of a constant of the program.
    member this.Constant(storage: Storage) : View =
        match fixedSlots.TryGetValue storage with
        | true, view -> view
        | _ ->
            let view =
                { this.Add(Fixed storage, storage.Signature) with
                    Offset = storage.Offset
                    Strides = storage.Strides
                }

            fixedSlots[storage] <- view
            view

    override this.Temporary signature = this.Add(Temporary signature.Bytes, signature)

    override _.Emit(kernel, reads, writes) = launch (Ready kernel) reads writes

    /// A contraction, which may read a packed copy of an operand that is bound.
    member _.Contract(contraction: ContractionDescription, reads: View list, target: View) =
        launch (Product contraction) reads [ target ]

    /// The plan with its first inputs bound.
    member _.Schedule(boundInputs: int) : Schedule =
        Schedule.make device boundInputs (slots.ToArray()) (launches.ToArray())
