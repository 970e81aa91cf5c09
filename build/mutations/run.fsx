// Puts faults into Curvature.Autodiff and Curvature.FSharp, one at a time, and sees whether the tests notice:
//     dotnet fsi build/mutations/run.fsx [--no-build] [--project=PROJECT] [WORDS OF A NAME]...
// With --no-build the tests are taken as they were built last; with --project only those of tests/PROJECT run; words
// choose the faults that have all of them in their names. All of it takes about a quarter of an hour, outside CI.
//
// mutations.txt lists the faults. Each is an expression on one line of a source file, which must occur there once, an
// expression to stand in its place, and the tests of its area. All faults are compiled at once, each behind a switch
// (mutant schemata; Untch, Offutt & Harrold 1993), into copies of the sources: the working tree stays as it is. The
// tests are those already built, beside the libraries with faults. First they have to pass with no fault switched on;
// then they run once for each fault, up to the first failure or the time limit.
//
// A test that was compiled against the library may hold inlined copies of its smallest functions, in which a fault
// cannot appear. Choose expressions of functions that are longer than a line.
//
// The exit status is 0 where every fault was killed, 1 where one survived or does not compile, 2 where a run was not
// possible: then mutations.txt is out of date, or the tests fail without a fault.

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open System.Threading.Tasks

let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))
let work = Path.Combine(root, "tmp", "mutations")
let libraries = [ "Curvature.Autodiff"; "Curvature.FSharp" ]
let timeLimit = TimeSpan.FromMinutes 4.0

let refuse (why: string) : 'T =
    eprintfn "%s" why
    exit 2

// ---- the faults

type Mutation =
    {
        Number: int
        Name: string
        File: string
        Find: string
        Put: string
        /// Folders of test projects in tests, each with the tests to run, as dotnet test --filter takes them.
        Tests: (string * string)[]
    }

type Outcome =
    | KilledBy of test: string
    | Survived
    | DoesNotCompile

let parse (number: int) (block: string) : Mutation =
    let fields name =
        let found = Regex.Matches(block, $@"^{name}: +(.+?) *$", RegexOptions.Multiline)
        if found.Count = 0 then refuse $"mutations.txt: no '{name}:' in\n{block}"
        [| for line in found -> line.Groups[1].Value |]

    let field name = (fields name)[0]

    {
        Number = number
        Name = field "name"
        File = field "file"
        Find = field "find"
        Put = field "put"
        Tests = fields "tests" |> Array.map (fun line -> let words = line.Split(' ', 2) in words[0], words[1])
    }

let all =
    let text = File.ReadAllText(Path.Combine(__SOURCE_DIRECTORY__, "mutations.txt")).Replace("\r", "")
    let lines = text.Split '\n' |> Array.filter (fun line -> not (line.StartsWith '#'))

    Regex.Split(String.Join("\n", lines), @"\n\s*\n")
    |> Array.filter (String.IsNullOrWhiteSpace >> not)
    |> Array.mapi (fun i block -> parse (i + 1) block)

let words = fsi.CommandLineArgs |> Array.skip 1 |> Array.filter (fun word -> not (word.StartsWith "--"))
let isBuilt = fsi.CommandLineArgs |> Array.contains "--no-build"

/// The one project whose tests are run, where --project=NAME says so.
let only =
    fsi.CommandLineArgs
    |> Array.tryPick (fun word -> if word.StartsWith "--project=" then Some word[10..] else None)

let chosen =
    all
    |> Array.filter (fun mutation -> words |> Array.forall (fun word -> mutation.Name.Contains word))
    |> Array.map (fun mutation ->
        let isWanted (project, _) = only |> Option.forall ((=) project)
        { mutation with Tests = mutation.Tests |> Array.filter isWanted })
    |> Array.filter (fun mutation -> mutation.Tests.Length > 0)

// ---- programs

let start (environment: (string * string) list) (program: string) (arguments: string list) =
    let info = ProcessStartInfo(program, arguments, WorkingDirectory = root, UseShellExecute = false)
    info.RedirectStandardOutput <- true
    info.RedirectStandardError <- true

    for name, value in [ "DOTNET_NOLOGO", "1"; "MSBUILDDISABLENODEREUSE", "1" ] @ environment do
        info.Environment[name] <- value

    Process.Start info

