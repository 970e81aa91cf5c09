/// Files that are written as a whole or not at all, and what their writers and readers refuse.
module Curvature.Tests.Unit.AtomicFileTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A process that was killed: nothing is tidied up behind it.
exception Killed of step: string

let private folder = TemporaryFolder.create "curvature-atomic-"
let private file name = Path.Combine(folder, name)
let private names () = Directory.GetFileSystemEntries folder |> Array.map Path.GetFileName |> Set.ofArray
let private one = Tensor.scalar DType.Float64 1.0

/// The writer itself, which tells its steps.
let private replaceBy (step: string -> unit) (path: string) (writer: Stream -> unit) =
    let writers = typeof<ReadLimits>.Assembly.GetType "Curvature.FSharp.AtomicFile"
    let replaceBy = writers.GetMethod("replaceBy", BindingFlags.Static ||| BindingFlags.NonPublic)

    try
        replaceBy.Invoke(null, [| step; path; writer |]) |> ignore
    with :? TargetInvocationException as error ->
        raise error.InnerException

let private run (program: string) (arguments: string list) =
    use child = Process.Start(ProcessStartInfo(program, arguments))
    child.WaitForExit()
    Expect.equal program 0 child.ExitCode

/// A named pipe, which nobody writes to.
let private pipe name =
    if OperatingSystem.IsWindows() then
        skiptest "there are no named pipes among the files of Windows"

    run "mkfifo" [ file name ]
    file name

let private within (seconds: float) (action: unit -> unit) =
    let task = Threading.Tasks.Task.Run action
    Expect.isTrue "it must not wait for another program" (task.Wait(TimeSpan.FromSeconds seconds))

/// Tidies up when a test disposes of it at its end.
let private afterEach () =
    { new System.IDisposable with
        member _.Dispose() =
            for entry in Directory.GetFileSystemEntries folder do
                File.Delete entry
    }

