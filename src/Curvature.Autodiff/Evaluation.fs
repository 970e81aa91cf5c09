namespace Curvature

open Curvature.Kernels

/// An array as a kernel sees it: a slot in the table of addresses, and a strided layout within it.
type internal View =
    {
        Slot: int
        Offset: int64
        Shape: int[]
        Strides: int[]
        DType: DType
    }

    member view.Place = Place(view.Slot, view.Offset)
    member view.Operand = Operand(view.Place, view.Strides)

    member view.Signature: Signature = { Shape = view.Shape; DType = view.DType }

    member view.IsRowMajor =
        let expected = Shape.rowMajor view.Shape

        Seq.forall
            (fun axis -> view.Shape[axis] = 1 || view.Strides[axis] = expected[axis])
            (seq { 0 .. view.Shape.Length - 1 })

/// Where a primitive puts the kernels that compute it: run at once, or collected in a plan.
[<AbstractClass>]
type internal Emitter(device: Device) =
    member _.Device = device

    /// Takes a kernel, with the views that it reads and writes.
    abstract Emit: kernel: Kernel * reads: View list * writes: View list -> unit

    /// An uninitialised row-major array that lives until the primitive's kernels have run.
    abstract Temporary: Signature -> View

    /// The same values in row-major order: the view itself where it already is.
    member this.RowMajor(view: View) =
        if view.IsRowMajor then
            view
        else
            let dense = this.Temporary view.Signature
            this.CopyTo(view, dense)
            dense

    /// target = source, with conversion.
    member this.CopyTo(source: View, target: View) =
        let copy = CopyDescription(source.DType, target.DType, source.Shape, source.Operand, target.Operand)
        this.Emit(device.Copy copy, [ source ], [ target ])

    /// For kernels that write row-major arrays: where the target has another layout, what they write is copied there.
    member this.IntoRowMajor (target: View) (write: View -> unit) =
        if target.IsRowMajor then
            write target
        else
            let dense = this.Temporary target.Signature
            write dense
            this.CopyTo(dense, target)

/// How a primitive is computed.
[<NoEquality; NoComparison>]
type internal Evaluation =
    /// Element by element; a plan fuses neighbours into one tape.
    | Elementwise of OpCode
    /// The results are the operand's own storage seen differently; nothing where its layout does not allow that,
    /// and then it is asked again with a row-major copy.
    | Reinterpret of (View -> View[] voption)
    /// By kernels that read the operands and write the results.
    | Compute of (Emitter -> View[] -> View[] -> unit)
    /// By a kernel that writes the one result, or adds to what is there: a plan sums such products in place.
    /// The last argument says whether to add.
    | Accumulate of (Emitter -> View[] -> View -> bool -> unit)

/// Layout arithmetic on views.
module internal View =

    let rowMajor slot (signature: Signature) =
        {
            Slot = slot
            Offset = 0L
            Shape = signature.Shape
            Strides = Shape.rowMajor signature.Shape
            DType = signature.DType
        }

    /// Operand axis i becomes axis dims[i] of the shape; an axis of length 1 is repeated, as is every new one.
    let broadcast (shape: int[]) (dims: int[]) (view: View) =
        let strides = Array.zeroCreate shape.Length

        for i in 0 .. dims.Length - 1 do
            strides[dims[i]] <- if view.Shape[i] = shape[dims[i]] then view.Strides[i] else 0

        { view with Shape = shape; Strides = strides }

    let permute (order: int[]) (view: View) =
        { view with
            Shape = order |> Array.map (fun axis -> view.Shape[axis])
            Strides = order |> Array.map (fun axis -> view.Strides[axis])
        }

    /// Elements start, start + step, … along each axis; steps may be negative.
    let slice (start: int[]) (shape: int[]) (steps: int[]) (view: View) =
        let mutable offset = view.Offset

        // Nothing begins nowhere: an empty slice at the end of a reversed array would begin before its memory.
        if not (Array.contains 0 shape) then
            for axis in 0 .. start.Length - 1 do
                offset <- offset + int64 start[axis] * int64 view.Strides[axis]

        { view with
            Offset = offset
            Shape = shape
            Strides = Array.map2 (*) view.Strides steps
        }

    /// Another shape with the elements in the same row-major order, if the strides allow it.
    let reshape (shape: int[]) (view: View) =
        let axes =
            [|
                for axis in 0 .. view.Shape.Length - 1 do
                    if view.Shape[axis] <> 1 then axis
            |]

        let strides = Array.zeroCreate shape.Length
        let mutable source = axes.Length - 1
        // What is left of the run of source axes that are consecutive in memory, and the stride within it.
        let mutable left = 1
        let mutable stride = 1
        let mutable possible = true

        let takeRun () =
            let axis = axes[source]
            left <- view.Shape[axis]
            stride <- view.Strides[axis]
            source <- source - 1

            while source >= 0 && view.Strides[axes[source]] = stride * left do
                left <- left * view.Shape[axes[source]]
                source <- source - 1

        if Shape.size shape = 0 then
            ValueSome { view with Shape = shape; Strides = Shape.rowMajor shape }
        else
            for axis in shape.Length - 1 .. -1 .. 0 do
                if shape[axis] <> 1 && possible then
                    if left = 1 then takeRun ()

                    if left % shape[axis] <> 0 then
                        possible <- false
                    else
                        strides[axis] <- stride
                        stride <- stride * shape[axis]
                        left <- left / shape[axis]

            if possible then
                ValueSome { view with Shape = shape; Strides = strides }
            else
                ValueNone

