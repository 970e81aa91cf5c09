namespace Curvature.TorchSharp

open System
open System.Numerics
open System.Runtime.InteropServices
open global.TorchSharp

/// Numbers that tell whether the elements of a tensor have changed. They cost one reading of the elements.
module internal Checksum =

    let private factor = 0x9E3779B1u

    /// Any change of a single word changes the sum: each step is a bijection of the words before and of the new one.
    let ofBytes (bytes: ReadOnlySpan<byte>) : uint64 =
        let vectors = MemoryMarshal.Cast<byte, Vector<uint32>> bytes
        let factors = Vector<uint32> factor
        let mutable a = Vector<uint32>.Zero
        let mutable b = Vector<uint32>.Zero
        let mutable c = Vector<uint32>.Zero
        let mutable d = Vector<uint32>.Zero
        let mutable i = 0

        // Four sums that do not wait for each other.
        while i + 4 <= vectors.Length do
            a <- (a + vectors[i]) * factors
            b <- (b + vectors[i + 1]) * factors
            c <- (c + vectors[i + 2]) * factors
            d <- (d + vectors[i + 3]) * factors
            i <- i + 4

        while i < vectors.Length do
            a <- (a + vectors[i]) * factors
            i <- i + 1

        let mutable total = uint64 bytes.Length
        let add (word: uint32) = total <- (total + uint64 word) * 0x9E3779B97F4A7C15UL

        for lane in 0 .. Vector<uint32>.Count - 1 do
            add a[lane]
            add b[lane]
            add c[lane]
            add d[lane]

        for k in vectors.Length * sizeof<Vector<uint32>> .. bytes.Length - 1 do
            add (uint32 bytes[k])

        total

    /// Elsewhere than on the processor: the sum and the norm, which the device computes.
    let private onDevice (t: torch.Tensor) : uint64 =
        use _scope = torch.NewDisposeScope()
        let flat = t.detach ()

        let numbers =
            torch.stack([| flat.sum (); flat.norm () |]).``to``(torch.ScalarType.Float64).cpu().data<float>().ToArray()

        ofBytes (MemoryMarshal.AsBytes(ReadOnlySpan numbers))

    /// Of the elements of a tensor.
    let ofTensor (t: torch.Tensor) : uint64 =
        if t.device_type = DeviceType.CPU && t.is_contiguous () then
            let bytes: ReadOnlySpan<byte> = Span<byte>.op_Implicit t.bytes
            ofBytes bytes
        else
            onDevice t
