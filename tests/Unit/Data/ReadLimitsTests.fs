/// What readers take from files that are larger than they look, or than a caller wants.
module Curvature.Tests.Unit.ReadLimitsTests

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-limits-"
let private file name = Path.Combine(folder, name)

let private mebibytes (count: int64) = count <<< 20

/// A file of a beginning and so many repetitions of a piece, packed.
let private bomb name (start: byte[]) (piece: byte[]) (bytes: int64) =
    let path = file name
    let block = Array.init (1 <<< 20) (fun i -> piece[i % piece.Length])

    using (new GZipStream(File.Create path, CompressionLevel.Fastest)) (fun stream ->
        stream.Write(ReadOnlySpan start)

        for _ in 1L .. bytes / int64 block.Length do
            stream.Write(ReadOnlySpan block))

    path

let private ascii (text: string) = Encoding.ASCII.GetBytes text
let private big (value: int) = [| byte (value >>> 24); byte (value >>> 16); byte (value >>> 8); byte value |]

/// How many bytes an action took on the way to its end.
let private allocated (action: unit -> unit) : int64 =
    let before = GC.GetAllocatedBytesForCurrentThread()
    action ()
    GC.GetAllocatedBytesForCurrentThread() - before

/// The action is refused, with these words, and does not take more than so many bytes for it.
let private refusedWithin (most: int64) fragments (action: unit -> unit) =
    let taken = allocated (fun () -> Expect.error<DataException> fragments action)
    Expect.isTrue $"{fragments} took {taken} bytes, and {most} are allowed" (taken <= most)

let private header (dictionary: string) =
    [|
        yield! [| 0x93uy; byte 'N'; byte 'U'; byte 'M'; byte 'P'; byte 'Y'; 1uy; 0uy |]
        byte dictionary.Length
        byte (dictionary.Length >>> 8)
        yield! ascii dictionary
    |]

/// An archive of arrays of zeros, of so many mebibytes each.
let private archive name (arrays: int) (size: int) =
    let path = file name
    use zip = ZipFile.Open(path, ZipArchiveMode.Create)
    let block = Array.zeroCreate<byte>(1 <<< 20)

    for number in 1..arrays do
        use content = zip.CreateEntry($"a{number}.npy", CompressionLevel.Fastest).Open()

        content.Write(
            ReadOnlySpan(header $"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size * block.Length},)}}")
        )

        for _ in 1..size do
            content.Write(ReadOnlySpan block)

    path

/// A file whose header lists tensors of one number each.
let private manyTensors (count: int) (last: int) =
    let text = StringBuilder "{"

    for i in 0 .. count - 1 do
        let final = if i = count - 1 then last else 4 * i + 4
        let comma = if i = 0 then "" else ","

        text.Append(
            $"{comma}\"model.layers.{i}.weight\":{{\"dtype\":\"F32\",\"shape\":[1],"
            + $"\"data_offsets\":[{4 * i},{final}]}}"
        )
        |> ignore

    let header = ascii (text.Append('}').ToString())
    let length = Array.zeroCreate<byte> 8
    BinaryPrimitives.WriteInt64LittleEndian(length.AsSpan(), int64 header.Length)
    header.Length, Array.concat [ length; header; Array.zeroCreate (4 * count) ]

let private limits = ReadLimits.Default.WithBytes(mebibytes 16L)
let private tooMuch path = [ path; "16777216 bytes"; "ReadLimits.WithBytes" ]

