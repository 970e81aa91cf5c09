namespace Curvature.Bench

open System.Collections.Generic
open System.IO
open System.Text.Json

/// Another engine's figures from the same machine: seconds by workload, element type and operation. Of several files
/// the better figure counts.
[<Sealed>]
type Baseline(paths: string list) =
    let seconds = Dictionary<struct (string * string * string), float>()

    do
        for path in paths do
            use document = JsonDocument.Parse(File.ReadAllText path)

            for row in document.RootElement.GetProperty("rows").EnumerateArray() do
                let text (name: string) = row.GetProperty(name).GetString()
                let key = struct (text "workload", text "dtype", text "operation")
                let value = row.GetProperty("seconds").GetDouble()

                match seconds.TryGetValue key with
                | true, known when known <= value -> ()
                | _ -> seconds[key] <- value

    /// The seconds of one unit. Blocks are compared with the baseline's single product.
    member _.Seconds(workload: Workload, operation: string) : float voption =
        match seconds.TryGetValue(struct (workload.Name, workload.TypeName, operation.Replace("_block16", ""))) with
        | true, value -> ValueSome value
        | _ -> ValueNone
