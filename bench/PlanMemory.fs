namespace Curvature.Bench

open System.Collections.Generic
open Curvature
open Curvature.FSharp

/// What the plans of products and forms hold, from shapes alone: no number is computed.
module PlanMemory =

    let private mebibytes (bytes: int64) = float bytes / 1048576.0

    /// Inputs are the point, and the vector.
    let private programOf (workload: Workload) (at: Tensor -> Linearization) : Program * int =
        let signature = workload.Theta.Signature
        let mutable values = 0

        let program =
            Staging.stage workload.Theta.Device [| signature; signature |] (fun inputs ->
                let found, map = Linearization.toValues (at inputs[0])
                values <- found.Length
                [| yield! found; yield map inputs[1] |])

        Simplify.run [| false; true |] program, values

    /// The primitives that make the residuals, and the kinds of equations that read them, with bytes.
    let private kinds (parts: Partition) =
        let makers = Dictionary<int, Equation>()

        for equation in parts.Slow.Equations do
            for id in equation.Results do
                makers[id] <- equation

        let residuals = parts.Slow.Outputs[parts.SlowOutputs ..]
        let readers = Array.init residuals.Length (fun _ -> HashSet<string>())

        for equation in parts.Fast.Equations do
            for operand in equation.Operands do
                match operand with
                | Variable id when id >= parts.Slow.Inputs && id < parts.Slow.Inputs + residuals.Length ->
                    readers[id - parts.Slow.Inputs].Add equation.Primitive.Name |> ignore
                | _ -> ()

        residuals
        |> Seq.mapi (fun i atom ->
            let maker =
                match atom with
                | Variable id when makers.ContainsKey id -> makers[id].Primitive.Name
                | Variable _ -> "input"
                | Constant _ -> "constant"

            let kind = maker + " for " + System.String.Join(", ", Seq.sort readers[i])
            kind, (parts.Slow.Signature atom).Bytes)
        |> Seq.groupBy fst
        |> Seq.map (fun (kind, items) -> kind, Seq.length items, items |> Seq.sumBy snd)
        |> Seq.sortByDescending (fun (_, _, bytes) -> bytes)

    let private showParts (parts: Partition) =
        let slow, fast = Plan(parts.Slow, 0), Plan(parts.Fast, parts.Fast.Inputs - 1)
        let residuals = parts.Slow.Outputs |> Array.sumBy (fun output -> (parts.Slow.Signature output).Bytes)
        printfn $"    residuals {mebibytes residuals:F1} MiB, others kept {mebibytes fast.PersistentBytes:F1}"
        printfn $"    scratch at the point {mebibytes slow.ScratchBytes:F1}, of a run {mebibytes fast.ScratchBytes:F1}"

        let ofRun, ofPoint = mebibytes (Array.sum fast.Traffic), mebibytes (Array.sum slow.Traffic)
        printfn $"    a run touches {ofRun:F1}, the point {ofPoint:F1}"

        for kind, count, bytes in Seq.truncate 8 (kinds parts) do
            printfn $"      {mebibytes bytes, 8:F1} MiB in {count, 4}: {kind}"

    let private show (workload: Workload) name at =
        let program, values = programOf workload at
        let parts = Partition.cut 1 values program
        printfn $"  {name}, all residuals kept"
        showParts parts
        printfn $"  {name}, cheap residuals made again"
        showParts (Retention.reduce Retention.least parts)

    let run (data: string option) (only: string) =
        for workload in Workloads.all data do
            if workload.Name.StartsWith only then
                let gradient =
                    Staging.stage workload.Theta.Device [| workload.Theta.Signature |] (fun inputs ->
                        [| grad workload.Loss inputs[0] |])
                    |> Simplify.run [| true |]

                printfn $"{workload.Name}\n  gradient: scratch {mebibytes (Plan(gradient, 0)).ScratchBytes:F1} MiB"
                show workload "hvp" (Hessian.specify workload.Loss).Matvec
                show workload "form" (Hessian.specify workload.Loss).Form
