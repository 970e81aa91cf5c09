namespace Curvature.Bench

open System
open System.Collections.Generic
open System.Diagnostics
open System.Text.Json

/// What one operation took in a process of its own.
type Measured =
    {
        /// The median, of one unit.
        Seconds: float
        /// Of one unit; 0 where nobody counts them.
        Flops: float
        /// On the managed heap, by one run.
        AllocatedBytes: int64
        /// The most memory of the process.
        PeakMemoryMiB: float
    }

/// Times one operation: in this process, or in one that is started for it, so that its memory is its own and nothing
/// that ran before decides its speed.
module Measured =

    /// Each operation runs at least this long before it is timed: background compilation settles in that time.
    let private warmUp = TimeSpan.FromSeconds 1.2

    let private timeBudget = TimeSpan.FromSeconds 2.0

    let median (values: float seq) =
        let sorted = Seq.sort values |> Array.ofSeq
        sorted[sorted.Length / 2]

    let private secondsOf (run: unit -> unit) =
        let start = Stopwatch.GetTimestamp()
        run ()
        Stopwatch.GetElapsedTime(start).TotalSeconds

    let private timeOften (run: unit -> unit) : float =
        let start = Stopwatch.GetTimestamp()

        while Stopwatch.GetElapsedTime start < warmUp do
            run ()

        let seconds = List<float>()
        let begun = Stopwatch.GetTimestamp()

        while seconds.Count < 9 || (seconds.Count < 2001 && Stopwatch.GetElapsedTime begun < timeBudget) do
            seconds.Add(secondsOf run)

        median seconds

    let private peak () = float (Process.GetCurrentProcess().PeakWorkingSet64) / 1048576.0

    /// The first run of a process, counted from the start of the process.
    let private once (prepared: Prepared) : Measured =
        prepared.Run()
        let seconds = DateTime.Now - Process.GetCurrentProcess().StartTime

        {
            Seconds = seconds.TotalSeconds
            Flops = 0.0
            AllocatedBytes = 0L
            PeakMemoryMiB = peak ()
        }

    let private often (prepared: Prepared) : Measured =
        let seconds = timeOften prepared.Run / float prepared.Units
        let before = GC.GetAllocatedBytesForCurrentThread()
        prepared.Run()
        let allocated = GC.GetAllocatedBytesForCurrentThread() - before

        {
            Seconds = seconds
            Flops = prepared.Flops
            AllocatedBytes = allocated
            PeakMemoryMiB = peak ()
        }

    /// Measures one operation here, and prints what it took on one line.
    let printHere (workload: Workload) (operation: Operation) =
        let prepared = operation.Prepare workload
        let measured = if operation.IsFirst then once prepared else often prepared
        printfn $"{JsonSerializer.Serialize measured}"

    /// The result of this program with other arguments, on a number of threads.
    let start (threads: int) (arguments: string list) : string =
        // The name of the host and not of the program, where it was started by dotnet.
        let program, host = Environment.GetCommandLineArgs()[0], Environment.ProcessPath
        let isHost = IO.Path.GetFileNameWithoutExtension host = "dotnet"
        let info = ProcessStartInfo(host, (if isHost then program :: arguments else arguments))
        info.RedirectStandardOutput <- true
        info.Environment["DOTNET_PROCESSOR_COUNT"] <- string threads
        use child = Process.Start info
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()

        if child.ExitCode <> 0 then
            raise (IO.IOException $"a measurement ended with {child.ExitCode}: {String.Join(' ', arguments)}")

        output

    /// What an operation of a workload takes in a process of its own. The first of a process is the median of five.
    let inOwnProcess (threads: int) (data: string option) (workload: Workload) (operation: Operation) : Measured =
        let folder = data |> Option.map (fun folder -> [ "--data"; folder ]) |> Option.defaultValue []

        let run () =
            start threads ([ "operation"; workload.Name; workload.TypeName; operation.Name ] @ folder)
            |> JsonSerializer.Deserialize<Measured>

        if operation.IsFirst then
            let runs = [ for _ in 1..5 -> run () ]
            { runs.Head with Seconds = median (runs |> List.map _.Seconds) }
        else
            run ()
