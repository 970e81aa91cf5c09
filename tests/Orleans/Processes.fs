/// Other programs, and what they print.
module Curvature.Tests.Orleans.Processes

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Runtime.InteropServices
open System.Threading
open Expecto

/// This assembly, which is a program too; see Main.fs.
let self = System.Reflection.Assembly.GetExecutingAssembly().Location

/// A program that runs, with the lines that it has printed.
[<Sealed>]
type Program(file: string, arguments: string list) =
    let lines = ConcurrentQueue<string>()

    let started =
        let info = ProcessStartInfo(file, arguments)
        info.RedirectStandardOutput <- true
        info.RedirectStandardError <- true
        info.RedirectStandardInput <- true
        let made = new Process(StartInfo = info)
        let keep (line: DataReceivedEventArgs) = if not (isNull line.Data) then lines.Enqueue line.Data
        made.OutputDataReceived.Add keep
        made.ErrorDataReceived.Add keep
        made.Start() |> ignore
        made.BeginOutputReadLine()
        made.BeginErrorReadLine()
        made

    member _.Id = started.Id
    member _.Lines = lines.ToArray()
    member _.IsRunning = not started.HasExited

    member program.Text = String.concat "\n" program.Lines

    /// Waits until a line holds a text.
    member program.WaitFor(text: string, seconds: float) =
        let clock = Stopwatch.StartNew()

        while not (program.Lines |> Array.exists _.Contains(text)) do
            if started.HasExited || clock.Elapsed.TotalSeconds > seconds then
                failtest $"'{text}' was not printed in {seconds} s:\n{program.Text}"

            Thread.Sleep 50

    member program.WaitForExit(seconds: float) =
        if not (started.WaitForExit(TimeSpan.FromSeconds(seconds))) then
            failtest $"a program has not ended in {seconds} s:\n{program.Text}"

        // The rest of what it printed.
        started.WaitForExit()
        started.ExitCode

    member _.Kill() = if not started.HasExited then started.Kill()

    interface IDisposable with
        member program.Dispose() =
            program.Kill()
            started.Dispose()

/// This program, with arguments.
let again (arguments: string list) = new Program("dotnet", self :: arguments)

/// Whether a command succeeds.
let succeeds (file: string) (arguments: string list) =
    try
        use program = new Program(file, arguments)
        program.WaitForExit 60.0 = 0
    with :? ComponentModel.Win32Exception ->
        false

let freePort () =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()
    (listener.LocalEndpoint :?> IPEndPoint).Port

/// Skips the running test where nobody has said that the machine has nothing else to do: beside other tests, silos join
/// too late, and those that wait for them give up.
let requireQuiet () =
    if isNull (Environment.GetEnvironmentVariable "CURVATURE_CLUSTERS") then
        skiptest "it starts a cluster of processes: set CURVATURE_CLUSTERS=1, and run nothing beside it"

/// Waits for a condition.
let eventually (what: string) (seconds: float) (condition: unit -> bool) =
    let clock = Stopwatch.StartNew()

    while not (condition ()) do
        if clock.Elapsed.TotalSeconds > seconds then
            failtest $"not within {seconds} s: {what}"

        Thread.Sleep 50

[<DllImport("libc", SetLastError = true)>]
extern int private kill(int pid, int signal)

/// Stops a process where it is.
let freeze (pid: int) = kill (pid, 19) |> ignore

/// Lets a stopped process go on.
let thaw (pid: int) = kill (pid, 18) |> ignore

/// The addresses at which a process listens, as Linux writes them.
let listening (pid: int) : string list =
    let sockets =
        Directory.GetFileSystemEntries $"/proc/{pid}/fd"
        |> Array.choose (fun file ->
            match (FileInfo file).LinkTarget with
            | null -> None
            | target when target.StartsWith "socket:[" -> Some target[8 .. target.Length - 2]
            | _ -> None)
        |> Set.ofArray

    [
        for table in [ "tcp"; "tcp6" ] do
            for line in File.ReadAllLines $"/proc/{pid}/net/{table}" |> Array.skip 1 do
                let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                if fields[3] = "0A" && sockets.Contains fields[9] then fields[1]
    ]
