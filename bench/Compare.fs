namespace Curvature.Bench

open System
open System.Collections.Generic
open System.Diagnostics
open System.Globalization
open System.IO
open System.Text.Json
open System.Text.Json.Nodes
open Curvature

/// One line of the comparison.
type Row =
    {
        Workload: string
        DType: string
        Operation: string
        Seconds: float
        /// The better of the baselines' figures; none where they do not have the operation.
        Baseline: float voption
        Gflops: float
        ShareOfPeak: float
        AllocatedBytes: int64
        PeakMemoryMiB: float
        Threads: int
    }

    member row.Ratio = row.Baseline |> ValueOption.map (fun baseline -> baseline / row.Seconds)

/// Times the workloads, and sets the figures beside a baseline's from the same machine.
module Compare =

    /// Each operation runs at least this long before it is timed: background compilation settles in that time.
    let private warmUp = TimeSpan.FromSeconds 1.2

    let private timeBudget = TimeSpan.FromSeconds 2.0

    let private median (values: List<float>) =
        values.Sort()
        values[values.Count / 2]

    let private time (operation: Operation) : float * int64 =
        let start = Stopwatch.GetTimestamp()

        while Stopwatch.GetElapsedTime start < warmUp do
            operation.Run()

        let seconds = List<float>()
        let begun = Stopwatch.GetTimestamp()

        while seconds.Count < 9 || (seconds.Count < 2001 && Stopwatch.GetElapsedTime begun < timeBudget) do
            let start = Stopwatch.GetTimestamp()
            operation.Run()
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / float operation.Units)

        let before = GC.GetAllocatedBytesForCurrentThread()
        operation.Run()
        median seconds, GC.GetAllocatedBytesForCurrentThread() - before

    /// Seconds by workload, element type and operation; of several files the better figure.
    let private readBaselines (paths: string list) =
        let seconds = Dictionary<struct (string * string * string), float>()

        for path in paths do
            use document = JsonDocument.Parse(File.ReadAllText path)

            for row in document.RootElement.GetProperty("rows").EnumerateArray() do
                let text (name: string) = row.GetProperty(name).GetString()
                let key = struct (text "workload", text "dtype", text "operation")
                let value = row.GetProperty("seconds").GetDouble()

                match seconds.TryGetValue key with
                | true, known when known <= value -> ()
                | _ -> seconds[key] <- value

        seconds

    let private dtypeName dtype =
        match dtype with
        | DType.Float64 -> "float64"
        | _ -> "float32"

    let private print (row: Row) =
        let baseline, ratio =
            match row.Baseline, row.Ratio with
            | ValueSome seconds, ValueSome ratio -> $"{seconds * 1e3, 10:F4}", $"{ratio, 7:F2}"
            | _ -> $"""{"-", 10}""", $"""{"-", 7}"""

        printf $"{row.Workload, -26} {row.DType, -8} {row.Operation, -20} {row.Seconds * 1e3, 10:F4} "
        printf $"{baseline} {ratio} {row.Gflops, 8:F1} {100.0 * row.ShareOfPeak, 6:F1} "
        printfn $"{row.AllocatedBytes, 9} {row.PeakMemoryMiB, 8:F0}"

    let private toJson (rows: Row seq) =
        let list = JsonArray()

        for row in rows do
            let item = JsonObject()
            item["workload"] <- JsonValue.Create row.Workload
            item["dtype"] <- JsonValue.Create row.DType
            item["operation"] <- JsonValue.Create row.Operation
            item["seconds"] <- JsonValue.Create row.Seconds

            match row.Baseline, row.Ratio with
            | ValueSome baseline, ValueSome ratio ->
                item["baseline"] <- JsonValue.Create baseline
                item["ratio"] <- JsonValue.Create ratio
            | _ ->
                item["baseline"] <- null
                item["ratio"] <- null

            item["gflops"] <- JsonValue.Create row.Gflops
            item["allocatedBytes"] <- JsonValue.Create row.AllocatedBytes
            item["threads"] <- JsonValue.Create row.Threads
            list.Add item

        let root = JsonObject()
        root["rows"] <- list
        root.ToJsonString(JsonSerializerOptions(WriteIndented = true))

    /// A line for each operation, in the form of bench/history.
    let private toCsv (rows: Row seq) =
        let number (x: float) = x.ToString("G4", CultureInfo.InvariantCulture)

        [
            yield "workload,dtype,operation,milliseconds,baseline,ratio"

            for row in rows do
                let baseline = row.Baseline |> ValueOption.map (fun seconds -> number (1e3 * seconds))
                let ratio = row.Ratio |> ValueOption.map number
                let figures = [ number (1e3 * row.Seconds); ValueOption.defaultValue "" baseline ]

                yield
                    String.Join(
                        ',',
                        [ row.Workload; row.DType; row.Operation ] @ figures @ [ ValueOption.defaultValue "" ratio ]
                    )
        ]

    /// Blocks are compared with the baseline's single product, per probe.
    let private baselineName (operation: string) = operation.Replace("_block16", "")

    let run (data: string option) (baselines: string list) (only: string) (json: string option) (csv: string option) =
        let known = readBaselines baselines
        let threads = Environment.ProcessorCount
        let rows = List<Row>()

        printf $"""{"workload", -26} {"dtype", -8} {"operation", -20} {"ms", 10} {"baseline", 10} {"ratio", 7} """
        printfn $"""{"GFLOP/s", 8} {"% peak", 6} {"bytes", 9} {"MiB", 8}"""

        for make in Workloads.all data do
            let workload = make ()
            let dtype = dtypeName workload.DType
            let peak = Peak.GflopsPerCore workload.DType * float threads

            for operation in Operations.ofWorkload workload do
                if $"{workload.Name} {operation.Name}".Contains only then
                    let seconds, allocated = time operation
                    let gflops = operation.Flops / seconds / 1e9

                    let row =
                        {
                            Workload = workload.Name
                            DType = dtype
                            Operation = operation.Name
                            Seconds = seconds
                            Baseline =
                                match known.TryGetValue(struct (workload.Name, dtype, baselineName operation.Name)) with
                                | true, value -> ValueSome value
                                | _ -> ValueNone
                            Gflops = gflops
                            ShareOfPeak = gflops / peak
                            AllocatedBytes = allocated
                            PeakMemoryMiB = float (Process.GetCurrentProcess().PeakWorkingSet64) / 1048576.0
                            Threads = threads
                        }

                    rows.Add row
                    print row

        json |> Option.iter (fun path -> File.WriteAllText(path, toJson rows))
        csv |> Option.iter (fun path -> File.WriteAllLines(path, toCsv rows))
