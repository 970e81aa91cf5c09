namespace Curvature

open System

/// A distribution of random vectors z with E zzᵀ = I. Made by the functions of the module Probe.
[<RequireQualifiedAccess; CustomEquality; NoComparison; StructuredFormatDisplay("{Text}")>]
type Probe =
    internal
    | Rademacher
    | Gaussian
    | Sphere
    | Sparse of probability: float
    | FixedSparse of count: int

    /// What the probe is called in messages and reports.
    override probe.ToString() =
        match probe with
        | Rademacher -> "rademacher"
        | Gaussian -> "gaussian"
        | Sphere -> "sphere"
        | Sparse q -> $"sparse {q}"
        | FixedSparse 1 -> "basis"
        | FixedSparse s -> $"fixed sparse {s}"

    override probe.Equals other =
        match other with
        | :? Probe as that -> probe.ToString() = that.ToString()
        | _ -> false

    override probe.GetHashCode() = probe.ToString().GetHashCode(StringComparison.Ordinal)

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature
open Curvature.Kernels

/// Which vectors of a key are drawn, and where: `Count` of `Length` elements, from number `First` on.
[<NoEquality; NoComparison>]
type internal VectorPlace =
    {
        Device: Device
        Key: Key
        Length: int
        First: int
        Count: int
    }

    /// The key of a row.
    member place.KeyOf(row: int) : Key = place.Key.FoldIn(uint32 (place.First + row))

/// How the rows of a block were drawn: who has this and the key has the block.
[<NoEquality; NoComparison>]
type internal DrawnVectors = { Probe: Probe; Key: Key; Length: int; First: int; Count: int; DType: DType }

module internal DrawnVectors =

    /// Tensors that were drawn, for as long as they live.
    let private known = System.Runtime.CompilerServices.ConditionalWeakTable<Tensor, DrawnVectors>()

    /// Notes how a tensor was drawn.
    let note (drawn: DrawnVectors) (t: Tensor) : Tensor =
        known.AddOrUpdate(t, drawn)
        t

    /// How a tensor was drawn, where it came out of a probe as it is.
    let tryFind (t: Tensor) : DrawnVectors voption =
        match known.TryGetValue t with
        | true, drawn -> ValueSome drawn
        | _ -> ValueNone

