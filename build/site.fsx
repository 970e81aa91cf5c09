// Builds the site of documentation from a Release build, and checks it: every link leads somewhere, nothing is loaded
// from elsewhere, and pages that are scripts have run.
//
//     dotnet build -c Release && dotnet fsi build/site.fsx OUTPUT [ROOT]
//
// ROOT is the path under which the site will be served, with a slash at both ends; by default /.

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Text.RegularExpressions
open System.Xml.Linq

let repository = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, ".."))

let output, root =
    match fsi.CommandLineArgs with
    | [| _; output |] -> Path.GetFullPath output, "/"
    | [| _; output; root |] -> Path.GetFullPath output, root
    | _ ->
        eprintfn "usage: dotnet fsi build/site.fsx OUTPUT [ROOT]"
        exit 2

// ---- documentation comments of the C# surface, most of which say "see the F# function": readers see its words

let name (text: string) = XName.Get text

let inheritDocumentation () =
    let folder = Path.Combine(repository, "src/Curvature.CSharp/bin/Release/net10.0")
    let file = Path.Combine(folder, "Curvature.CSharp.xml")

    let documents =
        [
            for path in Directory.GetFiles(folder, "Curvature.*.xml") do
                path, XDocument.Load path
        ]

    let members = Dictionary<string, XElement>()

    for _, document in documents do
        for element in document.Descendants(name "member") do
            members[element.Attribute(name "name").Value] <- element

    let document = documents |> List.find (fun (path, _) -> path = file) |> snd

    for inherited in List.ofSeq (document.Descendants(name "inheritdoc")) do
        match inherited.Attribute(name "cref") with
        | null -> ()
        | cref ->
            match members.TryGetValue cref.Value with
            | true, source -> inherited.ReplaceWith(source.Nodes())
            | _ -> ()

    document.Save file

// ---- the build

let run (arguments: string list) =
    let info = ProcessStartInfo("dotnet", WorkingDirectory = repository)
    arguments |> List.iter info.ArgumentList.Add
    use started = Process.Start info
    started.WaitForExit()
    started.ExitCode

let build () =
    // fsdocs looks for the assemblies of packages beside that of a project, where those of Orleans are not: its members
    // are described on a page alone.
    let projects =
        Directory.GetFiles(Path.Combine(repository, "src"), "*.?sproj", SearchOption.AllDirectories)
        |> Array.filter (fun path -> Path.GetFileName path <> "Curvature.Orleans.csproj")

    run
        [
            yield! [ "fsdocs"; "build"; "--input"; "docs"; "--output"; output; "--clean"; "--eval"; "--strict" ]
            yield! [ "--nodefaultcontent"; "--properties"; "Configuration=Release" ]
            yield! "--projects" :: List.ofArray projects
            yield! [ "--parameters"; "root"; root; "fsdocs-collection-name"; "Curvature" ]
        ]

// ---- what fsdocs leaves to be mended

let pages () = Directory.GetFiles(output, "*.html", SearchOption.AllDirectories)

/// Headings are reached by names in small letters, as in other viewers of Markdown.
let lowerAnchors (html: string) =
    let lower (found: Match) = $"{found.Groups[1].Value}{found.Groups[2].Value.ToLowerInvariant()}\""
    let named = Regex.Replace(html, "(<a name=\")([^\"]*)\"(?= class=\"anchor\")", lower)
    Regex.Replace(named, "(<a [^>]*href=\"#)([^\"]*)\"", lower)

/// Links to a place in another page.
let followPlaces (html: string) = Regex.Replace(html, "(<a [^>]*href=\"[^\":]*)\\.md(#[^\"]*\")", "$1.html$2")

/// Types that are not public have no page, and those of C# delegates have none either: their names are no links.
let unlinkMissing (html: string) =
    Regex.Replace(
        html,
        $"""<a href="{Regex.Escape root}(reference/[^"#]*)[^"]*">(.*?)</a>""",
        fun found ->
            let isThere = File.Exists(Path.Combine(output, found.Groups[1].Value))
            if isThere then found.Value else found.Groups[2].Value
    )

let mend () =
    for page in pages () do
        let isReference = Path.GetRelativePath(output, page).StartsWith "reference"
        let html = File.ReadAllText page
        File.WriteAllText(page, (if isReference then unlinkMissing html else lowerAnchors (followPlaces html)))

// ---- the checks

/// The addresses in a page by the attribute and element that hold them.
let addresses (html: string) =
    [
        for found in Regex.Matches(html, """<(\w+)\b[^>]*?\s(href|src)="([^"]*)"[^>]*>""") do
            found.Groups[1].Value, WebUtility.HtmlDecode found.Groups[3].Value
    ]

let anchors =
    let known = Dictionary<string, HashSet<string>>()

    fun (file: string) ->
        if not (known.ContainsKey file) then
            let ids = Regex.Matches(File.ReadAllText file, """\s(?:id|name)="([^"]*)""")
            known[file] <- HashSet(seq { for id in ids -> WebUtility.HtmlDecode id.Groups[1].Value })

        known[file]

/// What is wrong with an address in a page; nothing if it leads somewhere.
let problem (page: string) (element: string, address: string) =
    let isElsewhere = Regex.IsMatch(address, "^[a-z]+:") || address.StartsWith "//"

    if isElsewhere then
        if element = "a" then None else Some $"<{element}> is loaded from {address}"
    else
        let parts = address.Split('#', 2)

        let target =
            if parts[0] = "" then
                page
            elif parts[0].StartsWith root then
                Path.Combine(output, parts[0].Substring root.Length)
            else
                Path.Combine(Path.GetDirectoryName page, parts[0])
            |> Path.GetFullPath

        let target = if Directory.Exists target then Path.Combine(target, "index.html") else target

        if not (File.Exists target) then
            Some $"{address} leads nowhere"
        elif parts.Length = 2 && parts[1] <> "" && not ((anchors target).Contains(Uri.UnescapeDataString parts[1])) then
            Some $"{address} leads to no such place in the page"
        else
            None

let check () =
    [
        for page in pages () do
            let html = File.ReadAllText page
            let shown = Path.GetRelativePath(output, page)

            for address in List.distinct (addresses html) do
                match problem page address with
                | Some text -> $"{shown}: {text}"
                | None -> ()

            // What a script printed stands where the page asks for it; where it did not run, there is a message.
            if html.Contains "No output has been produced" || html.Contains "Output will be added here" then
                $"{shown}: a script did not run"
    ]

inheritDocumentation ()
let status = build ()

if status <> 0 then
    eprintfn "fsdocs ended with %d" status
    exit 1

mend ()
let problems = check ()
problems |> List.truncate 50 |> List.iter (eprintfn "%s")
printfn $"{(pages ()).Length} pages, {problems.Length} problems"
exit (if problems.IsEmpty then 0 else 1)