/// The exit status of dotnet and its output; nothing where it ran longer than an hour.
let dotnet (arguments: string list) =
    use running = start [] "dotnet" arguments
    let output = running.StandardOutput.ReadToEndAsync()
    let errors = running.StandardError.ReadToEndAsync()

    if running.WaitForExit(TimeSpan.FromHours 1.0) then
        Some(running.ExitCode, output.Result + errors.Result)
    else
        running.Kill true
        None

let require what arguments =
    match dotnet arguments with
    | Some(0, _) -> ()
    | Some(_, output) -> refuse $"{what} failed:\n{output}"
    | None -> refuse $"{what} took too long"

// ---- the libraries with faults

let lineOf (mutation: Mutation) (text: string) = text[.. text.IndexOf mutation.Find].Split('\n').Length

/// The source with a switch in the place of the expression.
let insert (text: string) (mutation: Mutation) : string =
    let places = text.Split(mutation.Find).Length - 1

    if places <> 1 then
        refuse $"{mutation.Name}: '{mutation.Find}' occurs {places} times in {mutation.File}, and once is needed"

    let choice = $"(if global.Curvature.Mutant.is {mutation.Number} then ({mutation.Put}) else ({mutation.Find}))"
    text.Replace(mutation.Find, choice)

let writeSources (mutations: Mutation[]) =
    for library in libraries do
        let folder = Path.Combine(root, "src", library)

        for source in Directory.EnumerateFiles(folder, "*.fs", SearchOption.AllDirectories) do
            let file = Path.GetRelativePath(root, source).Replace('\\', '/')

            if not (file.StartsWith $"src/{library}/obj/") then
                let own = mutations |> Array.filter (fun mutation -> mutation.File = file)
                let target = Path.Combine(work, file)
                Directory.CreateDirectory(Path.GetDirectoryName target) |> ignore
                let text = own |> Array.fold insert (File.ReadAllText source)
                // What did not change keeps its time, so that nothing is compiled again for it.
                if not (File.Exists target) || File.ReadAllText target <> text then
                    File.WriteAllText(target, text)

    for mutation in mutations do
        if not (File.Exists(Path.Combine(root, mutation.File))) then
            refuse $"{mutation.Name}: there is no {mutation.File}"

    File.Copy(Path.Combine(__SOURCE_DIRECTORY__, "Mutant.fs"), Path.Combine(work, "Mutant.fs"), true)

/// Builds the libraries with all faults that compile; gives the others.
let rec build (mutations: Mutation[]) : Mutation[] =
    writeSources mutations

    let result =
        dotnet
            [
                "build"
                "-c"
                "Release"
                "--no-restore"
                "src/Curvature.FSharp"
                $"-p:MutatedSources={work}"
                $"""-p:CustomAfterMicrosoftCommonTargets={Path.Combine(__SOURCE_DIRECTORY__, "mutated.targets")}"""
                "-p:IntermediateOutputPath=obj/mutations/"
                $"""-p:OutDir={Path.Combine(work, "bin")}/"""
            ]

    match result with
    | Some(0, _) -> [||]
    | Some(_, output) ->
        let errors =
            Regex.Matches(output, @"^\s*(\S+)\((\d+),\d+\): error", RegexOptions.Multiline)
            |> Seq.map (fun found -> Path.GetRelativePath(work, found.Groups[1].Value), int found.Groups[2].Value)
            |> set

        let isWrong (mutation: Mutation) =
            let text = File.ReadAllText(Path.Combine(root, mutation.File))
            errors.Contains(mutation.File, lineOf mutation text)

        let wrong, right = Array.partition isWrong mutations
        if wrong.Length = 0 then refuse $"the sources do not compile:\n{output}"
        Array.append wrong (build right)
    | None -> refuse "the build took too long"

let copyTests (project: string) =
    let folder = Path.Combine(work, "tests", project)

    let copy (source: string) (target: string) =
        Directory.CreateDirectory(Path.GetDirectoryName target) |> ignore
        File.Copy(source, target, true)

    let built = Path.Combine(root, "tests", project, "bin", "Release", "net10.0")

    for file in Directory.EnumerateFiles(built, "*", SearchOption.AllDirectories) do
        copy file (Path.Combine(folder, Path.GetRelativePath(built, file)))

    for library in libraries do
        copy (Path.Combine(work, "bin", library + ".dll")) (Path.Combine(folder, library + ".dll"))

