namespace Curvature.Tests.Unit.Devices

open System
open System.Collections.Generic
open Curvature
open Curvature.Kernels

/// An array of another device reached this one.
type ForeignMemoryException(message: string) =
    inherit Exception(message)

/// Memory of a guarded device.
[<Sealed>]
type GuardedMemory(device: Device, inner: DeviceMemory) =
    inherit DeviceMemory()
    override _.Device = device
    override _.Address = inner.Address
    override _.Bytes = inner.Bytes
    override _.Dispose() = inner.Dispose()

/// A kernel that looks at the addresses that it is given before it runs.
[<Sealed>]
type GuardedKernel(inner: Kernel, check: string -> nativeint -> unit) =
    inherit Kernel()
    override _.Name = inner.Name
    override _.Flops = inner.Flops

    override _.Run(slots, threads) =
        slots |> Array.iter (check inner.Name)
        inner.Run(slots, threads)

/// The processor once more, but with memory of its own: whoever hands it an array of another device gets a
/// ForeignMemoryException, as would happen with a device whose memory the host cannot read.
[<Sealed>]
type GuardedDevice(name: string) =
    inherit Device()

    let inner = CpuDevice(CpuDevice.Shared.Threads, InstructionSets.Best)

    /// Where blocks that were allocated begin, and their bytes. Blocks go back to the pool of this device alone, so
    /// none is removed.
    let blocks = SortedList<nativeint, int64>()

    let owns (address: nativeint) =
        lock blocks (fun () ->
            // The last block that does not begin after the address.
            let mutable low, high = 0, blocks.Count

            while low < high do
                let middle = (low + high) / 2
                if blocks.Keys[middle] <= address then low <- middle + 1 else high <- middle

            low > 0 && int64 (address - blocks.Keys[low - 1]) < max 1L (blocks.Values[low - 1]))

    let check what address =
        // Plans leave slots that a kernel does not use at 0.
        if address <> 0n && not (owns address) then
            raise (ForeignMemoryException $"{what}: an array of another device was handed to {name}")

    let guard (kernel: Kernel) : Kernel = GuardedKernel(kernel, check)

    override _.Name = name
    override _.Threads = inner.Threads

    override this.Allocate bytes =
        let memory = inner.Allocate bytes

        lock blocks (fun () ->
            match blocks.TryGetValue memory.Address with
            | true, known when known >= bytes -> ()
            | _ -> blocks[memory.Address] <- bytes)

        new GuardedMemory(this, memory)

    override _.Upload<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
        (source: ReadOnlySpan<'T>, destination: nativeint)
        =
        check "upload" destination
        inner.Upload<'T>(source, destination)

    override _.Download<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
        (source: nativeint, destination: Span<'T>)
        =
        check "download" source
        inner.Download<'T>(source, destination)

    override _.Contract contraction = guard (inner.Contract contraction)
    override _.Pack(contraction, side, slot) = guard (inner.Pack(contraction, side, slot))
    override _.PackedBytes(contraction, side) = inner.PackedBytes(contraction, side)
    override _.Map tape = guard (inner.Map tape)
    override _.Reduce reduction = guard (inner.Reduce reduction)
    override _.Copy copy = guard (inner.Copy copy)
    override _.Gather indexing = guard (inner.Gather indexing)
    override _.ScatterAdd indexing = guard (inner.ScatterAdd indexing)
    override _.CumulativeSum scan = guard (inner.CumulativeSum scan)
    override _.ArgSort sort = guard (inner.ArgSort sort)
    override _.Convolve(convolution, form) = guard (inner.Convolve(convolution, form))
    override _.SumWindows sum = guard (inner.SumWindows sum)
    override _.MaximumOfWindows maximum = guard (inner.MaximumOfWindows maximum)
    override _.Random fill = guard (inner.Random fill)
    override _.Parallel(parts, body) = inner.Parallel(parts, body)
