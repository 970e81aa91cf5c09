namespace Curvature.FSharp

open System
open System.Runtime.InteropServices
open System.Security.Cryptography
open Curvature

/// A second-order matrix that is a mean or a sum over batches.
[<NoEquality; NoComparison>]
type internal BatchedSpec =
    {
        Name: string
        Properties: OperatorProperties
        /// What a batch needs beside its inputs and targets, such as noise, from θ and the batch's number.
        Extras: Tensor -> int -> Batch -> Tensor list
        /// The matrix of one batch with its extras.
        At: Batch -> Tensor list -> SecondOrder
        /// What is seen of a batch at θ. Raises where its data are not in order, such as labels out of range.
        Observe: Tensor -> Batch -> Observation list
    }

/// Sums over batches, one batch in memory at a time.
module internal OverBatches =

    // ---- the same data at every pass

    /// What a batch was at the first pass.
    type private Fingerprint = { Size: int; Hash: string }

    let private hash (t: Tensor) =
        let digest =
            match t.DType with
            | DType.Float32 -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToSingleArray())))
            | DType.Float64 -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToArray())))
            | _ -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToInt32Array())))

        $"{t.DType} {Shape.show t.Signature.Shape} {Convert.ToHexString digest}"

    let private fingerprint (batch: Batch) = { Size = batch.Size; Hash = hash batch.Inputs + hash batch.Targets }

    let private changed name (what: string) =
        raise (
            DataException
                $"{name}: {what}; the source of batches must give the same data, in the same order, at every pass"
        )

    /// The batches of a source with their numbers.
    let private read name (batches: Batch seq) : (int * Batch) seq =
        batches
        |> Seq.mapi (fun index batch ->
            if isNull (box batch) then
                raise (DataException $"{name}: batch {index} is null")

            index, batch)

    /// The batches of a source, each of which must be what it was at the first pass.
    let private readAgain name (seen: Fingerprint[]) (batches: Batch seq) : (int * Batch) seq =
        seq {
            let mutable count = 0

            for index, batch in read name batches do
                if index >= seen.Length || fingerprint batch <> seen[index] then
                    changed name $"batch {index} is not what it was at the first pass"

                count <- index + 1
                yield index, batch

            if count < seen.Length then
                changed name $"the first pass had {seen.Length} batches, and this one {count}"
        }

    // ---- one batch

    /// Maps of vectors for one batch after the other at θ: plans are made once for each size of a batch.
    let private mapsOf (spec: BatchedSpec) (part: SecondOrder -> Tensor -> Tensor list * (Tensor -> Tensor)) =
        let maps =
            Compile.familyOf (fun points ->
                let batch, extras = Batch(points[1], points[2]), List.ofArray points[3..]
                part (spec.At batch extras) points[0])

        fun (theta: Tensor) index (batch: Batch) ->
            let on = Tensor.toDevice theta.Device
            let extras = spec.Extras theta index batch
            maps [| theta; on batch.Inputs; on batch.Targets; yield! List.map on extras |]

    /// What a batch adds to a sum, in Float64, which keeps the digits of many batches.
    let private weighted reduction (batch: Batch) (own: Tensor) : Tensor =
        let own = Tensor.convert DType.Float64 own

        match reduction with
        | Reduction.Sum -> own
        | _ -> float batch.Size * own

    // ---- all of them

    /// What the first pass over the batches found.
    [<NoEquality; NoComparison>]
    type private FirstPass =
        {
            /// The loss and, where the spec has it, the gradient.
            Values: Tensor list
            Seen: Fingerprint[]
            /// What to divide sums by.
            Divisor: float
            Warnings: string list
        }

    let private firstPass (spec: BatchedSpec) reduction products (theta: Tensor) (batches: Batch seq) =
        let seen = ResizeArray<Fingerprint>()
        let mutable totals = []
        let mutable warnings = ValueNone

        for index, batch in read spec.Name batches do
            seen.Add(fingerprint batch)
            spec.Observe theta batch |> ignore

            // One batch tells what the function does.
            if warnings.IsNone && batch.Size > 1 then
                warnings <- ValueSome(SampleCoupling.warnings spec.Name reduction (spec.Observe theta) batch)

            let matrix = spec.At batch (spec.Extras theta index batch)

            if index = 0 then
                SecondOrder.requireDeterministic spec.Name matrix.Function theta

            use map: CompiledMap = products theta index batch
            SecondOrder.checkFinite { matrix with Name = $"{spec.Name}, batch {index}" } theta map.Values

            let own = map.Values |> List.map (weighted reduction batch)
            totals <- if totals.IsEmpty then own else List.map2 (+) totals own

        if seen.Count = 0 then
            raise (DataException $"{spec.Name}: there are no batches")

        let divisor =
            match reduction with
            | Reduction.Sum -> 1.0
            | _ -> float (Seq.sumBy _.Size seen)

        {
            Values = totals |> List.map (fun total -> Tensor.convert theta.DType (total / divisor))
            Seen = seen.ToArray()
            Divisor = divisor
            Warnings = ValueOption.defaultValue [] warnings
        }

    let private checkReduction name (reduction: Reduction) =
        if reduction <> Reduction.Mean && reduction <> Reduction.Sum then
            raise (ArgumentRangeException $"{name}: the reduction is Mean or Sum, and this one is {int reduction}")

    /// The operator of the mean or sum over batches, with loss and, where the spec has it, gradient.
    let create
        (spec: BatchedSpec)
        (reduction: Reduction)
        (batches: Batch seq)
        (theta: Tensor)
        : Tensor list * LinearOperator =
        checkReduction spec.Name reduction
        SecondOrder.checkPoint spec.Name theta
        let products = mapsOf spec _.Products
        let first = firstPass spec reduction products theta batches
        let forms = lazy (mapsOf spec _.Forms)
        let shape, n = List.ofArray theta.Signature.Shape, theta.Size

        let run (maps: unit -> Tensor -> int -> Batch -> CompiledMap) (block: Tensor) =
            let shaped = Tensor.reshape (block.Signature.Shape[0] :: shape) block
            let mutable total = ValueNone

            for index, batch in readAgain spec.Name first.Seen batches do
                use map = maps () theta index batch
                let own = map.ApplyBlock shaped |> weighted reduction batch
                total <- Tangent.add total (ValueSome own)

            Tensor.convert theta.DType (total.Value / first.Divisor)

        /// What each batch says of the whole: forms of the mean over its samples, times their number for a sum.
        let formsByBatch (block: Tensor) =
            let shaped = Tensor.reshape (block.Signature.Shape[0] :: shape) block
            let samples = first.Seen |> Array.sumBy _.Size

            [
                for index, batch in readAgain spec.Name first.Seen batches do
                    use map = forms.Value theta index batch
                    let own = Tensor.convert DType.Float64 (map.ApplyBlock shaped)

                    batch.Size,
                    (if reduction = Reduction.Sum then
                         float samples / float batch.Size * own
                     else
                         own)
            ]

        let multiply block = run (fun () -> products) block |> Tensor.reshape [ block.Signature.Shape[0]; n ]

        let operator =
            LinearOperator.Of
                { OperatorParts.define spec.Name theta.DType n n (Products.ofBlock multiply) with
                    Device = theta.Device
                    Properties = spec.Properties
                    Forms = ValueSome(run (fun () -> forms.Value))
                    FormsByBatch = ValueSome formsByBatch
                    Warnings = first.Warnings
                }

        first.Values, operator