// ---- the tests

let testOf project filter =
    [
        "test"
        Path.Combine(work, "tests", project, $"Curvature.Tests.{project}.dll")
        "--filter"
        filter
    ]

/// Runs tests with one fault switched on, up to the first failure.
let outcomeOf (mutation: Mutation) (project: string, filter: string) : Outcome =
    let output = Text.StringBuilder()
    let failed = TaskCompletionSource<string>()

    let hear (line: string) =
        if not (isNull line) then
            lock output (fun () -> output.AppendLine line |> ignore)
            let found = Regex.Match(line, @"^\s*Failed (.+?) \[[^\]]*\]\s*$")
            if found.Success then failed.TrySetResult found.Groups[1].Value |> ignore

    use running = start [ ("CURVATURE_MUTANT", string mutation.Number) ] "dotnet" (testOf project filter)
    running.OutputDataReceived.Add(fun line -> hear line.Data)
    running.ErrorDataReceived.Add(fun line -> hear line.Data)
    running.BeginOutputReadLine()
    running.BeginErrorReadLine()
    let isOver = Task.WhenAny(failed.Task, running.WaitForExitAsync()).Wait timeLimit
    if not running.HasExited then running.Kill true

    if failed.Task.IsCompleted then
        KilledBy failed.Task.Result
    elif not isOver then
        KilledBy "the time limit"
    elif running.ExitCode = 0 then
        Survived
    elif Regex.IsMatch(string output, "crashed|aborted") then
        KilledBy "the end of the test process"
    else
        refuse $"{mutation.Name}: its tests did not run:\n{output}"

let rec outcome (mutation: Mutation) (tests: (string * string) list) : Outcome =
    match tests with
    | [] -> Survived
    | first :: others ->
        match outcomeOf mutation first with
        | Survived -> outcome mutation others
        | other -> other

/// The tests that are asked for have to exist, and to pass without a fault.
let requirePassing (project: string, filters: string[]) =
    let filter = filters |> Array.map (fun filter -> $"({filter})") |> String.concat "|"
    let watch = Stopwatch.StartNew()

    match dotnet (testOf project filter) with
    | Some(0, output) ->
        let passed = Regex.Match(output, @"Passed: +(\d+)").Groups[1].Value
        printfn "%s: %s tests pass without a fault, in %.0f s" project passed watch.Elapsed.TotalSeconds
    | Some(_, output) -> refuse $"tests/{project} fails without a fault:\n{output}"
    | None -> refuse $"tests/{project} took too long without a fault"

let show (mutation: Mutation) outcome (seconds: float) =
    let text =
        match outcome with
        | KilledBy test -> "killed by " + test
        | Survived -> "survived"
        | DoesNotCompile -> "does not compile"

    printfn "%2d  %-72s %-22s %4.0f s  %s" mutation.Number mutation.Name (Path.GetFileName mutation.File) seconds text

let projects =
    chosen
    |> Array.collect _.Tests
    |> Array.distinct
    |> Array.groupBy fst
    |> Array.map (fun (project, tests) -> project, Array.map snd tests)

if not isBuilt then
    for project, _ in projects do
        require $"the build of tests/{project}" [ "build"; "-c"; "Release"; $"tests/{project}" ]

// All of them, so that another choice needs no other build.
let wrong = build all
let watch = Stopwatch.StartNew()

for project, filters in projects do
    copyTests project
    requirePassing (project, filters)

let outcomes =
    [|
        for mutation in chosen do
            let started = watch.Elapsed.TotalSeconds
            let isWrong = wrong |> Array.exists (fun other -> other.Number = mutation.Number)

            let outcome =
                if isWrong then
                    DoesNotCompile
                else
                    outcome mutation (List.ofArray mutation.Tests)

            show mutation outcome (watch.Elapsed.TotalSeconds - started)
            mutation, outcome
    |]

let isKilled (_, outcome) =
    match outcome with
    | KilledBy _ -> true
    | _ -> false

let others = outcomes |> Array.filter (isKilled >> not)
printfn "\n%d of %d faults killed" (outcomes.Length - others.Length) outcomes.Length

for mutation, outcome in others do
    show mutation outcome 0.0

exit (min 1 others.Length)
