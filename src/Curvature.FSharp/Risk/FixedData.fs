namespace Curvature.FSharp

open System
open System.Runtime.InteropServices
open System.Security.Cryptography
open Curvature

/// What a batch was at the first pass.
[<NoComparison>]
type internal Fingerprint = { Size: int; Hash: string }

module internal Fingerprint =

    let private hash (t: Tensor) =
        let digest =
            match t.DType with
            | DType.Float32 -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToSingleArray())))
            | DType.Float64 -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToArray())))
            | _ -> SHA256.HashData(MemoryMarshal.AsBytes(ReadOnlySpan(t.ToInt32Array())))

        $"{t.DType} {Shape.show t.Signature.Shape} {Convert.ToHexString digest}"

    let ofBatch (batch: RiskBatch) : Fingerprint =
        { Size = batch.Size; Hash = batch.Data |> List.map hash |> String.concat "; " }

/// Whether functions give the same bits for the same point.
module internal Determinism =

    /// Raises DifferentiationException where a function does not give the same bits twice: dropout with a source of
    /// hidden randomness, say.
    let require name (f: Tensor -> Tensor) (x: Tensor) =
        let bits () = (f x).ToArray() |> Array.map BitConverter.DoubleToInt64Bits

        if bits () <> bits () then
            Fail.differentiation
                $"{name}: the function gives different results for the same point; fix the key of its randomness"

/// What the first pass over the data of a risk checks and sums. Later passes compare fingerprints only.
[<NoEquality; NoComparison>]
type internal FirstPass =
    {
        /// What is seen of a batch, to tell whether its samples are coupled. Raises where the data are not in order,
        /// such as labels out of range.
        Observe: RiskData -> Observation list
        /// A function that must give the same bits twice. It is tried on the first batch.
        Function: RiskBatch -> Tensor -> Tensor
        /// What is summed over the batches.
        Parts: RiskBatch -> Tensor list
    }

/// The data of a risk. They must be the same at every pass: fingerprints of the first pass are kept, and a later pass
/// that differs is refused.
[<Sealed>]
type internal FixedData(name: string, risk: RiskDefinition, theta: Tensor, first: FirstPass) =
    let seen = ResizeArray<Fingerprint>()
    let mutable warnings = ValueNone

    let changed (what: string) =
        Fail.data $"{name}: {what}; the source of batches must give the same data, in the same order, at every pass"

    /// Records the batch, and tests the function on the first one: its samples may be coupled, or it may be random.
    let check (batch: RiskBatch) =
        match batch.Data with
        | [ inputs; targets ] ->
            seen.Add(Fingerprint.ofBatch batch)
            first.Observe batch.Data |> ignore

            if warnings.IsNone && batch.Size > 1 then
                let observe (part: Batch) = first.Observe [ part.Inputs; part.Targets ]
                warnings <- ValueSome(SampleCoupling.warnings name risk.Reduction observe (Batch(inputs, targets)))
        | _ -> seen.Add { Size = 1; Hash = "" }

        if batch.Number = 0 then Determinism.require name (first.Function batch) theta

    let totals =
        RiskPass.batches name theta.Device 0 risk
        |> RiskPass.sums (fun batch ->
            check batch
            first.Parts batch)

    let samples = seen |> Seq.sumBy _.Size
    let divisor = RiskPass.divisor risk samples

    /// The sums over the first pass, divided, in Float64.
    member _.First: Tensor list = totals |> List.map (fun total -> total / divisor)

    /// How many batches there are.
    member _.BatchCount = seen.Count

    /// How many samples there are.
    member _.Samples = samples

    /// Why results from these data are doubtful, in sentences.
    member _.Warnings: string list = ValueOption.defaultValue [] warnings

    /// The batches again. Raises DataException where one is not what it was.
    member _.Batches: RiskBatch seq =
        seq {
            let mutable count = 0

            for batch in RiskPass.read name theta.Device 0 risk do
                if not batch.Data.IsEmpty && (count >= seen.Count || Fingerprint.ofBatch batch <> seen[count]) then
                    changed $"batch {count} is not what it was at the first pass"

                count <- count + 1
                yield batch

            if count < seen.Count then
                changed $"the first pass had {seen.Count} batches, and this one {count}"
        }

    /// Σ weight·part over the batches again, along the tree, divided, in Float64.
    member this.SumWide(part: RiskBatch -> Tensor) : Tensor =
        let total = this.Batches |> RiskPass.sums (fun batch -> [ part batch ]) |> List.head
        total / divisor

    /// The same in the element type of θ.
    member this.Sum(part: RiskBatch -> Tensor) : Tensor = Tensor.convert theta.DType (this.SumWide part)