/// Runs primitives on arrays at once.
module internal Eager =

    /// A table of slots that grows as arrays are named.
    type private Immediate(device: Device) =
        inherit Emitter(device)
        let storages = ResizeArray<Storage>()
        // Addresses are looked up once: a primitive such as Concat has a kernel for each of many operands.
        let memories = ResizeArray<DeviceMemory>()
        let mutable table = Array.zeroCreate<nativeint> 4

        member _.Add(storage: Storage) : View =
            storages.Add storage

            {
                Slot = storages.Count - 1
                Offset = storage.Offset
                Shape = storage.Shape
                Strides = storage.Strides
                DType = storage.DType
            }

        member _.Storage(view: View) = storages[view.Slot].View(view.Offset, view.Shape, view.Strides)

        override this.Temporary signature = this.Add(Storage.Allocate(device, signature))

        override _.Emit(kernel, _, _) =
            if table.Length < storages.Count then
                System.Array.Resize(&table, 2 * storages.Count)

            for i in memories.Count .. storages.Count - 1 do
                memories.Add storages[i].Memory
                table[i] <- memories[i].Address

            kernel.Run(table, device.Threads)
            System.GC.KeepAlive memories

    let private elementwise (device: Device) op (operands: Storage[]) (result: Storage) =
        let inputs = ResizeArray<Operand>()
        let constants = ResizeArray<float>()
        let memories = ResizeArray<DeviceMemory>()
        let arrays = operands |> Array.filter (fun operand -> operand.Uniform.IsNone)

        let registers =
            operands
            |> Array.map (fun operand ->
                match operand.Uniform with
                | ValueSome value ->
                    constants.Add value
                    arrays.Length + constants.Count - 1
                | ValueNone ->
                    inputs.Add(Operand(memories.Count, operand.Offset, operand.Strides))
                    memories.Add operand.Memory
                    inputs.Count - 1)

        let register i = if i < registers.Length then registers[i] else 0
        let code = [| Instruction(op, register 0, register 1, register 2) |]
        let target = TapeOutput(inputs.Count + constants.Count, Operand(memories.Count, result.Offset, result.Strides))
        memories.Add result.Memory

        let tape =
            TapeDescription(result.DType, result.Shape, inputs.ToArray(), constants.ToArray(), code, [| target |])

        let addresses = Array.init memories.Count (fun i -> memories[i].Address)
        device.Map(tape).Run(addresses, device.Threads)
        System.GC.KeepAlive memories

    /// Computes a primitive, given its evaluation and the signatures of its results.
    let run evaluation (operands: Storage[]) (results: Signature[]) : Storage[] =
        let device = operands[0].Device

        match evaluation with
        | Elementwise op ->
            let result = Storage.Allocate(device, results[0])
            elementwise device op operands result
            [| result |]
        | Reinterpret _ when operands[0].Uniform.IsSome ->
            results |> Array.map (fun signature -> Storage.Full(device, signature, operands[0].Uniform.Value))
        | Reinterpret see ->
            let emitter = Immediate device
            let view = emitter.Add operands[0]

            let views =
                match see view with
                | ValueSome views -> views
                | ValueNone -> (see (emitter.RowMajor view)).Value

            views |> Array.map emitter.Storage
        | Compute compute ->
            let emitter = Immediate device
            let sources = operands |> Array.map emitter.Add
            let targets = results |> Array.map (fun signature -> emitter.Add(Storage.Allocate(device, signature)))
            compute emitter sources targets
            targets |> Array.map emitter.Storage
        | Accumulate compute ->
            let emitter = Immediate device
            let sources = operands |> Array.map emitter.Add
            let target = emitter.Add(Storage.Allocate(device, results[0]))
            compute emitter sources target false
            [| emitter.Storage target |]
