namespace Curvature.FSharp

open System
open System.IO
open System.Runtime.InteropServices
open System.Security.Cryptography
open System.Text
open Curvature

/// What was asked of an operator.
type private Request =
    | Product = 0
    | BlockProduct = 1
    | AdjointProduct = 2
    | AdjointBlockProduct = 3
    | Forms = 4

/// A file of records, each with a checksum that rests on all before it. The file is only ever made longer, so that an
/// interruption at any moment leaves its beginning: whole records, and perhaps a part of one, which is cut off when the
/// file is opened again.
[<Sealed>]
type private RecordFile(path: string, about: string) =
    let magic = "CURVATURE LOG 2\n"B
    let hashSize = SHA256.HashSizeInBytes

    let hash (parts: byte[] list) : byte[] =
        use sum = IncrementalHash.CreateHash HashAlgorithmName.SHA256
        parts |> List.iter (fun part -> sum.AppendData(ReadOnlySpan part))
        sum.GetHashAndReset()

    let origin = SHA256.HashData(Encoding.UTF8.GetBytes about)

    /// Before the records: what the file is, and a checksum of what it is about.
    let head = Array.append magic origin

    let damaged what = raise (CheckpointFile.damaged path what)

    /// Whether the file has to be made: there is none, or one whose making was interrupted.
    let isUnmade () =
        if not (File.Exists path) then
            true
        elif FileInfo(path).Length >= int64 head.Length then
            false
        else
            let there = File.ReadAllBytes path
            there = head[.. there.Length - 1]

    let openFile () =
        CheckpointFile.requirePath path

        CheckpointFile.guarded path "opened" (fun () ->
            if isUnmade () then
                AtomicFile.replace path (fun file -> file.Write(ReadOnlySpan head))

            // Without a buffer: what is written is in the file, and nothing is left to be written when it is closed.
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 0))

    let file = openFile ()
    let mutable chain = origin

    let read (count: int) : byte[] =
        let bytes = Array.zeroCreate count
        file.ReadExactly(Span bytes)
        bytes

    /// The description of the next record and its content, or nothing where the file ends before the record does.
    let tryRead (descriptionSize: int) (contentSize: byte[] -> int) : struct (byte[] * byte[]) voption =
        let rest = file.Length - file.Position

        if rest < int64 (descriptionSize + hashSize) then
            ValueNone
        else
            let description = read descriptionSize

            if read hashSize <> hash [ chain; description ] then
                damaged "the checksum of the beginning of a record is not that of its content"

            let size = contentSize description

            if file.Length - file.Position < int64 size + int64 hashSize then
                ValueNone
            else
                let content = read size
                let next = hash [ chain; description; content ]

                if read hashSize <> next then
                    damaged "the checksum of a record is not that of its content"

                chain <- next
                ValueSome(struct (description, content))

    /// Reads all, so that damage is found before anything is spent, and cuts off what was not written to its end.
    let verify descriptionSize contentSize =
        let start = Array.zeroCreate head.Length
        let got = file.ReadAtLeast(Span start, head.Length, false)

        if got < head.Length || start[.. magic.Length - 1] <> magic then
            Fail.data $"checkpoint {path}: it is not one of products, or of another version"

        if start <> head then
            raise (CheckpointFile.foreign path $"its products are not of {about}")

        let mutable whole = file.Position

        while (tryRead descriptionSize contentSize).IsSome do
            whole <- file.Position

        if whole < file.Length then file.SetLength whole

        chain <- origin
        file.Position <- int64 head.Length

    /// Brings the file to its first record. `contentSize` tells from a description how long its content is.
    member this.Verify(descriptionSize: int, contentSize: byte[] -> int) =
        try
            CheckpointFile.guarded path "read" (fun () -> verify descriptionSize contentSize)
        with _ ->
            (this :> IDisposable).Dispose()
            reraise ()

    /// The next record, or nothing at the end.
    member _.TryRead(descriptionSize: int, contentSize: byte[] -> int) : struct (byte[] * byte[]) voption =
        CheckpointFile.guarded path "read" (fun () -> tryRead descriptionSize contentSize)

    /// Adds a record, which is on the disk when this returns.
    member _.Append(description: byte[], content: byte[]) =
        let next = hash [ chain; description; content ]
        let start = file.Position

        CheckpointFile.guarded path "written" (fun () ->
            try
                file.Write(ReadOnlySpan(Array.append description (hash [ chain; description ])))
                file.Write(ReadOnlySpan content)
                file.Write(ReadOnlySpan next)
                file.Flush true
            with _ ->
                file.SetLength start
                reraise ())

        chain <- next

    interface IDisposable with
        member _.Dispose() = file.Dispose()

/// The answers of an operator in a file, one after the other.
///
/// A run that is repeated asks the same questions, because its random numbers follow from its key, and gets the answers
/// from the file as far as it goes; then from the operator, whose answers are added.
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
            raise (CheckpointFile.damaged path $"an answer would be {first} by {width}, along {rank} axes")

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
            raise (
                CheckpointFile.foreign path $"another operator made it, whose first product differs by {difference:G3}"
            )

    let replay request (ask: Tensor -> Tensor) (vectors: Tensor) (shape: int[]) (asked: byte[]) (content: byte[]) =
        if asked <> question request vectors shape then
            raise (CheckpointFile.foreign path $"its product number {replayed} is of other vectors")

        let answer = tensorOf shape content

        if (Finite.tryFind answer).IsSome then
            raise (CheckpointFile.damaged path $"its product number {replayed} is not finite")

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

/// Runs that can be interrupted, and go on another day with the same bits.
[<RequireQualifiedAccess>]
module Checkpoint =

    /// The operator, with its answers in a log.
    let private logged (log: AnswerLog) (a: LinearOperator) : LinearOperator =
        let d = a.Definition

        let answering single block rows (products: Products) : Products =
            {
                Single = fun v -> log.Answer(single, products.Single, v, [| rows |])
                Block = fun v -> log.Answer(block, products.Block, v, [| v.Signature.Shape[0]; rows |])
            }

        let forms (f: Tensor -> Tensor) (v: Tensor) = log.Answer(Request.Forms, f, v, [| v.Signature.Shape[0] |])

        LinearOperator.Of
            { d with
                Product = answering Request.Product Request.BlockProduct d.Rows d.Product
                Adjoint =
                    d.Adjoint
                    |> ValueOption.map (answering Request.AdjointProduct Request.AdjointBlockProduct d.Columns)
                Forms = d.Forms |> ValueOption.map forms
            }

    /// Runs a computation on an operator whose products are kept in a file, as they come. Where the file exists, the computation begins anew,
    /// but has its products from there as far as they go: whatever it is, it comes to the same bits as if it had never been interrupted, if it
    /// asks for the same products. The file takes the memory of all products; one more is taken to see that the operator is the same. Seconds
    /// are counted anew.
    /// A run that was killed, at whatever moment, goes on from the products that the file has whole.
    /// Raises DataException for a file that is damaged, cannot be read or written, or holds products of another operator or with
    /// other vectors, such as those of another key.
    let run (path: string) (computation: LinearOperator -> 'T) (operator: LinearOperator) : 'T =
        if isNull path then nullArg (nameof path)
        use log = new AnswerLog(path, operator)
        computation (logged log operator)

    /// Runs an estimator that keeps vectors with the file of its options, if it has one.
    let internal keeping
        (options: RunOptions)
        (operator: LinearOperator)
        (estimate: RunOptions -> LinearOperator -> 'T)
        : 'T =
        if isNull options.Checkpoint then
            estimate options operator
        else
            run options.Checkpoint (estimate options.WithoutCheckpoint) operator
