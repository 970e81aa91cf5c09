namespace Curvature.Tests.Unit.Kernels

open System
open System.Runtime.InteropServices
open Curvature
open Curvature.Kernels

/// An array of a given element type at a fixed address, read and written as numbers of double precision.
type Block(dtype: DType, count: int) =
    let size = if dtype = DType.Float32 then 4 else 8
    let bytes = GC.AllocateArray<byte>(Math.Max(1, count * size), pinned = true)

    new(dtype: DType, values: float[]) as this =
        Block(dtype, values.Length)
        then this.Values <- values

    member _.Address = Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0)

    member _.Bytes = bytes

    member _.Values
        with get () =
            let content = bytes.AsSpan(0, count * size)

            if dtype = DType.Float32 then
                Array.map float (MemoryMarshal.Cast<byte, float32>(content).ToArray())
            else
                MemoryMarshal.Cast<byte, float>(content).ToArray()
        and set (values: float[]) =
            let content = bytes.AsSpan(0, count * size)

            if dtype = DType.Float32 then
                (Array.map float32 values).AsSpan().CopyTo(MemoryMarshal.Cast<byte, float32> content)
            else
                values.AsSpan().CopyTo(MemoryMarshal.Cast<byte, float> content)

/// A contraction in the simplest way that there is, and random contractions to compare with it. Values are small whole
/// numbers: their sums are exact in single precision, so that results can be compared exactly.
[<RequireQualifiedAccess>]
module ContractionCases =

    let slotA, slotB, slotC, slotPacked = 0, 1, 2, 3

    let axis role size strideA strideB strideC = ContractionAxis(role, size, strideA, strideB, strideC)

    let contraction dtype (axes: ContractionAxis list) (offsetA: int) (offsetB: int) (offsetC: int) accumulate =
        let a, b, c = Place(slotA, offsetA), Place(slotB, offsetB), Place(slotC, offsetC)
        ContractionDescription(dtype, Array.ofList axes, a, b, c, accumulate)

    /// The same contraction, with one operand packed. Its offset no longer counts.
    let withPacked side (c: ContractionDescription) =
        let packed = Place(slotPacked, 1_000_000L)
        let a, b = if side = ContractionSide.A then packed, c.B else c.A, packed
        ContractionDescription(c.DType, c.Axes, a, b, c.C, c.Accumulate, Packed = side)

    /// op(A)·op(B) of row-major matrices without gaps.
    let product dtype transposeA transposeB m n k =
        contraction
            dtype
            [
                axis AxisRole.Left m (if transposeA then 1 else k) 0 n
                axis AxisRole.Right n 0 (if transposeB then k else 1) 1
                axis AxisRole.Inner k (if transposeA then m else 1) (if transposeB then 1 else n) 0
            ]
            0
            0
            0
            false

    let wholeNumbers (random: Random) count = Array.init count (fun _ -> float (random.Next(-8, 9)))

    /// C after the contraction, one multiplication after the other.
    let expected (contraction: ContractionDescription) (a: float[]) (b: float[]) (c: float[]) =
        let result = Array.copy c
        let axes = contraction.Axes

        let rec forEach (visited: AxisRole -> bool) depth a b c action =
            if depth = axes.Length then
                action a b c
            elif not (visited axes[depth].Role) then
                forEach visited (depth + 1) a b c action
            else
                for i in 0 .. axes[depth].Size - 1 do
                    forEach
                        visited
                        (depth + 1)
                        (a + i * axes[depth].StrideA)
                        (b + i * axes[depth].StrideB)
                        (c + i * axes[depth].StrideC)
                        action

        let offsetA, offsetB, offsetC = int contraction.A.Offset, int contraction.B.Offset, int contraction.C.Offset

        if not contraction.Accumulate then
            forEach (fun role -> role <> AxisRole.Inner) 0 offsetA offsetB offsetC (fun _ _ c -> result[c] <- 0.0)

        forEach (fun _ -> true) 0 offsetA offsetB offsetC (fun i j k -> result[k] <- result[k] + a[i] * b[j])
        result

    /// C as the kernel computes it, from operands as they are or with one of them packed.
    let actual set (team: ThreadTeam) (packed: ContractionSide option) (contraction: ContractionDescription) a b c =
        let dtype = contraction.DType
        let a, b, c = Block(dtype, (a: float[])), Block(dtype, (b: float[])), Block(dtype, (c: float[]))

        match packed with
        | None ->
            ContractionKernels.Contract(contraction, set, team).Run([| a.Address; b.Address; c.Address |], team.Threads)
        | Some side ->
            let bytes = int (ContractionKernels.PackedBytes(contraction, side, set))
            let guard = 64
            let buffer = GC.AllocateArray<byte>(bytes + guard, pinned = true)
            Array.Fill(buffer, 0xFFuy) // what nobody writes is NaN
            let slots = [| a.Address; b.Address; c.Address; Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0) |]
            ContractionKernels.Pack(contraction, side, slotPacked, set).Run(slots, team.Threads)

            if Array.exists ((<>) 0xFFuy) buffer[bytes..] then
                invalidOp "Packing wrote beyond the packed operand."

            ContractionKernels.Contract(withPacked side contraction, set, team).Run(slots, team.Threads)
            GC.KeepAlive buffer

        GC.KeepAlive a
        GC.KeepAlive b
        c.Values

    /// A contraction of up to five axes in random order, with gaps, repetition and reversal, and arrays to run it on.
    let random (random: Random) dtype =
        let chance n = random.Next n = 0
        let count = random.Next 6
        let roles = Array.init count (fun _ -> enum<AxisRole>(random.Next 4))

        let largest =
            if count < 3 then 60
            elif count < 5 then 12
            else 7

        let sizes = Array.init count (fun _ -> if chance 5 then random.Next(1, 4) else random.Next(1, largest))

        if count = 3 && chance 7 then sizes[random.Next 3] <- random.Next(300, 900)

        if count > 0 && chance 50 then sizes[random.Next count] <- 0

        let strides carries =
            let strides = Array.zeroCreate count

            let axes =
                [|
                    for i in 0 .. count - 1 do
                        if carries roles[i] then i
                |]

            if chance 2 then random.Shuffle axes

            let mutable stride = if chance 4 then 2 else 1

            for i in Array.rev axes do
                strides[i] <- stride
                stride <- stride * max 1 sizes[i] + (if chance 4 then 1 else 0)

            strides

        let a = strides (fun role -> role <> AxisRole.Right)
        let b = strides (fun role -> role <> AxisRole.Left)
        let c = strides (fun role -> role <> AxisRole.Inner)

        for i in 0 .. count - 1 do
            if roles[i] = AxisRole.Batch && chance 3 then
                (if chance 2 then a else b)[i] <- 0

        let extent (strides: int[]) =
            1 + Seq.sum (Seq.map2 (fun stride size -> abs stride * max 0 (size - 1)) strides sizes)

        let mutable offsetA = random.Next 3

        if count > 0 && chance 6 then
            let i = random.Next count
            offsetA <- offsetA + a[i] * max 0 (sizes[i] - 1)
            a[i] <- -a[i]

        let offsetB, offsetC = random.Next 3, random.Next 3
        let axes = [ for i in 0 .. count - 1 -> axis roles[i] sizes[i] a[i] b[i] c[i] ]
        let numbers strides = wholeNumbers random (extent strides + 3)
        contraction dtype axes offsetA offsetB offsetC (chance 3), numbers a, numbers b, numbers c
