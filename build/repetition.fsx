// Counts the lines of src that stand more than once: dotnet fsi build/repetition.fsx [FOLDER]
//
// A line is its text without blanks around it. Comments, opens, and lines of brackets alone are left out. A window is
// six such lines that follow each other in a file; a line is repeated where a window that holds it occurs more than
// once, across files or within one.

open System
open System.Collections.Generic
open System.IO

let window = 6

let root =
    match fsi.CommandLineArgs with
    | [| _; folder |] -> folder
    | _ -> Path.Combine(__SOURCE_DIRECTORY__, "..")

let isGenerated (path: string) =
    path.Split(Path.DirectorySeparatorChar) |> Array.exists (fun part -> part = "obj" || part = "bin")

/// The text of a line that counts; nothing for others.
let significant (line: string) : string voption =
    let text = line.Trim()
    let starts (prefix: string) = text.StartsWith(prefix, StringComparison.Ordinal)

    if text |> Seq.forall (fun c -> not (Char.IsLetterOrDigit c)) then ValueNone
    elif starts "//" || starts "(*" || starts "*" || starts "///" then ValueNone
    elif starts "open " || starts "using " || starts "namespace " then ValueNone
    else ValueSome text

/// The numbers and texts of the lines of a file that count.
let linesOf (path: string) : struct (int * string)[] =
    File.ReadAllLines path
    |> Array.indexed
    |> Array.choose (fun (i, line) ->
        match significant line with
        | ValueSome text -> Some(struct (i + 1, text))
        | ValueNone -> None)

let files =
    [| "*.fs"; "*.cs" |]
    |> Array.collect (fun pattern ->
        Directory.GetFiles(Path.Combine(root, "src"), pattern, SearchOption.AllDirectories))
    |> Array.filter (isGenerated >> not)
    |> Array.sort
    |> Array.map (fun path -> Path.GetRelativePath(root, path), linesOf path)

/// Where each window occurs: the number of the file and of its first line among those that count.
let places = Dictionary<string, ResizeArray<struct (int * int)>>()

files
|> Array.iteri (fun file (_, lines) ->
    for first in 0 .. lines.Length - window do
        let key =
            lines[first .. first + window - 1] |> Array.map (fun (struct (_, text)) -> text) |> String.concat "\n"

        match places.TryGetValue key with
        | true, found -> found.Add(struct (file, first))
        | _ -> places[key] <- ResizeArray [ struct (file, first) ])

let repeated = places.Values |> Seq.filter (fun found -> found.Count > 1) |> Array.ofSeq

let lines =
    HashSet(
        seq {
            for found in repeated do
                for struct (file, first) in found do
                    for line in first .. first + window - 1 do
                        struct (file, line)
        }
    )

let total = files |> Array.sumBy (fun (_, lines) -> lines.Length)
printfn $"{lines.Count} of {total} lines that count stand in a block of {window} or more that occurs more than once"

/// Windows that follow each other at all of their places are one group.
let groups =
    let byPlaces = Dictionary(HashIdentity.Structural)

    for found in repeated do
        byPlaces[List.ofSeq found] <- true

    let shift by (found: struct (int * int) list) =
        found |> List.map (fun struct (file, first) -> struct (file, first + by))

    [
        for found in byPlaces.Keys do
            if not (byPlaces.ContainsKey(shift -1 found)) then
                let length = Seq.initInfinite id |> Seq.find (fun by -> not (byPlaces.ContainsKey(shift by found)))
                found, length + window - 1
    ]

printfn "The largest groups, by lines times places:"

let largest = groups |> List.sortByDescending (fun (found, length) -> length * found.Length) |> List.truncate 25

for found, length in largest do
    printfn $"{length} lines at {found.Length} places:"

    for struct (file, first) in found do
        let name, lines = files[file]
        let (struct (number, text)) = lines[first]
        printfn $"  {name}:{number}  {text}"