[<Tests>]
let tests =
    testList "Unit.ReadLimitsTests" [
        test "what unpacks to more than the limit is refused before it takes much more" {
            let size = mebibytes 128L
            let cifar = bomb "bomb.bin.gz" [||] [| 0uy |] size
            refusedWithin (mebibytes 64L) (tooMuch cifar) (fun () -> Cifar.images10With limits cifar |> ignore)

            let idx =
                Array.concat [ [| 0uy; 0uy; 8uy; 3uy |]; big 128; big 1024; big 1024 ]
                |> fun start -> bomb "bomb.idx.gz" start [| 0uy |] size

            refusedWithin (mebibytes 1L) (tooMuch idx) (fun () -> Idx.readWith limits idx |> ignore)
            refusedWithin (mebibytes 1L) (tooMuch idx) (fun () -> Idx.imagesWith limits idx idx |> ignore)
            let table = bomb "bomb.csv.gz" [||] (ascii "1,2,3,0\n") size

            refusedWithin (mebibytes 512L) (tooMuch table) (fun () ->
                Csv.readWith (CsvOptions.Default.WithLimits limits) table |> ignore)

            let npz = archive "bomb.npz" 1 128
            refusedWithin (mebibytes 4L) (tooMuch npz) (fun () -> Numpy.readArchiveWith limits npz |> ignore)

            let npy =
                bomb "bomb.npy.gz" (header "{'descr': '<f8', 'fortran_order': False, 'shape': (16777216,)}") [| 0uy |]

            let npy = npy size
            refusedWithin (mebibytes 1L) (tooMuch npy) (fun () -> Numpy.readWith limits npy |> ignore)
            let comment = "%%MatrixMarket matrix array real general\n%"
            let matrix = bomb "bomb.mtx.gz" (ascii comment) (ascii "% all of this is a comment, and again\n") size
            refusedWithin (mebibytes 512L) (tooMuch matrix) (fun () -> MatrixMarket.readWith limits matrix |> ignore)
            let weights = bomb "bomb.safetensors.gz" [| 0uy; 0uy; 0uy; 4uy; 0uy; 0uy; 0uy; 0uy |] (ascii " ") size
            refusedWithin (mebibytes 1L) (tooMuch weights) (fun () -> Safetensors.readWith limits weights |> ignore)
        }

        test "numbers take no more memory than the limit, though their text is short" {
            // A byte of the file becomes four in memory.
            let idx = file "wide.idx"

            File.WriteAllBytes(
                idx,
                Array.concat [ [| 0uy; 0uy; 8uy; 1uy |]; big (6 <<< 20); Array.zeroCreate (6 <<< 20) ]
            )

            refusedWithin (mebibytes 8L) (tooMuch idx) (fun () -> Idx.readWith limits idx |> ignore)
            // Two arrays of 12 MiB, each of which is within the limit.
            let npz = archive "two.npz" 2 3

            Expect.equal
                "Numpy.readArchiveWith limits (a…"
                1
                (Numpy.readArchiveWith limits (archive "one.npz" 1 3) |> List.length)

            Expect.error<DataException> (tooMuch npz) (fun () -> Numpy.readArchiveWith limits npz |> ignore)
            let general = "%%MatrixMarket matrix coordinate real general\n"
            let announced = file "announced.mtx"
            File.WriteAllText(announced, general + "1000000 1000000 262145\n1 1 1\n")

            refusedWithin (mebibytes 1L) (tooMuch announced) (fun () ->
                MatrixMarket.readWith limits announced |> ignore)

            let longer = file "longer.mtx"
            let row = String.replicate 1000 "1 "
            let array = "%%MatrixMarket matrix array real general\n1000 1000\n"
            File.WriteAllText(longer, array + String.replicate 1000 (row + "\n"))

            refusedWithin (mebibytes 256L) (tooMuch longer) (fun () -> MatrixMarket.readWith limits longer |> ignore)
            let table = file "ones.csv"
            File.WriteAllText(table, String.replicate 1_000_000 "1,1,0\n")

            refusedWithin (mebibytes 512L) (tooMuch table) (fun () ->
                Csv.readMatrixWith (CsvOptions.Default.WithLimits limits) table |> ignore)
        }

        test "a caller can raise the limit" {
            let idx =
                bomb "raised.idx.gz" (Array.concat [ [| 0uy; 0uy; 8uy; 1uy |]; big (8 <<< 20) ]) [| 7uy |] (8L <<< 20)

            Expect.error<DataException> (tooMuch idx) (fun () -> Idx.readWith limits idx |> ignore)

            Expect.equal
                "(Idx.readWith (limits.WithBytes…"
                (8 <<< 20)
                (Idx.readWith (limits.WithBytes(mebibytes 32L)) idx).Size

            let plain = file "plain.npy"
            Numpy.write plain (Tensor.zeros DType.Float64 [ 100 ])
            let few = ReadLimits.Default.WithBytes 800L

            Expect.error<DataException> [ plain; "the file"; "800 bytes" ] (fun () ->
                Numpy.readWith few plain |> ignore)

            Expect.equal "(Numpy.readWith (few.WithBytes…" 100 (Numpy.readWith (few.WithBytes 1000L) plain).Size

            let changes = [ (fun () -> few.WithBytes 0L); (fun () -> few.WithLine -1); (fun () -> few.WithEntries 0) ]

            for change in changes do
                Expect.error<ArgumentRangeException> [ "limit" ] (change >> ignore)

            let all = ReadLimits.Default.WithBytes(5L).WithLine(6).WithEntries 7
            Expect.equal "all.Bytes, all.Line, all.Entries" (5L, 6, 7) (all.Bytes, all.Line, all.Entries)
        }

        test "a line without an end is refused" {
            let text = "%%MatrixMarket matrix coordinate real general\n%"
            let path = bomb "line.mtx.gz" (ascii text) [| byte ' ' |] (mebibytes 64L)
            let words path line = [ path; "line"; $"{line}" ]

            refusedWithin (mebibytes 256L) (words path "16777216 characters") (fun () ->
                MatrixMarket.read path |> ignore)

            refusedWithin (mebibytes 1L) (words path "1000 characters") (fun () ->
                MatrixMarket.readWith (ReadLimits.Default.WithLine 1000) path |> ignore)

            let row = bomb "row.csv.gz" (ascii "1,\"") [| byte '2' |] (mebibytes 64L)

            refusedWithin (mebibytes 4L) [ row; "line 1" ] (fun () ->
                Csv.readWith (CsvOptions.Default.WithLimits(ReadLimits.Default.WithLine 1000)) row |> ignore)
        }

        testCase "a packed stream is read from its beginning, wherever it stands" (fun () ->
            use stream = new MemoryStream()

            using (new GZipStream(stream, CompressionLevel.Fastest, true)) (fun packed ->
                packed.Write(ReadOnlySpan [| 0uy; 0uy; 8uy; 1uy; 0uy; 0uy; 0uy; 2uy; 5uy; 6uy |]))

            Expect.equal "stream.Position" stream.Length stream.Position
            Expect.tensor 0.0 [ 2 ] [ 5.0; 6.0 ] (Idx.readStream ReadLimits.Default "packed" stream))

        test "lines end by a line feed, a return or both" {
            let text = "%%MatrixMarket matrix array real general\r\n% a\r% b\n\n2 1\r\n3\r4"
            let name, read = "ends", MatrixMarket.readStream (ReadLimits.Default.WithLine 40)
            let operator = read name (new MemoryStream(ascii text))
            Expect.tensor 0.0 [ 2 ] [ 3.0; 4.0 ] (operator.Apply(Tensor.ones DType.Float64 [ 1 ]))

            Expect.error<DataException> [ name; "line 6"; "more" ] (fun () ->
                read
                    name
                    (new MemoryStream(ascii "%%MatrixMarket matrix array real general\r\n% a\r% b\n1 1\r\n3\r4\n"))
                |> ignore)
        }

        test "a header of 300 000 tensors takes less than three times its size" {
            // The last tensor does not fit, which is found when the header is read and before a tensor is made.
            let size, bytes = manyTensors 300_000 0
            let name = "many.safetensors"

            refusedWithin (3L * int64 size) [ name; "model.layers.299999.weight" ] (fun () ->
                Safetensors.readStream ReadLimits.Default name (new MemoryStream(bytes)) |> ignore)

            let _, whole = manyTensors 1000 4000

            Expect.equal
                "(Safetensors.readStream ReadLim…"
                1000
                (Safetensors.readStream ReadLimits.Default name (new MemoryStream(whole))).Length

            Expect.error<DataException> [ name; "1000 tensors"; "999"; "WithEntries" ] (fun () ->
                Safetensors.readStream (ReadLimits.Default.WithEntries 999) name (new MemoryStream(whole)) |> ignore)

            let npz = archive "entries.npz" 3 0

            Expect.equal
                "(Numpy.readArchiveWith (ReadLim…"
                3
                (Numpy.readArchiveWith (ReadLimits.Default.WithEntries 3) npz).Length

            Expect.error<DataException> [ npz; "3 tensors" ] (fun () ->
                Numpy.readArchiveWith (ReadLimits.Default.WithEntries 2) npz |> ignore)
        }
    ]
