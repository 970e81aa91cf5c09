namespace Curvature.Tests.Unit.Plans

open System
open System.Threading
open Curvature.Kernels

/// The bytes that a device has given out and not got back.
type private Account() =
    let mutable inUse = 0L
    let mutable peak = 0L

    member _.InUse = Volatile.Read &inUse

    /// The most since it was last forgotten.
    member _.Peak = Volatile.Read &peak

    member _.ForgetPeak() = peak <- inUse

    member account.Change(bytes: int64) =
        let now = Interlocked.Add(&inUse, bytes)
        lock account (fun () -> peak <- max peak now)

type private CountedMemory(device: Device, inner: DeviceMemory, account: Account) =
    inherit DeviceMemory()
    let mutable disposed = 0
    do account.Change inner.Bytes

    override _.Device = device
    override _.Address = inner.Address
    override _.Bytes = inner.Bytes

    override this.Dispose() =
        if Interlocked.Exchange(&disposed, 1) = 0 then
            account.Change -inner.Bytes
            inner.Dispose()
            GC.SuppressFinalize this

    override this.Finalize() = if Interlocked.Exchange(&disposed, 1) = 0 then account.Change -inner.Bytes

/// A processor that keeps account of its memory.
type private CountingDevice(inner: CpuDevice) =
    inherit Device()
    let account = Account()
    member _.Account = account
    override _.Name = inner.Name
    override _.Threads = inner.Threads
    override this.Allocate bytes = new CountedMemory(this, inner.Allocate bytes, account)
    override _.Upload(source, destination) = inner.Upload(source, destination)
    override _.Download(source, destination) = inner.Download(source, destination)
    override _.Contract contraction = inner.Contract contraction
    override _.Pack(contraction, side, slot) = inner.Pack(contraction, side, slot)
    override _.PackedBytes(contraction, side) = inner.PackedBytes(contraction, side)
    override _.Map tape = inner.Map tape
    override _.Reduce reduction = inner.Reduce reduction
    override _.Copy copy = inner.Copy copy
    override _.Gather indexing = inner.Gather indexing
    override _.ScatterAdd indexing = inner.ScatterAdd indexing
    override _.CumulativeSum scan = inner.CumulativeSum scan
    override _.ArgSort sort = inner.ArgSort sort
    override _.Convolve(convolution, form) = inner.Convolve(convolution, form)
    override _.SumWindows sum = inner.SumWindows sum
    override _.MaximumOfWindows maximum = inner.MaximumOfWindows maximum
    override _.Random fill = inner.Random fill
    override _.Parallel(parts, body) = inner.Parallel(parts, body)
