// Runs the F# of the pages in docs as a reader would who pastes it into F# Interactive, block by block. A page with F#
// names its packages in a sentence (the site would look for them, were they in a block), and begins with a block of fsx
// that makes what its examples stand on. Here the built libraries stand in for the packages. What is written to the
// error stream, warnings too, is a failure.
//
//     dotnet build -c Release && dotnet fsi build/pages.fsx [PAGE...]
//
// Without names it is all pages, and where a page takes minutes, a smaller case of it. A page that is named, such as
// resnet, is run as it stands: what it prints is shown, and the files that it writes are kept.

open System
open System.Diagnostics
open System.IO
open System.Text
open System.Text.RegularExpressions

let repository = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, ".."))

/// The assemblies of a package and of those that it stands on.
let assemblies =
    let core = [ "Curvature.Kernels"; "Curvature.Autodiff"; "Curvature.Data"; "Curvature.FSharp" ]

    dict
        [
            "Curvature.FSharp", core
            "Curvature.FSharp.Laws", core @ [ "Curvature.FSharp.Laws" ]
            "Curvature.Charts", [ "Curvature.Kernels"; "Curvature.Autodiff"; "Curvature.Charts" ]
        ]

/// Where they have been built, with the packages beside them.
let folders = [ "samples/Report/bin/Release/net10.0"; "src/Curvature.FSharp.Laws/bin/Release/net10.0" ]

/// Pages whose examples need other engines, and the tests that run them.
let elsewhere =
    dict [ "onnx", "tests/Onnx"; "torchsharp", "tests/TorchSharp"; "distributed", "tests/Distributed" ]

/// Files that a page reads from the folder it runs in, and the variables of the environment that tell their paths.
let inputs =
    let resnet = [ "resnet20.safetensors", "CURVATURE_RESNET_WEIGHTS"; "test_batch.bin", "CURVATURE_CIFAR" ]
    dict [ ("resnet", resnet) ]

/// A line of a page, and the one that makes a smaller case of it.
let smaller =
    let sizes = "let count, vectors, probes, steps = "
    dict [ ("resnet", (sizes + "50, 30, 8, 80", sizes + "4, 4, 2, 20")) ]

type Block = { IsOpening: bool; Line: int; Code: string[] }

type Page =
    {
        Name: string
        /// As they are named before the first block.
        Packages: string list
        Blocks: Block list
    }

type Outcome =
    | Ran of seconds: float * printed: string * folder: string
    | Failed of string
    | Skipped of string

let read (path: string) =
    let lines = File.ReadAllLines path

    let blocks =
        [
            for i in 0 .. lines.Length - 1 do
                if lines[i] = "```fsharp" || lines[i] = "```fsx" then
                    {
                        IsOpening = (lines[i] = "```fsx")
                        Line = i + 2
                        Code = lines[i + 1 .. Array.IndexOf(lines, "```", i) - 1]
                    }
        ]

    let text = lines |> Seq.takeWhile (fun line -> line <> "```fsx") |> String.concat "\n"

    {
        Name = Path.GetFileNameWithoutExtension path
        Packages = [ for found in Regex.Matches(text, "`#r \"nuget: ([^\"]+)\"`") -> found.Groups[1].Value ]
        Blocks = blocks
    }

/// What is wrong with the order of the blocks.
let disorder (page: Page) =
    let unknown = page.Packages |> List.tryFind (assemblies.ContainsKey >> not)
    let isWithout line = page.Blocks |> List.forall (fun block -> not (Array.contains line block.Code))

    match List.filter _.IsOpening page.Blocks, unknown with
    | _ when page.Packages.IsEmpty -> Some "it has F#, and names no packages before it"
    | [ opening ], None when opening = page.Blocks.Head ->
        match smaller.TryGetValue page.Name with
        | true, (line, _) when isWithout line -> Some $"it has no line \"{line}\", which a smaller case replaces"
        | _ -> None
    | [ _ ], Some name -> Some $"the library has no package {name}"
    | [], _ -> Some "it has F#, and no block of fsx that it begins with"
    | openings, _ -> Some $"line {(List.last openings).Line}: one block of fsx, the first, is what examples stand on"

// ---- what F# Interactive is given

/// A line of its own on the error stream after each block tells whose messages stand before it.
let mark = "-- end of block "

let script isWhole (page: Page) =
    let shorten (line: string) =
        match smaller.TryGetValue page.Name with
        | true, (long, short) when line = long && not isWhole -> short
        | _ -> line

    let text = StringBuilder()

    for name in page.Packages |> Seq.collect (fun package -> assemblies[package]) |> Seq.distinct do
        text.Append($"#r \"{name}.dll\"\n") |> ignore

    for index, block in List.indexed page.Blocks do
        text.Append($"# {block.Line} \"docs/{page.Name}.md\"\n") |> ignore

        for line in block.Code |> Seq.map shorten do
            text.Append(line).Append('\n') |> ignore

        text.Append($";;\neprintfn \"%%s\" \"{mark}{index}\";;\n") |> ignore

    string text

