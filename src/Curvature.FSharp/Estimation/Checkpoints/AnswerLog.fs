namespace Curvature.FSharp

open System
open System.Runtime.InteropServices
open System.Security.Cryptography
open Curvature

/// What is asked of an operator.
type private Request =
    | Product = 0
    | BlockProduct = 1
    | AdjointProduct = 2
    | AdjointBlockProduct = 3
    | Forms = 4

/// The answers of an operator in a file, one after the other.
///
/// A repeated run asks the same questions, because its random numbers follow from its key. It gets the answers from the
/// file as far as that goes, and then from the operator, whose answers are added.
[<Sealed>]
type private AnswerLog(path: string, operator: LinearOperator) =
    let bytesOf (t: Tensor) : byte[] =
        let values = t.ToArray()

        if t.DType = DType.Float64 then
            MemoryMarshal.AsBytes(ReadOnlySpan values).ToArray()
        else
            MemoryMarshal.AsBytes(ReadOnlySpan(Array.map float32 values)).ToArray()

    let tensorOf (shape: int[]) (bytes: byte[]) : Tensor =
        let values =
            if operator.DType = DType.Float64 then
                MemoryMarshal.Cast<byte, float>(ReadOnlySpan bytes).ToArray()
            else
                MemoryMarshal.Cast<byte, float32>(ReadOnlySpan bytes).ToArray() |> Array.map float

        Tensor.ofArray (List.ofArray shape) values |> Tensor.convert operator.DType |> Tensor.toDevice operator.Device

    /// What stands before an answer: the request, the shape of the answer, and the checksum of the vectors.
    let question (request: Request) (vectors: Tensor) (shape: int[]) : byte[] =
        let numbers = [| int request; shape.Length; Array.head shape; Array.last shape |]
        Array.append (MemoryMarshal.AsBytes(ReadOnlySpan numbers).ToArray()) (SHA256.HashData(bytesOf vectors))

    let questionSize = 16 + SHA256.HashSizeInBytes

    /// The bytes of the answer to a question.
    let answerSize (question: byte[]) : int =
        let numbers = MemoryMarshal.Cast<byte, int>(ReadOnlySpan question[..15]).ToArray()
        let rank, first, width = numbers[1], numbers[2], numbers[3]
        let elements = if rank = 1 then int64 width else int64 first * int64 width
        let most = int64 Array.MaxLength / Storage.Bytes operator.DType

        if rank < 1 || rank > 2 || first < 0 || width < 0 || elements > most then
            CheckpointFile.damaged path $"an answer would be {first} by {width}, along {rank} axes"

        int (elements * Storage.Bytes operator.DType)

    let records = new RecordFile(path, string operator)
    let mutable replayed = 0
    let mutable isReplaying = true

    do records.Verify(questionSize, answerSize)

    /// Asks the operator for the first answer again, at the cost of one product.
    let requireSameOperator (ask: Tensor -> Tensor) (vectors: Tensor) (answer: Tensor) =
        let first (t: Tensor) = if t.Rank = 2 then Tensor.slice 0 0 1 t else t
        let here = (ask (first vectors)).ToArray()

        let there =
            if answer.Rank = 2 then
                (first answer).ToArray()
            else
                answer.ToArray()[.. here.Length - 1]

        let norm = Array.sumBy (fun x -> x * x) >> sqrt
        let difference = norm (Array.map2 (-) here there)

        if not (difference <= CheckpointFile.tolerance operator.DType * max (norm here) (norm there)) then
            CheckpointFile.foreign path $"another operator made it, whose first product differs by {difference:G3}"

    let replay request (ask: Tensor -> Tensor) (vectors: Tensor) (shape: int[]) (asked: byte[]) (content: byte[]) =
        if asked <> question request vectors shape then
            CheckpointFile.foreign path $"its product number {replayed} is of other vectors"

        let answer = tensorOf shape content

        if (Finite.tryFind answer).IsSome then
            CheckpointFile.damaged path $"its product number {replayed} is not finite"

        if replayed = 0 then requireSameOperator ask vectors answer
        replayed <- replayed + 1
        answer

    let append request (ask: Tensor -> Tensor) (vectors: Tensor) (shape: int[]) : Tensor =
        isReplaying <- false
        let answer = ask vectors

        // What does not fit, or is not finite, is an error of the operator that the caller will report.
        if answer.Signature.Shape = shape && (Finite.tryFind answer).IsNone then
            records.Append(question request vectors shape, bytesOf answer)

        answer

    /// The answer to a request, of this shape, from the file or from the operator.
    member _.Answer(request: Request, ask: Tensor -> Tensor, vectors: Tensor, shape: int[]) : Tensor =
        lock records (fun () ->
            match if isReplaying then records.TryRead(questionSize, answerSize) else ValueNone with
            | ValueSome(struct (asked, content)) -> replay request ask vectors shape asked content
            | ValueNone -> append request ask vectors shape)

    interface IDisposable with
        member _.Dispose() = (records :> IDisposable).Dispose()
