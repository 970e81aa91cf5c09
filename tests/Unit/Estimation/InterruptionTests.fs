/// Files of runs after every interruption, and with every content that a right checksum may cover.
module Curvature.Tests.Unit.InterruptionTests

open System
open System.IO
open System.Security.Cryptography
open System.Text
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private key = Key.OfSeed 160L
let private n = 5
let private operator = LinearOperator.ofMatrix (Matrices.symmetric 161 n)
let private folder = TemporaryFolder.create "curvature-interruption-"
let private path = Path.Combine(folder, "file.run")
let private bits = Array.map BitConverter.DoubleToInt64Bits

let private clear () =
    for entry in Directory.GetFileSystemEntries folder do
        File.Delete entry

// ---- runs that sample
let private measurement =
    Measurement.both
        Measurement.trace
        (Measurement.both Measurement.diagonalRatio (Measurement.unwatched Measurement.diagonal))

let private sample (options: RunOptions) samples =
    let trace, (ratio, diagonal) =
        Estimate.runWith
            (options.WithBlockSize 4)
            (Hutchinson.estimator Probe.gaussian measurement)
            (StoppingRule.matvecs samples)
            key
            operator

    Array.concat [
        [| trace.Value; trace.StandardError |]
        ratio.Value.ToArray()
        diagonal.Value.ToArray()
        diagonal.StandardError.ToArray()
    ]

let private kept = RunOptions.Default.WithCheckpoint(path, 0.0)

let private atTheEnd = RunOptions.Default.WithCheckpoint(path, infinity)

let private magic, private sum = 16, SHA256.HashSizeInBytes

/// The file with a right checksum, whatever its content is.
let private sealedRun (bytes: byte[]) =
    let head, content = bytes[.. magic - 1], bytes[magic + sum ..]
    Array.concat [ head; SHA256.HashData content; content ]

// ---- logs of products
let private head = magic + sum

let private description = 16 + sum

/// Four products, one after the other.
let private products (options: string) =
    Checkpoint.run
        options
        (fun a ->
            let mutable v = Tensor.ones DType.Float64 [ n ]

            for _ in 1..3 do
                v <- a.Apply v

            Array.append (v.ToArray()) ((a.Apply(Tensor.ones DType.Float64 [ 2; n ])).ToArray()))
        operator

/// The description and the answer of each record of a log.
let private recordsOf (log: byte[]) =
    let rec next place =
        if place = log.Length then
            []
        else
            let rank = BitConverter.ToInt32(log, place + 4)
            let first, width = BitConverter.ToInt32(log, place + 8), BitConverter.ToInt32(log, place + 12)
            let size = 8 * (if rank = 1 then width else first * width)
            let answer = place + description + sum

            (log[place .. place + description - 1], log[answer .. answer + size - 1]) :: next (answer + size + sum)

    next head

/// A log of these records with right checksums.
let private sealedLog (start: byte[]) records =
    let mutable chain = start[magic..]

    let seal (description: byte[], answer: byte[]) =
        let first = SHA256.HashData(Array.append chain description)
        chain <- SHA256.HashData(Array.concat [ chain; description; answer ])
        Array.concat [ description; first; answer; chain ]

    Array.concat (start :: List.map seal records)

/// Numbers that a file may claim: 4 bytes, or 8.
let private lies: byte[] list =
    List.concat [
        [ 0; 1; -1; 7; Int32.MaxValue; Int32.MinValue ] |> List.map BitConverter.GetBytes
        [ nan; infinity; -1.0; 1e300 ] |> List.map BitConverter.GetBytes
        [ [| 255uy |]; [| 0uy |] ]
    ]

let private overwrite (place: int) (lie: byte[]) (bytes: byte[]) =
    let changed = Array.copy bytes
    Array.blit lie 0 changed place (min lie.Length (bytes.Length - place))
    changed

/// A third of the lies, another one at each place.
let private liesAt place = lies |> List.indexed |> List.filter (fun (i, _) -> (i + place) % 3 = 0) |> List.map snd

/// Runs on a file that was tampered with: it is refused, or read, and nothing else happens.
let private survives (what: unit -> string) (run: unit -> unit) =
    try
        run ()
        0
    with
    | :? CurvatureException as error ->
        // The numbers of the run may be wrong, but the errors are about them or about the file.
        Expect.isTrue $"{what ()}: {error}" (error :? NonFiniteException || error.Message.Contains path)
        1
    | error ->
        failtest $"{what ()}: {error}"
        0

/// Tidies up when a test disposes of it at its end.
let private afterEach () =
    { new System.IDisposable with
        member _.Dispose() = clear ()
    }