[<Tests>]
let tests =
    testList "Unit.AtomicFileTests" [
        testCase "a write that fails leaves the old file as it was, and nothing beside it" (fun () ->
            use _each = afterEach ()
            let path = file "old"

            let writers: (string * (unit -> unit)) list =
                [
                    "safetensors", (fun () -> Safetensors.write path [ "twice", one; "twice", one ])
                    "npz", (fun () -> Numpy.writeArchive path [ "twice", one; "twice", one ])
                    "a caller's",
                    (fun () ->
                        AtomicFile.write path (fun stream ->
                            stream.Write(ReadOnlySpan(Array.zeroCreate<byte> 100_000))
                            raise (TimeoutException())))
                ]

            for name, write in writers do
                File.WriteAllText(path, "what was there before")

                let failed =
                    try
                        write ()
                        false
                    with _ ->
                        true

                Expect.isTrue $"{name} must fail" failed
                Expect.equal "File.ReadAllText path" "what was there before" (File.ReadAllText path)
                Expect.equal "names ()" (Set.singleton "old") (names ()))

        testCase "a process that is killed at any step leaves the old content or the new, whole" (fun () ->
            use _each = afterEach ()
            let path = file "target"
            let old, fresh = Array.create 70_000 1uy, Array.init 150_000 byte

            // The bytes are written one piece after the other, and the process is killed before each.
            let pieces = Array.chunkBySize 10_000 fresh

            let write (count: int) (step: string -> unit) =
                replaceBy step path (fun stream ->
                    for number, piece in Array.indexed pieces do
                        if number = count then raise (Killed "write")
                        stream.Write(ReadOnlySpan piece)
                        stream.Flush())

            let steps = ResizeArray<string>()
            write -1 steps.Add
            Expect.equal "List.ofSeq steps" [ "create"; "flush"; "rename"; "flush the folder" ] (List.ofSeq steps)
            Expect.equal "names ()" (Set.singleton "target") (names ())

            let killed (before: string option) (written: bool) =
                for deathPiece in (if before.IsNone then [ 0 .. pieces.Length - 1 ] else [ -1 ]) do
                    File.WriteAllBytes(path, old)
                    let step name = if Some name = before || name = "delete" then raise (Killed name)

                    try
                        write deathPiece step
                        failtest "the process was to be killed"
                    with Killed _ ->
                        ()

                    Expect.isTrue $"{before}, {deathPiece}" (File.ReadAllBytes path = (if written then fresh else old))

            killed (Some "create") false
            killed None false
            killed (Some "flush") false
            killed (Some "rename") false
            killed (Some "flush the folder") true
            // What was killed does not stand in the way of what comes after.
            write -1 ignore
            Expect.isTrue "at last" (File.ReadAllBytes path = fresh))

        test "permissions and symbolic links are kept, and the writer may close the stream" {
            use _each = afterEach ()
            if OperatingSystem.IsWindows() then skiptest "the permissions are those of Unix"

            let path, link = file "real", file "link"
            AtomicFile.writeText path "first"
            File.SetUnixFileMode(path, UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute)
            File.CreateSymbolicLink(link, "real") |> ignore

            AtomicFile.write link (fun stream ->
                use writer = new StreamWriter(stream)
                writer.Write "second")

            Expect.equal "File.ReadAllText path" "second" (File.ReadAllText path)
            Expect.equal "FileInfo(link).LinkTarget" "real" (FileInfo(link).LinkTarget)

            Expect.equal
                "File.GetUnixFileMode path"
                (UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute)
                (File.GetUnixFileMode path)

            let long = file (String('n', 250))
            AtomicFile.writeText long "a name as long as names may be"
            Expect.equal "File.ReadAllText long" "a name as long as names may be" (File.ReadAllText long)
        }

        test "what cannot be replaced is refused by name and reason" {
            use _each = afterEach ()

            let refused fragments path =
                Expect.error<DataException> (path :: fragments) (fun () -> AtomicFile.writeText path "text")

            refused [ "folder"; "does not exist" ] (Path.Combine(folder, "missing", "file"))
            refused [ "it is a folder" ] folder
            refused [ "empty" ] ""
            refused [ "character 0" ] "a\000b"
            File.WriteAllText(file "locked", "kept")
            File.SetAttributes(file "locked", FileAttributes.ReadOnly)
            refused [ "it is read-only" ] (file "locked")
            Expect.equal "File.ReadAllText(file \"locked\")" "kept" (File.ReadAllText(file "locked"))
            File.SetAttributes(file "locked", FileAttributes.Normal)
            refused [ "it is a named pipe" ] (pipe "pipe")
            refused [ "it is a device" ] "/dev/null"
        }

        test "every reader refuses pipes, devices and folders by name, and does not wait for them" {
            use _each = afterEach ()
            let pipe = pipe "pipe"

            let readers: (string -> unit) list =
                [
                    Safetensors.read >> ignore
                    Numpy.read >> ignore
                    Numpy.readArchive >> ignore
                    Idx.read >> ignore
                    Cifar.images10 >> ignore
                    MatrixMarket.read >> ignore
                    Csv.read >> ignore
                    (fun path ->
                        Checkpoint.run path ignore (LinearOperator.ofMatrix (Tensor.ones DType.Float64 [ 2; 2 ])))
                    (fun path ->
                        Estimate.runWith
                            (RunOptions.Default.WithCheckpoint path)
                            (Hutchinson.estimator Probe.gaussian Measurement.trace)
                            (StoppingRule.matvecs 2)
                            (Key.OfSeed 1L)
                            (LinearOperator.ofMatrix (Tensor.ones DType.Float64 [ 2; 2 ]))
                        |> ignore)
                ]

            for read in readers do
                for path, kind in [ pipe, "a named pipe"; "/dev/zero", "a device"; folder, "a folder" ] do
                    within 10.0 (fun () -> Expect.error<DataException> [ path; kind ] (fun () -> read path))
        }

        test "an assembly that is missing is not told as a file that cannot be read" {
            use _each = afterEach ()
            let report = Path.Combine(AppContext.BaseDirectory)

            let names =
                [ "Report.dll"; "Report.runtimeconfig.json"; "FSharp.Core.dll"; "Argu.dll"; "Spectre.Console.dll" ]

            let ours = Directory.GetFiles(report, "Curvature.*.dll") |> Array.map Path.GetFileName |> List.ofArray
            let table = file "table.csv"
            File.WriteAllText(table, String.replicate 20 "1.5,2,0\n3,4.5,1\n")

            let errorOf (libraries: string list) =
                let program = Directory.CreateTempSubdirectory("curvature-deployment-").FullName

                for name in names @ ours @ libraries do
                    File.Copy(Path.Combine(report, name), Path.Combine(program, name))

                try
                    let start = ProcessStartInfo("dotnet", [ Path.Combine(program, "Report.dll"); "--data"; table ])
                    start.RedirectStandardError <- true
                    start.RedirectStandardOutput <- true
                    use child = Process.Start start
                    let output = child.StandardOutput.ReadToEndAsync()
                    let error = child.StandardError.ReadToEnd()
                    child.WaitForExit()
                    output.Wait()
                    child.ExitCode, error
                finally
                    Directory.Delete(program, true)

            let code, error = errorOf []
            Expect.isTrue $"exit code {code}: {error}" (code <> 0 && error.Contains "CsvHelper")

            for words in [ "cannot be read"; table ] do
                Expect.isTrue $"\"{words}\" in {error}" (not (error.Contains words))
        }
    ]
