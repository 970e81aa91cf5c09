namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Where the time of compiled maps goes, kernel by kernel, and how near each is to what the machine can do.
module Profile =

    /// A function of the parameters alone: the map of a family that takes nothing from its point.
    let private alone f (workload: Workload) = Compile.family (fun theta -> [ theta ], f) workload.Theta

    let private maps: (string * (Workload -> CompiledMap)) list =
        [
            "loss", (fun workload -> alone workload.Loss workload)
            "gradient", (fun workload -> alone (grad workload.Loss) workload)
            "hvp", Operations.products
            "trace_probe", Operations.forms
        ]

    let private times (workload: Workload) (map: CompiledMap) : KernelTime[] =
        let start = Stopwatch.GetTimestamp()

        while Stopwatch.GetElapsedTime start < TimeSpan.FromSeconds 1.2 do
            map.Apply workload.Theta |> ignore

        map.Profile(workload.Theta, (if workload.ForwardFlops > 1e9 then 11 else 101))

    /// Kernels of one name together.
    type private Group = { Kernel: string; Count: int; Seconds: float; Flops: float; Bytes: float }

    let private together (kernels: KernelTime[]) : Group[] =
        [|
            for name, group in kernels |> Array.groupBy _.Name do
                {
                    Kernel = name
                    Count = group.Length
                    Seconds = group |> Array.sumBy _.Seconds
                    Flops = group |> Array.sumBy _.Flops
                    Bytes = group |> Array.sumBy (fun kernel -> float kernel.Bytes)
                }
        |]
        |> Array.sortByDescending _.Seconds

    let private header =
        $"""  {"µs", 9} {"%", 5} {"times", 5} {"GFLOP/s", 8} {"% peak", 6} """
        + $"""{"GB/s", 6} {"% copy", 6} {"% roof", 6}  kernel"""

    let private line (roofline: Roofline) (total: float) (group: Group) =
        let perSecond amount = amount / group.Seconds
        let percent share = $"{100.0 * share, 6:F1}"

        $"  {group.Seconds * 1e6, 9:F1} {100.0 * group.Seconds / total, 5:F1} {group.Count, 5} "
        + $"{perSecond group.Flops / 1e9, 8:F1} {percent (perSecond group.Flops / roofline.FlopsPerSecond)} "
        + $"{perSecond group.Bytes / 1e9, 6:F1} {percent (perSecond group.Bytes / roofline.BytesPerSecond)} "
        + $"{percent (perSecond (roofline.LeastSeconds(group.Flops, group.Bytes)))}  {group.Kernel}"

    let private print (roofline: Roofline) (title: string) (kernels: KernelTime[]) =
        let groups = together kernels
        let sum f = groups |> Array.sumBy f
        let total = sum _.Seconds
        let least = sum (fun group -> roofline.LeastSeconds(group.Flops, group.Bytes))
        printf $"{title}: {total * 1e6:F1} µs in {kernels.Length} kernels, {sum _.Flops / total / 1e9:F0} GFLOP/s, "
        printfn $"{sum _.Bytes / total / 1e9:F1} GB/s, {100.0 * least / total:F0} %% of the roofline"
        printfn $"{header}"

        for group in groups do
            printfn $"{line roofline total group}"

    let run (data: string option) (only: string) =
        for workload in Workloads.all data |> List.filter (fun workload -> workload.Name.StartsWith only) do
            let roofline = Roofline.measure workload.DType Environment.ProcessorCount
            printfn $"{roofline}"

            for name, map in maps do
                use map = map workload
                times workload map |> print roofline $"{workload.Name} {workload.DType} {name}"