[<Tests>]
let tests =
    testList "Unit.InterruptionTests" [
        test "a log that is cut off after any byte is resumed to the same bits" {
            use _each = afterEach ()
            let expected = products path
            let whole = File.ReadAllBytes path

            for length in 0 .. whole.Length do
                File.WriteAllBytes(path, whole[.. length - 1])
                Expect.isTrue $"cut off after {length} bytes" (bits (products path) = bits expected)
                Expect.isTrue $"cut off after {length} bytes, and made whole again" (File.ReadAllBytes path = whole)
        }

        testCase "a log is only ever made longer" (fun () ->
            use _each = afterEach ()

            let failing limit =
                let mutable left = limit

                LinearOperator.ofBlockFunction DType.Float64 n n (fun block ->
                    left <- left - 1
                    if left < 0 then raise (TimeoutException())
                    operator.Apply block)
                |> LinearOperator.named "products"

            let ask (a: LinearOperator) =
                for i in 1..4 do
                    a.Apply(Tensor.ones DType.Float64 [ i; n ]) |> ignore

            let logs =
                [
                    for products in 0..4 do
                        File.Delete path

                        try
                            Checkpoint.run path ask (failing products)
                        with :? TimeoutException ->
                            ()

                        File.ReadAllBytes path
                ]

            for earlier, later in List.pairwise logs do
                Expect.isTrue "longer" (later.Length > earlier.Length && later[.. earlier.Length - 1] = earlier))

        test "a log whose making was interrupted, or that was emptied, begins anew" {
            use _each = afterEach ()
            let expected = products path
            let whole = File.ReadAllBytes path

            // What another beginning is followed by is not known, and is left alone.
            let others = [ overwrite 3 [| 0uy |] whole[..20]; overwrite 20 [| whole[20] ^^^ 1uy |] whole[..40] ]

            for start in [| 1uy |] :: others do
                File.WriteAllBytes(path, start)
                Expect.error<DataException> [ path ] (fun () -> products path |> ignore)
                Expect.isTrue "left as it was" (File.ReadAllBytes path = start)

            for length in [ 0; 1; 15; 16; 17; 47 ] do
                File.WriteAllBytes(path, whole[.. length - 1])
                Expect.isTrue "bits (products path) = bits exp…" (bits (products path) = bits expected)
        }

        test "a run that is killed at any write is resumed to the same bits" {
            use _each = afterEach ()
            let expected = sample RunOptions.Default 24
            // The files after each block, as they are when a process is killed between two writes.
            let states = ResizeArray<byte[]>()

            let watching =
                { new IProgress<SamplingProgress> with
                    member _.Report _ = if File.Exists path then states.Add(File.ReadAllBytes path)
                }

            Expect.isTrue
                "bits (sample (kept.WithProgress…"
                (bits (sample (kept.WithProgress(watching, 0.0)) 24) = bits expected)
            // After each block but the first, and at the end.
            Expect.equal "states.Count" 6 states.Count
            Expect.equal "Directory.GetFiles folder" [| path |] (Directory.GetFiles folder)
            let last = File.ReadAllBytes path

            // In a write, the process leaves a part of the next file beside the older one, or beside none.
            for state, next in List.pairwise (List.ofSeq states @ [ last ]) do
                for length in 0..41 .. next.Length do
                    for older in [ Some state; None ] do
                        clear ()
                        older |> Option.iter (fun older -> File.WriteAllBytes(path, older))
                        File.WriteAllBytes($"{path}.0123456789ab.tmp", next[.. length - 1])
                        Expect.isTrue $"{length} bytes of the next" (bits (sample kept 24) = bits expected)
        }

        testCase "a run whose content is not that of a run is refused, though its checksum is right" (fun () ->
            use _each = afterEach ()
            let expected = sample kept 8
            let whole = File.ReadAllBytes path
            Expect.isTrue "bits (sample kept 8) = bits exp…" (bits (sample kept 8) = bits expected)
            let mutable refused, total = 0, 0

            for place in magic + sum .. whole.Length - 1 do
                for lie in liesAt place do
                    let bytes = overwrite place lie whole |> sealedRun
                    total <- total + 1

                    if bytes <> whole then
                        File.WriteAllBytes(path, bytes)
                        let say () = $"{BitConverter.ToString lie} at {place}"
                        // A longer rule draws on from what the file says.
                        refused <- refused + survives say (fun () -> sample atTheEnd 12 |> ignore)

            Expect.isGreaterThan "refused" (refused, total / 4)

            for length in magic + sum .. whole.Length - 1 do
                File.WriteAllBytes(path, sealedRun whole[.. length - 1])
                Expect.error<DataException> [ path ] (fun () -> sample atTheEnd 12 |> ignore))

        testCase "counts, times and facts that cannot be are refused by name" (fun () ->
            use _each = afterEach ()
            sample kept 8 |> ignore
            let whole = File.ReadAllBytes path
            let start = magic + sum
            let text = Encoding.UTF8.GetString whole
            Expect.isTrue "the last fact is the block size" (text.Contains "the block size")
            // Behind the facts: the number of products, the seconds and the mark; then how many histories of analyses
            // and columns there are, how many samples with their mark, and what was measured, the trace's count first.
            let marker = Encoding.UTF8.GetBytes "the block size"
            let facts = whole.AsSpan().IndexOf(ReadOnlySpan marker) + marker.Length + 2
            Expect.equal "BitConverter.ToInt32(whole, fac…" 8 (BitConverter.ToInt32(whole, facts))

            let refused fragments place (lie: byte[]) =
                File.WriteAllBytes(path, overwrite place lie whole |> sealedRun)
                Expect.error<DataException> (path :: fragments) (fun () -> sample kept 12 |> ignore)

            let int (value: int) = BitConverter.GetBytes value
            let float (value: float) = BitConverter.GetBytes value
            refused [ "-8 samples" ] facts (int -8)
            refused [ "0 samples" ] facts (int 0)
            refused [ "9 samples"; "has 8" ] facts (int 9)
            refused [ "seconds" ] (facts + 4) (float -1.0)
            refused [ "seconds" ] (facts + 4) (float nan)
            refused [ "another operator" ] (facts + 12) (float nan)
            refused [ "-1 histories" ] (facts + 20) (int -1)
            refused [ "-1 columns" ] (facts + 24) (int -1)
            refused [ "9 columns" ] (facts + 24) (int 9)
            refused [ "8 samples"; "has -8" ] (facts + 28) (int -8)
            refused [ "8 samples"; "has -8" ] (facts + 41) (int -8)
            refused [ "sum of squares" ] (facts + 53) (float -1.0)
            refused [ "unit" ] (facts + 69) (float -1.0)
            refused [ "-1 vectors" ] (facts + 77) (int -1)
            refused [ "number of elements" ] (facts + 81) (float -1.0)
            refused [ "vector of 5"; "-1" ] (facts + 102) (int -1)
            refused [ "-1 facts" ] start (int -1)
            refused [ "4 facts"; "5" ] start (int 4)
            refused [ "6 facts"; "5" ] start (int 6)
            refused [ "tells The operator" ] (start + 5) [| byte 'T' |]
            refused [ "not whole" ] (start + 4) [| 255uy; 255uy; 255uy; 255uy; 255uy; 255uy |])

        testCase "a log whose records are not those of the run is refused, though its checksums are right" (fun () ->
            use _each = afterEach ()
            let expected = products path
            let whole = File.ReadAllBytes path
            let records = recordsOf whole
            let start = whole[.. head - 1]
            Expect.isTrue "the test knows the format" (sealedLog start records = whole)
            Expect.isTrue "bits (products path) = bits exp…" (bits (products path) = bits expected)
            let mutable refused, total = 0, 0

            for number in 0 .. records.Length - 1 do
                let description, answer = records[number]

                for place in 0 .. description.Length + answer.Length - 1 do
                    for lie in liesAt place do
                        let changed =
                            if place < description.Length then
                                overwrite place lie description, answer
                            else
                                description, overwrite (place - description.Length) lie answer

                        if changed <> records[number] then
                            total <- total + 1
                            File.WriteAllBytes(path, sealedLog start (List.updateAt number changed records))
                            let say () = $"{BitConverter.ToString lie} at {place} of record {number}"
                            refused <- refused + survives say (fun () -> products path |> ignore)

            Expect.isGreaterThan "refused" (refused, total / 4))

        testCase "a checkpoint that cannot be written is told before the work begins" (fun () ->
            use _each = afterEach ()
            let mutable products = 0

            let counting =
                LinearOperator.ofDelegate DType.Float64 n n (fun v ->
                    products <- products + 1
                    v)

            let run (path: string) () =
                Estimate.runWith
                    (RunOptions.Default.WithCheckpoint path)
                    (Hutchinson.estimator Probe.gaussian Measurement.trace)
                    (StoppingRule.matvecs 4)
                    key
                    counting
                |> ignore

            let log (path: string) () =
                Checkpoint.run path (fun a -> a.Apply(Tensor.ones DType.Float64 [ n ]) |> ignore) counting

            for start in [ run; log ] do
                let missing = Path.Combine(folder, "no such folder", "file.run")
                Expect.error<DataException> [ missing; "does not exist" ] (start missing)
                Expect.error<DataException> [ folder; "a folder" ] (start folder)
                Expect.error<DataException> [ "\"\"" ] (start "")
                Expect.error<DataException> [ "not the path" ] (start "a\000b")

                if not (OperatingSystem.IsWindows()) then
                    Expect.error<DataException> [ "/dev/full"; "a device" ] (start "/dev/full")

            File.WriteAllText(path, "")
            File.SetAttributes(path, FileAttributes.ReadOnly)
            Expect.error<DataException> [ path; "read-only" ] (run path)
            File.SetAttributes(path, FileAttributes.Normal)
            Expect.equal "products" 0 products)

        test "an error of the operator is not told as one of the file" {
            use _each = afterEach ()

            let failing =
                LinearOperator.ofDelegate DType.Float64 n n (fun _ -> raise (IOException "the operator's own"))

            let ask (a: LinearOperator) = a.Apply(Tensor.ones DType.Float64 [ n ]) |> ignore

            for error in [ 1; 2 ] do
                Expect.error<IOException> [ "the operator's own" ] (fun () -> Checkpoint.run path ask failing)

                if error = 1 then
                    File.Delete path
                    // The second time, the file has a product, which is asked for again.
                    let names = string failing
                    Expect.isTrue names (names.Length > 0)
                    let working = LinearOperator.ofDelegate DType.Float64 n n id
                    Checkpoint.run path ask working
        }
    ]
