namespace Curvature.FSharp

open System
open System.Buffers.Binary
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

/// The answers of an operator in a file, one after the other, each with a checksum that rests on all before it, and at the beginning
/// how far the file is complete: what an interruption left behind that is written over.
///
/// A run that is repeated asks the same questions, because its random numbers follow from its key, and gets the answers from the file as
/// far as it goes; then from the operator, whose answers are added.
[<Sealed>]
type private AnswerLog(path: string, operator: LinearOperator) =
    let magic = "CURVATURE LOG 1\n"B
    let hashSize = SHA256.HashSizeInBytes

    /// Where the committed length and its checksum are.
    let commitPlace = int64 magic.Length

    /// Then follows a checksum of what the operator is called, with its shape.
    let namePlace = commitPlace + 8L + int64 hashSize

    let start = namePlace + int64 hashSize

    let file =
        CheckpointFile.guarded path "opened" (fun () ->
            new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))

    let mutable chain = SHA256.HashData(Encoding.UTF8.GetBytes(string operator))
    let mutable replayed = 0
    let mutable last = 0L

    let damaged what = raise (CheckpointFile.damaged path what)

    let read (count: int) : byte[] =
        if file.Position + int64 count > last then damaged "it ends too early"
        let bytes = Array.zeroCreate count
        file.ReadExactly(Span bytes)
        bytes

    let commitment (length: int64) =
        let bytes = Array.zeroCreate 8
        BinaryPrimitives.WriteInt64LittleEndian(Span bytes, length)
        bytes, SHA256.HashData(Array.concat [ magic; bytes; chain ])

    let commit () =
        let length, hash = commitment file.Position
        let place = file.Position
        file.Flush()
        file.Position <- commitPlace
        file.Write(ReadOnlySpan length)
        file.Write(ReadOnlySpan hash)
        file.Flush()
        file.Position <- place

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

    let questionSize = 16 + hashSize

    /// The next record: its question, its answer, and the chain after it.
    let readRecord () =
        let asked = read questionSize
        let numbers = MemoryMarshal.Cast<byte, int>(ReadOnlySpan asked[..15]).ToArray()
        let rank, first, width = numbers[1], numbers[2], numbers[3]
        let elements = if rank = 1 then int64 width else int64 first * int64 width
        let bytes = elements * int64 (Storage.Bytes operator.DType)

        if rank < 1 || rank > 2 || first < 0 || width < 0 || bytes > last - file.Position then
            damaged "a record is longer than the file"

        let answer = read (int bytes)
        let next = SHA256.HashData(Array.concat [ chain; asked; answer ])

        if next <> read hashSize then
            damaged "the checksum of a record is not that of its content"

        struct (asked, answer, next)

    /// Reads all, so that damage is found before anything is spent.
    let verify () =
        let head = Array.zeroCreate (int start)
        file.Position <- 0L
        let got = file.ReadAtLeast(head.AsSpan(), int start, false)

        if got < int start || head[.. magic.Length - 1] <> magic then
            raise (DataException $"checkpoint {path}: it is not one of products, or of another version")

        if head[int namePlace ..] <> chain then
            raise (CheckpointFile.foreign path $"its products are not of {operator}")

        last <- BinaryPrimitives.ReadInt64LittleEndian(ReadOnlySpan head[int commitPlace .. int commitPlace + 7])
        if last < start || last > file.Length then damaged "it ends too early"
        let origin = chain

        while file.Position < last do
            let struct (_, _, next) = readRecord ()
            chain <- next

        if snd (commitment last) <> head[int commitPlace + 8 .. int namePlace - 1] then
            damaged "its checksum is not that of its content"

        chain <- origin
        file.Position <- start

    let create () =
        file.Write(ReadOnlySpan magic)
        file.Position <- namePlace
        file.Write(ReadOnlySpan chain)
        last <- start
        commit ()

    do
        try
            CheckpointFile.guarded path "read" (fun () -> if file.Length = 0L then create () else verify ())
        with _ ->
            file.Dispose()
            reraise ()

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

    let replay request (ask: Tensor -> Tensor) (vectors: Tensor) (shape: int[]) : Tensor =
        let struct (asked, answer, next) = readRecord ()

        if asked <> question request vectors shape then
            raise (CheckpointFile.foreign path $"its product number {replayed} is of other vectors")

        let answer = tensorOf shape answer
        if replayed = 0 then requireSameOperator ask vectors answer
        replayed <- replayed + 1
        chain <- next
        answer

    let append request (ask: Tensor -> Tensor) (vectors: Tensor) (shape: int[]) : Tensor =
        let answer = ask vectors

        // What does not fit, or is not finite, is an error of the operator that the caller will report.
        if answer.Signature.Shape = shape && (Finite.tryFind answer).IsNone then
            let asked, bytes = question request vectors shape, bytesOf answer
            let next = SHA256.HashData(Array.concat [ chain; asked; bytes ])
            file.Write(ReadOnlySpan asked)
            file.Write(ReadOnlySpan bytes)
            file.Write(ReadOnlySpan next)
            chain <- next
            commit ()

        answer

    /// The answer to a request, of this shape, from the file or from the operator.
    member _.Answer(request: Request, ask: Tensor -> Tensor, vectors: Tensor, shape: int[]) : Tensor =
        lock file (fun () ->
            CheckpointFile.guarded path "read or written" (fun () ->
                if file.Position < last then
                    replay request ask vectors shape
                else
                    append request ask vectors shape))

    interface IDisposable with
        member _.Dispose() = file.Dispose()

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

        LinearOperator
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
