namespace Curvature.Bench

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text.Json
open System.Text.Json.Nodes

/// One line of the comparison.
type Row =
    {
        Workload: string
        DType: string
        Operation: string
        Threads: int
        Measured: Measured
        /// The better of the baselines' figures; none where they do not have the operation.
        Baseline: float voption
        /// The rate of arithmetic, as a share of what the threads reach on registers alone.
        ShareOfPeak: float
    }

    member row.Ratio = row.Baseline |> ValueOption.map (fun baseline -> baseline / row.Measured.Seconds)
    member row.Gflops = row.Measured.Flops / row.Measured.Seconds / 1e9

/// What to compare, and where the figures go.
type CompareOptions =
    {
        Baselines: string list
        /// The name of an operation, of a workload, or of both with a space between; all where it is empty.
        Only: string
        Data: string option
        Threads: int list
        Json: string option
        Csv: string option
    }

/// Times the workloads, each operation in a process of its own, and sets the figures beside a baseline's from the same
/// machine.
module Compare =

    let private header =
        $"""{"workload", -24} {"dtype", -8} {"operation", -20} {"threads", 7} {"ms", 10} {"baseline", 10} """
        + $"""{"ratio", 7} {"GFLOP/s", 8} {"% peak", 6} {"bytes", 9} {"MiB", 6}"""

    let private line (row: Row) =
        let baseline, ratio =
            match row.Baseline, row.Ratio with
            | ValueSome seconds, ValueSome ratio -> $"{seconds * 1e3, 10:F4}", $"{ratio, 7:F2}"
            | _ -> $"""{"-", 10}""", $"""{"-", 7}"""

        let rate =
            if row.Measured.Flops > 0.0 then
                $"{row.Gflops, 8:F1} {100.0 * row.ShareOfPeak, 6:F1}"
            else
                $"""{"-", 8} {"-", 6}"""

        $"{row.Workload, -24} {row.DType, -8} {row.Operation, -20} {row.Threads, 7} "
        + $"{row.Measured.Seconds * 1e3, 10:F4} {baseline} {ratio} {rate} "
        + $"{row.Measured.AllocatedBytes, 9} {row.Measured.PeakMemoryMiB, 6:F0}"

    let private optional (value: float voption) : JsonNode | null =
        match value with
        | ValueSome value -> JsonValue.Create value
        | ValueNone -> null

    let private toJson (rows: Row seq) =
        let list = JsonArray()

        for row in rows do
            let item = JsonObject()
            item["workload"] <- JsonValue.Create row.Workload
            item["dtype"] <- JsonValue.Create row.DType
            item["operation"] <- JsonValue.Create row.Operation
            item["threads"] <- JsonValue.Create row.Threads
            item["seconds"] <- JsonValue.Create row.Measured.Seconds
            item["baseline"] <- optional row.Baseline
            item["ratio"] <- optional row.Ratio
            item["gflops"] <- JsonValue.Create row.Gflops
            item["allocatedBytes"] <- JsonValue.Create row.Measured.AllocatedBytes
            item["peakMemoryMiB"] <- JsonValue.Create row.Measured.PeakMemoryMiB
            list.Add item

        let root = JsonObject()
        root["rows"] <- list
        root.ToJsonString(JsonSerializerOptions(WriteIndented = true))

    /// A line for each operation, in the form of bench/history.
    let private toCsv (rows: Row seq) =
        let number (x: float) = x.ToString("G4", CultureInfo.InvariantCulture)
        let optional scale value = value |> ValueOption.map (fun x -> number (scale * x)) |> ValueOption.defaultValue ""

        [
            yield "workload,dtype,operation,threads,milliseconds,baseline,ratio,MiB"

            for row in rows do
                let measured =
                    [ number (1e3 * row.Measured.Seconds); optional 1e3 row.Baseline; optional 1.0 row.Ratio ]

                let memory = row.Measured.PeakMemoryMiB.ToString("F0", CultureInfo.InvariantCulture)

                yield
                    String.Join(
                        ',',
                        [ row.Workload; row.DType; row.Operation; string row.Threads ] @ measured @ [ memory ]
                    )
        ]

    let private row (baseline: Baseline) data threads peak (workload: Workload) (operation: Operation) : Row =
        let measured = Measured.inOwnProcess threads data workload operation

        {
            Workload = workload.Name
            DType = workload.TypeName
            Operation = operation.Name
            Threads = threads
            Measured = measured
            Baseline = baseline.Seconds(workload, operation.Name)
            ShareOfPeak = measured.Flops / measured.Seconds / 1e9 / (peak * float threads)
        }

    /// Whether `only` chooses an operation: the beginning of "workload operation", a whole name of either, or nothing.
    let private isChosen (only: string) (workload: Workload) (operation: Operation) =
        only = ""
        || only = operation.Name
        || workload.Name.StartsWith only
        || $"{workload.Name} {operation.Name}" = only

    /// The operations of the workloads on each number of threads.
    let run (options: CompareOptions) =
        let baseline = Baseline options.Baselines
        let rows = List<Row>()
        printfn $"{header}"

        for workload in Workloads.all options.Data do
            let operations = Operations.all |> List.filter (isChosen options.Only workload)
            let peak = if operations.IsEmpty then nan else Peak.GflopsPerCore workload.DType

            for operation in operations do
                for threads in options.Threads do
                    let row = row baseline options.Data threads peak workload operation
                    rows.Add row
                    printfn $"{line row}"

        options.Json |> Option.iter (fun path -> File.WriteAllText(path, toJson rows))
        options.Csv |> Option.iter (fun path -> File.WriteAllLines(path, toCsv rows))

    /// One operation in this process, for `run`.
    let operation (data: string option) (name: string) (dtype: string) (operation: string) =
        let workload =
            Workloads.all data |> List.find (fun workload -> workload.Name = name && workload.TypeName = dtype)

        Operations.all |> List.find (fun found -> found.Name = operation) |> Measured.printHere workload