/// Random vectors z with E zzᵀ = I. Vector p of a key is a function of the key and p alone, so that it does not
/// matter in what blocks, in what order or on how many threads vectors are drawn.
[<RequireQualifiedAccess>]
module Probe =

    /// Independent signs, −1 or 1: the least variance of all probes with independent entries, and exact for a
    /// diagonal matrix.
    let rademacher = Probe.Rademacher

    /// Independent standard normal entries.
    let gaussian = Probe.Gaussian

    /// Uniform on the sphere of radius √n.
    let sphere = Probe.Sphere

    /// Independent entries: ±1/√q with probability q/2 each, otherwise 0. Never of less variance than signs; it pays
    /// where sparse vectors are cheaper to multiply. Raises ArgumentRangeException for a probability outside (0, 1].
    let sparse (probability: float) : Probe =
        if not (probability > 0.0 && probability <= 1.0) then
            Fail.range $"Probe.sparse: a probability in (0, 1] is needed, and it is {probability}"

        Probe.Sparse probability

    /// Exactly s entries ±√(n/s), at places chosen uniformly. Raises ArgumentRangeException for less than one.
    let fixedSparse (count: int) : Probe =
        if count < 1 then
            Fail.range $"Probe.fixedSparse: at least one entry is needed, and the count is {count}"

        Probe.FixedSparse count

    /// √n times a basis vector, up to its sign, chosen uniformly: fixedSparse 1.
    let basis = Probe.FixedSparse 1

    let private checkCount (probe: Probe) n =
        match probe with
        | Probe.FixedSparse s when s > n -> Fail.range $"Probe.fixedSparse: {s} entries do not fit into a vector of {n}"
        | _ -> ()

    // ---- moments

    /// E z_i⁴ and E z_i² z_j² for i ≠ j, on which all variances depend.
    let fourthMoments (probe: Probe) (n: int) : struct (float * float) =
        checkCount probe n
        let size = float n

        match probe with
        | Probe.Rademacher -> 1.0, 1.0
        | Probe.Gaussian -> 3.0, 1.0
        | Probe.Sphere -> 3.0 * size / (size + 2.0), size / (size + 2.0)
        | Probe.Sparse q -> 1.0 / q, 1.0
        | Probe.FixedSparse _ when n = 1 -> 1.0, 1.0
        | Probe.FixedSparse s -> size / float s, size * float (s - 1) / (float s * (size - 1.0))

    let private entries what (matrix: Tensor) =
        match matrix.Signature.Shape with
        | [| rows; columns |] when rows = columns -> rows, matrix.ToArray()
        | shape -> Fail.shape $"{what}: a square matrix is needed, and the shape is {Shape.show shape}"

    /// The variance of zᵀAz for a square matrix A, symmetric or not, written out: with S its symmetric part, μ₄ = E
    /// z_i⁴ and μ₂₂ = E z_i² z_j², it is 2μ₂₂ Σ_{i≠j} S_ij² + (μ₄ − μ₂₂) Σ A_ii² + (μ₂₂ − 1) tr(A)². For signs that
    /// is twice the squared off-diagonal (Hutchinson 1990), for normal entries 2‖S‖²_F (Girard 1989). For checking
    /// estimators where A is known.
    let varianceOfForm (probe: Probe) (matrix: Tensor) : float =
        let n, a = entries "Probe.varianceOfForm" matrix
        let struct (mu4, mu22) = fourthMoments probe n
        let mutable offDiagonal, diagonal, trace = 0.0, 0.0, 0.0

        for i in 0 .. n - 1 do
            diagonal <- diagonal + a[i * n + i] * a[i * n + i]
            trace <- trace + a[i * n + i]

            for j in 0 .. i - 1 do
                let s = 0.5 * (a[i * n + j] + a[j * n + i])
                offDiagonal <- offDiagonal + 2.0 * s * s

        2.0 * mu22 * offDiagonal + (mu4 - mu22) * diagonal + (mu22 - 1.0) * trace * trace

    /// The variance of each entry of z∘Az for a square matrix A: μ₂₂ Σ_{j≠i} A_ij² + (μ₄ − 1) A_ii²
    /// (Bekas, Kokiopoulou & Saad 2007).
    let varianceOfDiagonal (probe: Probe) (matrix: Tensor) : float[] =
        let n, a = entries "Probe.varianceOfDiagonal" matrix
        let struct (mu4, mu22) = fourthMoments probe n

        Array.init n (fun i ->
            let entry = a[i * n + i]
            let others = Array.init n (fun j -> if j = i then 0.0 else a[i * n + j] * a[i * n + j]) |> Array.sum
            mu22 * others + (mu4 - 1.0) * entry * entry)

    // ---- outcomes

    let private signs count =
        Seq.init (1 <<< count) (fun bits -> Array.init count (fun i -> if (bits >>> i) &&& 1 = 0 then 1.0 else -1.0))

    let rec private supports size first n =
        if size = 0 then
            Seq.singleton []
        else
            seq {
                for i in first .. n - size do
                    for rest in supports (size - 1) (i + 1) n -> i :: rest
            }

    let private sparseOutcome n scale (support: int list) (signs: float[]) =
        let vector = Array.zeroCreate n
        support |> List.iteri (fun k i -> vector[i] <- scale * signs[k])
        vector

    /// Every vector of length n that the probe can give, with its probability: sums over them are exact expectations.
    /// Raises ArgumentRangeException for a probe with infinitely many, or for n above 20.
    let outcomes (probe: Probe) (n: int) : (float * float[]) seq =
        checkCount probe n

        if n < 1 || n > 20 then
            Fail.range $"Probe.outcomes: vectors of 1 to 20 elements can be enumerated, and n is {n}"

        let ofSupports scale probability sizes =
            seq {
                for size in sizes do
                    for support in supports size 0 n do
                        for s in signs size do
                            probability size, sparseOutcome n scale support s
            }

        match probe with
        | Probe.Rademacher -> signs n |> Seq.map (fun z -> Math.Pow(0.5, float n), z)
        | Probe.Sparse q ->
            let probability size = Math.Pow(q / 2.0, float size) * Math.Pow(1.0 - q, float (n - size))
            ofSupports (1.0 / sqrt q) probability [ 0..n ]
        | Probe.FixedSparse s ->
            let count = supports s 0 n |> Seq.length
            ofSupports (sqrt (float n / float s)) (fun _ -> Math.Pow(0.5, float s) / float count) [ s ]
        | Probe.Gaussian
        | Probe.Sphere -> Fail.range $"Probe.outcomes: a {probe} probe has infinitely many"

    // ---- drawing

    /// Row i holds the random numbers of vector first + i.
    let private fill distribution (dtype: DType) (place: VectorPlace) : Tensor =
        let result = Storage.Allocate(place.Device, { Shape = [| place.Count; place.Length |]; DType = dtype })
        let memory, n = result.Memory, int64 place.Length

        for row in 0 .. place.Count - 1 do
            let key = place.KeyOf row
            let random = RandomDescription(dtype, distribution, key.Word0, key.Word1, 0L, n, Place(0, int64 row * n))
            place.Device.Random(random).Run([| memory.Address |], place.Device.Threads)

        GC.KeepAlive memory
        Tensor.OfStorage result

    let private drawSphere dtype (place: VectorPlace) =
        let normal = fill Distribution.Normal dtype place
        let squares = Tensor.sumAxes [ 1 ] (Tensor.square normal)
        normal * Tensor.unsqueeze 1 (Math.Sqrt(float place.Length) * Tensor.rsqrt squares)

    /// One uniform number an element, with 52 bits so that a small probability keeps its digits: its place decides
    /// zero and sign.
    let private drawSparse probability dtype (place: VectorPlace) =
        let uniform = fill Distribution.Uniform DType.Float64 place
        let below (limit: float) = Tensor.greater (Tensor.fullLike uniform limit) uniform
        let signs = 2.0 * below (probability / 2.0) - below probability
        signs / Math.Sqrt probability |> Tensor.convert dtype

    /// s places without repetition by Floyd's algorithm (Bentley & Floyd 1987), and a sign for each.
    let private places (key: Key) n s =
        let bits = Tensor.uniform key DType.Float64 [ 2 * s ] |> _.ToArray()
        let chosen = Collections.Generic.HashSet<int>()

        Array.init s (fun k ->
            let last = n - s + k
            let candidate = min last (int (bits[k] * float (last + 1)))
            let place = if chosen.Add candidate then candidate else last
            chosen.Add place |> ignore
            place, (if bits[s + k] < 0.5 then 1.0 else -1.0))

    let private drawFixedSparse s dtype (place: VectorPlace) =
        let n, count = place.Length, place.Count

        let drawn =
            Array.init count (fun row ->
                places (place.KeyOf row) n s |> Array.map (fun (column, sign) -> row * n + column, sign))
            |> Array.concat

        let scale = Math.Sqrt(float n / float s)
        let updates = drawn |> Array.map (fun (_, sign) -> scale * sign) |> Tensor.ofArray [ drawn.Length ]
        let index = drawn |> Array.map fst |> Tensor.ofIndices [ drawn.Length ]
        let on t = Tensor.toDevice place.Device t
        Tensor.scatterAdd 0 (count * n) (on index) (on (Tensor.convert dtype updates)) |> Tensor.reshape [ count; n ]

    /// Vectors first … first + count − 1 of a key, as the rows of a block [count; n] on a device.
    /// Raises ArgumentRangeException for negative numbers and DTypeException for Int32.
    let drawOn (device: Device) (probe: Probe) (key: Key) (n: int) (first: int, count: int) (dtype: DType) : Tensor =
        if n < 0 || first < 0 || count < 0 then
            Fail.range (
                "Probe.draw: counts cannot be negative; "
                + $"{count} vectors of {n} elements from number {first} were asked for"
            )

        if dtype = DType.Int32 then
            Fail.dtype "Probe.draw: vectors are Float32 or Float64, and Int32 was asked for"

        checkCount probe n

        if n = 0 || count = 0 then
            Tensor.zeros dtype [ count; n ] |> Tensor.toDevice device
        else
            let place = { Device = device; Key = key; Length = n; First = first; Count = count }

            let drawn =
                match probe with
                | Probe.Rademacher -> fill Distribution.Rademacher dtype place
                | Probe.Gaussian -> fill Distribution.Normal dtype place
                | Probe.Sphere -> drawSphere dtype place
                | Probe.Sparse q -> drawSparse q dtype place
                | Probe.FixedSparse s -> drawFixedSparse s dtype place

            drawn
            |> DrawnVectors.note
                {
                    Probe = probe
                    Key = key
                    Length = n
                    First = first
                    Count = count
                    DType = dtype
                }

    /// The same vectors on the device that all processors share: rows first … first + count − 1 of a key, as a block
    /// [count; n].
    /// Raises ArgumentRangeException for negative numbers and DTypeException for Int32.
    let draw (probe: Probe) (key: Key) (n: int) (first: int, count: int) (dtype: DType) : Tensor =
        drawOn CpuDevice.Shared probe key n (first, count) dtype
