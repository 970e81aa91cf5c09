namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Where the time of one compiled product goes, kernel by kernel.
module Profile =

    let run (data: string option) (only: string) =
        for make in Workloads.all data do
            let workload = make ()

            if workload.Name.Contains only then
                let loss = workload.Model >> workload.Loss

                /// A function of the parameters alone: the map of a family that takes nothing from its point.
                let alone f = Compile.family (fun theta -> [ theta ], f) workload.Theta

                let maps =
                    [
                        "loss", alone loss
                        "gradient", alone (grad loss)
                        "hvp", Operations.products loss workload.Theta
                        "trace_probe", Operations.forms loss workload.Theta
                    ]

                for name, map in maps do
                    let start = Stopwatch.GetTimestamp()

                    while Stopwatch.GetElapsedTime start < TimeSpan.FromSeconds 1.2 do
                        map.Apply workload.Theta |> ignore

                    let kernels = map.Profile(workload.Theta, (if workload.ForwardFlops > 1e9 then 11 else 101))
                    let total = kernels |> Array.sumBy snd
                    printfn $"{workload.Name} {workload.DType} {name}: {total * 1e6:F1} µs in {kernels.Length} kernels"

                    for kernel, seconds in kernels do
                        printfn $"  {seconds * 1e6, 9:F2} µs {100.0 * seconds / total, 5:F1} %%  {kernel}"
