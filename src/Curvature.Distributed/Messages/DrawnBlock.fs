namespace Curvature.FSharp

open Curvature

/// Blocks of vectors in messages: as they are, or as the key and the numbers by which a probe draws them again.
module internal DrawnBlock =

    let private writeProbe (out: WireWriter) (probe: Probe) =
        match probe with
        | Probe.Rademacher -> out.Byte 0
        | Probe.Gaussian -> out.Byte 1
        | Probe.Sphere -> out.Byte 2
        | Probe.Sparse q ->
            out.Byte 3
            out.Float q
        | Probe.FixedSparse s ->
            out.Byte 4
            out.Int s

    let private readProbe (input: WireReader) : Probe =
        match input.Byte() with
        | 0 -> Probe.Rademacher
        | 1 -> Probe.Gaussian
        | 2 -> Probe.Sphere
        | 3 -> Probe.sparse (input.Float())
        | 4 -> Probe.fixedSparse (input.Int())
        | other -> ClusterFail.cluster $"a message has a probe number {other}"

    let writeKey (out: WireWriter) (key: Key) =
        out.UInt key.Word0
        out.UInt key.Word1

    let readKey (input: WireReader) : Key =
        let word0 = input.UInt()
        Key.OfWords(word0, input.UInt())

    let write (out: WireWriter) (block: Tensor) =
        match DrawnVectors.tryFind block with
        | ValueSome drawn ->
            out.Byte 1
            writeProbe out drawn.Probe
            writeKey out drawn.Key
            out.Int drawn.Length
            out.Int drawn.First
            out.Int drawn.Count
            out.Byte(int drawn.DType)
        | ValueNone ->
            out.Byte 0
            TensorCodec.write out block

    /// The most vectors and the most elements that a message may have drawn.
    let private mostVectors, mostElements = 1 <<< 16, int64 System.Int32.MaxValue

    let read (input: WireReader) : Tensor =
        match input.Byte() with
        | 0 -> TensorCodec.read input
        | 1 ->
            let probe = readProbe input
            let key = readKey input
            let length, first, count = input.Int(), input.Int(), input.Int()
            let dtype = enum<DType>(input.Byte())

            if dtype <> DType.Float32 && dtype <> DType.Float64 then
                ClusterFail.cluster $"a message asks for vectors of an element type number {int dtype}"

            if input.VectorLength.IsSome && input.VectorLength.Value <> length then
                ClusterFail.cluster (
                    $"a message asks for vectors of {length} elements, and the point has {input.VectorLength.Value}"
                )

            if
                length < 0 || first < 0 || count < 0 || count > mostVectors || int64 length * int64 count > mostElements
            then
                ClusterFail.cluster $"a message asks for {count} vectors of {length} elements from number {first}"

            Probe.draw probe key length (first, count) dtype
        | other -> ClusterFail.cluster $"a message has a block of a kind number {other}"