// ---- running

let start (folder: string) =
    let info =
        ProcessStartInfo(
            "dotnet",
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = UTF8Encoding false
        )

    for argument in
        [
            yield! [ "fsi"; "--nologo"; "--quiet"; "--readline-" ]
            for folder in folders -> $"-I:{Path.Combine(repository, folder)}"
        ] do
        info.ArgumentList.Add argument

    // Pages write to the folder of temporary files.
    for name in [ "TMPDIR"; "TMP"; "TEMP" ] do
        info.Environment[name] <- folder

    Process.Start info

/// The messages of each block: those of the last one are followed by no mark if F# Interactive ended before.
let messages (errors: string) =
    errors.Split(mark) |> Array.map (fun part -> part.TrimStart("0123456789".ToCharArray()).Trim())

let firstFailure (page: Page) (errors: string) =
    let parts = messages errors

    let at index =
        if index < page.Blocks.Length then
            $"line {page.Blocks[index].Line}"
        else
            "after the last block"

    match parts |> Array.tryFindIndex (fun part -> part <> "") with
    | Some index -> Some $"{at index}: {parts[index]}"
    | None when parts.Length <= page.Blocks.Length -> Some $"{at (parts.Length - 1)}: F# Interactive ended"
    | None -> None

let runIn (folder: string) isWhole (page: Page) =
    let limit = TimeSpan.FromMinutes(if isWhole then 60.0 else 10.0)
    let clock = Stopwatch.StartNew()
    use running = start folder
    let printed, errors = running.StandardOutput.ReadToEndAsync(), running.StandardError.ReadToEndAsync()
    running.StandardInput.Write(script isWhole page)
    running.StandardInput.Close()

    if running.WaitForExit limit then
        match firstFailure page (errors.Result.Replace(folder + string Path.DirectorySeparatorChar, "")) with
        | Some problem -> Failed problem
        | None -> Ran(clock.Elapsed.TotalSeconds, printed.Result, folder)
    else
        running.Kill true
        Failed $"it takes longer than {limit.TotalMinutes} minutes"

/// The files that a page reads, if the environment names them all.
let filesOf (page: Page) =
    match inputs.TryGetValue page.Name with
    | true, files ->
        let found = [ for name, variable in files -> name, variable, Environment.GetEnvironmentVariable variable ]

        match found |> List.tryFind (fun (_, _, path) -> String.IsNullOrEmpty path) with
        | Some(name, variable, _) -> Error $"{variable} does not say where {name} is"
        | None -> Ok [ for name, _, path in found -> name, Path.GetFullPath path ]
    | _ -> Ok []

let run isWhole (page: Page) =
    match disorder page, filesOf page with
    | Some problem, _ -> Failed problem
    | None, Error reason -> Skipped reason
    | None, Ok files ->
        let folder = (Directory.CreateTempSubdirectory $"curvature-{page.Name}-").FullName

        try
            for name, path in files do
                File.Copy(path, Path.Combine(folder, name))

            runIn folder isWhole page
        finally
            if not isWhole then Directory.Delete(folder, true)

let report isWhole (page: Page) outcome =
    match outcome with
    | Ran(seconds, printed, folder) ->
        printfn $"ran     docs/{page.Name}.md, {page.Blocks.Length} blocks, {seconds:f0} s"
        if isWhole then printfn $"{printed}\nits files are in {folder}"
    | Failed problem -> printfn $"FAILED  docs/{page.Name}.md, {problem}"
    | Skipped reason -> printfn $"skipped docs/{page.Name}.md: {reason}"

let named = List.ofArray fsi.CommandLineArgs[1..] |> List.map Path.GetFileNameWithoutExtension

let pages =
    [ for path in Directory.GetFiles(Path.Combine(repository, "docs"), "*.md") -> read path ]
    |> List.filter (fun page -> not (page.Blocks.IsEmpty || elsewhere.ContainsKey page.Name))
    |> List.filter (fun page -> named.IsEmpty || List.contains page.Name named)
    |> List.sortByDescending (fun page -> page.Blocks |> List.sumBy _.Code.Length)

for name in named do
    if pages |> List.forall (fun page -> page.Name <> name) then
        eprintfn $"docs has no page {name} with F#"
        exit 2

let outcomes =
    let isWhole, reporting = not named.IsEmpty, obj ()

    let one page =
        async {
            let outcome = run isWhole page
            lock reporting (fun () -> report isWhole page outcome)
            return outcome
        }

    Async.Parallel(List.map one pages, Environment.ProcessorCount) |> Async.RunSynchronously

let failed = outcomes |> Seq.filter _.IsFailed |> Seq.length
printfn $"{pages.Length} pages, {failed} failed"
exit (if failed = 0 then 0 else 1)
