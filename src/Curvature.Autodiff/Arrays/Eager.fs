namespace Curvature

open Curvature.Kernels

/// Runs primitives on arrays at once.
module internal Eager =

    /// A table of addresses that grows with every array.
    type private Immediate(device: Device) =
        inherit Emitter(device)
        let storages = ResizeArray<Storage>()
        // Addresses are looked up once, since a primitive such as Concat has a kernel for each of many operands.
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
        | Composed compute -> compute operands
