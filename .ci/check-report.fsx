// Checks what the Report sample wrote, the page beside the report too:  dotnet fsi check-report.fsx REPORT [SAME]
// SAME is a report of the same command, whose numbers must be the same but for the time they took.
open System
open System.IO
open System.Text.Json.Nodes
open System.Xml.Linq

let problems = ResizeArray<string>()

let expect condition problem = if not condition then problems.Add problem

let rec find (path: string list) (node: JsonNode) =
    match path with
    | [] -> node
    | key :: rest ->
        match node[key] with
        | null -> raise (InvalidDataException $"There is no '{key}' in {node.ToJsonString()}.")
        | child -> find rest child

let number path node =
    let value = (find path node).GetValue<float>()
    expect (Double.IsFinite value) $"{path} is {value}, not a finite number."
    value

let checkNumbers (report: JsonNode) =
    let parameters = number [ "parameters" ] report
    expect (parameters >= 1.0 && parameters = floor parameters) $"parameters is {parameters}."
    expect (number [ "loss" ] report > 0.0) "The loss is not positive."
    expect (number [ "gradientNorm" ] report >= 0.0) "The gradient norm is negative."
    expect (number [ "seconds" ] report > 0.0) "The report took no time."

    let trace = find [ "trace" ] report
    let value = number [ "value" ] trace
    let error = number [ "standardError" ] trace
    let low, high = number [ "low" ] trace, number [ "high" ] trace

    // A larger network has no exact trace; then the estimates agree with each other.
    let exact =
        match trace["exact"] with
        | null -> value
        | _ -> number [ "exact" ] trace

    expect (number [ "matvecs" ] trace >= 1.0) "The trace cost no products."
    expect (error > 0.0) $"The standard error of the trace is {error}."
    expect (low < value && value < high) $"The trace {value} is outside its interval [{low}, {high}]."
    expect (abs (value - exact) <= 6.0 * error) $"The trace {value} ± {error} is far from the exact one, {exact}."

    let blocks = (find [ "blockTraces" ] report).AsArray() |> List.ofSeq
    let sum key = blocks |> List.sumBy (number [ key ])
    let sizes, values = sum "size", sum "value"
    let names = blocks |> List.map (fun block -> (find [ "name" ] block).GetValue<string>())
    expect (List.distinct names = names && names <> []) $"The names of the parameter tensors are {names}."
    expect (sizes = parameters) $"The parameter tensors have {sizes} elements together, not {parameters}."

    expect
        (blocks |> List.forall (fun block -> number [ "standardError" ] block >= 0.0))
        "A standard error is negative."

    expect (abs (values - exact) <= 6.0 * error) $"The traces of the parameter tensors add up to {values}, not {exact}."

    let diagonal = find [ "diagonal" ] report
    let least, mean, greatest = number [ "min" ] diagonal, number [ "mean" ] diagonal, number [ "max" ] diagonal
    expect (least <= mean && mean <= greatest) $"The diagonal has minimum {least}, mean {mean} and maximum {greatest}."
    expect (abs (mean * parameters - exact) <= 6.0 * error) $"The diagonal adds up to {mean * parameters}, not {exact}."

let checkSpectrum (report: JsonNode) =
    let list path = (find path report).AsArray() |> Seq.map (fun value -> value.GetValue<float>()) |> Seq.toArray
    let pairs = (find [ "topEigenvalues" ] report).AsArray() |> List.ofSeq
    let values = pairs |> List.map (number [ "value" ])
    expect (not values.IsEmpty && List.sortDescending values = values) $"The largest eigenvalues are {values}."

    expect
        (pairs |> List.forall (fun pair -> number [ "residual" ] pair <= 1e-3 * values.Head))
        "An eigenpair has a large residual."

    let columns = [ "grid"; "value"; "cumulative"; "low"; "high" ] |> List.map (fun name -> list [ "density"; name ])
    let lengths = columns |> List.map Array.length |> List.distinct
    expect (lengths.Length = 1 && lengths.Head > 100) $"The columns of the density have lengths {lengths}."
    let lines = (find [ "landscape"; "lines" ] report).AsArray()
    expect (lines.Count >= 2) $"There are {lines.Count} lines of the landscape."

/// A page that loads nothing from elsewhere, and whose markup is closed.
let checkPage (path: string) =
    if not (File.Exists path) then
        problems.Add $"There is no {path}."
    else
        let text = File.ReadAllText path
        let root = XDocument.Parse(text.Replace("<!DOCTYPE html>", "")).Root

        for element in root.Descendants() do
            let name = element.Name.LocalName
            expect (name <> "script" && name <> "img" && name <> "iframe") $"The page has a {name}."

            for attribute in element.Attributes() do
                let loads = List.contains attribute.Name.LocalName [ "src"; "href"; "data" ]
                let isInside = attribute.Value.StartsWith "#" || attribute.Value.StartsWith "data:"
                expect (not loads || isInside) $"The page loads {attribute.Value}."

        expect (not (text.Contains "url(" || text.Contains "@import")) "The style sheet of the page loads something."
        expect (not (text.Contains "NaN")) "The page has a NaN."
        let charts = root.Descendants() |> Seq.filter (fun element -> element.Name.LocalName = "figure") |> Seq.length
        expect (charts >= 8) $"The page has {charts} charts."

/// The report without what may differ from run to run.
let rec timeless (node: JsonNode) =
    match node with
    | :? JsonObject as o ->
        o.Remove "seconds" |> ignore
        o |> Seq.iter (fun entry -> timeless entry.Value)
    | :? JsonArray as a -> a |> Seq.iter timeless
    | _ -> ()

let read path = File.ReadAllText path |> JsonNode.Parse

let check (path: string) =
    let report = read path
    checkNumbers report
    checkSpectrum report
    checkPage (Path.Combine(Path.GetDirectoryName path, "report.html"))
    report

match Array.tail fsi.CommandLineArgs with
| [| path |] -> check path |> ignore
| [| path; same |] ->
    let first, second = check path, read same
    timeless first
    timeless second
    expect (JsonNode.DeepEquals(first, second)) $"{first.ToJsonString()}\nis not\n{second.ToJsonString()}"
| _ -> problems.Add "Give one report, or two."

for problem in problems do
    eprintfn "%s" problem

exit (min problems.Count 1)
